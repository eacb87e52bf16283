//! Differences between what is wanted and what Azure has: only what is wanted counts.
//!
//! In: two JSON values. Out: the paths at which they differ. Azure's own spelling is not a difference: letter case of ids
//! and sizes, `PT120S` for `PT2M`, `"True"` for `true`.

use crate::{tags, time};
use serde_json::Value;

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, as keys joined by dots.
    pub path: String,
    /// What is wanted.
    pub want: Value,
    /// What is there; null when nothing is.
    pub have: Value,
}

/// Where two values differ. Objects are compared key by key, and keys that are not wanted belong to Azure; lists are
/// compared as a whole.
#[must_use]
pub fn differences(want: &Value, have: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect("", want, have, &mut found);
    found
}

fn collect(path: &str, want: &Value, have: &Value, found: &mut Vec<Difference>) {
    match want {
        Value::Object(fields) => {
            for (key, wanted) in fields {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&below, wanted, lookup(path, have, key), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            if !same(want, have) && !is_same_word(path, want, have) {
                found.push(Difference { path: path.to_owned(), want: want.clone(), have: have.clone() });
            }
        }
    }
}

/// Azure keeps the case of names of its own fields; keys that are ids may come back in another.
fn lookup<'a>(path: &str, have: &'a Value, key: &str) -> &'a Value {
    if path.rsplit('.').next() == Some("tags") {
        return tags::get(have, key);
    }
    match have.get(key) {
        Some(value) => value,
        None if key.starts_with('/') => have
            .as_object()
            .and_then(|fields| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)))
            .map_or(&Value::Null, |(_, value)| value),
        None => &Value::Null,
    }
}

/// Fields whose values are words of Azure's own, which it may write in another case.
const WORDS: [&str; 12] = [
    "actionType",
    "computeLocation",
    "frequency",
    "jobInputType",
    "jobOutputType",
    "jobType",
    "job_input_type",
    "mode",
    "triggerType",
    "vmPriority",
    "vmSize",
    "weekDays",
];

fn is_same_word(path: &str, want: &Value, have: &Value) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    WORDS.contains(&last) && want.to_string().eq_ignore_ascii_case(&have.to_string())
}

fn same(want: &Value, have: &Value) -> bool {
    match (want, have) {
        (Value::Array(want), Value::Array(have)) => {
            want.len() == have.len() && want.iter().zip(have).all(|(want, have)| same(want, have))
        }
        (Value::Object(_), Value::Object(_)) => differences(want, have).is_empty(),
        (Value::String(want), Value::String(have)) => same_text(want, have),
        (Value::Bool(want), Value::String(have)) => have.eq_ignore_ascii_case(&want.to_string()),
        (Value::String(want), Value::Bool(have)) => want.eq_ignore_ascii_case(&have.to_string()),
        (Value::String(want), Value::Number(have)) => *want == have.to_string(),
        (Value::Number(want), Value::String(have)) => want.to_string() == *have,
        (Value::Object(want), Value::Null) => want.is_empty(),
        (Value::Array(want), Value::Null) => want.is_empty(),
        _ => want == have,
    }
}

fn same_text(want: &str, have: &str) -> bool {
    if want == have {
        return true;
    }
    let [bare_want, bare_have] = [want, have].map(|text| text.strip_prefix("azureml:").unwrap_or(text));
    if bare_want.starts_with("/subscriptions/") && bare_want.eq_ignore_ascii_case(bare_have) {
        return true;
    }
    match (time::iso_seconds(want), time::iso_seconds(have)) {
        (Some(want), Some(have)) => want == have,
        _ => matches!((time::civil(want), time::civil(have)), (Some(want), Some(have)) if want == have),
    }
}

/// A value without nulls, for a request: Azure shows null for what is absent, and recorded requests leave it out. None for
/// null itself.
#[must_use]
pub fn without_nulls(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(map) => {
            let kept = map.iter().filter_map(|(key, value)| Some((key.clone(), without_nulls(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(without_nulls).collect())),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(want: &Value, have: &Value) -> Vec<String> {
        differences(want, have).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn only_what_is_wanted_counts() {
        let have = json!({"a": 1, "b": {"c": 2, "extra": 3}, "more": true});
        assert!(paths(&json!({"a": 1, "b": {"c": 2}}), &have).is_empty());
        assert_eq!(paths(&json!({"a": 2, "b": {"c": 5, "d": 1}}), &have), ["a", "b.c", "b.d"]);
    }

    #[test]
    fn spelling_is_no_difference() {
        let cases = [
            (json!("PT2M"), json!("PT120S")),
            (json!("/subscriptions/A/b"), json!("/subscriptions/a/B")),
            (json!("2020-01-01T00:00:00"), json!("2020-01-01 00:00:00")),
            (json!(true), json!("True")),
            (json!({}), Value::Null),
            (json!(1), json!("1")),
            (json!("1"), json!(1)),
            (json!("/subscriptions/A/b"), json!("azureml:/subscriptions/a/B")),
            (json!({"tags": {"CostCenter": "1"}}), json!({"tags": {"costcenter": "1"}})),
            (json!({"trigger": {"frequency": "Day"}}), json!({"trigger": {"frequency": "day"}})),
            (json!({"weekDays": ["monday"]}), json!({"weekDays": ["Monday"]})),
            (json!({"schedule": {"hours": []}}), json!({"schedule": {"hours": null}})),
        ];
        for (want, have) in cases {
            assert!(paths(&want, &have).is_empty(), "{want} {have}");
        }
        assert_eq!(paths(&json!({"name": "Cpu"}), &json!({"name": "cpu"})), ["name"]);
        assert_eq!(paths(&json!("PT2M"), &json!("PT3M")), [""]);
    }
}
