//! What the kinds have no place for: by collection, why, and the way to go.
//!
//! In: bodies. Out: lines of the inventory.

use super::draft::Draft;
use super::shown::{asset, said};
use serde_json::Value;
use std::fmt::Write as _;

/// A collection whose items become no objects.
pub struct Other {
    /// Its name in Azure.
    pub collection: &'static str,
    what: &'static str,
    why: &'static str,
    way: &'static str,
}

/// The collections that are listed for the inventory alone.
pub const OTHERS: [Other; 3] = [
    Other {
        collection: "onlineEndpoints",
        what: "online endpoint",
        why: "the operator serves no models",
        way: "keep it with az ml",
    },
    Other {
        collection: "models",
        what: "model",
        why: "there is no kind for it",
        way: "keep it with az ml, or register it as an output of a pipeline; a step names it as path: \"azureml:<name>:<version>\"",
    },
    Other {
        collection: "datastores",
        what: "datastore",
        why: "it belongs to the workspace, and holds its credentials",
        way: "keep it with az ml; a path is azureml://datastores/<name>/paths/<path>",
    },
];

/// What Resource Manager does not list.
pub const UNASKED: [(&str, &str, &str); 3] = [
    (
        "published pipelines and pipeline endpoints of SDK v1",
        "only an undocumented address lists them, and their steps cannot be read back",
        "list them with PublishedPipeline.list of azureml-pipeline-core; write each as an MLPipeline with publish, and move its callers",
    ),
    (
        "schedules of SDK v1",
        "only an undocumented address lists them",
        "list them with Schedule.list of azureml-pipeline-core; write each as an MLSchedule, then disable the old one",
    ),
    ("jobs", "a job is what has been", "start one with an MLRun"),
];

/// Names an item of such a collection.
pub fn other(draft: &mut Draft<'_>, collection: &str, body: &Value) {
    let name = body["name"].as_str().unwrap_or_default();
    if let Some(other) = OTHERS.iter().find(|other| other.collection == collection) {
        draft.leave(other.what, name, other.why, other.way);
    }
}

/// Names a component that is no pipeline: it stays what it is, and steps name it.
pub fn component(draft: &mut Draft<'_>, body: &Value) {
    let id = body["id"].as_str().unwrap_or_default();
    let (properties, name) = (&body["properties"], asset(id));
    if properties["isAnonymous"] == true || draft.is_owned("component", &name, &properties["tags"]) {
        return;
    }
    let spec = &properties["componentSpec"];
    let kind = said(&spec["type"]).unwrap_or("unknown");
    let reference = draft.reference(id);
    let mut way = format!("name it in a step as component: \"{reference}\"");
    if kind == "command" {
        let code =
            said(&spec["code"]).map(|code| format!(", code: {{asset: \"{}\"}}", draft.reference(code)));
        let environment = said(&spec["environment"])
            .map(|id| format!(", environment: {{id: \"{}\"}}", draft.reference(id)));
        let _ = write!(
            way,
            "; or write the step out: command{}{}",
            environment.unwrap_or_default(),
            code.unwrap_or_default()
        );
    }
    draft.leave(
        &format!("component of type {kind}"),
        &name,
        "a component is a part of a pipeline, and is used as it is",
        &way,
    );
}
