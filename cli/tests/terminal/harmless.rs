//! Texts of the cluster and of Azure reach a terminal as texts: whatever somebody wrote, it is shown, and does nothing.

use crate::stub::Stub;
use anyhow::{Context as _, Result, ensure};
use azureml_cli::follow::{end, news};
use azureml_cli::graph::of_objects;
use azureml_cli::graph::write::tree;
use azureml_cli::status::write::{Style, text};
use azureml_cli::status::{calendar, rows};
use azureml_cli::thing::{Thing, things};
use azureml_cli::why::{why, write};
use jiff::Timestamp;
use serde_json::json;

/// Sets a clipboard, clears the screen in two ways, returns to the begin of a line and writes one of its own.
const EVIL: &str = "x\u{1b}]52;c;eA==\u{7}\u{1b}[2J\u{9b}2J\rMLRun/r: Succeeded\nMLRun/r: Succeeded";

fn evil(kind: &str, phase: &str) -> Thing {
    let condition = |of: &str| json!({"type": of, "status": "False", "reason": EVIL, "message": EVIL});
    let failure = json!({"step": EVIL, "code": EVIL, "message": EVIL});
    let step = json!({"name": EVIL, "phase": EVIL});
    let last = json!({"phase": EVIL, "failure": failure});
    Thing::of(
        json!({"apiVersion": "azureml.dev/v1alpha1", "kind": kind, "metadata": {"name": EVIL, "namespace": EVIL},
            "spec": {"pipelineRef": {"name": EVIL}, "cron": EVIL, "timeZone": EVIL},
            "status": {"phase": phase, "conditions": [condition("Ready"), condition("Succeeded")], "next": [EVIL], "lastRun": last,
                "steps": [step], "failure": failure, "outputs": {(EVIL): EVIL}, "studioUrl": EVIL, "jobName": EVIL, "attempts": [{}]}}),
        "n",
    )
}

#[test]
fn no_text_of_an_object_does_anything_to_a_terminal_or_begins_a_line() -> Result<()> {
    let now: Timestamp = "2027-03-26T06:00:00Z".parse()?;
    let style = Style { has_namespaces: true, is_coloured: false, now };
    let (run, going, schedule) = (evil("MLRun", "Failed"), evil("MLRun", EVIL), evil("MLSchedule", EVIL));
    let all = [run.clone(), schedule.clone()];
    let texts = [
        news(None, &going).join("\n"),
        end(&run).context("it has ended")?.text,
        write::text(&why(&all, &schedule), now, false),
        text(&rows(&all), style),
        calendar::text(&calendar::entries(&all, now), true),
        tree(&of_objects(&all), false),
    ];
    for text in texts {
        let is_harmful = text.chars().any(|one| one.is_control() && one != '\n');
        ensure!(text.contains(char::REPLACEMENT_CHARACTER) && !is_harmful, "{text:?}");
        ensure!(text.lines().all(|line| line != "MLRun/r: Succeeded"), "{text}");
    }
    ensure!(things(vec![run.object], "n").first() == all.first(), "a plain text changes once more");
    Ok(())
}

#[test]
fn no_error_does_anything_to_a_terminal_or_begins_a_line() -> Result<()> {
    let stub = Stub::of(r"printf 'Error: \033]52;c;eA==\007\033[2J\nerror: forged\n' >&2; exit 1")?;
    let said = stub.said(&["status", "--namespace", "n"])?;
    ensure!(said.code == Some(1) && !said.err.chars().any(|one| one.is_control() && one != '\n'), "{said:?}");
    ensure!(said.err.contains("52;c;") && said.err.ends_with("\n  error: forged\n"), "{said:?}");
    Ok(())
}

#[test]
fn an_address_that_was_made_plain_is_no_address() -> Result<()> {
    let run = crate::stub::run(&json!({"studioUrl": "https://ml.example/\u{1b}[2J"}));
    let said =
        Stub::of(&format!("cat <<'END'\n{run}\nEND"))?.said(&["open", "mlrun/r", "--namespace", "n"])?;
    ensure!(said.code == Some(1) && said.err.contains("no address of https"), "{said:?}");
    Ok(())
}
