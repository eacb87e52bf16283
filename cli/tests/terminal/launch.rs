//! Values of a command line become an MLRun that the definitions take, or are refused before anything is made.

use azureml_check::Definitions;
use azureml_cli::launch::{Asked, manifest, pair};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn pipeline() -> Value {
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "train"}, "spec": {
        "workspaceRef": {"name": "w"},
        "inputs": {
            "trees": {"type": "integer", "minimum": 1},
            "rate": {"type": "number", "default": "0.1"},
            "fast": {"type": "boolean", "default": false},
            "tag": {"type": "string", "default": "none"},
            "raw": {"type": "uri_folder", "optional": true}},
        "steps": [{"name": "a", "command": "echo '${{inputs.tag}}'", "inputs": {"tag": "${{parent.inputs.tag}}"}, "compute": {"ref": "c"}, "environment": {"ref": "e"}}]}})
}

fn asked(inputs: &[(&str, &str)]) -> Asked {
    let inputs: BTreeMap<String, String> =
        inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Asked { namespace: "n".to_owned(), inputs, ..Asked::default() }
}

#[test]
fn values_have_the_types_that_the_pipeline_asks_for() {
    let given = [
        ("trees", "50"),
        ("rate", "0.10"),
        ("fast", "true"),
        ("tag", "007"),
        ("raw", "azureml://datastores/d/paths/p"),
    ];
    let run = manifest(&pipeline(), &asked(&given)).unwrap();
    assert_eq!(
        run["spec"]["inputs"],
        json!({"trees": 50, "rate": "0.10", "fast": true, "tag": "007", "raw": "azureml://datastores/d/paths/p"})
    );
    assert_eq!(run["metadata"], json!({"namespace": "n", "generateName": "train-"}));
    assert_eq!(Definitions::read().unwrap().check("MLRun", &run["spec"], None), []);
    let all = Asked {
        name: Some("one".to_owned()),
        experiment: Some("by-hand".to_owned()),
        display_name: Some("One".to_owned()),
        tags: BTreeMap::from([("team".to_owned(), "a".to_owned())]),
        force_rerun: true,
        ttl: Some("24h".to_owned()),
        ..asked(&[("trees", "1")])
    };
    let run = manifest(&pipeline(), &all).unwrap();
    assert_eq!(
        run["spec"],
        json!({"pipelineRef": {"name": "train"}, "inputs": {"trees": 1}, "experiment": "by-hand", "displayName": "One",
            "tags": {"team": "a"}, "forceRerun": true, "ttlAfterFinished": "24h"})
    );
    assert_eq!(run["metadata"], json!({"namespace": "n", "name": "one"}));
    assert_eq!(Definitions::read().unwrap().check("MLRun", &run["spec"], None), []);
}

#[test]
fn what_the_operator_would_refuse_is_refused_before_a_run_is_made() {
    for (given, words) in [
        (&[][..], "inputs.trees: it has no default, so give it a value"),
        (&[("trees", "many")], "inputs.trees: \"many\" is no integer"),
        (&[("trees", "0")], "inputs.trees: 0 is not between 1 and any"),
        (
            &[("trees", "1"), ("tree", "1")],
            "inputs.tree: the pipeline has no such input; it has fast, rate, raw, tag, trees",
        ),
        (&[("trees", "1"), ("fast", "maybe")], "neither true nor false"),
        (&[("trees", "1"), ("raw", "./data")], "azureml://datastores/"),
    ] {
        let wrong = manifest(&pipeline(), &asked(given)).unwrap_err();
        assert!(wrong.contains(words), "{given:?}: {wrong}");
    }
    assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
    assert!(pair("=b").is_err() && pair("a").is_err());
}

#[test]
fn the_version_in_force_decides_what_a_run_can_be_given() {
    let mut of = pipeline();
    of["status"]["current"] = json!({"version": "1", "componentId": "/x", "settings": {"continueOnStepFailure": false, "forceRerun": false},
        "inputs": {"old": {"type": "string"}}});
    assert!(manifest(&of, &asked(&[("old", "x")])).is_ok());
    assert!(manifest(&of, &asked(&[("trees", "1")])).is_err());
}
