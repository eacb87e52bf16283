//! The aim: to run the attacker's command on the victim's cluster, by a value in a call of the pipeline's endpoint.
//!
//! Before: `day = x'; id; '` ended the quotes of a typed step's argument, and `id` ran.

use super::{manifest, ready, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLPipeline;
use azureml_e2e::{PATIENCE, Scene, Setting, storage};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// A script that prints its arguments, as one line of JSON.
const SHOW: &str = "import json, sys\nprint('told', json.dumps(sys.argv[1:]))\n";

fn pipeline() -> String {
    let environment =
        manifest("MLEnvironment", "python", "workspaceRef: {name: team-a}, image: 'python:3.12-slim'");
    let cluster = "workspaceRef: {name: team-a}, vmSize: Standard_DS3_v2, scale: {max: 4}";
    let around = [workspace(""), environment, manifest("MLCompute", "cpu", cluster)].concat();
    let spec = json!({
        "workspaceRef": {"name": "team-a"},
        "defaults": {"compute": {"ref": "cpu"}, "environment": {"ref": "python"}},
        "publish": {"endpoint": "inject"},
        "inputs": {"day": {"type": "string", "default": "monday"}},
        "steps": [{"name": "show", "code": {"files": {"show.py": SHOW}}, "inputs": {"day": "${{parent.inputs.day}}"},
            "python": {"script": "show.py", "args": ["--day", "${{inputs.day}}", "--end"]}}],
    });
    around + "---\n" + &json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "inject"}, "spec": spec}).to_string()
}

/// Calls the endpoint, waits for the end of the step, and gives how it ended and what it printed.
async fn call(scene: &Scene, folder: &Path, uri: &str, day: &str) -> Result<(String, String)> {
    let (http, _) = scene.azure_client().await?;
    let token = scene.azure_token(&http, "https://ml.azure.com").await?;
    let body = json!({"properties": {"inputData": {"day": {"jobInputType": "Literal", "value": day}}}});
    let made: Value =
        http.post(uri).bearer_auth(token).json(&body).send().await?.error_for_status()?.json().await?;
    let job = made["name"].as_str().context("a job has no name")?;
    let mut beat = tokio::time::interval(Duration::from_millis(200));
    let ended = async {
        loop {
            beat.tick().await;
            let children = scene.children(job).await?;
            let step = children.first().map(|step| (step["status"].clone(), step["runId"].clone()));
            if let Some((Value::String(status), Value::String(run))) = step
                && ["Completed", "Failed"].contains(&status.as_str())
            {
                let log = storage::log(folder, &run).context("the step left no log")?;
                return anyhow::Ok((status, log));
            }
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.context("the step does not end")?
}

/// What stays one word, and what starts nothing.
fn values(run: &str) -> (Vec<String>, Vec<String>) {
    let words = vec![
        format!("x'; {run}; '"),
        format!("$({run}) `{run}` \"; {run}; \""),
        format!("\\'; {run} #"),
        "${{inputs.day}} $[[x]]".to_owned(),
        "two  words, and a tab\t".to_owned(),
    ];
    let ends = ["\tend", "\tend\n", "\tend$\\n"].map(|end| format!("x\nend\n{end}\n{run}\n"));
    let lines = [format!("x\n{run}"), format!("x'\nend\n{run}; '")].into_iter().chain(ends).collect();
    (words, lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_a_caller_is_an_argument_and_never_a_command() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setting = Setting::default();
    setting.azure.execute = true;
    setting.azure.dir = Some(folder.path().to_owned());
    let scene = Scene::set("inject", setting).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&pipeline()).await?;
    let made = ready::<MLPipeline>(&scene, "inject").await?;
    let uri = made["status"]["endpoint"]["scoringUri"].as_str().context("no address")?.to_owned();
    let proof = folder.path().join("ran");
    let (words, lines) = values(&format!("touch {}", proof.display()));
    for day in words {
        let (status, log) = call(&scene, folder.path(), &uri, &day).await?;
        ensure!(status == "Completed", "{day:?} ends {status}: {log}");
        let line = log.lines().find_map(|line| line.strip_prefix("told ")).context(log.clone())?;
        let told: Value = serde_json::from_str(line)?;
        ensure!(told == json!(["--day", day, "--end"]), "{day:?} came as {told}");
    }
    for day in lines {
        let (status, log) = call(&scene, folder.path(), &uri, &day).await?;
        ensure!(
            status == "Failed" && log.contains("a value has a line break"),
            "{day:?} ends {status}: {log}"
        );
    }
    ensure!(!proof.exists(), "a value ran as a command");
    operator.stop()
}
