//! What a run tells while it is followed, and at its end; when a following gives up.

use crate::stub::{self, Stub};
use anyhow::{Result, ensure};
use azureml_cli::follow::{Patience, end, halt, look, news};
use azureml_cli::thing::Thing;
use serde_json::{Value, json};
use std::time::Duration;

fn run(status: &Value, ready: &str, succeeded: &str) -> Thing {
    let condition =
        |of: &str, is: &str| json!({"type": of, "status": is, "reason": "R", "message": "the cause"});
    let mut status = status.clone();
    status["conditions"] = json!([condition("Ready", ready), condition("Succeeded", succeeded)]);
    Thing::of(json!({"kind": "MLRun", "metadata": {"name": "r", "namespace": "n"}, "status": status}), "n")
}

#[test]
fn each_change_is_a_line_and_nothing_is_said_twice() {
    let waits = run(&json!({}), "False", "Unknown");
    let step = |name: &str, phase: &str| json!({"name": name, "phase": phase, "queuedSeconds": 12, "durationSeconds": 125});
    let first = run(&json!({"phase": "Running", "steps": [step("a", "Running")]}), "True", "Unknown");
    let mut reused = step("b", "Succeeded");
    reused["reused"] = json!(true);
    let then = run(
        &json!({"phase": "Running", "steps": [step("a", "Succeeded"), reused], "attempts": [{}], "jobName": "j-2"}),
        "True",
        "Unknown",
    );
    assert_eq!(news(None, &waits), ["waits: R: the cause"]);
    assert_eq!(news(Some(&waits), &waits), [""; 0]);
    assert_eq!(news(Some(&waits), &first), ["step a: Running, after 12s in the queue", "Running"]);
    assert_eq!(
        news(Some(&first), &then),
        [
            "is tried again: job j-2",
            "step a: Succeeded in 2m5s",
            "step b: Succeeded, by the result of an equal step"
        ]
    );
    assert_eq!((end(&first), end(&waits)), (None, None));
}

#[test]
fn the_end_has_each_step_with_its_times_and_where_to_look() {
    let steps = json!([
        {"name": "prepare", "phase": "Succeeded", "queuedSeconds": 2, "preparingSeconds": 600, "runningSeconds": 30, "durationSeconds": 632},
        {"name": "train", "phase": "Succeeded", "reused": true}]);
    let good = run(
        &json!({"phase": "Succeeded", "durationSeconds": 700, "steps": steps, "studioUrl": "https://ml.example/r", "outputs": {"model": "azureml://x"}}),
        "True",
        "True",
    );
    let good = end(&good).unwrap();
    assert_eq!(
        good.text,
        "\
STEP      PHASE                QUEUED   PREPARED   RAN   TOOK
prepare   Succeeded            2s       10m        30s   10m
train     Succeeded (reused)   -        -          -     -

MLRun/r: Succeeded in 11m
  model: azureml://x
  https://ml.example/r
"
    );
    let failure = json!({"step": "train", "code": "UserError", "message": "n.trees must be positive\n"});
    let bad = run(&json!({"phase": "Failed", "failure": failure}), "False", "False");
    let bad = end(&bad).unwrap();
    assert_eq!(bad.text, "MLRun/r: Failed\n  step train: UserError: n.trees must be positive\n");
    assert_eq!((good.is_good, bad.is_good), (true, false));
    // The phase is there before the operator has said why.
    assert_eq!(end(&run(&json!({"phase": "Failed"}), "False", "Unknown")), None);
}

/// A run that is stalled, with more of its status and of its metadata.
fn stalled(status: &Value, metadata: &Value) -> Thing {
    let mut object = stub::run(status);
    object["status"]["observedGeneration"] = json!(1);
    object["status"]["conditions"] = json!([{"type": "Stalled", "status": "True", "reason": "QuotaExceeded", "message": "no cores are left"},
        {"type": "Ready", "status": "False", "reason": "QuotaExceeded", "message": "no cores are left"}]);
    object["metadata"]["generation"] = json!(1);
    for (key, value) in metadata.as_object().into_iter().flatten() {
        object["metadata"][key] = value.clone();
    }
    Thing::of(object, "n")
}

#[test]
fn a_run_that_only_a_change_helps_is_no_longer_waited_for() {
    let remedy = azureml_plan::reasons::find("QuotaExceeded").unwrap().remedy();
    let halted = halt(&stalled(&json!({"phase": "Pending"}), &json!({}))).unwrap();
    assert_eq!(
        (halted.is_good, halted.text),
        (
            false,
            format!(
                "MLRun/r: stalled, QuotaExceeded\n  Do: {remedy}\n  no cores are left\n  Then follow it again: kubectl azureml follow r --namespace n\n"
            )
        )
    );
    let going = halt(&stalled(&json!({"phase": "Running", "studioUrl": "https://ml.example/r"}), &json!({})));
    let text = going.unwrap().text;
    assert!(text.contains("Its job goes on in Azure.\n  https://ml.example/r\n"), "{text}");
}

