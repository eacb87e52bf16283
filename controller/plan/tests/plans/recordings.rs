//! Recorded answers of real Azure through the readers of their resources, each with the outcome that is right for it; and
//! what was sent beside what is read back: they differ nowhere that we compare. The recordings are not part of the
//! repository: where their folder is missing, the tests say so and pass.

use crate::support::{ask, object, owner, plan, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLWorkspace};
use azureml_plan::diff::differences;
use azureml_plan::pipeline::{self, Presence};
use azureml_plan::publish::Publication;
use azureml_plan::{Decide as _, View, compute, environment, run, workspace as workspaces};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A recorded request with its answer.
struct Exchange {
    file: String,
    method: String,
    path: String,
    sent: Value,
    status: u64,
    body: Value,
}

/// All exchanges, by file; none where the folder is missing.
fn exchanges() -> Result<Vec<Exchange>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/azure/live"));
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: there is no folder ../shared/azure/live with recordings");
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    let mut paths: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let file = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path)?).context(file.clone())?;
        for one in recorded["exchanges"].as_array().into_iter().flatten() {
            let url = one["request"]["url"].as_str().unwrap_or_default();
            all.push(Exchange {
                file: file.clone(),
                method: one["request"]["method"].as_str().unwrap_or_default().to_owned(),
                path: url.split('?').next().unwrap_or_default().to_owned(),
                sent: one["request"]["body"].clone(),
                status: one["response"]["status"].as_u64().unwrap_or_default(),
                body: one["response"]["body"].clone(),
            });
        }
    }
    ensure!(!all.is_empty(), "{} holds no recordings", folder.display());
    Ok(all)
}

/// Operation and case of a file, without its date.
fn case(file: &str) -> String {
    file.split("--").take(2).collect::<Vec<_>>().join("--")
}

/// The same resource, as if this object had made it.
fn as_ours(mut body: Value, pointer: &str, name: &str) -> Value {
    if let Some(parent) = body.pointer_mut(pointer) {
        parent["tags"] = json!(owner(name).tags(&BTreeMap::new()));
    }
    body
}

