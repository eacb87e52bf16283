//! The values that a job gets: given, else the pipeline's own; each of its type and harmless in a command.

use super::asked::Job;
use super::values::{TRIGGER_TIME, checked, safe, wrong};
use crate::asset_name::{self, Collection, Label};
use crate::component::bare::{self, Place};
use crate::grants::Rights;
use crate::invalid::InvalidSpec;
use azureml_client::ArmId;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::values::Input;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The values of all inputs: given, else the pipeline's own.
///
/// # Errors
/// As [`super::properties`].
pub fn inputs(job: &Job<'_>, current: &Current) -> Result<Map<String, Value>, InvalidSpec> {
    let none = BTreeMap::new();
    let given = job.inputs.unwrap_or(&none);
    if let Some(unknown) = given.keys().find(|name| !current.inputs.contains_key(*name)) {
        return Err(unknown_input(unknown, current));
    }
    let places = bare::told(current);
    let mut values = Map::new();
    for (name, input) in &current.inputs {
        let value = named(job, name, value(name, input, given.get(name), job.is_scheduled)?)?;
        plain(name, value.as_ref(), places.get(name))?;
        foreign(name, value.as_ref(), job.rights)?;
        if let Some(value) = value {
            values.insert(name.clone(), value);
        }
    }
    Ok(values)
}

/// The labels of data assets that a job names.
#[must_use]
pub fn labels(given: Option<&BTreeMap<String, Value>>, current: &Current, workspace: &ArmId) -> Vec<Label> {
    let of = |(name, input): (&'_ String, &'_ Input)| {
        let given = given.and_then(|given| given.get(name)).filter(|value| !value.is_null());
        let text = given.map_or_else(|| input.path.clone(), |value| value.as_str().map(str::to_owned));
        text.filter(|_| !input.r#type.is_literal())
    };
    let texts: Vec<String> = current.inputs.iter().filter_map(of).collect();
    asset_name::all(texts.iter().map(|text| (text.as_str(), Collection::Data)), workspace)
}

/// A value whose data asset is named as a request names it.
fn named(job: &Job<'_>, name: &str, value: Option<Value>) -> Result<Option<Value>, InvalidSpec> {
    let Some(mut value) = value else { return Ok(None) };
    if let Some(text) = value["uri"].as_str() {
        let field = format!("inputs.{name}");
        let uri = asset_name::resolved((&field, text), Collection::Data, job.workspace, job.pins);
        value["uri"] = json!(uri.map_err(|error| wrong(name, error.message))?);
    }
    Ok(Some(value))
}

fn unknown_input(name: &str, current: &Current) -> InvalidSpec {
    let known = current.inputs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let hint = if ["true", "false"].contains(&name) {
        "; YAML reads the names y, yes, on, n, no and off as true or false, so write the name in quotes"
    } else {
        ""
    };
    wrong(name, format!("the pipeline has no such input; it has {known}{hint}"))
}

/// The pipeline's own value of an input, where it has one, is one that a run may send.
///
/// # Errors
/// As [`super::properties`].
pub(crate) fn own(name: &str, input: &Input, place: Option<&Place>) -> Result<(), InvalidSpec> {
    let has_value = input.default.is_some() || input.path.is_some();
    if !has_value {
        return Ok(());
    }
    plain(name, value(name, input, None, false)?.as_ref(), place)
}

/// A value that reaches a command outside of single quotes is one that a shell leaves as it is.
fn plain(name: &str, value: Option<&Value>, place: Option<&Place>) -> Result<(), InvalidSpec> {
    let text = value.and_then(|value| value["value"].as_str().or_else(|| value["uri"].as_str()));
    let text = text.filter(|text| *text != TRIGGER_TIME).unwrap_or_default();
    let fault = place.and_then(|place| bare::fault(text, *place));
    fault.map_or(Ok(()), |fault| Err(wrong(name, fault)))
}

/// Azure ML reads data of another workspace with the rights of the job's sender, which is the controller.
fn foreign(name: &str, value: Option<&Value>, rights: &Rights) -> Result<(), InvalidSpec> {
    let address = value.and_then(|value| value["uri"].as_str());
    address.map_or(Ok(()), |address| rights.address(&format!("inputs.{name}"), address))
}

fn value(
    name: &str,
    input: &Input,
    given: Option<&Value>,
    is_scheduled: bool,
) -> Result<Option<Value>, InvalidSpec> {
    let given = given.filter(|value| !value.is_null());
    if !input.r#type.is_literal() {
        return data(name, input, given, is_scheduled);
    }
    let Some(value) = given.or(input.default.as_ref().map(|default| &default.0)) else {
        return if input.optional == Some(true) {
            Ok(None)
        } else {
            Err(wrong(name, "it has no default, so give it a value"))
        };
    };
    let text = checked(name, input, value, is_scheduled)?;
    Ok(Some(json!({"jobInputType": "literal", "value": text})))
}

fn data(
    name: &str,
    input: &Input,
    given: Option<&Value>,
    is_scheduled: bool,
) -> Result<Option<Value>, InvalidSpec> {
    let path = match given {
        Some(Value::String(path)) => Some(path.as_str()),
        Some(_) => {
            return Err(wrong(
                name,
                "it is data, so give it an address such as azureml://datastores/<datastore>/paths/<path>",
            ));
        }
        None => input.path.as_deref(),
    };
    let Some(path) = path else {
        return if input.optional == Some(true) {
            Ok(None)
        } else {
            Err(wrong(name, "it has no path, so give it one"))
        };
    };
    safe(name, path, is_scheduled)?;
    let is_address = path.contains("://") || path.starts_with("/subscriptions/") || asset_name::is_name(path);
    if !is_address && path != TRIGGER_TIME {
        return Err(wrong(
            name,
            format!(
                "write azureml://datastores/<datastore>/paths/<path>, an https:// or abfss:// address, or a data asset: \
                 azureml:<name>:<version>, azureml:<name>@latest or its ARM id; {path:?} is none of these"
            ),
        ));
    }
    let mut value = json!({"jobInputType": input.r#type.word(), "uri": path});
    if let Some(mode) = input.mode {
        value["mode"] = json!(mode.word());
    }
    Ok(Some(value))
}

#[cfg(test)]
mod tests;
