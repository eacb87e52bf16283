//! Chains of objects as they are in clusters: whole texts, so that a reader sees what a user sees.

use anyhow::{Context as _, Result};
use azureml_cli::thing::things;
use azureml_cli::why::{State, why, write};
use serde_json::{Value, json};

fn object(kind: &str, name: &str, spec: &Value, conditions: &[(&str, &str, &str, &str)]) -> Value {
    let conditions: Vec<Value> = conditions
        .iter()
        .map(|(of, status, reason, message)| {
            json!({"type": of, "status": status, "reason": reason, "message": message,
                "lastTransitionTime": "2026-12-01T04:00:00Z"})
        })
        .collect();
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": "n", "generation": 1, "creationTimestamp": "2026-12-01T03:00:00Z"},
        "spec": spec, "status": {"observedGeneration": 1, "conditions": conditions}})
}

fn waiting(kind: &str, name: &str, spec: &Value, message: &str) -> Value {
    let reason = "ReferenceNotReady";
    object(kind, name, spec, &[("Ready", "False", reason, message), ("Reconciling", "True", reason, message)])
}

fn told(objects: Vec<Value>, named: &str) -> Result<String> {
    let all = things(objects, "n");
    let found = all.iter().find(|thing| thing.id() == named).context("it is not there")?;
    Ok(write::text(&why(&all, found), "2026-12-01T04:12:00Z".parse()?, false))
}

fn pipeline(name: &str, below: &Value) -> Value {
    let mut step = json!({"name": "a"});
    json_patch::merge(&mut step, below);
    let spec = json!({"workspaceRef": {"name": "w"}, "steps": [step]});
    waiting("MLPipeline", name, &spec, "something is not ready yet")
}

fn workspace() -> Value {
    object("MLWorkspace", "w", &json!({}), &[("Ready", "True", "Succeeded", "the workspace is there")])
}

#[test]
fn a_chain_leads_to_where_it_begins_with_the_remedy_of_that_alone() -> Result<()> {
    let schedule = waiting(
        "MLSchedule",
        "nightly",
        &json!({"pipelineRef": {"name": "sales"}}),
        "MLPipeline sales has no version in force yet",
    );
    let mut environment = object(
        "MLEnvironment",
        "r",
        &json!({"workspaceRef": {"name": "w"}}),
        &[
            ("Ready", "False", "InvalidDockerfile", "line 3: x"),
            ("Stalled", "True", "InvalidDockerfile", "line 3: x"),
        ],
    );
    environment["status"]["lastFailure"] = json!({"count": 3});
    let of = pipeline("sales", &json!({"environment": {"ref": "r"}, "compute": {"ref": "cpu"}}));
    let text = told(vec![schedule, of, environment, workspace()], "MLSchedule/nightly")?;
    let shown = "\
MLSchedule/nightly: waits, ReferenceNotReady for 12m
│  MLPipeline sales has no version in force yet
└─ MLPipeline/sales: waits, ReferenceNotReady for 12m
   │  something is not ready yet
   ├─ MLCompute/cpu: is not there
   └─ MLEnvironment/r: stalled, InvalidDockerfile for 12m, 3 failures in a row
         line 3: x

MLCompute/cpu
  Whose turn: the author's of the manifest.
  Do:         apply the object, or correct the name where it is named.

MLEnvironment/r: InvalidDockerfile for 12m
";
    assert!(text.starts_with(shown), "{text}");
    assert!(text.ends_with(".\n") && text.matches("Whose turn:").count() == 2, "{text}");
    Ok(())
}

#[test]
fn a_circle_ends_where_it_closes() -> Result<()> {
    let one = pipeline("one", &json!({"pipeline": {"ref": "two"}}));
    let two = pipeline("two", &json!({"pipeline": {"ref": "one"}}));
    let text = told(vec![one, two, workspace()], "MLPipeline/one")?;
    assert!(text.contains("MLPipeline/one: stands above: a circle"), "{text}");
    assert!(
        text.ends_with("It is a circle: each waits for another of them. Remove one of the references.\n"),
        "{text}"
    );
    Ok(())
}

#[test]
fn what_two_wait_for_is_told_once() -> Result<()> {
    let workspace = waiting("MLWorkspace", "w", &json!({}), "Azure is making it");
    let environment = waiting("MLEnvironment", "e", &json!({"workspaceRef": {"name": "w"}}), "w");
    let of = pipeline("p", &json!({"environment": {"ref": "e"}}));
    let text = told(vec![of, environment, workspace], "MLPipeline/p")?;
    assert_eq!(
        (text.matches("Azure is making it").count(), text.matches(": as above").count()),
        (1, 1),
        "{text}"
    );
    assert_eq!(text.matches("Whose turn:").count(), 1, "{text}");
    Ok(())
}