fn of_compute(body: &Value) -> Result<String> {
    let inner = &body["properties"]["properties"];
    let scale = &inner["scaleSettings"];
    let idle = scale["nodeIdleTimeBeforeScaleDown"].as_str().unwrap_or("PT2M");
    let idle = azureml_plan::time::iso_seconds(idle).context("no duration")?;
    let spec = format!(
        "{{workspaceRef: {{name: p}}, vmSize: {}, priority: {}, scale: {{min: {}, max: {}, idle: {idle}s}}}}",
        inner["vmSize"].as_str().unwrap_or_default().to_lowercase(),
        inner["vmPriority"].as_str().unwrap_or("Dedicated"),
        scale["minNodeCount"],
        scale["maxNodeCount"]
    );
    let compute: MLCompute = object("cpu", &spec)?;
    let refs = compute::Refs { workspace: workspace(), owner: owner("cpu"), used_by: Vec::new() };
    let seen = Some(as_ours(body.clone(), "", "cpu"));
    said(&plan(&compute, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)
}

fn of_environment(body: &Value) -> Result<String> {
    let image = body["properties"]["image"].as_str().unwrap_or("x/y:1");
    let environment: MLEnvironment =
        object("env", &format!("{{workspaceRef: {{name: p}}, image: '{image}'}}"))?;
    let refs = environment::Refs { workspace: workspace(), owner: owner("env") };
    let version = environment::Version {
        name: body["name"].as_str().unwrap_or_default().to_owned(),
        body: as_ours(body.clone(), "/properties", "env"),
    };
    let seen = environment::Seen { version: Some(version), ..environment::Seen::default() };
    said(&plan(&environment, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)
}

fn of_workspace(body: &Value) -> Result<String> {
    let spec = "{subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg, workspaceName: ws}";
    let object: MLWorkspace = object("ws", spec)?;
    let refs = workspaces::Refs { resync: jiff::SignedDuration::from_mins(10) };
    let wanted = object.wanted(&refs).map_err(anyhow::Error::msg)?;
    let data_plane = Some("https://x".to_owned());
    let seen = workspaces::Seen { workspace: Some(body.clone()), registry: None, data_plane };
    let ask = ask();
    let view = View { refs: &refs, wanted: &wanted, seen: &seen, ask: &ask };
    let plan = object.plan(view);
    ensure!(object.facts(view, &plan).region.is_some(), "no region");
    said(&plan)
}

fn current() -> Result<azureml_crds::ml_pipeline::Current> {
    let settings = json!({"continueOnStepFailure": false, "forceRerun": false});
    let id = crate::support::id("components/p/versions/v");
    Ok(serde_json::from_value(
        json!({"version": "v", "componentId": id, "settings": settings, "inputs": {}, "outputs": {}}),
    )?)
}

/// What a run says of what is seen: its phase, its steps with theirs, and why it failed.
fn of_run(seen: &run::Seen) -> Result<String> {
    let mut run: MLRun = object("one", "{pipelineRef: {name: p}}")?;
    let status = azureml_crds::ml_run::MLRunStatus { pipeline: Some(current()?), ..Default::default() };
    run.status = Some(status);
    let refs = run::Refs { workspace: workspace(), owner: owner("one"), current: current()? };
    let wanted = run.wanted(&refs).map_err(anyhow::Error::msg)?;
    let ask = ask();
    let view = View { refs: &refs, wanted: &wanted, seen, ask: &ask };
    let plan = run.plan(view);
    let status = run.facts(view, &plan);
    let steps = status.steps.iter().map(|step| format!(" {} {:?}", step.name, step.phase));
    let failure = status.failure.map(|failure| format!(" {}: {}", failure.code, failure.message));
    let phase = status.phase.map(|phase| format!("{phase:?}")).unwrap_or_default();
    Ok(format!("{phase}{}{}", steps.collect::<String>(), failure.unwrap_or_default()))
}

fn said(plan: &azureml_plan::Plan) -> Result<String> {
    ensure!(plan.drift.is_empty(), "it drifts: {:?}", plan.drift);
    Ok(format!("{:?} {} {} writes", plan.verdict.state, plan.verdict.reason, plan.actions.len()))
}

fn of_endpoint(body: &Value) -> Result<String> {
    let spec = "{workspaceRef: {name: p}, publish: {endpoint: ep}, defaults: {compute: {name: c}, environment: {id: /e}},
        steps: [{name: a, command: b}]}";
    let pipeline: MLPipeline = object("ep", spec)?;
    let (environments, computes) = (BTreeMap::new(), BTreeMap::new());
    let refs = pipeline::Refs { workspace: workspace(), owner: owner("ep"), environments, computes };
    let endpoint = Some(as_ours(body.clone(), "", "ep"));
    let publication = Publication { endpoint, is_complete: true, ..Publication::default() };
    let (steps, codes) = (BTreeMap::new(), BTreeMap::new());
    let seen = pipeline::Seen { whole: Presence::Here, steps, codes, publication };
    said(&plan(&pipeline, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?)
}

/// What the reader of an answer makes of it; none where nothing of ours reads it.
fn outcome(one: &Exchange) -> Result<Option<String>> {
    if one.status != 200 || one.method != "GET" {
        return Ok(None);
    }
    let operation = one.file.split("--").next().unwrap_or_default();
    let body = &one.body;
    Ok(Some(match operation {
        "compute-get" => of_compute(body)?,
        "environment-version-get" => of_environment(body)?,
        "workspace-get" => of_workspace(body)?,
        "job-get" => of_run(&run::Seen { job: Some(body.clone()), ..run::Seen::default() })?,
        "run-children" => {
            let job = Some(json!({"properties": {"status": "Running"}}));
            let children = body["value"].as_array().cloned();
            of_run(&run::Seen { job, children, ..run::Seen::default() })?
        }
        "run-details" => {
            let job = Some(json!({"properties": {"status": body["status"]}}));
            of_run(&run::Seen { job, details: Some(body.clone()), ..run::Seen::default() })?
        }
        "batch-endpoint-get" => of_endpoint(body)?,
        "acr-task-run-get" => environment::build_state(body).to_owned(),
        _ => return Ok(None),
    }))
}

/// The right outcome, by operation and case.
const OUTCOMES: &[(&str, &str)] = &[
    ("acr-task-run-get--succeeded", "Succeeded"),
    ("batch-endpoint-get--found", "Working Publishing 1 writes"),
    ("compute-get--allocation-error-quota", "Ready Succeeded 0 writes"),
    ("compute-get--allocation-error-quota", "Stalled QuotaExceeded 0 writes"),
    ("compute-get--cluster-resizing", "Ready Succeeded 0 writes"),
    ("compute-get--cluster-steady", "Ready Succeeded 0 writes"),
    ("compute-get--provisioning-failed-quota", "Stalled QuotaExceeded 0 writes"),
    ("compute-get--provisioning-failed-vm-size", "Working VmSizeNotSupported 0 writes"),
    ("environment-version-get--found", "Working Restoring 1 writes"),
    ("job-get--command-canceled", "Canceled"),
    ("job-get--command-completed", "Succeeded"),
    ("job-get--command-failed", "Failed"),
    ("job-get--command-queued", "Queued"),
    ("job-get--command-running", "Running"),
    ("job-get--command-starting", "Preparing"),
    ("job-get--pipeline-canceled", "Canceled"),
    ("job-get--pipeline-cancelrequested", "Finalizing"),
    ("job-get--pipeline-completed", "Succeeded"),
    ("job-get--pipeline-finalizing", "Finalizing"),
    ("job-get--pipeline-preparing", "Preparing"),
    ("job-get--pipeline-running", "Running"),
    (
        "run-children--list",
        "Running hello_world_inline_commandjob_1 Succeeded hello_world_inline_commandjob_2 Succeeded",
    ),
    ("run-children--list", "Running plucky_ice_wpqlvsx3 Succeeded"),
    ("run-children--list", "Running test_617188108896 Queued test_617188108896_1 Queued"),
    ("run-details--completed", "Succeeded"),
    (
        "run-details--failed-pipeline",
        "Failed ServiceError: Pipeline has some failed steps. See child run or execution logs for more details.",
    ),
    ("run-details--running", "Running"),
    ("workspace-get--found", "Ready Succeeded 0 writes"),
];

#[test]
fn each_recorded_answer_is_read_as_what_it_is() -> Result<()> {
    let mut found = BTreeSet::new();
    let all = exchanges()?;
    for one in &all {
        if let Some(outcome) = outcome(one).context(one.file.clone())? {
            found.insert((case(&one.file), outcome));
        }
    }
    let found: Vec<(&str, &str)> =
        found.iter().map(|(case, outcome)| (case.as_str(), outcome.as_str())).collect();
    if !all.is_empty() {
        assert_eq!(found, OUTCOMES);
    }
    Ok(())
}

/// What was sent, as far as a comparison of ours looks at it, beside what is read of it.
fn compared<'a>(sent: &Value, one: &'a Exchange) -> Option<(Value, &'a Value)> {
    let is_answered = matches!(one.status, 200 | 201) && sent.is_object();
    let mut want = is_answered.then(|| sent.clone())?;
    if one.path.contains("/schedules/") {
        // The name that studio shows cannot be changed, and is not compared.
        want["properties"].as_object_mut()?.remove("displayName");
        return Some((want["properties"].clone(), &one.body["properties"]));
    }
    if one.path.contains("/computes/") && want["properties"]["computeType"] == "AmlCompute" {
        let scale = json!({"properties": {"properties": {"scaleSettings": want["properties"]["properties"]["scaleSettings"]}}});
        return Some((scale, &one.body));
    }
    if one.path.contains("/environments/") || one.path.contains("/components/") {
        let facts = ["tags", "isArchived"].map(|key| (key.to_owned(), want["properties"][key].clone()));
        let facts: serde_json::Map<_, _> = facts.into_iter().filter(|(_, value)| !value.is_null()).collect();
        return Some((Value::Object(facts), &one.body["properties"]));
    }
    None
}

#[test]
fn what_was_sent_and_is_read_back_differs_nowhere_that_is_compared() -> Result<()> {
    let all = exchanges()?;
    let (mut compared_files, mut wrong) = (0, Vec::new());
    let mut sent: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    for one in &all {
        let key = (one.file.as_str(), one.path.as_str());
        if one.method == "PUT" {
            sent.insert(key, &one.sent);
        }
        let is_read = matches!(one.method.as_str(), "PUT" | "GET");
        let put = sent.get(&key).filter(|_| is_read);
        let Some((want, have)) = put.and_then(|put| compared(put, one)) else { continue };
        compared_files += 1;
        let found = differences(&want, have);
        wrong.extend(found.into_iter().map(|difference| format!("{}: {difference:?}", one.file)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.is_empty() || compared_files > 30, "only {compared_files} requests were compared");
    Ok(())
}
