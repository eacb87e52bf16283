//! The body of a batch endpoint: a new one, and one as it was read with something changed.
//!
//! Source: Azure REST API, `BatchEndpoints_CreateOrUpdate`.

use crate::pipeline::Refs;
use crate::tags;
use azureml_crds::MLPipeline;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A new endpoint.
pub(crate) fn made(pipeline: &MLPipeline, refs: &Refs, tags: &BTreeMap<String, String>) -> Value {
    let mut body = json!({
        "location": refs.workspace.region,
        "tags": tags,
        "properties": {"authMode": "AADToken", "properties": {}},
    });
    if let Some(description) = &pipeline.spec.description {
        body["properties"]["description"] = json!(description);
    }
    body
}

/// The endpoint as it was read, with another default: a PUT is the only way, and it must keep the rest.
pub(crate) fn flipped(endpoint: &Value, tags: &BTreeMap<String, String>, name: Option<&str>) -> Value {
    let properties = &endpoint["properties"];
    let mut body = json!({
        "location": endpoint["location"], "tags": endpoint["tags"],
        "properties": {
            "authMode": properties["authMode"],
            "properties": {},
        },
    });
    if let Some(name) = name {
        body["properties"]["defaults"] = json!({"deploymentName": name});
    }
    if let Some(there) = body["tags"].as_object_mut() {
        let ours = json!(tags);
        tags::merge(there, ours.as_object().into_iter().flatten());
    }
    for key in ["identity", "kind", "sku"] {
        if endpoint[key].is_object() || endpoint[key].is_string() {
            body[key] = endpoint[key].clone();
        }
    }
    if properties["description"].is_string() {
        body["properties"]["description"] = properties["description"].clone();
    }
    body
}
