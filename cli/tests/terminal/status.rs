//! The table and the calendar, of objects as clusters have them: whole texts, so that a reader sees what a user sees.

use anyhow::Result;
use azureml_cli::status::calendar::{self, entries};
use azureml_cli::status::write::{self, Style};
use azureml_cli::status::{Row, rows};
use azureml_cli::thing::{Thing, things};
use jiff::Timestamp;
use serde_json::{Value, json};

const NOW: &str = "2027-03-26T06:00:00Z";

fn object(kind: &str, name: &str, spec: &Value, status: &Value) -> Value {
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": kind, "spec": spec, "status": status,
        "metadata": {"name": name, "namespace": "team-a", "generation": 1, "creationTimestamp": "2027-03-20T06:00:00Z"}})
}

fn status(condition: &str, is: &str, reason: &str, more: &Value) -> Value {
    let mut status = json!({"observedGeneration": 1, "conditions": [
        {"type": condition, "status": is, "reason": reason, "message": "m", "lastTransitionTime": "2027-03-26T05:48:00Z"}]});
    json_patch::merge(&mut status, more);
    status
}

fn schedule(name: &str, spec: &Value, more: &Value) -> Value {
    let mut whole = json!({"pipelineRef": {"name": "sales"}});
    json_patch::merge(&mut whole, spec);
    object("MLSchedule", name, &whole, &status("Ready", "True", "Succeeded", more))
}

fn all() -> Vec<Thing> {
    let failed = json!({"phase": "Failed", "firedAt": "2027-03-26T03:00:00Z", "finishedAt": "2027-03-26T03:10:00Z",
        "durationSeconds": 540, "failure": {"step": "train", "code": "UserError", "message": "x"}});
    let next = json!({"next": ["2027-03-27T04:00:00+01:00"], "lastRun": failed});
    let run = |name: &str, ended: &str| {
        let mut status = status(
            "Ready",
            "True",
            "Completed",
            &json!({"phase": "Succeeded", "durationSeconds": 75, "finishedAt": ended}),
        );
        status["conditions"][0]["type"] = json!("Succeeded");
        object("MLRun", name, &json!({"pipelineRef": {"name": "sales"}}), &status)
    };
    let mut paused =
        object("MLCompute", "cpu", &json!({}), &status("Ready", "False", "Resizing", &json!({})));
    paused["metadata"]["annotations"] = json!({"azureml.dev/paused": "true"});
    let mut stalled =
        object("MLEnvironment", "r", &json!({}), &status("Ready", "False", "InvalidDockerfile", &json!({})));
    stalled["status"]["conditions"].as_array_mut().into_iter().for_each(|all| {
        all.push(json!({"type": "Stalled", "status": "True", "reason": "InvalidDockerfile"}));
    });
    let new = object("MLPipeline", "sales", &json!({}), &Value::Null);
    let zurich = json!({"cron": "0 4 * * *", "timeZone": "Europe/Zurich"});
    things(
        vec![
            run("old", "2027-03-20T05:00:00Z"),
            run("new", "2027-03-26T05:00:00Z"),
            schedule("nightly", &zurich, &next),
            schedule("off", &json!({"cron": "*/5 * * * *", "suspend": true}), &json!({})),
            new,
            stalled,
            paused,
            json!({"kind": "ConfigMap", "metadata": {"name": "other"}}),
        ],
        "team-a",
    )
}

fn now() -> Result<Timestamp> {
    Ok(NOW.parse()?)
}

#[test]
fn every_object_has_a_row_and_old_runs_are_counted() -> Result<()> {
    let style = Style { has_namespaces: false, is_coloured: false, now: now()? };
    assert_eq!(
        write::text(&rows(&all()), style),
        "\
KIND            NAME      READY     REASON              SINCE   AGE   NEXT                     LAST
MLCompute       cpu       False     Resizing (paused)   12m     6d
MLEnvironment   r         False     InvalidDockerfile   12m     6d
MLPipeline      sales     Unknown   NotObserved         6d      6d
MLSchedule      nightly   True      Succeeded           12m     6d    2027-03-27 04:00+01:00   Failed in 9m 2h50m ago (train: UserError)
MLSchedule      off       True      Succeeded           12m     6d    suspended
MLRun           new       True      Completed           12m     6d                             Succeeded in 75s 60m ago

1 runs that ended more than a day ago are left out; kubectl get mlruns shows them.
"
    );
    Ok(())
}

#[test]
fn colours_tell_what_is_stuck_from_what_goes_on() -> Result<()> {
    let style = Style { has_namespaces: true, is_coloured: true, now: now()? };
    let text = write::text(&rows(&all()), style);
    for (name, ready) in [("cpu", "\u{1b}[33mFalse"), ("r ", "\u{1b}[31mFalse"), ("off", "\u{1b}[32mTrue")] {
        let line = text.lines().find(|line| line.contains(&format!(" {name}"))).unwrap_or_default();
        assert!(line.starts_with("team-a") && line.contains(ready), "{line}");
    }
    Ok(())
}

