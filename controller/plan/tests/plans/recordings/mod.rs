//! Recorded answers of real Azure through the readers of their resources, each with the outcome that is right for it; and
//! what was sent beside what is read back: they differ nowhere that we compare. The recordings are not part of the
//! repository: where their folder is missing, the tests say so and pass.

mod readers;

use self::readers::{
    of_compute, of_deployment, of_endpoint, of_environment, of_registry, of_run, of_versions, of_workspace,
};
use anyhow::{Context as _, Result, ensure};
use azureml_plan::diff::differences;
use azureml_plan::schedule::leftovers;
use azureml_plan::{environment, run};
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
            let names = body["outputs"].as_object().into_iter().flatten();
            let outputs: BTreeMap<&String, Value> =
                names.map(|(name, _)| (name, json!({"uri": null}))).collect();
            let job = Some(json!({"properties": {"status": body["status"], "outputs": outputs}}));
            of_run(&run::Seen { job, details: Some(body.clone()), ..run::Seen::default() })?
        }
        "batch-endpoint-get" => of_endpoint(body)?,
        "batch-deployment-get" => of_deployment(body)?,
        "acr-registry-get" => of_registry(body)?,
        "component-version-get" => of_versions(std::slice::from_ref(body))?,
        "component-versions-list" | "environment-versions-list" => {
            of_versions(body["value"].as_array().context("no value")?)?
        }
        "acr-task-run-get" => environment::build_state(body).to_owned(),
        _ => return Ok(None),
    }))
}

/// The right outcome, by operation and case.
const OUTCOMES: &[(&str, &str)] = &[
    ("acr-registry-get--2026-abac", "AbacRepositoryPermissions"),
    ("acr-registry-get--found", "LegacyRegistryPermissions"),
    ("acr-task-run-get--succeeded", "Succeeded"),
    ("batch-deployment-get--found", "Working Publishing 1 writes"),
    ("batch-endpoint-get--found", "Working Publishing 1 writes"),
    ("component-version-get--2024-stable", "Working Archiving 1 writes"),
    ("component-version-get--command", "Working Archiving 1 writes"),
    ("component-version-get--pipeline", "Working Archiving 1 writes"),
    ("component-version-get--pipeline-with-jobs", "Working Archiving 1 writes"),
    ("component-versions-list--all", "Working Archiving 1 writes"),
    ("component-versions-list--top-1-newest-with-next", "Working Archiving 1 writes"),
    ("compute-get--allocation-error-quota", "Ready Succeeded 0 writes"),
    ("compute-get--allocation-error-quota", "Stalled QuotaExceeded 0 writes"),
    ("compute-get--cluster-resizing", "Ready Succeeded 0 writes"),
    ("compute-get--cluster-steady", "Ready Succeeded 0 writes"),
    ("compute-get--provisioning-failed-quota", "Stalled QuotaExceeded 0 writes"),
    ("compute-get--provisioning-failed-vm-size", "Working VmSizeNotSupported 0 writes"),
    ("environment-version-get--found", "Stalled OwnedByAnother 0 writes"),
    ("environment-versions-list--all", "Working Archiving 2 writes"),
    ("environment-versions-list--newest", "Working Archiving 1 writes"),
    (
        "job-get--command-canceled",
        "Canceled default at workspaceartifactstore/ExperimentRun/dcid.{name} output at paths/output_dir/",
    ),
    (
        "job-get--command-completed",
        "Succeeded default at workspaceartifactstore/ExperimentRun/dcid.test_92541083814",
    ),
    (
        "job-get--command-failed",
        "Failed default at workspaceartifactstore/ExperimentRun/dcid.test_495987493621 output at paths/output_dir/",
    ),
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
    (
        "run-details--completed",
        "Succeeded pipeline_job_best_model at pipeline_output_a/versions/test_207072053765 pipeline_job_best_result at best_result/versions/test_207072053765",
    ),
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
        // What was given when a cluster was made is not always shown, and what is not shown is not compared.
        let cluster = &want["properties"]["properties"];
        let shown = &one.body["properties"]["properties"];
        let fixed = ["vmSize", "vmPriority", "subnet", "isolatedNetwork"].into_iter();
        let mut kept: serde_json::Map<_, _> = fixed
            .filter(|key| !cluster[*key].is_null() && !shown[*key].is_null())
            .map(|key| (key.to_owned(), cluster[key].clone()))
            .collect();
        kept.insert("scaleSettings".into(), cluster["scaleSettings"].clone());
        let tags = if want["tags"].is_object() { want["tags"].clone() } else { json!({}) };
        return Some((json!({"tags": tags, "properties": {"properties": kept}}), &one.body));
    }
    if one.path.contains("/environments/") || one.path.contains("/components/") {
        // The description of a component is in its componentSpec, and never compared.
        let description = if one.path.contains("/environments/") { "description" } else { "isArchived" };
        let facts =
            ["tags", "isArchived", description].map(|key| (key.to_owned(), want["properties"][key].clone()));
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
        let mut found = differences(&want, have);
        if one.path.contains("/schedules/") {
            found.extend(leftovers(&want, have));
        }
        wrong.extend(found.into_iter().map(|difference| format!("{}: {difference:?}", one.file)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.is_empty() || compared_files > 30, "only {compared_files} requests were compared");
    Ok(())
}
