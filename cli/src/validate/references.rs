//! What leads nowhere between objects: a name of an object that no file has, values for inputs that a pipeline does not have, the same
//! object twice.
//!
//! In: objects in which nothing is wrong by themselves. Out: findings. What no file has may be in the cluster: that is a warning.

use super::documents::Document;
use super::found::{Found, error, said};
use super::place::find;
use super::reuse;
use crate::convert::findings::Weight;
use crate::convert::read::Place;
use crate::inputs;
use crate::named::{Named, named};
use azureml_crds::sharing::{AllowedFrom, AllowedNamespaces};
use azureml_plan::reasons::Reason;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is wrong between objects.
pub(super) fn faults(documents: &[Document]) -> Vec<Found> {
    let key = |one: &Document| (one.kind.clone(), one.namespace.clone(), one.name.clone());
    let known: BTreeSet<_> = documents.iter().map(key).collect();
    let mut found = twice(documents);
    for document in documents {
        for one in named(&document.spec) {
            let Named { field, kind, name, .. } = &one;
            let namespace = one.namespace(&document.namespace);
            let at = (find(&document.node, field), field.as_str());
            if known.contains(&((*kind).to_owned(), namespace.to_owned(), name.clone())) {
                found.extend(refused(&one, document, documents, at));
                continue;
            }
            let message = if namespace == document.namespace {
                format!("no file has {kind} {name}; it has to be in the namespace already")
            } else {
                format!(
                    "no file has {kind} {name} of {namespace}; it has to be there already, and to allow this namespace"
                )
            };
            found.push(said(Weight::Warning, &document.object(), at, &message, "ReferenceNotFound"));
        }
        if let Some(pipeline) = pipeline_of(document, documents) {
            found.extend(values(document, pipeline));
            found.extend(
                (document.kind == "MLSchedule").then(|| reuse::warning(document, pipeline)).flatten(),
            );
        }
    }
    found
}

/// What is wrong with the name of an MLWorkspace of another namespace that does not allow this one. Labels of namespaces are not known here.
fn refused(one: &Named, document: &Document, documents: &[Document], at: (Place, &str)) -> Option<Found> {
    let own = &document.namespace;
    // Where no namespace is written, it is the one into which the file is applied.
    if own.is_empty() || one.namespace(own) == own {
        return None;
    }
    let is_it =
        |other: &&Document| one.is(own, (other.kind.as_str(), other.namespace.as_str(), other.name.as_str()));
    let workspace = documents.iter().find(is_it)?;
    let allowed: Option<AllowedNamespaces> =
        serde_json::from_value(workspace.spec["allowedNamespaces"].clone()).ok()?;
    if allowed.as_ref().is_some_and(|allowed| allowed.has(own, None)) {
        return None;
    }
    let is_by_labels = allowed.is_some_and(|allowed| allowed.from == AllowedFrom::Selector);
    let (weight, message) = if is_by_labels {
        (
            Weight::Warning,
            format!(
                "the labels of the namespace {own} have to be those of allowedNamespaces.selector of {}",
                workspace.object()
            ),
        )
    } else {
        (
            Weight::Error,
            format!("allow the namespace {own} in spec.allowedNamespaces of {}", workspace.object()),
        )
    };
    Some(said(weight, &document.object(), at, &message, Reason::REFERENCE_NOT_PERMITTED.word()))
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

/// The pipeline of a run or a schedule, if a file has it.
fn pipeline_of<'a>(document: &Document, documents: &'a [Document]) -> Option<&'a Document> {
    let pipeline = document.spec["pipelineRef"]["name"].as_str()?;
    let is_it = |one: &&Document| {
        one.kind == "MLPipeline" && one.name == pipeline && one.namespace == document.namespace
    };
    documents.iter().find(is_it)
}

/// The values that a run or a schedule gives, held against the inputs of its pipeline.
fn values(document: &Document, pipeline: &Document) -> Option<Found> {
    let current = inputs::current(serde_json::from_value(pipeline.spec.clone()).ok()?);
    let given: Option<BTreeMap<String, Value>> =
        serde_json::from_value(document.spec["inputs"].clone()).ok().flatten();
    let wrong = inputs::fault(&current, given.as_ref(), document.kind == "MLSchedule")?;
    let field = format!("spec.{}", wrong.field);
    let place = find(&document.node, &field);
    Some(error(&document.object(), place, &field, &wrong.message, wrong.reason.word()))
}
