//! Steps that are executed for real: code, data, values, logs, failures, and what this machine cannot run.

use crate::support;

use azureml_simulator::{Options, Times, WorkspaceSpec};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use support::Sim;

struct Executing {
    sim: Sim,
    dir: tempfile::TempDir,
}

impl Executing {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let times = Times { step: Duration::from_millis(20), node: Duration::ZERO, ..Times::default() };
        let options = Options {
            execute: true,
            throttle: false,
            dir: Some(dir.path().to_owned()),
            times,
            workspaces: vec![WorkspaceSpec::new("rg", "ws")],
            ..Options::default()
        };
        let sim = Sim::with(options).await;
        sim.cluster("cpu", 4).await;
        Self { sim, dir }
    }

    /// Uploads a code with one file, and returns its id.
    async fn code(&self, name: &str, file: &str, text: &str) -> String {
        let path = format!("codes/{name}/versions/1/startPendingUpload");
        let upload = json!({ "pendingUploadType": "TemporaryBlobReference" });
        let started = self.sim.send(Method::POST, &path, Some(&upload)).await.body;
        let place = &started["blobReferenceForConsumption"];
        let (uri, sas) = place["credential"]["sasUri"].as_str().unwrap().split_once('?').unwrap();
        let put = self.sim.http.put(format!("{uri}/src/{file}?{sas}")).header("x-ms-blob-type", "BlockBlob");
        assert_eq!(put.body(text.to_owned()).send().await.unwrap().status(), StatusCode::CREATED);
        let body = json!({ "properties": { "codeUri": format!("{uri}/src"), "isAnonymous": true } });
        let put = self.sim.put(&format!("codes/{name}/versions/1"), &body).await;
        put.body["id"].as_str().unwrap().to_owned()
    }

    /// A component of a command, with code when it is given, and returns its id.
    async fn component(&self, name: &str, command: &str, code: Option<&str>) -> String {
        self.sim.put("environments/r/versions/1", &json!({ "properties": { "image": "r:1" } })).await;
        let mut spec = json!({
            "type": "command", "name": name, "version": "1", "display_name": name, "command": command,
            "environment": format!("azureml:{}/environments/r/versions/1", self.sim.workspace()),
            "inputs": { "word": { "type": "string", "optional": true }, "data": { "type": "uri_folder", "optional": true } },
            "outputs": { "out": { "type": "uri_folder" } },
        });
        if let Some(code) = code {
            spec["code"] = json!(format!("azureml:{code}"));
        }
        let body = json!({ "properties": { "componentSpec": spec } });
        let put = self.sim.put(&format!("components/{name}/versions/1"), &body).await;
        put.body["id"].as_str().unwrap().to_owned()
    }

    /// Runs nodes of a pipeline and returns how it ended.
    async fn run(&self, jobs: &Value) -> String {
        let settings = json!({ "default_compute": format!("{}/computes/cpu", self.sim.workspace()) });
        let body = json!({ "jobType": "Pipeline", "jobs": jobs, "settings": settings });
        let put = self.sim.submit("run-1", &body).await;
        assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
        self.sim.over("run-1").await
    }

    async fn log(&self, step: &str) -> String {
        let id = self.sim.steps("run-1").await[step]["runId"].as_str().unwrap().to_owned();
        let details = self.sim.history(&id, "details").await;
        let url = details["logFiles"]["user_logs/std_log.txt"].as_str().unwrap().to_owned();
        self.sim.http.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// The folder of the default datastore.
    fn datastore(&self) -> std::path::PathBuf {
        let blob = self.dir.path().join("blob");
        let account = std::fs::read_dir(&blob).ok().and_then(|mut all| all.find_map(Result::ok)).unwrap();
        let containers = std::fs::read_dir(account.path()).unwrap().flatten();
        let store =
            |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with("azureml-blobstore");
        containers.map(|one| one.path()).find(|path| store(path)).unwrap()
    }
}

fn node(id: &str, inputs: &Value) -> Value {
    json!({ "type": "command", "componentId": id, "inputs": inputs })
}

fn literal(value: &str) -> Value {
    json!({ "job_input_type": "literal", "value": value })
}

#[tokio::test]
async fn data_flows_through_code_from_step_to_step() {
    let x = Executing::new().await;
    let code = x
        .code("c-1", "prep.sh", "mkdir -p \"$2\"; echo \"$1 $SECRET_OF_STEP\" > \"$2/words.txt\"; echo done")
        .await;
    let prepare = x
        .component(
            "prep",
            "sh prep.sh $[[${{inputs.word}}]] ${{outputs.out}} $[[--data ${{inputs.data}}]]",
            Some(&code),
        )
        .await;
    let count = x
        .component(
            "count",
            "wc -w < ${{inputs.data}}/words.txt > ${{outputs.out}}/n && cat ${{inputs.data}}/words.txt",
            None,
        )
        .await;
    let mut first = node(&prepare, &json!({ "word": literal("hello") }));
    first["environment_variables"] = json!({ "SECRET_OF_STEP": "world" });
    let second = node(&count, &json!({ "data": literal("${{parent.jobs.prep.outputs.out}}") }));
    assert_eq!(x.run(&json!({ "prep": first, "count": second })).await, "Completed");
    assert_eq!(x.log("prep").await, "done\n");
    assert_eq!(x.log("count").await, "hello world\n");
    let steps = x.sim.steps("run-1").await;
    assert!(steps["count"]["properties"]["azureml-simulator.notExecuted"].is_null());
    let run = steps["count"]["runId"].as_str().unwrap();
    let n = std::fs::read_to_string(x.datastore().join(format!("azureml/{run}/out/n"))).unwrap();
    assert_eq!(n.trim(), "2");
}

