//! What is decided for an MLSchedule in every situation.

use super::{Table, with};
use crate::support::{NOW, ask, id, object, owner, plan, workspace};
use anyhow::Result;
use azureml_crds::MLSchedule;
use azureml_crds::ml_run::Phase;
use azureml_crds::shared::Common;
use azureml_plan::asset_name::Pins;
use azureml_plan::job::Form;
use azureml_plan::{Action, Ask, Decide as _, Leave as _, schedule};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn decided() -> Result<()> {
    insta::assert_snapshot!(table()?.text);
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "one row after the other")]
pub fn table() -> Result<Table> {
    let current = json!({"version": "v1", "componentId": id("components/p/versions/v1"), "settings": {"continueOnStepFailure": false, "forceRerun": false}, "inputs": {}, "outputs": {}});
    let refs = schedule::Refs {
        pins: Pins::default(),
        workspace: workspace(),
        owner: owner("nightly"),
        current: serde_json::from_value(current)?,
        form: Form::Component,
        runs: Vec::new(),
    };
    let of = |more: &str| -> Result<MLSchedule> {
        let mut schedule: MLSchedule = object(
            "nightly",
            &format!("{{pipelineRef: {{name: p}}, cron: '0 6 * * 1-5', timeZone: Europe/Zurich{more}}}"),
        )?;
        let wanted = schedule.wanted(&refs).map_err(anyhow::Error::msg)?;
        let common = Common {
            azure_id: Some(wanted.id.to_string()),
            applied_hash: Some(wanted.hash),
            ..Common::default()
        };
        schedule.status = Some(azureml_crds::ml_schedule::MLScheduleStatus { common, ..Default::default() });
        Ok(schedule)
    };
    let plain = of("")?;
    let first = plan(&plain, &refs, &schedule::Seen { schedule: None, ..Default::default() }, &ask())
        .map_err(anyhow::Error::msg)?;
    let Some(Action::Put { body, .. }) = first.actions.first() else {
        anyhow::bail!("nothing is made: {first:?}")
    };
    let have = with(body, "/properties/provisioningState", json!("Succeeded"));
    let mut table = Table::default();
    let mut row = |situation: &str, schedule: &MLSchedule, have: Option<Value>| -> Result<()> {
        let seen = schedule::Seen { schedule: have, ..Default::default() };
        table.row(situation, &plan(schedule, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?);
        Ok(())
    };
    row("new", &object("nightly", "{pipelineRef: {name: p}, cron: '0 6 * * 1-5'}")?, None)?;
    row("its address is written down", &plain, None)?;
    let inherited = Ask { may_appear: true, ..ask() };
    let waits = plan(&plain, &refs, &schedule::Seen { schedule: None, ..Default::default() }, &inherited)
        .map_err(anyhow::Error::msg)?;
    anyhow::ensure!(waits.actions.is_empty(), "an earlier process may have sent it: {waits:?}");
    row("it has ended before it was made", &of(", endTime: '2020-01-31T06:00:00'")?, None)?;
    row("as it should be", &plain, Some(have.clone()))?;
    row("disabled by somebody", &plain, Some(with(&have, "/properties/isEnabled", json!(false))))?;
    row(
        "the same, only to be reported",
        &of(", driftPolicy: Report")?,
        Some(with(&have, "/properties/isEnabled", json!(false))),
    )?;
    let suspended = MLSchedule { status: plain.status.clone(), ..of(", suspend: true")? };
    row("to be suspended", &suspended, Some(have.clone()))?;
    let off = with(&have, "/properties/isEnabled", json!(false));
    row("suspended", &of(", suspend: true")?, Some(off))?;
    let ends = with(&have, "/properties/trigger/endTime", json!("2026-12-31T00:00:00"));
    row("it ends in Azure and not in the spec", &plain, Some(ends))?;
    let hours =
        with(&have, "/properties/trigger/schedule", json!({"hours": [6], "minutes": [], "monthDays": null}));
    row("it has hours in Azure and not in the spec", &plain, Some(hours))?;
    for state in ["Creating", "Failed"] {
        row(state, &plain, Some(with(&have, "/properties/provisioningState", json!(state))))?;
    }
    row("nobody's", &plain, Some(with(&have, "/properties/tags", json!({}))))?;
    let others = json!(owner("other").tags(&BTreeMap::new()));
    row("another's", &plain, Some(with(&have, "/properties/tags", others)))?;
    row(
        "nobody's, to be taken over",
        &of(", adopt: true")?,
        Some(with(&have, "/properties/tags", json!({}))),
    )?;
    let mut fresh = of(", adopt: true, driftPolicy: Report")?;
    if let Some(status) = &mut fresh.status {
        status.common.applied_hash = None;
    }
    let foreign =
        with(&with(&have, "/properties/tags", json!({})), "/properties/displayName", json!("by hand"));
    row("nobody's, to be taken over and only reported, seen for the first time", &fresh, Some(foreign))?;
    let by_node = schedule::Refs { pins: Pins::default(), form: Form::Node, ..refs.clone() };
    let seen = schedule::Seen { schedule: Some(have.clone()), ..Default::default() };
    table.row(
        "its job is to have a node",
        &plan(&plain, &by_node, &seen, &ask()).map_err(anyhow::Error::msg)?,
    );
    runs(&mut table, &plain, &refs, &have)?;
    let address = schedule::Address { id: schedule::id(&plain, &workspace().id), owner: owner("nightly") };
    let mut leaves = |situation: &str, have: Option<Value>| {
        table.leaves(situation, &plain.farewell(&address, &have, &ask()));
    };
    leaves("deleted", Some(have.clone()));
    leaves("deleted, disabled", Some(with(&have, "/properties/isEnabled", json!(false))));
    leaves("deleted, being removed", Some(with(&have, "/properties/provisioningState", json!("Deleting"))));
    leaves("deleted, gone", None);
    Ok(table)
}

/// What is said of runs, of a schedule that is as it should be.
fn runs(table: &mut Table, plain: &MLSchedule, refs: &schedule::Refs, have: &Value) -> Result<()> {
    let job = |name: &str, made: &str, phase: Phase| schedule::Listed {
        name: name.to_owned(),
        owner: refs.owner.value(),
        made: made.parse().unwrap_or_default(),
        phase,
        started: None,
        ended: None,
        studio: None,
        component: None,
    };
    let (night, next) = ("2026-01-02T05:00:04Z", "2026-01-05T05:00:04Z");
    let failed = vec![job("a", night, Phase::Failed)];
    let child = json!({"name": "p_train", "displayName": "train", "status": "Failed",
        "error": {"error": {"code": "UserError", "message": "there is no package called caret"}}});
    let history = schedule::History::Read { children: vec![child], details: None };
    let read = BTreeMap::from([("a".to_owned(), history)]);
    let gone = "the identity needs jobs/read".to_owned();
    let goes_on = || vec![job("b", next, Phase::Running), job("a", night, Phase::Succeeded)];
    let listed = |listed| schedule::Jobs { since: Some(NOW), listed, ..schedule::Jobs::default() };
    for (situation, jobs) in [
        ("no job yet", listed(Vec::new())),
        ("a run goes on, and none has ended", listed(vec![job("b", next, Phase::Queued)])),
        ("the last run failed", schedule::Jobs { history: read, ..listed(failed) }),
        ("the last run was cancelled", listed(vec![job("a", night, Phase::Canceled)])),
        ("a run goes on beside one that succeeded", listed(goes_on())),
        ("jobs may not be listed", schedule::Jobs { refused: Some(gone), ..schedule::Jobs::default() }),
        ("nothing was learned of jobs", schedule::Jobs::default()),
    ] {
        let seen = schedule::Seen { schedule: Some(have.clone()), jobs };
        table.row(situation, &plan(plain, refs, &seen, &ask()).map_err(anyhow::Error::msg)?);
    }
    Ok(())
}
