//! What is found beyond the table of manifests: all faults at once, the examples, and no bound that goes unseen.

use anyhow::{Result, anyhow};
use azureml_check::Definitions;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_fault_is_found_at_once_with_its_field() -> Result<()> {
    let spec = json!({
        "workspaceRef": {"name": "Team A"}, "colour": "red",
        "defaults": {"compute": {"ref": "cpu"}, "environment": {"ref": "r"}},
        "steps": [
            {"name": "a", "command": "x", "inputs": {"rate": 0.5}},
            {"name": "b-c", "command": "x", "timeout": "never"},
            {"name": "d", "command": "x ${{inputs.none}}"},
        ],
    });
    let faults = Definitions::read()?.check("MLPipeline", &spec, None);
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "spec.colour",
            "spec.steps[0].inputs.rate",
            "spec.steps[1].name",
            "spec.steps[1].timeout",
            "spec.steps[2].command",
            "spec.workspaceRef.name",
        ]
    );
    Ok(())
}

#[test]
fn what_the_definitions_cannot_say_is_found_as_a_plan_says_it() -> Result<()> {
    let definitions = Definitions::read()?;
    // The rules of CEL look at the first hundred uses.
    let spec = json!({
        "workspaceRef": {"name": "a"}, "defaults": {"compute": {"ref": "c"}, "environment": {"ref": "e"}},
        "inputs": {"x": {"type": "string"}},
        "steps": [{"name": "a", "command": "${{inputs.x}} ".repeat(120) + "${{inputs.y}} '${{inputs.z}}'",
            "inputs": {"x": "${{parent.inputs.x}}"}}],
    });
    let faults = definitions.check("MLPipeline", &spec, None);
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["y", "z"].map(|name| format!(
            "spec.steps.a: it uses ${{{{inputs.{name}}}}}, which is not in the inputs of the step; add it there"
        ))
    );
    let schedule =
        json!({"pipelineRef": {"name": "gbm"}, "cron": "0 6 * * *", "timeZone": "America/Vancouver"});
    let faults = definitions.check("MLSchedule", &schedule, None);
    assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["spec.timeZone"]);
    Ok(())
}

#[test]
fn a_change_is_judged_only_where_there_is_one() -> Result<()> {
    let definitions = Definitions::read()?;
    let run = |experiment: &str| json!({"pipelineRef": {"name": "gbm"}, "experiment": experiment});
    assert_eq!(definitions.check("MLRun", &run("b"), None), []);
    let faults = definitions.check("MLRun", &run("b"), Some(&run("a")));
    assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["spec.experiment"]);
    Ok(())
}

#[test]
fn a_field_that_is_null_is_not_there() -> Result<()> {
    let spec = json!({"pipelineRef": {"name": "gbm"}, "experiment": null, "colour": null});
    assert_eq!(Definitions::read()?.check("MLRun", &spec, None), []);
    Ok(())
}

#[test]
fn a_text_is_measured_in_characters_and_no_more_than_its_bound() -> Result<()> {
    let definitions = Definitions::read()?;
    let of = |files: &Value| {
        json!({
            "workspaceRef": {"name": "a"}, "defaults": {"compute": {"ref": "c"}, "environment": {"ref": "e"}},
            "steps": [{"name": "a", "python": {"script": "f0"}, "code": {"files": files}}],
        })
    };
    let files = |size: usize| -> Value {
        (0..4)
            .map(|number| (format!("f{number}"), json!("é".repeat(size))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    assert_eq!(definitions.check("MLPipeline", &of(&files(65_536)), None), []);
    assert_eq!(definitions.check("MLPipeline", &of(&files(65_537)), None).len(), 4);
    Ok(())
}

#[test]
fn what_is_no_kind_of_ours_is_said() -> Result<()> {
    let faults = Definitions::read()?.check("MLModel", &json!({}), None);
    assert_eq!(
        faults[0].to_string(),
        "kind: MLModel is not one of MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace"
    );
    Ok(())
}

#[test]
fn the_examples_are_faultless() -> Result<()> {
    let definitions = Definitions::read()?;
    let mut checked = 0;
    for folder in std::fs::read_dir(root().join("examples"))? {
        for file in std::fs::read_dir(folder?.path())? {
            let file = file?.path();
            if file.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let objects: Vec<Value> = serde_saphyr::from_multiple(&std::fs::read_to_string(&file)?)
                .map_err(|error| anyhow!("{}: {error}", file.display()))?;
            let ours = objects.iter().filter(|object| {
                object["apiVersion"].as_str().is_some_and(|text| text.starts_with("azureml.dev/"))
            });
            for object in ours {
                let kind = object["kind"].as_str().unwrap_or_default();
                assert_eq!(definitions.check(kind, &object["spec"], None), [], "{}", file.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 5, "only {checked} examples were found");
    Ok(())
}

/// The keywords that `bounds` reads, and those that bound nothing.
const READ: [&str; 23] = [
    "allOf",
    "anyOf",
    "enum",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "pattern",
    "properties",
    "required",
    "type",
    "additionalProperties",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-preserve-unknown-fields",
];
const BOUND_NOTHING: [&str; 3] = ["description", "format", "x-kubernetes-validations"];

#[test]
fn no_definition_has_a_keyword_that_is_not_read() -> Result<()> {
    let mut unread = BTreeSet::new();
    for definition in azureml_crds::all()? {
        let definition = serde_json::to_value(definition)?;
        keywords(
            &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"],
            &mut unread,
        );
    }
    assert!(unread.contains("type"), "no keywords were found");
    unread.retain(|keyword| !READ.contains(&keyword.as_str()) && !BOUND_NOTHING.contains(&keyword.as_str()));
    assert!(unread.is_empty(), "bounds.rs does not read {unread:?}");
    Ok(())
}

fn keywords(schema: &Value, found: &mut BTreeSet<String>) {
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        found.insert(keyword.clone());
        let below: Vec<&Value> = match keyword.as_str() {
            "properties" => value.as_object().into_iter().flat_map(|fields| fields.values()).collect(),
            "allOf" | "anyOf" => value.as_array().into_iter().flatten().collect(),
            "items" | "additionalProperties" | "not" => vec![value],
            _ => Vec::new(),
        };
        for below in below {
            keywords(below, found);
        }
    }
}
