//! Checks of plain values: what is wrong with a text or a number, as the end of a sentence.
//! In: a schema and a value. Out: nothing, or the fault. Knows no places and no types with properties.

use jiff::{Span, Timestamp};

use super::table::{Format, Kind, Schema};

/// What is wrong with a text; a parameter of a query is text whatever its kind.
pub(super) fn text_fault(schema: &Schema, text: &str) -> Option<String> {
    if schema.kind.is_some_and(|kind| kind == Kind::Integer) {
        return text.parse::<i64>().is_err().then(|| "is not an integer".to_owned());
    }
    if schema.kind.is_some_and(|kind| kind == Kind::Boolean) {
        let known = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
        return (!known).then(|| "is neither 'true' nor 'false'".to_owned());
    }
    if let Some(values) = &schema.values {
        return (!values.iter().any(|value| value == text))
            .then(|| format!("is not one of {}", values.join(", ")));
    }
    let length = text.chars().count();
    if schema.min_length.is_some_and(|least| length < least) {
        return Some(format!("is shorter than {} characters", schema.min_length.unwrap_or_default()));
    }
    if schema.max_length.is_some_and(|most| length > most) {
        return Some(format!("is longer than {} characters", schema.max_length.unwrap_or_default()));
    }
    if let Some(pattern) = &schema.pattern
        && !pattern.0.is_match(text).unwrap_or(false)
    {
        return Some(format!("does not match the pattern '{}'", pattern.0.as_str()));
    }
    format_fault(schema.format?, text)
}

/// What is wrong with a text of a format; numbers have theirs in their bounds.
fn format_fault(format: Format, text: &str) -> Option<String> {
    let (good, wanted) = match format {
        Format::DateTime => {
            (text.parse::<Timestamp>().is_ok(), "a time with its offset (2026-01-31T06:00:00Z)")
        }
        Format::Duration => {
            (text.starts_with('P') && text.parse::<Span>().is_ok(), "an ISO 8601 duration (PT2M)")
        }
        Format::Uuid => (is_uuid(text), "a UUID"),
        Format::Int32 | Format::Int64 => (true, ""),
    };
    (!good).then(|| format!("is not {wanted}"))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What is wrong with a number.
pub(super) fn number_fault(schema: &Schema, number: &serde_json::Number) -> Option<String> {
    let small = schema.format.is_some_and(|format| format == Format::Int32);
    if small && number.as_i64().is_none_or(|value| i32::try_from(value).is_err()) {
        return Some("does not fit into 32 bits".to_owned());
    }
    let value = number.as_f64()?;
    if let Some(least) = schema.minimum.filter(|least| value < *least) {
        return Some(format!("is less than {least}"));
    }
    schema.maximum.filter(|most| value > *most).map(|most| format!("is more than {most}"))
}
