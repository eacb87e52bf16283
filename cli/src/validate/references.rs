//! What leads nowhere between objects: a name of an object that no file has, values for inputs that a pipeline does not have, the same
//! object twice.
//!
//! In: objects in which nothing is wrong by themselves. Out: findings. What no file has may be in the cluster: that is a warning.

use super::documents::Document;
use super::found::{Found, error, said};
use super::place::find;
use crate::convert::findings::Weight;
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{Current, MLPipelineSpec, Settings};
use azureml_plan::asset_name::Pins;
use azureml_plan::component::bare::{self, Place};
use azureml_plan::grants::Rights;
use azureml_plan::job::{self, Form, Job};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is wrong between objects.
pub(super) fn faults(documents: &[Document]) -> Vec<Found> {
    let key = |one: &Document| (one.kind.clone(), one.namespace.clone(), one.name.clone());
    let known: BTreeSet<_> = documents.iter().map(key).collect();
    let mut found = twice(documents);
    for document in documents {
        for (field, kind, name) in named(document) {
            if known.contains(&(kind.to_owned(), document.namespace.clone(), name.clone())) {
                continue;
            }
            let message = format!("no file has {kind} {name}; it has to be in the namespace already");
            let at = (find(&document.node, &field), field.as_str());
            found.push(said(Weight::Warning, &document.object(), at, &message, "ReferenceNotFound"));
        }
        found.extend(values(document, documents));
    }
    found
}

fn twice(documents: &[Document]) -> Vec<Found> {
    let is_same = |one: &Document, other: &Document| {
        (&one.kind, &one.namespace, &one.name) == (&other.kind, &other.namespace, &other.name)
    };
    let again = documents.iter().enumerate().filter_map(|(place, document)| {
        // A run is made with `kubectl create`, and may have a name to be completed.
        let first = documents.iter().take(place).find(|other| is_same(other, document))?;
        Some((first, document)).filter(|_| document.kind != "MLRun")
    });
    let told = |(first, document): (&Document, &Document)| {
        let message = format!("{} is at {} already; keep one", document.object(), first.node.place);
        error(&document.object(), document.node.place.clone(), "", &message, "Duplicate")
    };
    again.map(told).collect()
}

/// The objects that an object names: field, kind, name.
fn named(document: &Document) -> Vec<(String, &'static str, String)> {
    let mut all = Vec::new();
    walk(&document.spec, &mut vec!["spec".to_owned()], &mut all);
    all
}

fn walk(value: &Value, path: &mut Vec<String>, all: &mut Vec<(String, &'static str, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push(format!(".{name}"));
                if let (Some(kind), Some(text)) = (kind(path), value.as_str()) {
                    all.push((path.concat(), kind, text.to_owned()));
                }
                walk(value, path, all);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                path.push(format!("[{place}]"));
                walk(item, path, all);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The kind that a field names.
fn kind(path: &[String]) -> Option<&'static str> {
    match path.iter().rev().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [".name", ".workspaceRef", ..] => Some("MLWorkspace"),
        [".name", ".pipelineRef", ..] | [".ref", ".pipeline", ..] => Some("MLPipeline"),
        [".ref", ".compute", ..] => Some("MLCompute"),
        [".ref", ".environment", ..] => Some("MLEnvironment"),
        [".ref", _, ".inputs" | ".data", ..] => Some("MLData"),
        _ => None,
    }
}

/// The values that a run or a schedule gives, held against the inputs of its pipeline.
fn values(document: &Document, documents: &[Document]) -> Option<Found> {
    let is_scheduled = document.kind == "MLSchedule";
    if !is_scheduled && document.kind != "MLRun" {
        return None;
    }
    let pipeline = document.spec["pipelineRef"]["name"].as_str()?;
    let is_it = |one: &&Document| {
        one.kind == "MLPipeline" && one.name == pipeline && one.namespace == document.namespace
    };
    let pipeline = documents.iter().find(is_it)?;
    let current = current(serde_json::from_value(pipeline.spec.clone()).ok()?);
    let given: Option<BTreeMap<String, Value>> =
        serde_json::from_value(document.spec["inputs"].clone()).ok().flatten();
    let workspace = ArmId::workspace("s", "g", "w");
    let mut pins = Pins::default();
    for label in job::labels(given.as_ref(), &current, &workspace) {
        pins.pin(label, "1");
    }
    let asked = Job {
        display_name: "",
        experiment: "",
        tags: &BTreeMap::new(),
        inputs: given.as_ref(),
        is_scheduled,
        form: Form::default(),
        rights: &Rights::Own,
        workspace: &workspace,
        pins: &pins,
    };
    let wrong = job::inputs(&asked, &current).err()?;
    let field = format!("spec.{}", wrong.field);
    let place = find(&document.node, &field);
    Some(error(&document.object(), place, &field, &wrong.message, wrong.reason.word()))
}

/// A version of a pipeline as its spec tells it. What an object is named for has an address once it is registered. What pipelines in the
/// place of steps make of values is not known.
fn current(spec: MLPipelineSpec) -> Current {
    let pipeline = MLPipeline::new("", spec);
    let places = bare::inputs(&pipeline, &BTreeMap::new());
    let at = |place| places.iter().filter(|(_, at)| **at == place).map(|(name, _)| name.clone()).collect();
    let mut inputs = pipeline.spec.inputs;
    for input in inputs.values_mut().filter(|input| input.r#ref.is_some()) {
        input.r#ref = None;
        input.path = Some("azureml://datastores/registered/paths/later".to_owned());
    }
    Current {
        version: String::new(),
        component_id: String::new(),
        settings: Settings::default(),
        accepted_as: None,
        inputs,
        bare_inputs: at(Place::Bare),
        double_quoted_inputs: at(Place::InDoubleQuotes),
        outputs: BTreeMap::new(),
    }
}
