//! A node as the service takes it: what the step says is ours, the rest is sent as it was written.
//!
//! In: a step. Out: its node, or what is wrong with it. It may not say what grants decide: as whom a node runs, and what of another
//! workspace it names.

use crate::component::node::{begin, identity, outputs};
use crate::component::ports;
use crate::component::resolved::Resolved;
use crate::grants::Rights;
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::step::{Raw, Step};
use serde_json::{Value, json};

/// The most bytes that a node has as JSON.
const LARGEST: usize = 16 * 1024;

/// Keys that the step says, with its field.
const SAID: [(&str, &str); 10] = [
    ("name", "name"),
    ("display_name", "displayName"),
    ("inputs", "inputs or data"),
    ("outputs", "outputs"),
    ("compute", "compute"),
    ("computeId", "compute"),
    ("resources", "resources, and compute.serverless"),
    ("identity", "identity"),
    ("environment_variables", "environmentVariables"),
    ("services", "a body of a command"),
];

/// The node.
pub(crate) fn node(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    Raw(raw): &Raw,
) -> Result<Value, InvalidSpec> {
    let mut node = begin(pipeline, step, resolved, raw["type"].as_str().unwrap_or_default())?;
    if let Some(node) = node.as_object_mut() {
        node.extend(raw.clone());
    }
    let outputs = outputs(pipeline, step)?;
    if !outputs.is_empty() {
        node["outputs"] = Value::Object(outputs);
    }
    if !step.environment_variables.is_empty() {
        node["environment_variables"] = json!(step.environment_variables);
    }
    if let Some(identity) = &step.identity {
        node["identity"] = self::identity(identity);
    }
    Ok(node)
}

/// What is wrong with a node by itself.
pub(crate) fn faults(pipeline: &MLPipeline, step: &Step) -> Vec<InvalidSpec> {
    let Some(Raw(raw)) = &step.raw else { return Vec::new() };
    let place = format!("steps.{}.raw", step.name);
    let said = SAID.iter().filter(|(key, _)| raw.contains_key(*key)).map(|(key, field)| {
        InvalidSpec::new(format!("{place}.{key}"), format!("write it at the step, as {field}"))
    });
    let mut wrong: Vec<InvalidSpec> = said.collect();
    let bytes = serde_json::to_vec(raw).map_or(0, |text| text.len());
    if bytes > LARGEST {
        let message = format!("it has {bytes} bytes, and {LARGEST} are the most; shorten it");
        wrong.push(InvalidSpec::new(&place, message));
    }
    let whole = Value::Object(raw.clone());
    each(&place, &whole, &mut |place, key, value| {
        if key.to_ascii_lowercase().contains("identity") {
            let message = "a node does not say inside of itself as whom it runs; write identity at the step";
            wrong.push(InvalidSpec::new(place, message));
        }
        wrong.extend(value.as_str().and_then(|text| binding(pipeline, step, place, text)));
    });
    wrong
}

/// Everything that a node names is this workspace's, or granted.
///
/// # Errors
/// With the first text that is not.
pub(crate) fn addresses(step: &Step, rights: &Rights) -> Result<(), InvalidSpec> {
    let Some(Raw(raw)) = &step.raw else { return Ok(()) };
    if *rights == Rights::Own {
        return Ok(());
    }
    let mut found = Ok(());
    each(&format!("steps.{}.raw", step.name), &Value::Object(raw.clone()), &mut |place, _, value| {
        if let (Some(text), true) = (value.as_str(), found.is_ok()) {
            found = alone(place, text).and_then(|()| rights.address(place, text));
        }
    });
    found
}

/// An address stands alone: one inside of a text could not be read.
fn alone(place: &str, text: &str) -> Result<(), InvalidSpec> {
    let lower = text.to_ascii_lowercase();
    let inside = |part: &str| lower.rfind(part).is_some_and(|at| at > 0);
    let is_prefixed =
        lower.starts_with("azureml:/subscriptions/") && lower.rfind("/subscriptions/") == Some(8);
    if inside("azureml:") || inside("/subscriptions/") && !is_prefixed && !lower.starts_with("azureml://") {
        return Err(InvalidSpec::new(
            place,
            "write an address alone, not inside of a text, so that it can be checked",
        ));
    }
    Ok(())
}

/// A binding leads somewhere.
fn binding(pipeline: &MLPipeline, step: &Step, place: &str, text: &str) -> Option<InvalidSpec> {
    let field = place.strip_prefix(&format!("steps.{}.", step.name)).unwrap_or(place);
    let is_whole = text.matches("${{").count() == 1 && text.starts_with("${{") && text.ends_with("}}");
    if is_whole && (text.starts_with("${{parent.inputs.") || text.starts_with("${{parent.jobs.")) {
        return ports::bound(pipeline, step, field, text).err();
    }
    let own = text.split("${{").skip(1).find(|rest| {
        let name = rest.split_once("}}").and_then(|(name, _)| name.split_once('.'));
        !name.is_some_and(|(of, name)| match of {
            "inputs" => step.inputs.contains_key(name) || step.data.contains_key(name),
            "outputs" => step.outputs.contains_key(name),
            _ => false,
        })
    })?;
    let message = format!(
        "${{{{{own} is neither an input nor an output of the step, and no binding that stands alone; add it to the step, or correct it"
    );
    Some(InvalidSpec::new(place, message))
}

/// Every value below another, with its place and its key.
fn each(place: &str, value: &Value, visit: &mut impl FnMut(&str, &str, &Value)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let place = format!("{place}.{key}");
                // A key may be an address, or bound, as little as a value.
                visit(&place, key, &Value::String(key.clone()));
                visit(&place, "", value);
                each(&place, value, visit);
            }
        }
        Value::Array(items) => {
            for item in items {
                visit(place, "", item);
                each(place, item, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_alone() {
        for (text, is_alone) in [
            ("azureml:x:1", true),
            ("azureml://registries/a/components/b/versions/1", true),
            ("azureml:/subscriptions/s/resourceGroups/g", true),
            ("/subscriptions/s/resourceGroups/g", true),
            ("azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/p", true),
            ("--in azureml://datastores/d/paths/p", false),
            ("x /subscriptions/s", false),
            ("azureml:a azureml:b", false),
            ("/subscriptions/a,/subscriptions/b", false),
            ("text", true),
        ] {
            assert_eq!(alone("p", text).is_ok(), is_alone, "{text}");
        }
    }
}
