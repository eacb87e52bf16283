//! Requests that are wrong in one place: each is refused, with the place and what was meant.

use azureml_simulator::contract::{Call, Violation};
use serde_json::json;

use super::support::{body_of, change, contract};

/// The lines of one section of `refusals.txt`.
pub fn section(name: &str) -> Vec<&'static str> {
    let (_, rest) = include_str!("refusals.txt").split_once(&format!("[{name}]\n")).unwrap();
    let cases: Vec<&str> = rest.lines().take_while(|line| !line.is_empty()).collect();
    assert!(cases.len() > 4, "{name} has {} cases", cases.len());
    cases
}

/// Checks that each case of a section is refused as it says.
fn check(name: &str) {
    for case in section(name) {
        let [from, pointer, value, path, message] = case.splitn(5, " | ").collect::<Vec<_>>()[..] else {
            panic!("not a case: {case}");
        };
        let mut request = body_of(from);
        let value = (value != "-").then(|| serde_json::from_str(value).unwrap());
        change(request.body.as_mut().unwrap(), pointer, value);
        let found = contract().check_request(&request.call()).unwrap_err();
        let fits = |violation: &Violation| violation.path == path && violation.message.starts_with(message);
        assert!(found.iter().any(fits), "{case}: {found:#?}");
        assert!(found.iter().all(|violation| violation.code == "RequestInvalid"), "{found:#?}");
    }
}

#[test]
fn unknown_properties_are_refused() {
    check("unknown_properties_are_refused");
}

#[test]
fn wrong_case_is_refused_and_the_right_one_is_named() {
    check("wrong_case_is_refused_and_the_right_one_is_named");
}

#[test]
fn values_of_another_type_are_refused() {
    check("values_of_another_type_are_refused");
}

#[test]
fn missing_properties_are_refused() {
    check("missing_properties_are_refused");
}

#[test]
fn unknown_values_of_enumerations_are_refused() {
    check("unknown_values_of_enumerations_are_refused");
}

#[test]
fn unknown_discriminators_are_refused() {
    check("unknown_discriminators_are_refused");
}

#[test]
fn what_is_new_in_a_version_is_unknown_in_an_older_one() {
    let mut request = body_of("acr-scheduleRun-DockerBuildRequest");
    change(request.body.as_mut().unwrap(), "/credentials/sourceRegistry/identity", Some(json!("[caller]")));
    let contract = contract();
    assert_eq!(contract.check_request(&request.call()), Ok(()));
    let older = request.at("2019-06-01-preview");
    let found = contract.check_request(&older.call()).unwrap_err();
    assert!(found[0].message.starts_with("Could not find member 'identity'"), "{found:#?}");
}

#[test]
fn wrong_paths_queries_and_versions_are_refused() {
    let (contract, request) = (contract(), body_of("compute-update"));
    let workspace = request.target.split("/computes").next().unwrap();
    for case in section("wrong_paths_queries_and_versions_are_refused") {
        let [method, rest, code, path, message] = case.splitn(5, " | ").collect::<Vec<_>>()[..] else {
            panic!("not a case: {case}");
        };
        let target = format!("{workspace}{rest}");
        let body = request.body.as_ref().filter(|_| method == "PUT");
        let found = contract.check_request(&Call { method, target: &target, body }).unwrap_err();
        let [violation] = found.as_slice() else { panic!("{method} {rest}: {found:#?}") };
        let fits = violation.code == code && violation.path == path && violation.message.starts_with(message);
        assert!(fits, "{method} {rest}: {violation:#?}");
    }
}

#[test]
fn a_body_is_there_where_one_is_needed_and_only_there() {
    let (contract, request) = (contract(), body_of("compute-update"));
    let without = contract.check_request(&Call { body: None, ..request.call() }).unwrap_err();
    assert_eq!(without[0].message, "A non-empty request body is required.");
    let get = contract.check_request(&Call { method: "GET", ..request.call() }).unwrap_err();
    assert_eq!(get[0].message, "The operation takes no request body.");
}

#[test]
fn what_is_given_at_creation_cannot_be_changed() {
    let (contract, stored) = (contract(), body_of("environment-image"));
    let before = stored.body.clone().unwrap();
    let mut tagged = body_of("environment-image");
    change(tagged.body.as_mut().unwrap(), "/properties/description", Some(json!("another")));
    assert_eq!(contract.check_unchanged(&tagged.call(), &before), Ok(()));
    let mut changed = body_of("environment-image");
    change(changed.body.as_mut().unwrap(), "/properties/image", Some(json!("another")));
    let found = contract.check_unchanged(&changed.call(), &before).unwrap_err();
    assert_eq!((found[0].code, found[0].path.as_str()), ("Immutable", "properties.image"));
}
