//! What a run tells while it is followed, and at its end.

use azureml_cli::follow::{end, news};
use azureml_cli::thing::Thing;
use serde_json::{Value, json};

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
