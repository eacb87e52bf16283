//! A schema as rows of a table: every field with its path, type, bounds and description, and every rule with its message.
//! In: a schema of a definition, as JSON. Out: plain data. Knows the words of OpenAPI, none of the kinds.

use std::fmt::Write as _;

use serde_json::Value;

/// A field.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// Where it is, such as `steps[].name`.
    pub path: String,
    /// What it takes.
    pub r#type: String,
    /// Whether it must be there where its parent is.
    pub is_required: bool,
    /// What it means.
    pub description: String,
}

/// A rule that the API server checks.
#[derive(Debug, PartialEq)]
pub struct Rule {
    /// The field that it speaks of; empty for the whole.
    pub path: String,
    /// What the user reads when it is broken; `…` stands for what was written.
    pub message: String,
    /// Whether it compares with what was there before.
    pub is_about_changes: bool,
}

/// What a schema says.
#[derive(Debug, Default)]
pub struct Found {
    pub fields: Vec<Field>,
    pub rules: Vec<Rule>,
}

/// Reads a schema whose fields are shown below `path`.
pub fn read(path: &str, schema: &Value) -> Found {
    let mut found = Found::default();
    walk(path, schema, &mut found);
    found
}

fn walk(path: &str, schema: &Value, found: &mut Found) {
    found.rules.extend(list(&schema["x-kubernetes-validations"]).map(|rule| rule_of(path, rule)));
    let required = |name: &str| list(&schema["required"]).any(|one| one == name);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        found.fields.push(Field {
            path: path.clone(),
            r#type: type_of(field),
            is_required: required(name),
            description: field["description"].as_str().unwrap_or_default().to_owned(),
        });
        walk(&path, field, found);
    }
    if schema["items"].is_object() {
        walk(&format!("{path}[]"), &schema["items"], found);
    }
    if schema["additionalProperties"].is_object() {
        walk(&format!("{path}.<name>"), &schema["additionalProperties"], found);
    }
}

fn rule_of(path: &str, rule: &Value) -> Rule {
    let text = |key: &str| rule[key].as_str().unwrap_or_default();
    let field = text("fieldPath");
    let path =
        if path.is_empty() { field.trim_start_matches('.').to_owned() } else { format!("{path}{field}") };
    let message = if text("message").is_empty() {
        template(text("messageExpression"))
    } else {
        text("message").to_owned()
    };
    Rule { path, message, is_about_changes: text("rule").contains("oldSelf") }
}

/// The text of `'…'.format([…])`, with `…` for what is filled in.
fn template(expression: &str) -> String {
    let text = expression.strip_prefix('\'').and_then(|rest| rest.split_once("'.format("));
    text.map_or(expression, |(text, _)| text).replace("%s", "…").replace("%d", "…")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What a field takes, in words.
fn type_of(schema: &Value) -> String {
    let mut text = base(schema);
    if let Some(pattern) = schema["pattern"].as_str() {
        let _ = write!(text, ", pattern `{pattern}`");
    }
    if !schema["default"].is_null() {
        let _ = write!(text, ", default `{}`", schema["default"]);
    }
    text
}

fn base(schema: &Value) -> String {
    if schema["enum"].is_array() {
        let words = list(&schema["enum"]).map(|word| format!("`{}`", word.as_str().unwrap_or_default()));
        return words.collect::<Vec<_>>().join(", ");
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return "text or whole number".to_owned();
    }
    match schema["type"].as_str() {
        Some("string") if schema["format"] == "date-time" => "time".to_owned(),
        Some("string") => with(range(schema, "Length", ""), "text", "characters"),
        Some("integer") => with(range(schema, "", "imum"), "whole number", ""),
        Some("number") => with(range(schema, "", "imum"), "number", ""),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("array") => {
            let items = format!("list of {}", inner(&schema["items"]));
            with(range(schema, "Items", ""), &items, "")
        }
        Some("object") if schema["additionalProperties"].is_object() => {
            let values = format!("map to {}", inner(&schema["additionalProperties"]));
            with(range(schema, "Properties", ""), &values, "entries")
        }
        Some("object") if schema["x-kubernetes-preserve-unknown-fields"] == true => {
            with(range(schema, "Properties", ""), "map to any values", "entries")
        }
        Some("object") => "object".to_owned(),
        _ => "text, a number, `true` or `false`".to_owned(),
    }
}

/// What a list or map holds; objects are shown by their fields, bounds in brackets.
fn inner(schema: &Value) -> String {
    if schema["type"] == "object" && schema["properties"].is_object() {
        return "objects".to_owned();
    }
    let text = type_of(schema);
    match text.split_once(", ") {
        Some((what, bounds)) if !schema["enum"].is_array() => format!("{what} ({bounds})"),
        _ => text,
    }
}

/// `1 to 63`, from `minLength` and `maxLength` or `minimum` and `maximum`.
fn range(schema: &Value, noun: &str, ending: &str) -> Option<String> {
    let bound = |side: &str| {
        let value = &schema[format!("{side}{ending}{noun}")];
        value.as_f64().map(|number| number.to_string())
    };
    match (bound("min"), bound("max")) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("up to {most}")),
        (None, None) => None,
    }
}

fn with(range: Option<String>, what: &str, unit: &str) -> String {
    match range {
        Some(range) if unit.is_empty() => format!("{what}, {range}"),
        Some(range) => format!("{what}, {range} {unit}"),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_found_in_lists_and_maps() {
        let schema = json!({"properties": {
            "steps": {"type": "array", "maxItems": 3, "items": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 63, "description": "The name."}}}},
            "inputs": {"type": "object", "maxProperties": 50, "additionalProperties": {"type": "object", "properties": {
                "type": {"enum": ["a", "b"]}}}}}});
        let found = read("", &schema).fields;
        let rows: Vec<(&str, &str, bool)> = found
            .iter()
            .map(|field| (field.path.as_str(), field.r#type.as_str(), field.is_required))
            .collect();
        assert_eq!(
            rows,
            [
                ("inputs", "map to objects, up to 50 entries", false),
                ("inputs.<name>.type", "`a`, `b`", false),
                ("steps", "list of objects, up to 3", false),
                ("steps[].name", "text, 1 to 63 characters", true),
            ]
        );
    }

    #[test]
    fn a_rule_is_told_in_the_words_that_the_user_reads() {
        let schema = json!({"x-kubernetes-validations": [
            {"rule": "self == oldSelf", "message": "it cannot be changed", "fieldPath": ".vmSize"},
            {"rule": "self.min <= self.max", "messageExpression": "'min (%d) is greater than max (%d)'.format([self.min, self.max])"}]});
        let rules = read("", &schema).rules;
        assert_eq!(
            rules[0],
            Rule { path: "vmSize".into(), message: "it cannot be changed".into(), is_about_changes: true }
        );
        assert_eq!(
            (rules[1].message.as_str(), rules[1].is_about_changes),
            ("min (…) is greater than max (…)", false)
        );
    }
}
