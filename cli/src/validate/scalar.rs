//! Scalars as kubectl reads them: YAML 1.1, where `no` is false and `010` is eight.
//!
//! In: a scalar as it was written. Out: what reaches the API server. Source: the resolver of go-yaml 2, which kubectl uses.

use crate::convert::read::{Node, Scalar, Value as Written};
use serde_json::{Map, Number, Value};

/// A node as JSON.
pub(super) fn json(node: &Node) -> Value {
    match &node.value {
        Written::Null => Value::Null,
        Written::Scalar(scalar) => value(scalar),
        Written::List(items) => Value::Array(items.iter().map(json).collect()),
        Written::Map(entries) => {
            let fields = entries.iter().map(|entry| (entry.key.clone(), json(&entry.node)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

fn value(scalar: &Scalar) -> Value {
    let text = scalar.text.as_str();
    if !scalar.is_plain {
        return Value::String(text.to_owned());
    }
    if let Some(truth) = truth(text) {
        return Value::Bool(truth);
    }
    number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<Number> {
    let begins = text.starts_with(|one: char| one.is_ascii_digit() || "+-.".contains(one));
    if !begins {
        return None;
    }
    let plain: String = text.chars().filter(|one| *one != '_').collect();
    whole(&plain).or_else(|| decimal(text))
}

/// A whole number: with `0x`, `0o` or `0b`, or with a zero before it as octal.
fn whole(text: &str) -> Option<Number> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let based = [("0x", 16), ("0o", 8), ("0b", 2)];
    let based = based.iter().find_map(|(prefix, base)| Some((lower.strip_prefix(prefix)?, *base)));
    let octal = || Some((digits.strip_prefix('0').filter(|rest| !rest.is_empty())?, 8));
    let (digits, base) = based.or_else(octal).unwrap_or((digits, 10));
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, base).ok()? * sign;
    let signed = i64::try_from(value).ok().map(Number::from);
    signed.or_else(|| u64::try_from(value).ok().map(Number::from))
}

/// A decimal number, with digits before or after its point.
fn decimal(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_one = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let has_digit = digits.bytes().any(|byte| byte.is_ascii_digit());
    let begins = digits.starts_with(|one: char| one.is_ascii_digit() || one == '.');
    Number::from_f64(text.parse().ok().filter(|_| is_one && has_digit && begins)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_are_what_kubectl_makes_of_them() {
        for (text, expected) in [
            ("no", json!(false)),
            ("y", json!(true)),
            ("010", json!(8)),
            ("08", json!(8.0)),
            ("0x1F", json!(31)),
            ("1_000", json!(1000)),
            ("-12", json!(-12)),
            ("1.10", json!(1.1)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("1.2.3", json!("1.2.3")),
            ("2026-01-01", json!("2026-01-01")),
            ("5m", json!("5m")),
            ("--1", json!("--1")),
            ("", json!("")),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ] {
            let scalar = Scalar { text: text.to_owned(), is_plain: true };
            assert_eq!(value(&scalar), expected, "{text}");
            let quoted = Scalar { text: text.to_owned(), is_plain: false };
            assert_eq!(value(&quoted), json!(text));
        }
    }
}
