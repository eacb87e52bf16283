//! What the derive macros cannot say about a definition, added to its JSON.
//!
//! In: a derived definition. Out: the one that is installed. Decides nothing about single fields.

use crate::defaults::default_checks;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

/// Completes a derived definition.
///
/// - `status` starts as `{observedGeneration: -1}`, so that kstatus does not take a new object for a finished one.
/// - An optional field is absent, never `null`: `nullable` is dropped, and the API server prunes nulls.
/// - Flux' postBuild substitution leaves it alone: messages and descriptions have `${{…}}` in them.
/// - The lists and strings of `conditions` get the bounds of the Kubernetes API.
/// - A text is one line: `kubectl explain` wraps it, and keeps the breaks of the source besides.
pub fn finish(derived: &CustomResourceDefinition) -> Result<CustomResourceDefinition, serde_json::Error> {
    let mut definition = serde_json::to_value(derived)?;
    definition["metadata"]["annotations"] = json!({"kustomize.toolkit.fluxcd.io/substitute": "disabled"});
    for version in list(&mut definition["spec"]["versions"]) {
        let schema = &mut version["schema"]["openAPIV3Schema"];
        forbid_null(schema);
        join_lines(schema);
        check_defaults(&mut schema["properties"]["spec"])?;
        let status = &mut schema["properties"]["status"];
        status["default"] = json!({"observedGeneration": -1});
        bound_conditions(&mut status["properties"]["conditions"]);
    }
    serde_json::from_value(definition)
}

fn list(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_array_mut().into_iter().flatten()
}

fn forbid_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("nullable") == Some(&Value::Bool(true)) {
                map.remove("nullable");
            }
            map.values_mut().for_each(forbid_null);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Makes one line of each description.
fn join_lines(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            map.values_mut().for_each(join_lines);
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds the checks of untyped defaults, wherever there are some.
fn check_defaults(schema: &mut Value) -> Result<(), serde_json::Error> {
    let Some(fields) = schema.as_object_mut() else { return Ok(()) };
    let is_untyped = |default: &Value| default["x-kubernetes-preserve-unknown-fields"] == true;
    if fields.get("properties").is_some_and(|properties| is_untyped(&properties["default"])) {
        fields.insert("allOf".to_owned(), default_checks()?);
    }
    fields.values_mut().try_for_each(check_defaults)
}

/// The bounds of `metav1.Condition`.
fn bound_conditions(conditions: &mut Value) {
    conditions["maxItems"] = json!(16);
    conditions["items"]["description"] = json!("One condition.");
    let fields = &mut conditions["items"]["properties"];
    fields["type"]["maxLength"] = json!(316);
    fields["status"]["enum"] = json!(["True", "False", "Unknown"]);
    fields["reason"]["minLength"] = json!(1);
    fields["reason"]["maxLength"] = json!(1024);
    fields["message"]["maxLength"] = json!(32768);
    // The Kubernetes API describes them at length; copies of that for each kind would only make the definitions larger.
    for (name, description) in [
        ("type", "Type of the condition."),
        ("status", "Whether the condition holds."),
        ("reason", "Reason as one word, for programs."),
        ("message", "Reason as a text, for people."),
        ("lastTransitionTime", "When `status` last changed."),
        ("observedGeneration", "The `metadata.generation` that the condition describes."),
    ] {
        fields[name]["description"] = json!(description);
    }
}
