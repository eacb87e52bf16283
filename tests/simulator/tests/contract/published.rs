//! The examples that Microsoft publishes with its definitions: requests and answers, as the definitions stand for them.

use std::path::{Path, PathBuf};

use azureml_simulator::contract::{Call, Contract, Violation};
use serde_json::{Map, Value};

use super::support::shared;

const FILES: [&str; 2] = [
    "machinelearningservices/resource-manager/Microsoft.MachineLearningServices/stable/2024-04-01",
    "containerregistry/resource-manager/Microsoft.ContainerRegistry/preview/2019-06-01-preview",
];

/// Examples that break the definition they come with, and what is left out on purpose.
const KNOWN: [(&str, &str); 6] = [
    ("", "exists in Azure and not in this simulator"),
    ("jobs/http://", "is not one of the resource types"),
    ("/components/", "The type field is required: one of command"),
    ("/data", "The value \"UriFile\" of 'DataContainer.dataType'"),
    ("/computes/", "nvidia.com/gpu"),
    ("/computes/", "KubernetesProperties.vcName"),
];

/// One example with the operation it belongs to.
struct Example {
    method: String,
    target: String,
    body: Option<Value>,
    answers: Map<String, Value>,
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The examples of each operation in the files of a folder.
fn examples(folder: &Path) -> Vec<Example> {
    let mut found = Vec::new();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for document in
        files.filter(|path| path.extension().is_some_and(|end| end == "json")).map(|path| read(&path))
    {
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().unwrap() {
                let own = operation["x-ms-examples"].as_object().into_iter().flatten();
                found.extend(own.map(|(_, entry)| {
                    example(method, path, &read(&folder.join(entry["$ref"].as_str().unwrap())))
                }));
            }
        }
    }
    found
}

fn example(method: &str, path: &str, content: &Value) -> Example {
    let (mut target, mut query, mut body) = (path.to_owned(), String::new(), None);
    for (name, value) in content["parameters"].as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let place = format!("{{{name}}}");
        if value.is_object() {
            body = Some(value.clone());
        } else if target.contains(&place) {
            target = target.replace(&place, &text);
        } else {
            query = format!("{query}&{name}={text}");
        }
    }
    let answers = content["responses"].as_object().unwrap().clone();
    Example { method: method.to_uppercase(), target: format!("{target}?{}", &query[1..]), body, answers }
}

/// What is wrong in an example and not known to be.
fn surprises(target: &str, violations: &[Violation]) -> Vec<String> {
    let known =
        |text: &String| KNOWN.iter().any(|(part, start)| target.contains(part) && text.contains(start));
    violations.iter().map(ToString::to_string).filter(|text| !known(text)).collect()
}

#[test]
fn the_examples_that_azure_publishes_are_accepted() {
    let Some(definitions) = shared("specs/specification") else { return };
    let contract = Contract::strict().unwrap();
    let (mut requests, mut answers) = (0, 0);
    for example in FILES.iter().flat_map(|folder| examples(&definitions.join(PathBuf::from(folder)))) {
        let call = Call { method: &example.method, target: &example.target, body: example.body.as_ref() };
        let Err(violations) = contract.check_request(&call) else {
            requests += 1;
            for (status, answer) in &example.answers {
                let checked = contract.check_response(&call, status.parse().unwrap(), answer.get("body"));
                let surprises = surprises(&example.target, &checked.err().unwrap_or_default());
                assert!(
                    surprises.is_empty(),
                    "{} {} {status}: {surprises:#?}",
                    example.method,
                    example.target
                );
                answers += 1;
            }
            continue;
        };
        let other = violations
            .iter()
            .all(|violation| ["InvalidResourceType", "HttpMethodNotSupported"].contains(&violation.code));
        let surprises = surprises(&example.target, &violations);
        assert!(other || surprises.is_empty(), "{} {}: {surprises:#?}", example.method, example.target);
    }
    assert!(requests > 90 && answers > 120, "only {requests} requests and {answers} answers were accepted");
}
