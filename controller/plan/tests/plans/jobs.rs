//! What an MLRun and an MLSchedule say of their jobs, over what the pipeline says.

use crate::requests::{pipeline_of, pipeline_refs};
use crate::support::{ask, object, owner, plan, workspace};
use anyhow::{Context as _, Result};
use azureml_crds::ml_pipeline::Current;
use azureml_crds::{MLRun, MLSchedule};
use azureml_plan::asset_name::Pins;
use azureml_plan::{Action, Decide as _, run, schedule};
use serde_json::{Value, json};

/// The version in force of a pipeline that says more than its steps.
fn current(more: &str) -> Result<Current> {
    let spec = format!(
        "{{workspaceRef: {{name: prod}}, defaults: {{compute: {{name: c}}, environment: {{id: 'azureml:e:1'}}}}, steps: [{{name: a, command: b}}]{more}}}"
    );
    Ok(pipeline_of(&spec)?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?.current)
}

/// The properties of the job of an MLRun.
fn of_run(current: &Current, spec: &str) -> Result<Value> {
    let mut run: MLRun = object("by-hand", spec)?;
    run.status =
        Some(azureml_crds::ml_run::MLRunStatus { pipeline: Some(current.clone()), ..Default::default() });
    let current = current.clone();
    let refs = run::Refs { pins: Pins::default(), workspace: workspace(), owner: owner("by-hand"), current };
    let plan = plan(&run, &refs, &run::Seen::default(), &ask()).map_err(anyhow::Error::msg)?;
    sent(&plan.actions, "/properties")
}

/// The properties of the jobs of an MLSchedule.
fn of_schedule(current: &Current, spec: &str) -> Result<Value> {
    let mut schedule: MLSchedule = object("nightly", spec)?;
    let refs = schedule::Refs {
        runs: Vec::new(),
        pins: Pins::default(),
        workspace: workspace(),
        owner: owner("nightly"),
        current: current.clone(),
        form: azureml_plan::job::Form::default(),
    };
    // Its address is written before it is made.
    let mut status = azureml_crds::ml_schedule::MLScheduleStatus::default();
    status.common.azure_id = Some(schedule::id(&schedule, &workspace().id).to_string());
    schedule.status = Some(status);
    let plan = plan(&schedule, &refs, &schedule::Seen::default(), &ask()).map_err(anyhow::Error::msg)?;
    sent(&plan.actions, "/properties/action/jobDefinition")
}

fn sent(actions: &[Action], pointer: &str) -> Result<Value> {
    let put = actions.iter().find_map(|action| match action {
        Action::Put { body, .. } => body.pointer(pointer),
        Action::Patch { .. } | Action::Post { .. } | Action::Delete { .. } | Action::Upload { .. } => None,
    });
    Ok(put.context("nothing is sent")?.clone())
}

fn facts(job: &Value) -> [&Value; 4] {
    [&job["displayName"], &job["experimentName"], &job["tags"]["team"], &job["tags"]["stage"]]
}

#[test]
fn a_job_has_its_own_words_else_the_pipelines_else_a_name() -> Result<()> {
    let (said, silent) =
        (current(", displayName: Houses, experiment: houses, tags: {Team: a, stage: dev}")?, current("")?);
    let own = "displayName: Tonight, experiment: tonight, tags: {team: b}";
    let (run, nightly) = ("pipelineRef: {name: p}", "pipelineRef: {name: p}, cron: '0 6 * * *'");
    for job in
        [of_run(&said, &format!("{{{run}, {own}}}"))?, of_schedule(&said, &format!("{{{nightly}, {own}}}"))?]
    {
        assert_eq!(facts(&job), [&json!("Tonight"), &json!("tonight"), &json!("b"), &json!("dev")]);
        assert_eq!(job["tags"].get("Team"), None, "names of tags have no case");
    }
    for job in [of_run(&said, &format!("{{{run}}}"))?, of_schedule(&said, &format!("{{{nightly}}}"))?] {
        assert_eq!(facts(&job), [&json!("Houses"), &json!("houses"), &Value::Null, &json!("dev")]);
    }
    let (run, nightly) =
        (of_run(&silent, &format!("{{{run}}}"))?, of_schedule(&silent, &format!("{{{nightly}}}"))?);
    assert_eq!(facts(&run), [&json!("by-hand"), &json!("p"), &Value::Null, &Value::Null]);
    assert_eq!(facts(&nightly), [&json!("nightly"), &json!("p"), &Value::Null, &Value::Null]);
    Ok(())
}

#[test]
fn another_name_of_a_pipeline_is_another_version_once() -> Result<()> {
    let (silent, said) = (current("")?, current(", displayName: Houses")?);
    assert_ne!(silent.version, said.version, "the component has the name");
    assert_eq!(said.settings.display_name.as_deref(), Some("Houses"));
    Ok(())
}
