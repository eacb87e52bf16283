//! Which bounds and rules of the definitions no row of the table has tried: a new one needs a row as well.
//!
//! In: the definitions, the refusals. Out: what is left. A bound that several kinds share has to be tried once.

use anyhow::{Context as _, Result};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::Status;
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;

/// A bound or a rule of a definition, and how its refusal is recognized.
struct Check {
    /// What several places of the definitions share: the name of the field and the words of the refusal.
    name: String,
    /// The field in a refusal.
    field: Regex,
    /// What the refusal says.
    words: Vec<String>,
}

/// The checks that no refusal shows.
pub fn untried(definitions: &[CustomResourceDefinition], refusals: &[&Status]) -> Result<Vec<String>> {
    let mut tried: BTreeMap<String, bool> = BTreeMap::new();
    for definition in definitions {
        let spec = serde_json::to_value(definition)?["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].take();
        let mut checks = Vec::new();
        walk(&spec, "spec", "spec", &mut checks).context(definition.spec.names.kind.clone())?;
        for check in checks {
            let shown = refusals.iter().any(|refusal| check.is_shown_by(refusal));
            *tried.entry(check.name).or_default() |= shown;
        }
    }
    Ok(tried.into_iter().filter(|(_, shown)| !shown).map(|(name, _)| name).collect())
}

impl Check {
    fn is_shown_by(&self, refusal: &Status) -> bool {
        refusal.details.iter().flat_map(|details| &details.causes).any(|cause| {
            self.field.is_match(&cause.field) && self.words.iter().all(|word| cause.message.contains(word))
        })
    }
}

/// Collects the checks of a schema and of everything below it. `name` is the nearest field, `field` a pattern of its path.
fn walk(schema: &Value, name: &str, field: &str, checks: &mut Vec<Check>) -> Result<()> {
    let mut add = |field: &str, words: Vec<String>| -> Result<()> {
        let check = Check {
            name: format!("{name}: {}", words.join("…")),
            field: Regex::new(&format!("^{field}$"))?,
            words,
        };
        checks.push(check);
        Ok(())
    };
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        if let Some(words) = bound(schema, keyword, value) {
            add(field, vec![words])?;
        }
    }
    if matches!(schema["x-kubernetes-list-type"].as_str(), Some("map" | "set")) {
        add(&format!(r"{field}\[\d+\]"), vec!["Duplicate value".to_owned()])?;
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        let required = required.as_str().unwrap_or_default();
        add(&format!(r"{field}\.{required}"), vec!["Required value".to_owned()])?;
    }
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        add(".*", message(rule))?;
    }
    for (property, below) in schema["properties"].as_object().into_iter().flatten() {
        walk(below, property, &format!(r"{field}\.{property}"), checks)?;
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &format!("{name}[]"), &format!(r"{field}\[\d+\]"), checks)?;
    }
    if schema["additionalProperties"].is_object() {
        walk(
            &schema["additionalProperties"],
            &format!("{name}{{}}"),
            &format!(r"{field}(\..+|\[.+\])"),
            checks,
        )?;
    }
    Ok(())
}

/// The words of the API server for a bound.
fn bound(schema: &Value, keyword: &str, value: &Value) -> Option<String> {
    let number = || Some(printed(value.as_f64()?, schema["type"] == "number"));
    Some(match keyword {
        "maxLength" => format!("may not be more than {value}"),
        "minLength" => format!("should be at least {value} chars long"),
        // One item, or several items.
        "maxItems" | "maxProperties" => format!("must have at most {value} item"),
        "minItems" | "minProperties" => format!("should have at least {value}"),
        "minimum" => format!("should be greater than or equal to {}", number()?),
        "maximum" => format!("should be less than or equal to {}", number()?),
        "pattern" => format!("should match '{}'", value.as_str().unwrap_or_default()),
        "enum" => format!("supported values: {}", value.as_array()?.first()?),
        _ => return None,
    })
}

/// A number as the API server prints it: one that may have a fraction with an exponent from a million on.
fn printed(number: f64, is_float: bool) -> String {
    if is_float && number.abs() >= 1e6 {
        format!("{number:e}").replace('e', "e+")
    } else {
        number.to_string()
    }
}

/// The message of a rule; of an expression the text between what is filled in.
fn message(rule: &Value) -> Vec<String> {
    if let Some(text) = rule["message"].as_str() {
        return vec![text.to_owned()];
    }
    let text = rule["messageExpression"].as_str().unwrap_or_default();
    let literal = text.split('\'').nth(1).unwrap_or_default().replace("\\\"", "\"");
    literal.split("%s").flat_map(|part| part.split("%d")).map(str::to_owned).collect()
}
