//! What is decided for an MLRun in every situation.

use super::Table;
use crate::support::{ask, id, object, owner, plan, workspace};
use anyhow::{Context as _, Result};
use azureml_client::Class;
use azureml_crds::MLRun;
use azureml_plan::asset_name::Pins;
use azureml_plan::reasons::Word;
use azureml_plan::trouble::Trouble;
use azureml_plan::{Ask, Decide as _, Leave as _, run};
use serde_json::json;
use std::fmt::Write as _;

#[test]
fn decided() -> Result<()> {
    insta::assert_snapshot!(table()?.text);
    Ok(())
}

#[test]
fn values_that_are_changed_after_they_were_sent_are_told_to_be_ignored() -> Result<()> {
    let current = json!({"version": "v1", "componentId": id("components/p/versions/v1"), "settings": {"continueOnStepFailure": false, "forceRerun": false}, "inputs": {"trees": {"type": "integer", "default": 500}}, "outputs": {}});
    let current: azureml_crds::ml_pipeline::Current = serde_json::from_value(current)?;
    let refs = run::Refs {
        pins: Pins::default(),
        workspace: workspace(),
        owner: owner("one"),
        current: current.clone(),
    };
    let mut one: MLRun = object("one", "{pipelineRef: {name: p}, inputs: {trees: 5}}")?;
    one.status = Some(azureml_crds::ml_run::MLRunStatus { pipeline: Some(current), ..Default::default() });
    let sent = plan(&one, &refs, &run::Seen::default(), &ask()).map_err(anyhow::Error::msg)?;
    one.status.get_or_insert_default().common.applied_hash = sent.applied;
    let changed = Ask { is_new_generation: true, ..ask() };
    let warnings = |run: &MLRun| -> Result<Vec<&'static str>> {
        let plan = plan(run, &refs, &run::Seen::default(), &changed).map_err(anyhow::Error::msg)?;
        Ok(plan.warnings.into_iter().map(|(reason, _)| reason.word()).collect())
    };
    assert!(warnings(&one)?.is_empty());
    one.spec.inputs = Some([("trees".to_owned(), json!(6))].into());
    assert_eq!(warnings(&one)?, ["InputsIgnored"]);
    Ok(())
}