#[test]
fn an_object_that_is_being_deleted_waits_for_those_that_name_it() -> Result<()> {
    let mut compute = object(
        "MLCompute",
        "cpu",
        &json!({"workspaceRef": {"name": "w"}}),
        &[
            ("Ready", "False", "InUse", "still named by MLPipeline/p"),
            ("Reconciling", "True", "InUse", "still named by MLPipeline/p"),
        ],
    );
    compute["metadata"]["deletionTimestamp"] = json!("2026-12-01T04:10:00Z");
    let mut user = pipeline("p", &json!({"compute": {"ref": "cpu"}}));
    user["status"]["conditions"] = json!([{"type": "Ready", "status": "True", "reason": "Succeeded"}]);
    let text = told(vec![compute, user, workspace()], "MLCompute/cpu")?;
    assert!(text.contains("└─ MLPipeline/p: ready"), "{text}");
    Ok(())
}

#[test]
fn what_is_well_waits_for_nothing_and_a_failed_night_is_told_all_the_same() -> Result<()> {
    let schedule = object(
        "MLSchedule",
        "nightly",
        &json!({"pipelineRef": {"name": "gone"}}),
        &[
            ("Ready", "True", "Succeeded", "as the spec says"),
            ("LastRunSucceeded", "False", "RunFailed", "step a failed"),
        ],
    );
    let text = told(vec![schedule.clone()], "MLSchedule/nightly")?;
    assert!(
        text.starts_with(
            "MLSchedule/nightly: ready, Succeeded for 12m\n\nMLSchedule/nightly: RunFailed for 12m\n"
        ),
        "{text}"
    );
    let all = things(vec![schedule], "n");
    assert_eq!(why(&all, &all[0]).waits_for, []);
    Ok(())
}

#[test]
fn runs_are_told_by_their_end_or_by_what_they_do_now() {
    let run = |conditions: &[(&str, &str, &str, &str)]| {
        let run = object("MLRun", "r", &json!({"pipelineRef": {"name": "p"}}), conditions);
        let all = things(vec![run], "n");
        let found = why(&all, &all[0]);
        (found.state, found.says[0].reason.clone(), found.says[0].turn)
    };
    let going = run(&[("Ready", "True", "Submitted", ""), ("Succeeded", "Unknown", "InProgress", "")]);
    assert_eq!(going, (State::Waits, "InProgress".to_owned(), Some("Azure's")));
    let failed = run(&[
        ("Ready", "False", "Failed", ""),
        ("Stalled", "True", "Failed", ""),
        ("Succeeded", "False", "Failed", ""),
    ]);
    assert_eq!(failed, (State::Stalled, "Failed".to_owned(), Some("the author's of the manifest")));
    let done = run(&[("Ready", "True", "Completed", ""), ("Succeeded", "True", "Completed", "")]);
    assert_eq!(done, (State::Well, "Completed".to_owned(), Some("nobody's: it goes on by itself")));
    let of_azure =
        run(&[("Ready", "False", "SomeNewCode", "x"), ("Reconciling", "True", "SomeNewCode", "x")]);
    assert_eq!(of_azure, (State::Waits, "SomeNewCode".to_owned(), None));
}

#[test]
fn what_the_operator_has_not_looked_at_is_said_so() -> Result<()> {
    let mut run = waiting("MLRun", "r", &json!({"pipelineRef": {"name": "p"}}), "old");
    run["metadata"]["generation"] = json!(2);
    let text = told(vec![run.clone()], "MLRun/r")?;
    assert!(
        text.contains("MLRun/r: not looked at yet\n") && text.contains("MLPipeline/p: is not there"),
        "{text}"
    );
    run["spec"] = json!({});
    let text = told(vec![run], "MLRun/r")?;
    assert!(text.contains("whether the operator runs and watches this namespace"), "{text}");
    Ok(())
}

#[test]
fn a_workspace_of_another_namespace_is_part_of_the_chain_where_it_can_be_read() -> Result<()> {
    let spec = json!({"workspaceRef": {"name": "w", "namespace": "platform"}});
    let environment = waiting("MLEnvironment", "r", &spec, "MLWorkspace platform/w is not ready yet");
    let mut shared =
        object("MLWorkspace", "w", &json!({}), &[("Ready", "False", "AuthorizationFailed", "403")]);
    shared["metadata"]["namespace"] = json!("platform");
    let seen = told(vec![environment.clone(), shared], "MLEnvironment/r")?;
    assert!(seen.contains("└─ MLWorkspace/w of platform: waits, AuthorizationFailed"), "{seen}");
    // One that has the same name here is another one; one that cannot be read is not said to be missing.
    let hidden = told(vec![environment, workspace()], "MLEnvironment/r")?;
    assert!(!hidden.contains("MLWorkspace/w:"), "{hidden}");
    Ok(())
}
