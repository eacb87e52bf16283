//! Tags: their names have no case in Azure, so `CostCenter` and `costcenter` are one tag.
//!
//! In: tags as JSON or as a manifest has them. Out: one that is found, tags that are merged, two that are the same.

use crate::invalid::InvalidSpec;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The value of a tag; null where there is none.
#[must_use]
pub fn get<'a>(tags: &'a Value, name: &str) -> &'a Value {
    tags.get(name)
        .or_else(|| {
            tags.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
        .unwrap_or(&Value::Null)
}

/// Sets tags among others: one of another case is replaced.
pub fn merge<'a>(tags: &mut Map<String, Value>, more: impl IntoIterator<Item = (&'a String, &'a Value)>) {
    for (name, value) in more {
        tags.retain(|key, _| !key.eq_ignore_ascii_case(name));
        tags.insert(name.clone(), value.clone());
    }
}

/// Checks that no tag is there twice.
///
/// # Errors
/// When two names differ in case alone.
pub fn unique(tags: &BTreeMap<String, String>) -> Result<(), InvalidSpec> {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for name in tags.keys() {
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            let message = format!(
                "{other:?} and {name:?} are one tag, since Azure ignores the case of their names; remove one of them"
            );
            return Err(InvalidSpec::new("tags", message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_have_no_case() {
        let tags = json!({"costcenter": "1", "Team": "a", "team": "b"});
        assert_eq!(
            [get(&tags, "CostCenter"), get(&tags, "team"), get(&tags, "x")],
            [&json!("1"), &json!("b"), &Value::Null]
        );
        let mut there = json!({"costcenter": "1", "other": "x"});
        let more = json!({"CostCenter": "2"});
        merge(there.as_object_mut().unwrap(), more.as_object().unwrap());
        assert_eq!(there, json!({"CostCenter": "2", "other": "x"}));
    }

    #[test]
    fn one_tag_twice_is_refused_with_both_names() {
        let tags = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        assert!(unique(&tags(&["a", "b", "B2"])).is_ok());
        let error = unique(&tags(&["CostCenter", "costcenter"])).unwrap_err().to_string();
        assert!(error.contains("CostCenter") && error.contains("costcenter"), "{error}");
    }
}