/// A run that a backup brought back, with what Azure has of the job that it had.
fn restored(plain: &MLRun) -> Result<[(&'static str, MLRun, run::Seen); 4]> {
    let mut restored = plain.clone();
    restored.status = None;
    let namespace = plain.metadata.namespace.as_deref().unwrap_or_default();
    let before = format!("{namespace}/one/r-0b7c1e0e-0000-4000-8000-00000000000b");
    restored.metadata.annotations = Some([(azureml_crds::JOB.to_owned(), before)].into());
    let mut cancelled = restored.clone();
    cancelled.spec.cancel = Some(true);
    let job = |of: &str| {
        let tags = owner(of).tags(&std::collections::BTreeMap::new());
        let job = json!({"properties": {"status": "Running", "tags": tags}});
        run::Seen { job: Some(job), ..run::Seen::default() }
    };
    anyhow::ensure!(run::is_restored(&restored) && !run::is_restored(plain), "no run is restored");
    Ok([
        ("restored, and its job goes on", restored.clone(), job("one")),
        ("restored, and its job is another's", restored.clone(), job("two")),
        ("restored, and its job is not there", restored, run::Seen::default()),
        ("restored when it was cancelled before there was a job", cancelled, run::Seen::default()),
    ])
}

#[expect(clippy::too_many_lines, reason = "one row after the other")]
pub fn table() -> Result<Table> {
    let current = json!({"version": "v1", "componentId": id("components/p/versions/v1"), "settings": {"continueOnStepFailure": false, "forceRerun": false}, "inputs": {"trees": {"type": "integer", "default": 500}}, "outputs": {}});
    let current: azureml_crds::ml_pipeline::Current = serde_json::from_value(current)?;
    let refs = run::Refs {
        pins: Pins::default(),
        workspace: workspace(),
        owner: owner("one"),
        current: current.clone(),
    };
    let of = |spec: &str| -> Result<MLRun> {
        let mut run: MLRun = object("one", spec)?;
        run.status =
            Some(azureml_crds::ml_run::MLRunStatus { pipeline: Some(current.clone()), ..Default::default() });
        Ok(run)
    };
    let mut table = Table::default();
    let mut row = |situation: &str, run: &MLRun, seen: &run::Seen| -> Result<()> {
        let plan = plan(run, &refs, seen, &ask()).map_err(anyhow::Error::msg)?;
        table.row(situation, &plan);
        for condition in &plan.conditions {
            let _ =
                writeln!(table.text, "    {}={} {}", condition.r#type, condition.status, condition.reason);
        }
        Ok(())
    };
    let none = run::Seen::default();
    let job = |status: &str| run::Seen {
        job: Some(json!({"properties": {"status": status}})),
        ..run::Seen::default()
    };
    let plain = of("{pipelineRef: {name: p}}")?;
    row("new", &object("one", "{pipelineRef: {name: p}}")?, &none)?;
    row("its version is written down", &plain, &none)?;
    row("an unknown input", &of("{pipelineRef: {name: p}, inputs: {tres: 5}}")?, &none)?;
    let cancelled = of("{pipelineRef: {name: p}, cancel: true}")?;
    row("cancelled before there is a job", &cancelled, &none)?;
    for status in [
        "NotStarted",
        "Queued",
        "Preparing",
        "Running",
        "Finalizing",
        "Completed",
        "Failed",
        "Canceled",
        "NotResponding",
    ] {
        row(&format!("the job is {status}"), &plain, &job(status))?;
    }
    row("cancelled while it runs", &cancelled, &job("Running"))?;
    row("cancelled, and Azure ML knows", &cancelled, &job("CancelRequested"))?;
    let child = json!({"status": "Failed", "endTimeUtc": "2026-01-05T05:00:00Z", "properties": {"azureml.moduleName": "p_train"},
        "error": {"error": {"code": "UserError", "message": "there is no package called 'gbm'"}}});
    row("a step failed", &plain, &run::Seen { children: Some(vec![child]), ..job("Failed") })?;
    let mut seen_before = plain.clone();
    if let Some(status) = &mut seen_before.status {
        status.phase = Some(azureml_crds::ml_run::Phase::Running);
    }
    row("its job ran, and is gone", &seen_before, &none)?;
    for (situation, run, seen) in restored(&plain)? {
        row(situation, &run, &seen)?;
    }
    let mut over = plain.clone();
    if let Some(status) = &mut over.status {
        status.phase = Some(azureml_crds::ml_run::Phase::Failed);
        status.studio_url = Some("https://ml.azure.com".into());
        let failure = json!({"step": "train", "code": "UserError", "message": "no gbm"});
        status.failure = Some(serde_json::from_value(failure)?);
    }
    row("over, and looked at again", &over, &none)?;
    if let Some(failure) = over.status.as_mut().and_then(|status| status.failure.as_mut()) {
        *failure =
            serde_json::from_value(json!({"code": "JobGone", "message": "job r-1 is gone from Azure"}))?;
    }
    row("over since its job was gone, and looked at again", &over, &none)?;
    if let Some(status) = &mut over.status {
        status.failure = None;
    }
    row("over without a reason, and looked at again", &over, &none)?;
    let refused_to = |verb, class, reason: &str| {
        let (message, words) = ("what happened".into(), "what Azure says".into());
        let trouble =
            Trouble { class, reason: Word::passed_on(reason), message, words, verb, retry_after: None };
        plain.refused(&trouble, &ask())
    };
    let refused = |class, reason: &str| refused_to("PUT", class, reason);
    anyhow::ensure!(
        refused_to("POST", Class::Invalid, "BadRequest").is_none(),
        "a refused cancel is no refused job"
    );
    let missing = refused(Class::Missing, "NotFound");
    table.row("its component is gone", missing.as_ref().context("not refused")?);
    let invalid = refused(Class::Invalid, "InvalidComponentJobInput");
    table.row("Azure refuses the job", invalid.as_ref().context("not refused")?);
    anyhow::ensure!(refused(Class::Unavailable, "ServiceUnavailable").is_none());
    let address = run::Address { id: run::id(&plain, &workspace().id), owner: owner("one") };
    table.leaves("deleted without a job", &plain.farewell(&address, &None, &ask()));
    table.leaves("deleted while it runs", &plain.farewell(&address, &job("Running").job, &ask()));
    table.leaves("deleted after its end", &plain.farewell(&address, &job("Completed").job, &ask()));
    Ok(table)
}
