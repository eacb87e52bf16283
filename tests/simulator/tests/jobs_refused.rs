//! What a job may hold: names, references, values, kinds of jobs.

use crate::support;

use reqwest::StatusCode;
use serde_json::{Value, json};
use support::Sim;

async fn frozen() -> Sim {
    let sim = Sim::frozen().await;
    sim.cluster("cpu", 2).await;
    sim
}

/// A change that makes a good body bad; the text is the workspace's id.
type Change = fn(&mut Value, &str);

fn prep_input(body: &mut Value, name: &str, value: &str) {
    body["jobs"]["prep"]["inputs"] = json!({ name: { "job_input_type": "literal", "value": value } });
}

const BAD: [(&str, Change); 7] = [
    ("Not found component none (version: 1).", |body, ws| {
        body["jobs"]["prep"]["componentId"] = json!(format!("{ws}/components/none/versions/1"));
    }),
    ("no input 'x'", |body, _| prep_input(body, "x", "1")),
    ("not a valid value", |body, _| body["inputs"]["trees"]["value"] = json!("many")),
    ("does not exist", |body, _| prep_input(body, "data", "${{parent.jobs.train.outputs.none}}")),
    ("depends on itself", |body, _| prep_input(body, "data", "${{parent.jobs.train.outputs.out}}")),
    ("Datastore", |body, _| body["outputs"]["model"]["uri"] = json!("azureml://datastores/none/paths/x")),
    ("jobs, a componentId or a sourceJobId", |body, _| body["jobs"] = json!({})),
];

#[tokio::test]
async fn a_job_refers_only_to_what_exists_and_gives_what_is_needed() {
    let sim = frozen().await;
    let good = sim.pipeline().await;
    for (number, (cause, change)) in BAD.into_iter().enumerate() {
        let mut body = good.clone();
        change(&mut body, &sim.workspace());
        let put = sim.submit(&format!("bad-{number}"), &body).await;
        // A 404 of a PUT is about what the body names.
        let lost = cause.starts_with("Not found");
        let wanted = if lost { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
        assert_eq!(put.status, wanted, "{cause}: {put:?}");
        assert!(put.message().contains(cause), "{cause}: {put:?}");
    }
    assert_eq!(sim.get("jobs?listViewType=All").await.body["value"], json!([]));
}

#[tokio::test]
async fn a_compute_that_is_not_there_is_found_out_when_the_step_starts() {
    let sim = frozen().await;
    let mut body = sim.pipeline().await;
    body["settings"]["default_compute"] = json!(format!("{}/computes/none", sim.workspace()));
    assert_eq!(sim.submit("run-1", &body).await.status, StatusCode::CREATED);
    assert_eq!(sim.over("run-1").await, "Failed");
    assert_eq!(sim.steps("run-1").await["prep"]["error"]["error"]["code"], "ComputeTargetNotFound");
}

#[tokio::test]
async fn a_registered_pipeline_runs_with_its_defaults_and_inside_another() {
    let sim = frozen().await;
    let step = sim.component("work", "run").await;
    let spec = json!({
        "type": "pipeline", "name": "inner", "version": "1", "display_name": "inner",
        "inputs": { "n": { "type": "integer", "default": "7" } }, "outputs": { "out": { "type": "uri_folder" } },
        "jobs": { "only": { "type": "command", "name": "only", "componentId": step,
            "inputs": { "n": { "job_input_type": "literal", "value": "${{parent.inputs.n}}" } },
            "outputs": { "out": { "type": "literal", "value": "${{parent.outputs.out}}" } } } },
    });
    let put =
        sim.put("components/inner/versions/1", &json!({ "properties": { "componentSpec": spec } })).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    let settings = json!({ "default_compute": format!("{}/computes/cpu", sim.workspace()) });
    let id = format!("{}/components/inner/versions/1", sim.workspace());
    let direct = json!({ "jobType": "Pipeline", "componentId": id, "jobs": {}, "settings": settings });
    assert_eq!(sim.submit("direct", &direct).await.status, StatusCode::CREATED);
    assert_eq!(sim.over("direct").await, "Completed");
    let run = sim.steps("direct").await["only"]["runId"].as_str().unwrap().to_owned();
    assert_eq!(sim.get(&format!("jobs/{run}")).await.body["properties"]["inputs"]["n"]["value"], "7");

    let outer = json!({ "jobType": "Pipeline", "settings": settings, "jobs": {
        "sub": { "type": "pipeline", "name": "sub", "componentId": id },
        "after": { "type": "command", "name": "after", "componentId": step,
            "inputs": { "data": { "job_input_type": "literal", "value": "${{parent.jobs.sub.outputs.out}}" } } } } });
    assert_eq!(sim.submit("outer", &outer).await.status, StatusCode::CREATED);
    assert_eq!(sim.over("outer").await, "Completed");
    let steps = sim.steps("outer").await;
    let below = sim.steps(steps["sub"]["runId"].as_str().unwrap()).await;
    assert_eq!(
        (below["only"]["status"].as_str(), steps["after"]["status"].as_str()),
        (Some("Completed"), Some("Completed"))
    );
}

#[tokio::test]
async fn a_command_job_runs_alone() {
    let sim = frozen().await;
    sim.component("work", "run").await;
    let body = json!({
        "jobType": "Command", "command": "Rscript a.R --n ${{inputs.n}}", "experimentName": "exp",
        "environmentId": format!("{}/environments/r/versions/1", sim.workspace()),
        "computeId": format!("{}/computes/cpu", sim.workspace()),
        "inputs": { "n": { "jobInputType": "literal", "value": "3" } },
    });
    let put = sim.submit("cmd-1", &body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    assert_eq!(sim.over("cmd-1").await, "Completed");
}

#[tokio::test]
async fn a_job_repeats_an_earlier_one_with_other_inputs() {
    let sim = frozen().await;
    let pipeline = sim.pipeline().await;
    sim.submit("run-1", &pipeline).await;
    let again = json!({ "jobType": "Pipeline", "sourceJobId": "run-1", "jobs": {},
                        "inputs": { "trees": { "jobInputType": "literal", "value": "9" } } });
    assert_eq!(sim.submit("run-2", &again).await.status, StatusCode::CREATED);
    assert_eq!(sim.over("run-2").await, "Completed");
    let run = sim.steps("run-2").await["train"]["runId"].as_str().unwrap().to_owned();
    assert_eq!(sim.get(&format!("jobs/{run}")).await.body["properties"]["inputs"]["n"]["value"], "9");
}
