//! Tests of the facts that recordings of Azure were reduced to, and of how answers are compared with them.

use super::*;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;
use std::path::Path;

const WORKSPACE: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";

fn facts() -> &'static Facts {
    FACTS.as_ref().unwrap()
}

fn request(method: &str, url: &str) -> Request {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    Request::new(method, host, &format!("/{path}"), HeaderMap::new(), bytes::Bytes::new())
}

fn answer(status: u16, headers: &Value, body: &Value) -> Answer {
    let mut answer = Answer::json(StatusCode::from_u16(status).unwrap(), body);
    for (name, value) in headers.as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()).unwrap();
        answer.headers.insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
    }
    answer
}

fn places(method: &str, path: &str, answer: &Answer) -> Vec<(What, String)> {
    let url = format!("https://management.azure.com{WORKSPACE}/{path}?api-version=2025-12-01");
    let found = facts().compare(&request(method, &url), answer);
    found.into_iter().map(|one| (one.what, one.place)).collect()
}

/// The recordings, where they are at hand.
fn recordings() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure/live");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("not checked: {} is not on this machine", folder.display());
        return Vec::new();
    };
    let files = files.map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    files.map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

#[test]
fn every_fact_has_its_sources() {
    let file: File = serde_json::from_str(include_str!("../../facts/facts.json")).unwrap();
    assert!(file.facts.len() > 100, "{} facts", file.facts.len());
    for fact in &file.facts {
        assert!(!fact.sources.is_empty(), "{}", fact.operation);
        assert!(fact.sources.iter().all(|at| file.sources[*at].contains('@')), "{}", fact.operation);
    }
}

#[test]
fn a_recorded_answer_is_like_the_facts() {
    for recording in recordings() {
        for exchange in recording["exchanges"].as_array().unwrap() {
            let (asked, given) = (&exchange["request"], &exchange["response"]);
            let status = u16::try_from(given["status"].as_u64().unwrap()).unwrap();
            let request = request(asked["method"].as_str().unwrap(), asked["url"].as_str().unwrap());
            let found = facts().compare(&request, &answer(status, &given["headers"], &given["body"]));
            // A key of the past is a fact about later answers.
            let surprises: Vec<&Finding> = found.iter().filter(|one| one.what != What::Extra).collect();
            assert!(surprises.is_empty(), "{}: {surprises:#?}", recording["source"]);
        }
    }
}

#[test]
fn a_missing_thing_is_refused_with_the_codes_of_its_kind() {
    let nested = |codes: &[&str]| {
        let inner =
            codes.iter().rev().fold(Value::Null, |inner, code| json!({"code": code, "innerError": inner}));
        json!({"error": {"code": "UserError", "message": "…", "details": [], "additionalInfo": [
            {"type": "InnerError", "info": {"value": inner}}]}})
    };
    let found = |path, codes: &[&str]| places("GET", path, &answer(404, &json!({}), &nested(codes)));
    assert_eq!(found("components/c/versions/1", &["NotFound", "ComponentNotFound"]), []);
    let wrong = found("components/c/versions/1", &["NotFound"]);
    assert_eq!(wrong, [(What::Codes, "UserError > NotFound".to_owned())]);
    assert_eq!(found("environments/e", &["NotFoundError"]), []);
    assert_eq!(found("jobs/j", &["NotFound", "ComponentNotFound"]).len(), 1);
}

#[test]
fn what_azure_never_shows_and_what_it_always_shows_is_found() {
    let shown = json!({"id": "/x", "name": "s", "properties": {"isEnabled": "true",
        "action": {"jobDefinition": {"jobType": "Pipeline"}}}});
    let found = places("PUT", "schedules/s", &answer(200, &json!({"Retry-After": "1"}), &shown));
    for wanted in [
        (What::Status, "200"),
        (What::Header, "retry-after"),
        (What::Header, "azure-asyncoperation"),
        (What::Missing, "properties.trigger"),
    ] {
        assert!(found.iter().any(|(what, place)| (*what, place.as_str()) == wanted), "{wanted:?}: {found:?}");
    }
    let spec = json!({"type": "pipeline", "jobs": {}, "inputs": {}});
    let body = json!({"id": "/x", "name": "1", "type": "t", "systemData": {}, "properties": {"componentSpec": spec}});
    let found = places("PUT", "components/c/versions/1", &answer(201, &json!({"Location": "x"}), &body));
    assert!(found.contains(&(What::Extra, "properties.componentSpec.jobs".to_owned())), "{found:?}");
}

#[test]
fn the_resource_managers_own_refusals_are_no_facts_of_a_provider() {
    let body = json!({"error": {"code": "ResourceGroupNotFound", "message": "…"}});
    assert_eq!(places("GET", "components/c", &answer(404, &json!({}), &body)), []);
}

#[test]
fn each_difference_has_a_reason_and_a_place() {
    for one in differences::all().as_ref().unwrap() {
        assert!(one.reason.len() > 20 && !one.at.is_empty() && !one.operations.is_empty(), "{one:?}");
    }
}

#[test]
fn facts_tell_the_order_of_times() {
    let of = |operation: &str| {
        let all = facts().by.get(&(operation.to_owned(), "ok".to_owned())).unwrap();
        all.iter().flat_map(|fact| &fact.seconds).copied().max().unwrap()
    };
    assert!(of("PUT schedules") < of("PUT batchEndpoints"));
}
