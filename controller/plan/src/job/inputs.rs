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
mod tests {
    use super::*;
    use crate::asset_name::Pins;
    use crate::job::Form;
    use crate::reasons::Reason;
    use azureml_crds::ml_pipeline::Settings;
    use azureml_crds::values::{InputType, Scalar};

    fn input(r#type: InputType) -> Input {
        Input {
            r#type,
            path: None,
            mode: None,
            optional: None,
            default: None,
            minimum: None,
            maximum: None,
            r#enum: Vec::new(),
            description: None,
        }
    }

    fn current() -> Current {
        let inputs = [
            (
                "trees",
                Input {
                    default: Some(Scalar(json!(500))),
                    minimum: Some(1.0),
                    maximum: Some(1000.0),
                    ..input(InputType::Integer)
                },
            ),
            ("rate", Input { default: Some(Scalar(json!(0.1))), ..input(InputType::Number) }),
            ("fast", Input { default: Some(Scalar(json!(true))), ..input(InputType::Boolean) }),
            (
                "mode",
                Input {
                    default: Some(Scalar(json!("a"))),
                    r#enum: vec!["a".into(), "b".into()],
                    ..input(InputType::String)
                },
            ),
            (
                "raw",
                Input {
                    path: Some("azureml://datastores/d/paths/raw/".into()),
                    ..input(InputType::UriFolder)
                },
            ),
            ("extra", Input { optional: Some(true), ..input(InputType::UriFile) }),
        ];
        Current {
            version: "v".into(),
            component_id: "/subscriptions/s".into(),
            settings: Settings::default(),
            accepted_as: None,
            inputs: inputs.into_iter().map(|(name, input)| (name.to_owned(), input)).collect(),
            bare_inputs: Vec::new(),
            double_quoted_inputs: Vec::new(),
            outputs: BTreeMap::new(),
        }
    }

    fn values(given: &Value, is_scheduled: bool) -> Result<Map<String, Value>, InvalidSpec> {
        let given: BTreeMap<String, Value> = serde_json::from_value(given.clone()).unwrap();
        let tags = BTreeMap::new();
        let job = Job {
            display_name: "d",
            experiment: "e",
            tags: &tags,
            inputs: Some(&given),
            is_scheduled,
            form: Form::default(),
            rights: &Rights::Own,
            workspace: &ArmId::workspace("s", "g", "w"),
            pins: &Pins::default(),
        };
        inputs(&job, &current())
    }

    #[test]
    fn literals_are_text_as_azure_ml_stores_them() {
        let values = values(&json!({"trees": 50, "fast": false}), false).unwrap();
        assert_eq!(values["trees"], json!({"jobInputType": "literal", "value": "50"}));
        assert_eq!(values["fast"]["value"], "False");
        assert_eq!(values["rate"]["value"], "0.1");
        assert_eq!(values["raw"]["jobInputType"], "uri_folder");
        assert!(!values.contains_key("extra"));
    }

    #[test]
    fn wrong_values_are_refused_with_the_name_of_the_input() {
        let cases = [
            (json!({"tres": 5}), "no such input"),
            (json!({"trees": "many"}), "is no integer"),
            (json!({"trees": 1.5}), "is no integer"),
            (json!({"trees": 0}), "is not between 1 and 1000"),
            (json!({"rate": "NaN"}), "finite"),
            (json!({"fast": "maybe"}), "neither true nor false"),
            (json!({"mode": "c"}), "is not one of a, b"),
            (json!({"mode": {"a": 1}}), "give it text"),
            (json!({"raw": 5}), "it is data"),
            (json!({"raw": "azureml:houses@blue"}), "\"azureml:houses@blue\" is none of these"),
            (json!({"raw": "azureml:houses@latest"}), "what azureml:houses@latest means is not known yet"),
            (json!({"raw": "./data"}), "write azureml://datastores/<datastore>/paths/<path>"),
            (json!({"mode": 668}), "it is a text, and 668 is none; write the value in quotes"),
            (json!({"mode": false}), "write the value in quotes"),
            (json!({"mode": 1.234_567_890_123_456_7e19}), "write the value in quotes"),
            (json!({"rate": 1.234_567_890_123_456_7e19}), "has lost digits; write the number in quotes"),
            (json!({"trees": 1.234_567_890_123_456_7e19}), "has lost digits"),
            (json!({"true": 5}), "YAML reads the names y, yes, on, n, no and off as true or false"),
            (json!({"mode": "東京"}), "takes no value like \"東京\""),
            (json!({"mode": ";"}), "write it into the command itself"),
            (json!({"mode": "it's"}), "could leave the quotes"),
            (json!({"raw": "x\ny"}), "could leave the quotes"),
            (json!({"mode": TRIGGER_TIME}), "could leave the quotes"),
        ];
        for (given, part) in cases {
            let error = values(&given, false).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert_eq!(error.reason, Reason::INVALID_INPUTS);
        }
    }

    #[test]
    fn a_schedule_may_pass_the_time_of_its_firing() {
        let mut with_text = current();
        with_text.inputs.insert("day".into(), input(InputType::String));
        let given = BTreeMap::from([("day".to_owned(), json!(TRIGGER_TIME))]);
        let tags = BTreeMap::new();
        let job = Job {
            display_name: "d",
            experiment: "e",
            tags: &tags,
            inputs: Some(&given),
            is_scheduled: true,
            form: Form::default(),
            rights: &Rights::Own,
            workspace: &ArmId::workspace("s", "g", "w"),
            pins: &Pins::default(),
        };
        assert_eq!(inputs(&job, &with_text).unwrap()["day"]["value"], TRIGGER_TIME);
    }
}
