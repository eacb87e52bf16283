//! One value of a job: text of the input's type, within its bounds, and harmless in a command.
//!
//! In: an input and a value as it was written. Out: the text that Azure ML stores, or what is wrong.

use crate::component::literal;
use crate::invalid::InvalidSpec;
use crate::reasons::Reason;
use azureml_crds::literals;
use azureml_crds::values::{Input, InputType};
use serde_json::Value;

/// What is wrong with a value.
pub(super) fn wrong(name: &str, message: impl Into<String>) -> InvalidSpec {
    InvalidSpec { reason: Reason::INVALID_INPUTS, ..InvalidSpec::new(format!("inputs.{name}"), message) }
}

/// The time of the firing, which a schedule may pass.
pub(crate) const TRIGGER_TIME: &str = "${{creation_context.trigger_time}}";

/// A literal as text, of the right type and within its bounds.
pub(super) fn checked(
    name: &str,
    input: &Input,
    value: &Value,
    is_scheduled: bool,
) -> Result<String, InvalidSpec> {
    let text = literal(value);
    if value.is_array() || value.is_object() || text.is_empty() {
        return Err(wrong(name, "give it text, a number, true or false"));
    }
    if input.r#type == InputType::String && !value.is_string() {
        let message = format!(
            "it is a text, and {value} is none; write the value in quotes, since YAML changes 1.10, 01234, no and long numbers without them"
        );
        return Err(wrong(name, message));
    }
    // A whole number that fits into no integer has lost its last digits before it came here.
    if value.as_f64().is_some_and(|number| value.is_f64() && number.abs() >= 1e18) {
        return Err(wrong(name, format!("{value} has lost digits; write the number in quotes")));
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
pub(super) fn safe(name: &str, text: &str, is_scheduled: bool) -> Result<(), InvalidSpec> {
    if is_scheduled && text == TRIGGER_TIME {
        return Ok(());
    }
    literals::fault(text).map_or(Ok(()), |fault| Err(wrong(name, fault)))
}