#[test]
fn what_has_ended_or_was_changed_since_or_is_tried_again_is_not_stalled() {
    let asked = json!({"annotations": {"azureml.dev/reconcile-requested-at": "2"}});
    for (status, metadata) in [
        (json!({"phase": "Failed"}), json!({})),
        (json!({}), json!({"generation": 2})),
        (json!({"lastHandledReconcileAt": "1"}), asked.clone()),
    ] {
        assert_eq!(halt(&stalled(&status, &metadata)), None, "{status} {metadata}");
    }
    assert!(halt(&stalled(&json!({"lastHandledReconcileAt": "2"}), &asked)).is_some());
    // As the operator says between two attempts of spec.retry.
    let again = run(&json!({"phase": "Pending", "attempts": [{}], "jobName": "j-2"}), "False", "Unknown");
    assert_eq!(halt(&again), None);
}

#[test]
fn watches_that_bring_nothing_are_counted_and_good_ones_begin_the_count_anew() {
    let (short, long) = (Duration::from_secs(1), Duration::from_secs(31));
    let mut patience = Patience::default();
    let allowed: Vec<bool> = [(0, short), (1, short), (1, short), (0, short), (1, short)]
        .map(|(looks, lasted)| patience.allows(looks, lasted))
        .into();
    assert_eq!(allowed, [true, true, true, true, false]);
    for good in [(2, short), (0, long), (1, long)] {
        assert!(patience.allows(good.0, good.1), "{good:?}");
        let mut after = patience;
        assert_eq!([0; 5].map(|looks| after.allows(looks, short)), [true, true, true, true, false]);
    }
}

#[test]
fn an_event_that_has_no_run_is_no_look_at_it() {
    let error = json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}});
    assert_eq!(look(&error), None);
    let event = json!({"type": "ADDED", "object": {"kind": "MLRun", "metadata": {"name": "r"}}});
    assert_eq!(look(&event).map(|look| look.id()).as_deref(), Some("MLRun/r"));
}

/// A kubectl whose watches do the same each time; the ninth shows the end, so that a following that does not end is seen.
fn watched(watch: &str) -> Result<Stub> {
    let going = stub::run(&json!({"phase": "Running", "steps": [{"name": "a", "phase": "Running"}]}));
    let ended =
        stub::run(&json!({"phase": "Succeeded", "conditions": [{"type": "Succeeded", "status": "True"}]}));
    let event = |of: &str, object: &Value| json!({"type": of, "object": object});
    Stub::of(&format!(
        "going() {{ echo '{}'; }}\nended() {{ echo '{}'; }}\n\
         case \"$*\" in *--watch*) echo x >>$HOME/watches ;; *) echo '{going}'; exit ;; esac\n\
         if [ $(wc -l <$HOME/watches) -gt 8 ]; then ended; exit; fi\n{watch}",
        event("ADDED", &going),
        event("MODIFIED", &ended)
    ))
}

#[test]
fn a_following_ends_where_watches_bring_nothing() -> Result<()> {
    let forbidden = "going; echo 'Error from server (Forbidden): watch is not allowed' >&2; exit 1";
    for (watch, words) in [
        ("exit 0", "error: look what kubectl get mlrun r --watch prints"),
        ("going; exit 0", "error: look what kubectl get mlrun r --watch prints"),
        (forbidden, "error: ask for a role in the namespace"),
        // It is ended, and not waited for.
        ("going; echo nonsense; exec sleep 15", "it printed what is no event"),
    ] {
        let stub = watched(watch)?;
        let said = stub.said(&["follow", "r", "--namespace", "n"])?;
        ensure!(said.code == Some(2) && said.err.contains(words), "{watch}: {said:?}");
        assert_eq!(stub.lines("watches"), 5, "{watch}");
    }
    Ok(())
}

#[test]
fn an_error_of_the_watch_is_no_news_of_the_run() -> Result<()> {
    let error = json!({"type": "ERROR", "object": {"kind": "Status", "message": "too old resource version"}});
    let stub = watched(&format!("going; echo '{error}'; going; ended"))?;
    let said = stub.said(&["follow", "r", "--namespace", "n", "--progress", "always"])?;
    ensure!(said.code == Some(0) && said.err.matches("step a: Running").count() == 1, "{said:?}");
    Ok(())
}

#[test]
fn a_following_ends_where_the_run_is_stalled() -> Result<()> {
    let event =
        json!({"type": "MODIFIED", "object": stalled(&json!({"phase": "Pending"}), &json!({})).object});
    let stub = watched(&format!("going; echo '{event}'; exec sleep 15"))?;
    let said = stub.said(&["follow", "r", "--namespace", "n"])?;
    ensure!(
        said.code == Some(1) && said.out.starts_with("MLRun/r: stalled, QuotaExceeded\n  Do: "),
        "{said:?}"
    );
    ensure!(stub.lines("watches") == 1, "{said:?}");
    Ok(())
}
