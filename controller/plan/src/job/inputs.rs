//! The values that a job gets: given, else the pipeline's own; each of its type and harmless in a command.

use super::Job;
use crate::component::literal;
use crate::context::InvalidSpec;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::values::{Input, InputType};
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
        let known: Vec<&str> = current.inputs.keys().map(String::as_str).collect();
        return Err(wrong(unknown, format!("the pipeline has no such input; it has {}", known.join(", "))));
    }
    let mut values = Map::new();
    for (name, input) in &current.inputs {
        if let Some(value) = value(name, input, given.get(name), job.is_scheduled)? {
            values.insert(name.clone(), value);
        }
    }
    Ok(values)
}

fn wrong(name: &str, message: impl Into<String>) -> InvalidSpec {
    InvalidSpec { reason: "InvalidInputs", ..InvalidSpec::new(format!("inputs.{name}"), message) }
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
    let mut value = json!({"jobInputType": input.r#type.word(), "uri": path});
    if let Some(mode) = input.mode {
        value["mode"] = json!(mode.word());
    }
    Ok(Some(value))
}

const TRIGGER_TIME: &str = "${{creation_context.trigger_time}}";

/// A literal as text, of the right type and within its bounds.
fn checked(name: &str, input: &Input, value: &Value, is_scheduled: bool) -> Result<String, InvalidSpec> {
    let text = literal(value);
    if value.is_array() || value.is_object() || text.is_empty() {
        return Err(wrong(name, "give it text, a number, true or false"));
    }
    safe(name, &text, is_scheduled)?;
    if text == TRIGGER_TIME {
        return if input.r#type == InputType::String {
            Ok(text)
        } else {
            Err(wrong(name, "only a string can be the time of the firing"))
        };
    }
    typed(name, input, text)
}

fn typed(name: &str, input: &Input, text: String) -> Result<String, InvalidSpec> {
    match input.r#type {
        InputType::Integer => {
            let number: i64 = text.parse().map_err(|_| wrong(name, format!("{text:?} is no integer")))?;
            #[expect(clippy::cast_precision_loss, reason = "bounds are written as decimals")]
            within(name, input, number as f64)?;
        }
        InputType::Number => {
            let number: f64 = text.parse().map_err(|_| wrong(name, format!("{text:?} is no number")))?;
            within(name, input, number)?;
        }
        InputType::Boolean => {
            return match text.to_ascii_lowercase().as_str() {
                "true" => Ok("True".to_owned()),
                "false" => Ok("False".to_owned()),
                _ => Err(wrong(name, format!("{text:?} is neither true nor false"))),
            };
        }
        InputType::String if !input.r#enum.is_empty() && !input.r#enum.contains(&text) => {
            return Err(wrong(name, format!("{text:?} is not one of {}", input.r#enum.join(", "))));
        }
        InputType::String
        | InputType::UriFile
        | InputType::UriFolder
        | InputType::MlTable
        | InputType::CustomModel
        | InputType::MlflowModel
        | InputType::TritonModel => {}
    }
    Ok(text)
}

fn within(name: &str, input: &Input, number: f64) -> Result<(), InvalidSpec> {
    if !number.is_finite() {
        return Err(wrong(name, "it is not a finite number"));
    }
    if input.minimum.is_some_and(|least| number < least) || input.maximum.is_some_and(|most| number > most) {
        let shown = |bound: Option<f64>| bound.map_or_else(|| "any".to_owned(), |bound| bound.to_string());
        let message =
            format!("{number} is not between {} and {}", shown(input.minimum), shown(input.maximum));
        return Err(wrong(name, message));
    }
    Ok(())
}

/// Text that stays inside its quotes when Azure ML puts it into a command.
fn safe(name: &str, text: &str, is_scheduled: bool) -> Result<(), InvalidSpec> {
    if is_scheduled && text == TRIGGER_TIME {
        return Ok(());
    }
    let forbidden = ["'", "\n", "\r", "\0", "${{", "$[["];
    match forbidden.iter().find(|part| text.contains(**part)) {
        Some(part) => Err(wrong(
            name,
            format!("it contains {part:?}, which could leave the quotes of a command; remove it"),
        )),
        None if text.chars().count() > 1024 => Err(wrong(name, "it is longer than 1,024 characters")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Form;
    use azureml_crds::ml_pipeline::Settings;
    use azureml_crds::values::Scalar;

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
            inputs: inputs.into_iter().map(|(name, input)| (name.to_owned(), input)).collect(),
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
            (json!({"mode": "it's"}), "could leave the quotes"),
            (json!({"raw": "x\ny"}), "could leave the quotes"),
            (json!({"mode": TRIGGER_TIME}), "could leave the quotes"),
        ];
        for (given, part) in cases {
            let error = values(&given, false).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert_eq!(error.reason, "InvalidInputs");
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
        };
        assert_eq!(inputs(&job, &with_text).unwrap()["day"]["value"], TRIGGER_TIME);
    }
}
