//! Requests of real clients.

use azureml_simulator::contract::{Accepts, Contract, TOLERANCES};

use super::support::{body_of, contract, recorded, texts};

/// What is wrong in the recordings themselves.
const WRONG: [(&str, &str); 2] = [
    // A test that wrote a name of two characters to a server that did not look at it.
    ("20-az-rest", "The name 'c1' does not match the pattern"),
    // The YAML it was made from has a setting that does not exist; the client passes on what it does not know.
    ("pipeline-other-nodes", "Could not find member 'ssh' on object of type 'settings.job'"),
];

fn is_known(from: &str, texts: &[String]) -> bool {
    WRONG.iter().any(|(name, start)| *name == from && texts.iter().all(|text| text.starts_with(start)))
}

#[test]
fn every_recorded_request_of_a_real_client_is_accepted() {
    let contract = contract();
    let all = recorded();
    assert!(all.len() > 150, "only {} recorded requests", all.len());
    for request in all {
        let texts = texts(contract.check_request(&request.call()));
        assert!(texts.is_empty() || is_known(&request.from, &texts), "{}: {texts:#?}", request.from);
    }
}

#[test]
fn what_is_wrong_in_the_recordings_is_found() {
    let contract = contract();
    for (name, _) in WRONG {
        let mut found = recorded().into_iter().filter(|request| request.from == name);
        assert!(found.any(|request| contract.check_request(&request.call()).is_err()), "{name} is accepted");
    }
}

#[test]
fn a_body_is_valid_in_the_oldest_and_in_the_newest_described_version() {
    let contract = contract();
    for version in ["2024-04-01", "2025-12-01"] {
        for request in recorded() {
            let preview = request.target.contains("/trigger?");
            if preview || request.body.is_none() || !request.target.contains("MachineLearningServices") {
                continue;
            }
            let request = request.at(version);
            let texts = texts(contract.check_request(&request.call()));
            assert!(
                texts.is_empty() || is_known(&request.from, &texts),
                "{} {version}: {texts:#?}",
                request.from
            );
        }
    }
}

#[test]
fn each_tolerance_is_needed_by_a_recorded_request() {
    // Two are for what Azure answers.
    let of_answers = [Accepts::Absence, Accepts::Words];
    for dropped in TOLERANCES.iter().filter(|tolerance| !of_answers.contains(&tolerance.accepts)) {
        let others = TOLERANCES.iter().filter(|tolerance| !std::ptr::eq(*tolerance, dropped));
        let contract = Contract::tolerating(others).unwrap();
        let needs = |request: super::support::Recorded| {
            let texts = texts(contract.check_request(&request.call()));
            !texts.is_empty() && !is_known(&request.from, &texts)
        };
        assert!(recorded().into_iter().any(needs), "{:?}: no recording needs it", dropped.at);
    }
}

#[test]
fn without_tolerances_the_oddities_of_real_clients_are_refused() {
    let contract = Contract::strict().unwrap();
    for (from, text) in [
        ("batch-endpoint", "The value \"aadToken\" of 'BatchEndpoint.authMode' is not one of"),
        ("schedule-recurrence", "The value \"week\" of 'RecurrenceTrigger.frequency' is not one of"),
        ("component-prep", "Could not find member '_source' on object of type 'component.command'"),
    ] {
        let texts = texts(contract.check_request(&body_of(from).call()));
        assert!(texts.iter().any(|found| found.starts_with(text)), "{from}: {texts:#?}");
    }
}

#[test]
fn what_is_tolerated_is_put_into_the_published_words() {
    let contract = contract();
    for (from, pointer, word) in [
        ("batch-endpoint", "/properties/authMode", "AADToken"),
        ("schedule-recurrence", "/properties/trigger/frequency", "Week"),
        ("schedule-recurrence", "/properties/trigger/schedule/weekDays/1", "Friday"),
        (
            "batch-deployment-pipeline",
            "/properties/deploymentConfiguration/settings/continue_on_step_failure",
            "false",
        ),
        ("21-az-acr-build", "/platform/os", "Linux"),
    ] {
        let body = contract.accept(&body_of(from).call()).unwrap().unwrap();
        assert_eq!(body.pointer(pointer), Some(&word.into()), "{from}");
    }
    assert_eq!(contract.accept(&body_of("compute-update").call()), Ok(None));
}

#[test]
fn what_was_read_can_be_sent_back() {
    let mut request = body_of("compute-update");
    let body = request.body.as_mut().unwrap();
    body["id"] = "/subscriptions/s/anything".into();
    body["properties"]["provisioningState"] = "Succeeded".into();
    body["properties"]["properties"]["nodeStateCounts"] =
        serde_json::json!({"idleNodeCount": 1, "odd": true});
    assert_eq!(contract().check_request(&request.call()), Ok(()));
}

#[test]
fn a_binding_may_stand_for_a_value_inside_a_node() {
    let mut request = body_of("pipeline-multistep");
    let node = &mut request.body.as_mut().unwrap()["properties"]["jobs"]["train"];
    node["resources"]["instance_count"] = "${{parent.inputs.nodes}}".into();
    assert_eq!(contract().check_request(&request.call()), Ok(()));
}

#[test]
fn a_build_may_have_a_name() {
    let schedule = body_of("acr-scheduleRun-DockerBuildRequest");
    let body = serde_json::json!({"location": "westeurope", "properties": {
        "runRequest": schedule.body.clone().unwrap(), "forceUpdateTag": "retry-ca1"}});
    let target = schedule.target.replace("/scheduleRun", "/taskRuns/12ab34cd-9f2c1a7b55aa");
    let call = azureml_simulator::contract::Call { method: "PUT", target: &target, body: Some(&body) };
    assert_eq!(contract().check_request(&call), Ok(()));
}

#[test]
fn a_path_is_found_in_any_case_and_with_an_encoded_name() {
    let request = body_of("compute-update");
    let target =
        request.target.replace("resourceGroups", "resourcegroups").replace("cpu-cluster", "cpu%2Dcluster");
    let contract = contract();
    let call = azureml_simulator::contract::Call { target: &target, ..request.call() };
    assert_eq!(contract.check_request(&call), Ok(()));
}

#[test]
fn a_cluster_may_end_in_a_number_as_recorded_ones_do() {
    let request = body_of("compute-update");
    let contract = contract();
    for (name, is_good) in [("cpu-cluster-1", true), ("1-cpu", false), ("c1", false), ("cpu_1", false)] {
        let target = request.target.replace("/cpu-cluster", &format!("/{name}"));
        let call = azureml_simulator::contract::Call { target: &target, ..request.call() };
        assert_eq!(contract.check_request(&call).is_ok(), is_good, "{name}: {target}");
    }
}

#[test]
fn a_check_takes_less_than_a_tenth_of_a_millisecond() {
    let (contract, request) = (contract(), body_of("compute-update"));
    let once = || {
        let start = std::time::Instant::now();
        contract.check_request(&request.call()).unwrap();
        start.elapsed()
    };
    // The fastest of many: what the machine does besides does not count. Unoptimized code gets five times as long.
    let limit = std::time::Duration::from_micros(if cfg!(debug_assertions) { 500 } else { 100 });
    let fastest = (0..1000).map(|_| once()).min().unwrap();
    assert!(fastest < limit, "{fastest:?}");
}
