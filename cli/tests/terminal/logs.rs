//! Which run `logs` means of a schedule, and what it says where there is none; the logs themselves are for the end-to-end tests.

use crate::stub::Stub;
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// A kubectl that has a schedule with this status, and knows nothing else.
fn has(status: &Value) -> Result<Stub> {
    let schedule = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule", "metadata": {"name": "s", "namespace": "n"},
        "spec": {"pipelineRef": {"name": "p"}}, "status": status});
    Stub::of(&format!(
        "echo \"$*\" >>$HOME/asked\ncase \"$*\" in\n\
         *mlschedules.*) echo '{schedule}' ;;\n\
         *--ignore-not-found*) ;;\n\
         *) echo '{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": []}}' ;;\nesac"
    ))
}

fn said(stub: &Stub, rest: &[&str]) -> Result<(Option<i32>, String)> {
    let said = stub.said(&[&["logs", "mlschedule/s", "--namespace", "n"], rest].concat())?;
    ensure!(said.out.is_empty(), "{said:?}");
    Ok((said.code, said.err))
}

#[test]
fn a_schedule_without_a_run_says_so_at_once_also_where_it_is_followed() -> Result<()> {
    let stub = has(&json!({"next": ["2027-03-27T04:00:00+01:00"]}))?;
    for rest in [&[][..], &["--follow"], &["--run", "j-1"]] {
        let (code, err) = said(&stub, rest)?;
        ensure!(
            code == Some(1) && err.contains("has no run yet; wait until it fires at 2027-03-27T04"),
            "{err}"
        );
    }
    Ok(())
}

#[test]
fn the_last_run_is_read_where_its_workspace_is_and_another_is_chosen_by_its_job() -> Result<()> {
    let run = |job: &str, at: &str| json!({"jobName": job, "firedAt": at, "phase": "Failed"});
    let (last, before) = (run("j-2", "2026-01-02T03:00:00Z"), run("j-1", "2026-01-01T03:00:00Z"));
    let status = json!({"workspaceRef": {"name": "ml"}, "lastRun": last, "runs": [last, before]});
    let stub = has(&status)?;
    for (rest, words) in [
        (&[][..], "the run of 2026-01-02T03:00:00Z, Failed, job j-2"),
        (&["--run", "j-1"], "the run of 2026-01-01T03:00:00Z, Failed, job j-1"),
        (&["--run", "j-0"], "choose one of j-2, j-1: "),
    ] {
        let (code, err) = said(&stub, rest)?;
        ensure!(code == Some(1) && err.contains(words), "{rest:?}: {err}");
        let is_found = !words.starts_with("choose");
        ensure!(err.contains("there is no MLWorkspace/ml") == is_found, "{rest:?}: {err}");
    }
    Ok(())
}

#[test]
fn with_engine_controller_the_mlrun_is_asked_for_and_where_it_is_gone_the_job() -> Result<()> {
    let run =
        json!({"run": "s-1", "jobName": "j-1", "firedAt": "2026-01-01T03:00:00Z", "phase": "Succeeded"});
    let stub = has(&json!({"workspaceRef": {"name": "ml"}, "lastRun": run, "runs": [run]}))?;
    let (code, err) = said(&stub, &[])?;
    ensure!(
        code == Some(1) && err.contains("job j-1") && err.contains("there is no MLWorkspace/ml"),
        "{err}"
    );
    ensure!(
        stub.text("asked").contains("get mlruns.azureml.dev/s-1 --ignore-not-found"),
        "{}",
        stub.text("asked")
    );
    Ok(())
}

#[test]
fn a_run_of_a_schedule_is_chosen_of_a_schedule_alone() -> Result<()> {
    let said = has(&Value::Null)?.said(&["logs", "r", "--run", "j-1", "--namespace", "n"])?;
    ensure!(said.code == Some(1) && said.err.contains("leave --run out"), "{said:?}");
    Ok(())
}
