//! Objects of Kubernetes as JSON: what many are called, what their conditions say, and how a merge patch changes them.

use azureml_crds::source::FluxKind;
use serde_json::{Value, json};

/// What many of a kind are called: ours, Flux's, or a Secret.
pub(super) fn plural(kind: &str) -> String {
    let flux = FluxKind::ALL.into_iter().find(|one| one.name() == kind).map(|one| one.plural().to_owned());
    azureml_crds::plural(kind).or(flux).unwrap_or_else(|| format!("{}s", kind.to_lowercase()))
}

/// The kinds of Flux as the API server lists them.
pub(super) fn flux_kinds() -> Value {
    let kind = |kind: FluxKind| json!({"name": kind.plural(), "kind": kind.name(), "namespaced": true, "singularName": "", "verbs": ["get"]});
    json!({"kind": "APIResourceList", "groupVersion": "", "resources": FluxKind::ALL.map(kind)})
}

/// The reason that an object gives for its state.
pub(super) fn reason(object: &Value) -> &str {
    condition(object, "Ready")["reason"].as_str().unwrap_or_default()
}

/// A condition of an object.
pub(super) fn condition<'a>(object: &'a Value, r#type: &str) -> &'a Value {
    let all = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|condition| condition["type"] == r#type).unwrap_or(&Value::Null)
}

/// RFC 7386.
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return into.clone_from(patch) };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            into.as_object_mut().map(|object| object.remove(name));
        } else {
            merge(&mut into[name], value);
        }
    }
}

/// The one label that a list or a watch asks for; none asks for all.
#[derive(Clone)]
pub(super) struct Selector(Option<(String, String)>);

impl Selector {
    pub(super) fn of(query: &str) -> Self {
        let said = query.split('&').find_map(|part| part.strip_prefix("labelSelector="));
        let said = said.map(|text| text.replace("%2F", "/").replace("%3D", "="));
        let pair = said.as_deref().and_then(|text| text.split_once('='));
        Self(pair.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    pub(super) fn selects(&self, object: &Value) -> bool {
        self.0.as_ref().is_none_or(|(name, value)| object["metadata"]["labels"][name] == **value)
    }

    pub(super) fn selects_line(&self, line: &str) -> bool {
        let change: Value = serde_json::from_str(line).unwrap_or_default();
        self.selects(&change["object"])
    }
}