#[test]
fn programs_get_every_object_as_it_is() -> Result<()> {
    let rows: Vec<Row> = rows(&all());
    let json: Value = serde_json::from_str(&write::report(&rows).json()?)?;
    assert_eq!(
        (json["apiVersion"].as_str(), json["objects"].as_array().map(Vec::len)),
        (Some("azureml.dev/status/v1"), Some(7))
    );
    assert_eq!(json["objects"][3]["last"]["failure"], "train: UserError");
    let yaml: Value = serde_saphyr::from_str(&write::report(&rows).yaml()?)?;
    assert_eq!(yaml, json);
    Ok(())
}

#[test]
fn the_calendar_has_a_week_of_firings_by_day_and_marks_changes_of_the_clock() -> Result<()> {
    let mut objects = all();
    let often = schedule(
        "often",
        &json!({"cron": "*/30 22-23 * * 5", "engine": "Controller", "crons": []}),
        &json!({}),
    );
    let wrong = schedule("wrong", &json!({"cron": "0 4 * * *", "timeZone": "Europe/Zurih"}), &json!({}));
    let many = schedule("many", &json!({"cron": "0 */2 * * 6"}), &json!({}));
    objects.extend(things(vec![often, wrong, many], "team-a"));
    let entries = entries(&objects, now()?);
    let text = calendar::text(&entries, false);
    let (days, remarks) = text.split_at(text.find("off: ").unwrap_or_default());
    assert_eq!(
        days,
        "\
Fri 2027-03-26
  22:00+00:00 22:30+00:00 23:00+00:00 23:30+00:00  often  sales  (UTC)
Sat 2027-03-27
  00:00+00:00 to 22:00+00:00, 12 times  many  sales  (UTC)
  04:00+01:00  nightly  sales  (Europe/Zurich)
Sun 2027-03-28
  ! the clock of Europe/Zurich is changed: 02:00 becomes 03:00
  04:00+02:00  nightly  sales  (Europe/Zurich)
Mon 2027-03-29
  04:00+02:00  nightly  sales  (Europe/Zurich)
Tue 2027-03-30
  04:00+02:00  nightly  sales  (Europe/Zurich)
Wed 2027-03-31
  04:00+02:00  nightly  sales  (Europe/Zurich)
Thu 2027-04-01
  04:00+02:00  nightly  sales  (Europe/Zurich)
Fri 2027-04-02
  04:00+02:00  nightly  sales  (Europe/Zurich)
"
    );
    assert!(remarks.starts_with("off: suspended\nwrong: ") && remarks.contains("Europe/Zurih"), "{remarks}");
    let json: Value = serde_json::from_str(&calendar::report(&entries).json()?)?;
    assert_eq!(json["schedules"][0]["changes"][0]["becomes"], "2027-03-28T03:00:00+02:00");
    assert_eq!(calendar::text(&[], true), "Nothing fires in the next 7 days.\n");
    Ok(())
}

#[test]
fn a_change_of_the_clock_is_told_whatever_the_names_and_where_nothing_fires_on_that_day() -> Result<()> {
    let zurich = json!({"cron": "0 4 * * MON", "timeZone": "Europe/Zurich"});
    let calendar = |names: [&str; 2], of_others: &str| -> Result<String> {
        let first = schedule(names[0], &zurich, &json!({}));
        let other = schedule(names[1], &json!({"cron": of_others}), &json!({}));
        Ok(calendar::text(&entries(&things(vec![first, other], "team-a"), now()?), false))
    };
    let change = "Sun 2027-03-28\n  ! the clock of Europe/Zurich is changed: 02:00 becomes 03:00\n";
    for names in [["a", "b"], ["b", "a"]] {
        let text = calendar(names, "0 1 * * SUN")?;
        assert!(text.starts_with(&format!("{change}  01:00+00:00  {}  ", names[1])), "{text}");
    }
    let text = calendar(["a", "b"], "0 1 * * MON")?;
    assert!(text.starts_with(&format!("{change}Mon 2027-03-29\n  01:00+00:00  b  ")), "{text}");
    // Of a clock by which nothing fires, nothing is told.
    let off = schedule(
        "off",
        &json!({"cron": "0 4 * * *", "timeZone": "Europe/Zurich", "suspend": true}),
        &json!({}),
    );
    let text = calendar::text(&entries(&things(vec![off], "team-a"), now()?), false);
    assert_eq!(text, "Nothing fires in the next 7 days.\noff: suspended\n");
    Ok(())
}
