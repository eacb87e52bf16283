//! Literals: Azure shows each as a text, whatever it was, and the text is what a job gets.
//!
//! In: a text, and the type of its input where that is known. Out: a value of a manifest that the operator sends as the same text.

use crate::convert::out::Out;
use crate::convert::ports::literal;
use crate::convert::read::{Scalar, number};
use serde_json::{Number, Value};

/// The most characters of a number that every reader of JSON keeps.
const DIGITS: usize = 15;

/// The text of a literal.
#[must_use]
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number that is written as the very text again: neither `01234` nor `1.10`. The API server makes `5` of `5.0`.
fn same(text: &str) -> Option<Number> {
    let number = number(text).filter(|number| number.to_string() == text && text.len() <= DIGITS)?;
    let is_kept = number.is_i64() || number.as_f64().is_some_and(|decimal| decimal.fract() != 0.0);
    is_kept.then_some(number)
}

/// The type of a literal of which nothing else is known: another than `string` only where the operator sends the very text again. It sends
/// `True` and `False`, as Azure ML stores them.
#[must_use]
pub fn seen(text: &str) -> &'static str {
    match same(text) {
        Some(number) if number.is_i64() => "integer",
        Some(_) => "number",
        None if ["True", "False"].contains(&text) => "boolean",
        None => "string",
    }
}

/// A value of a type. A number that would be written in another way stays a text, which the kinds take for it.
///
/// # Errors
/// When the text is none of the type, or could leave the quotes of a command.
pub fn typed(kind: &str, text: &str) -> Result<Out, String> {
    let checked = || literal(kind, &Scalar { text: text.to_owned(), is_plain: true });
    match (kind, same(text)) {
        ("integer", Some(number)) if number.is_i64() => Ok(number.into()),
        ("number", Some(number)) => Ok(number.into()),
        ("integer" | "number", _) => checked().map(|_| text.into()),
        ("boolean", _) if text.eq_ignore_ascii_case("true") => Ok(true.into()),
        ("boolean", _) if text.eq_ignore_ascii_case("false") => Ok(false.into()),
        ("boolean", _) => Err(format!("{text:?} is neither true nor false")),
        _ => checked(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_number_or_a_truth_only_where_the_same_text_is_sent() {
        for (text, kind) in [
            ("60", "integer"),
            ("-3", "integer"),
            ("2.5", "number"),
            ("True", "boolean"),
            ("true", "string"),
            ("yes", "string"),
            ("01234", "string"),
            ("1.10", "string"),
            ("5.0", "string"),
            ("+1", "string"),
            ("1e3", "string"),
            ("12345678901234567890", "string"),
        ] {
            assert_eq!(seen(text), kind, "{text}");
        }
    }

    #[test]
    fn a_type_that_is_known_decides() {
        assert_eq!(typed("string", "60"), Ok("60".into()));
        assert_eq!(typed("integer", "60"), Ok(60.into()));
        assert_eq!(typed("integer", "007"), Ok("007".into()));
        assert_eq!(typed("number", "1.10"), Ok("1.10".into()));
        assert_eq!(typed("boolean", "true"), Ok(true.into()));
        assert!(
            typed("boolean", "yes").is_err()
                && typed("integer", "x").is_err()
                && typed("string", "it's").is_err()
        );
    }
}
