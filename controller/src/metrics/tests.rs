//! What is exported: both formats, what is there from the start, and how series come and go with the namespaces of objects.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

#[test]
fn both_formats_are_whole_and_name_the_build() {
    let metrics = Metrics::default();
    let (open, text) = (metrics.open_metrics().unwrap(), metrics.text().unwrap());
    let build = concat!("azureml_operator_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"");
    assert!(open.contains(build) && text.contains(build), "{open}");
    assert!(open.ends_with("# EOF\n") && !text.contains("# EOF"));
}

/// The metrics of a leader, and the namespaces in which each kind has an object that is stalled and a schedule that failed.
fn stage() -> (Metrics, Arc<Mutex<BTreeSet<String>>>) {
    let (metrics, held) = (Metrics::default(), Arc::<Mutex<BTreeSet<String>>>::default());
    let ask = |held: &Arc<Mutex<BTreeSet<String>>>| {
        let held = held.clone();
        move || held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    };
    metrics.namespaces.told_by(ask(&held));
    let namespaces = ask(&held);
    metrics.objects.counted_by(move || {
        let conditions = namespaces().into_iter().map(|namespace| (namespace, "Stalled", "True", 1));
        let conditions: Vec<_> = conditions.collect();
        let all = i64::try_from(conditions.len()).unwrap();
        ["MLEnvironment", "MLRun"].map(|kind| Counted { kind, all, conditions: conditions.clone() }).to_vec()
    });
    let namespaces = ask(&held);
    metrics.schedules.counted_by(move || {
        let nights = |(seconds, namespace)| {
            (namespace, Nights { failed: 1, overdue: 0, slow: 0, since_success: Some(seconds) })
        };
        (0_i64..).zip(namespaces()).map(nights).collect::<BTreeMap<_, _>>()
    });
    (metrics, held)
}

fn hold(held: &Mutex<BTreeSet<String>>, names: impl IntoIterator<Item = String>) {
    *held.lock().unwrap() = names.into_iter().collect();
}

fn run(result: &'static str) -> Done {
    Done::Run { result, took: None, parts: [None; 3] }
}

fn assert_has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line} is not in {text}");
    }
}

#[test]
fn what_alerts_count_is_there_from_the_start_at_zero() {
    let process = [
        "azureml_operator_leader 0",
        "azureml_operator_lease_renewals_total{result=\"failure\"} 0",
        "azureml_operator_azure_token_requests_total{result=\"failure\"} 0",
    ];
    let standby = Metrics::default().text().unwrap();
    assert_has(&standby, &process);
    assert!(!standby.contains("object_namespace"), "a standby knows of no objects: {standby}");
    let (metrics, held) = stage();
    hold(&held, ["team-a".to_owned()]);
    let text = metrics.text().unwrap();
    assert_has(&text, &process);
    let of_a_team = [
        "azureml_operator_builds_total{object_namespace=\"team-a\",result=\"failed\"} 0",
        "azureml_operator_runs_total{object_namespace=\"team-a\",result=\"failed\"} 0",
        "azureml_operator_scheduled_runs_total{object_namespace=\"team-a\",result=\"failed\"} 0",
        "azureml_operator_schedule_firings_total{object_namespace=\"team-a\",result=\"missed\"} 0",
    ];
    assert_has(&text, &of_a_team);
}

#[test]
fn each_team_has_its_own_figures_until_its_last_object_is_gone() {
    let (metrics, held) = stage();
    hold(&held, ["team-a", "team-b"].map(str::to_owned));
    metrics.work.done("team-b", run("failed"));
    metrics.work.done("team-b", Done::Build { result: "timeout", took: None });
    let ends = Ends { failed: 2, ..Ends::default() };
    metrics.work.done("team-b", Done::Scheduled(ends));
    metrics.work.fired("team-b", Fired::Missed);
    let lines = [
        "azureml_operator_runs_total{object_namespace=\"team-a\",result=\"failed\"} 0",
        "azureml_operator_runs_total{object_namespace=\"team-b\",result=\"failed\"} 1",
        "azureml_operator_builds_total{object_namespace=\"team-b\",result=\"timeout\"} 1",
        "azureml_operator_scheduled_runs_total{object_namespace=\"team-b\",result=\"failed\"} 2",
        "azureml_operator_schedule_firings_total{object_namespace=\"team-b\",result=\"missed\"} 1",
        "azureml_operator_schedules{object_namespace=\"team-b\",state=\"failed\"} 1",
        "azureml_operator_schedules{object_namespace=\"team-b\",state=\"slow\"} 0",
        "azureml_operator_schedule_since_success_seconds{object_namespace=\"team-a\"} 0",
        "azureml_operator_schedule_since_success_seconds{object_namespace=\"team-b\"} 1",
        "azureml_operator_object_conditions{object_namespace=\"team-b\",kind=\"MLRun\",type=\"Stalled\",status=\"True\"} 1",
    ];
    assert_has(&metrics.text().unwrap(), &lines);
    hold(&held, ["team-a".to_owned()]);
    let text = metrics.text().unwrap();
    assert!(text.contains("\"team-a\"") && !text.contains("\"team-b\""), "{text}");
    hold(&held, ["team-b".to_owned()]);
    assert_has(
        &metrics.text().unwrap(),
        &["azureml_operator_runs_total{object_namespace=\"team-b\",result=\"failed\"} 0"],
    );
}

#[test]
fn beyond_the_bound_the_rest_is_told_together_and_each_series_once() {
    let (metrics, held) = stage();
    hold(&held, (0..600).map(|number| format!("team-{number:03}")));
    metrics.text().unwrap();
    for number in 0..600 {
        metrics.work.done(&format!("team-{number:03}"), run("failed"));
    }
    let text = metrics.text().unwrap();
    let lines = [
        "azureml_operator_runs_total{object_namespace=\"team-499\",result=\"failed\"} 1",
        "azureml_operator_runs_total{object_namespace=\"other\",result=\"failed\"} 100",
        "azureml_operator_schedules{object_namespace=\"other\",state=\"failed\"} 100",
        "azureml_operator_schedule_since_success_seconds{object_namespace=\"other\"} 599",
        "azureml_operator_object_conditions{object_namespace=\"other\",kind=\"MLRun\",type=\"Stalled\",status=\"True\"} 100",
    ];
    assert_has(&text, &lines);
    let series: Vec<&str> = text.lines().filter(|line| line.contains("object_namespace")).collect();
    let names: BTreeSet<&str> =
        series.iter().filter_map(|line| line.rsplit_once(' ')).map(|of| of.0).collect();
    // 14 counts, four of schedules, and here one condition of two kinds.
    assert_eq!((series.len(), names.len()), (501 * 20, 501 * 20));
}

#[test]
fn namespaces_that_come_and_go_leave_nothing_behind() {
    let (metrics, held) = stage();
    for number in 0..2000 {
        let name = format!("preview-{number}");
        hold(&held, [name.clone()]);
        metrics.work.done(&name, run("failed"));
        if number % 100 == 0 {
            metrics.text().unwrap();
        }
    }
    let text = metrics.text().unwrap();
    let other = |line: &&str| line.contains("object_namespace") && !line.contains("preview-1999");
    assert_eq!(text.lines().find(other), None);
    hold(&held, []);
    assert!(!metrics.text().unwrap().contains("object_namespace=\""));
}