#[tokio::test]
async fn a_process_that_fails_fails_its_step_with_the_end_of_its_log() {
    let x = Executing::new().await;
    let id = x.component("bad", "echo starting; echo 'no such column: Species' >&2; exit 3", None).await;
    assert_eq!(x.run(&json!({ "bad": node(&id, &json!({})) })).await, "Failed");
    let error = x.sim.steps("run-1").await["bad"]["error"]["error"].clone();
    assert_eq!(error["code"], "UserError");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("exited with status code 3") && message.contains("no such column"), "{message}");
}

#[tokio::test]
async fn a_program_that_is_not_here_is_told_and_never_passed_off_as_run() {
    let x = Executing::new().await;
    let id = x.component("gone", "no-such-interpreter train.R --out ${{outputs.out}}", None).await;
    assert_eq!(x.run(&json!({ "gone": node(&id, &json!({})) })).await, "Completed");
    let steps = x.sim.steps("run-1").await;
    let reason = steps["gone"]["properties"]["azureml-simulator.notExecuted"].as_str().unwrap();
    assert_eq!(reason, "'no-such-interpreter' is not installed on this machine");
    assert!(x.log("gone").await.contains("was not executed"));
}

#[tokio::test]
async fn what_is_handed_on_directly_is_an_address() {
    let x = Executing::new().await;
    let id =
        x.component("tell", "echo ${{inputs.data}} ${{outputs.out}} $AZUREML_ARM_WORKSPACE_NAME", None).await;
    let uri = "azureml://datastores/workspaceblobstore/paths/none/";
    let data = json!({ "data": { "job_input_type": "uri_folder", "uri": uri, "mode": "Direct" } });
    let mut node = node(&id, &data);
    node["outputs"] = json!({ "out": { "job_output_type": "uri_folder", "mode": "Direct" } });
    assert_eq!(x.run(&json!({ "tell": node })).await, "Completed");
    let run = x.sim.steps("run-1").await["tell"]["runId"].as_str().unwrap().to_owned();
    let out = format!("azureml://datastores/workspaceblobstore/paths/azureml/{run}/out/");
    assert_eq!(x.log("tell").await, format!("{uri} {out} ws\n"));
}

#[tokio::test]
async fn data_that_is_not_there_fails_the_step_that_needs_it() {
    let x = Executing::new().await;
    let id = x.component("read", "ls ${{inputs.data}}", None).await;
    let data = json!({ "data": { "job_input_type": "uri_folder", "uri": "azureml://datastores/workspaceblobstore/paths/none/" } });
    assert_eq!(x.run(&json!({ "read": node(&id, &data) })).await, "Failed");
    assert_eq!(x.sim.steps("run-1").await["read"]["error"]["error"]["code"], "DataAccessError.NotFound");
}

#[tokio::test]
async fn code_that_was_never_uploaded_fails_the_step() {
    let x = Executing::new().await;
    let body =
        json!({ "properties": { "codeUri": format!("{}/blob/acct/none/src", x.sim.simulator.endpoint()) } });
    x.sim.put("codes/c-2/versions/1", &body).await;
    let code = format!("{}/codes/c-2/versions/1", x.sim.workspace());
    let id = x.component("lost", "true", Some(&code)).await;
    assert_eq!(x.run(&json!({ "lost": node(&id, &json!({})) })).await, "Failed");
    assert_eq!(
        x.sim.steps("run-1").await["lost"]["error"]["error"]["code"],
        "ScriptExecution.StreamAccess.NotFound"
    );
}

#[tokio::test]
async fn a_cancelled_job_leaves_no_process_behind() {
    let x = Executing::new().await;
    let id = x.component("slow", "sleep 600 & echo $! > ${{outputs.out}}/pid; wait", None).await;
    let settings = json!({ "default_compute": format!("{}/computes/cpu", x.sim.workspace()) });
    let body =
        json!({ "jobType": "Pipeline", "jobs": { "slow": node(&id, &json!({})) }, "settings": settings });
    x.sim.submit("run-1", &body).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    let pid = loop {
        let run = x.sim.steps("run-1").await.get("slow").map(|run| run["runId"].as_str().unwrap().to_owned());
        let file = run.map(|run| x.datastore().join(format!("azureml/{run}/out/pid")));
        let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        if text.ends_with('\n') {
            break text.trim().to_owned();
        }
        assert!(std::time::Instant::now() < deadline, "the step never started");
    };
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(x.sim.post("jobs/run-1/cancel").await.status, StatusCode::ACCEPTED);
    assert_eq!(x.sim.over("run-1").await, "Canceled");
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A process that has ended and waits for its parent is as good as gone.
    while !(state().is_empty() || state().contains(") Z ")) {
        assert!(std::time::Instant::now() < deadline, "the process {pid} is still there");
        tokio::task::yield_now().await;
    }
}
