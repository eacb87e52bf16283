//! Runs of a schedule after a look: what ends, what is gone, what is news.

use super::*;
use serde_json::json;

fn at(minute: u8) -> Timestamp {
    format!("2026-01-05T06:{minute:02}:00Z").parse().unwrap()
}

fn component() -> ArmId {
    ArmId::workspace("s", "g", "w").child("components", "ns_p_1a2b").child("versions", "v")
}

fn job(name: &str, made: u8, phase: Phase) -> Listed {
    let is_over = phase.is_finished() && phase != Phase::Canceled;
    Listed {
        name: name.to_owned(),
        owner: "c/1".to_owned(),
        made: at(made),
        phase,
        started: is_over.then(|| at(made + 1)),
        ended: is_over.then(|| at(made + 5)),
        studio: Some(format!("https://ml.azure.com/runs/{name}")),
        component: Some(component().to_string()),
    }
}

fn look(before: &[ScheduledRun], listed: Vec<Listed>) -> Vec<ScheduledRun> {
    let jobs = Jobs { listed, since: Some(at(0)), ..Jobs::default() };
    merged(before, &jobs, &component(), at(30))
}

fn schedule(runs: Vec<ScheduledRun>) -> MLSchedule {
    let object = json!({
        "apiVersion": "azureml.dev/v1alpha1", "kind": "MLSchedule",
        "metadata": {"name": "s", "namespace": "n", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"pipelineRef": {"name": "p"}, "cron": "0 6 * * *"}, "status": {},
    });
    let mut schedule: MLSchedule = serde_json::from_value(object).unwrap();
    schedule.status.as_mut().unwrap().runs = runs;
    schedule
}

fn shown(runs: &[ScheduledRun]) -> Vec<(&str, Phase, Option<i64>)> {
    runs.iter().map(|run| (run.job_name.as_str(), run.phase, run.duration_seconds)).collect()
}

#[test]
fn a_run_that_goes_on_at_the_next_firing_stays_beside_it_and_ends_by_itself() {
    let first = look(&[], vec![job("a", 0, Phase::Running)]);
    assert_eq!(shown(&first), [("a", Phase::Running, None)]);
    let second = look(&first, vec![job("b", 10, Phase::Queued), job("a", 0, Phase::Running)]);
    assert_eq!(shown(&second), [("b", Phase::Queued, None), ("a", Phase::Running, None)]);
    let third = look(&second, vec![job("b", 10, Phase::Queued), job("a", 0, Phase::Succeeded)]);
    assert_eq!(shown(&third)[1], ("a", Phase::Succeeded, Some(240)));
    assert_eq!(ended(&second, &third).iter().map(|run| run.job_name.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(last_success(None, &third).map(|time| time.0), Some(at(5)));
}

#[test]
fn a_job_that_is_deleted_while_it_goes_on_fails_and_one_that_has_ended_stays_as_it_was() {
    let before = look(&[], vec![job("b", 10, Phase::Running), job("a", 0, Phase::Succeeded)]);
    let after = look(&before, Vec::new());
    assert_eq!(shown(&after), [("b", Phase::Failed, None), ("a", Phase::Succeeded, Some(240))]);
    assert_eq!(after[0].failure.as_ref().unwrap().code, "JobGone");
    let unknown = merged(&before, &Jobs::default(), &component(), at(30));
    assert_eq!(unknown, before, "nothing was learned");
}

#[test]
fn a_failed_job_tells_the_step_and_its_words_by_the_component_that_it_ran() {
    let child = json!({"name": "NS_P_1A2B_train", "displayName": "Train", "status": "Failed", "endTimeUtc": "2026-01-05T06:04:00Z",
        "error": {"error": {"code": "UserError", "message": "no package caret"}}});
    let history = History::Read { children: vec![child], details: None };
    let jobs = Jobs {
        listed: vec![job("a", 0, Phase::Failed)],
        since: Some(at(0)),
        history: [("a".to_owned(), history)].into(),
        refused: None,
    };
    let other = ArmId::workspace("s", "g", "w").child("components", "later").child("versions", "v");
    let failure = merged(&[], &jobs, &other, at(30)).remove(0).failure.unwrap();
    assert_eq!((failure.step.as_deref(), failure.message.as_str()), (Some("train"), "no package caret"));
    let unread =
        Jobs { history: [("a".to_owned(), History::Unread("403".to_owned()))].into(), ..jobs.clone() };
    let first = merged(&[], &unread, &other, at(30));
    let failure = first[0].failure.clone().unwrap();
    assert!(failure.message.contains("look at the job in studio") && failure.message.ends_with("403"));
    // It is read again until that succeeds, also where newer runs are known.
    let known = schedule(first.clone());
    assert_eq!((unexplained(&known, &jobs.listed).len(), since(&known)), (1, at(0)));
    let again =
        Jobs { history: [("a".to_owned(), History::Unread("503".to_owned()))].into(), ..jobs.clone() };
    assert_eq!(merged(&first, &again, &other, at(40)), first, "nothing was learned");
    let later = merged(&first, &jobs, &other, at(50));
    assert_eq!(later[0].failure.as_ref().unwrap().message, "no package caret");
    assert_eq!((ended(&first, &later).len(), explained(&first, &later).len()), (0, 1), "it ended once");
    assert_eq!(
        (unexplained(&schedule(later.clone()), &jobs.listed).len(), explained(&later, &later).len()),
        (0, 0)
    );
}

#[test]
fn a_cancelled_job_tells_no_times_so_its_end_is_when_it_was_seen() {
    let open = look(&[], vec![job("a", 0, Phase::Running)]);
    let after = look(&open, vec![job("a", 0, Phase::Canceled)]);
    assert_eq!(after[0].finished_at.as_ref().map(|time| time.0), Some(at(30)));
    let late = look(&[], vec![job("a", 0, Phase::Canceled)]);
    assert_eq!(late[0].finished_at, None, "nobody saw it");
}

#[test]
fn the_last_five_are_kept_and_the_first_look_tells_one_end() {
    let listed: Vec<Listed> =
        (0..7).map(|number| job(&format!("j{number}"), number, Phase::Failed)).collect();
    let fresh = schedule(Vec::new());
    assert_eq!(unexplained(&fresh, &listed).iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["j6"]);
    let runs = look(&[], listed.clone());
    assert_eq!((runs.len(), runs[0].job_name.as_str()), (5, "j6"));
    assert_eq!(ended(&[], &runs).len(), 1);
    assert!(ended(&runs, &runs).is_empty());
    let known = schedule(runs[1..].to_vec());
    assert_eq!(unexplained(&known, &listed[2..]).len(), 1, "each failure is read once");
}

#[test]
fn jobs_matter_from_the_oldest_that_goes_on_or_the_newest_known_or_the_objects_birth() {
    assert_eq!(since(&schedule(Vec::new())).to_string(), "2026-01-01T00:00:00Z");
    let runs = look(&[], vec![job("b", 10, Phase::Succeeded), job("a", 0, Phase::Running)]);
    assert_eq!(since(&schedule(runs)), at(0));
    assert_eq!(since(&schedule(look(&[], vec![job("b", 10, Phase::Succeeded)]))), at(10));
}
