//! What a schema says of values: types, bounds, patterns, which fields there are.
//!
//! In: a schema, a value. Out: every fault, with the words of the API server. Knows nothing of our kinds, and no rules.

use crate::schema::Schema;
use azureml_plan::InvalidSpec;
use serde_json::{Map, Value};

/// Everything in a value that the schema does not take.
pub fn faults(schema: &Schema, path: &str, value: &Value) -> Vec<InvalidSpec> {
    if let Some(wrong) = wrong_type(schema, value) {
        return vec![InvalidSpec::new(path, wrong)];
    }
    let own = match value {
        Value::String(text) => of_text(schema, text),
        Value::Number(_) => of_number(schema, value),
        Value::Array(items) => of_size(schema.own.min_items, schema.own.max_items, items.len()),
        Value::Object(fields) => of_size(schema.own.min_properties, schema.own.max_properties, fields.len()),
        Value::Null | Value::Bool(_) => Vec::new(),
    };
    let own = own.into_iter().chain(of_enum(schema, value)).map(|words| InvalidSpec::new(path, words));
    let below = match value {
        Value::Array(items) => of_items(schema, path, items),
        Value::Object(fields) => of_fields(schema, path, fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    own.chain(below).chain(of_alternatives(schema, path, value)).collect()
}

fn wrong_type(schema: &Schema, value: &Value) -> Option<String> {
    let is_whole = value.as_i64().is_some();
    if schema.own.x_kubernetes_int_or_string == Some(true) {
        let fits = is_whole || value.is_string();
        return (!fits).then(|| format!("must be of type integer,string; it is {}", type_of(value)));
    }
    let wanted = schema.own.type_.as_deref()?;
    let fits = match wanted {
        "string" => value.is_string(),
        "integer" => is_whole,
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    (!fits).then(|| format!("must be of type {wanted}; it is {}", type_of(value)))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false; write it in quotes where text is meant",
        Value::Number(_) => "a number; write it in quotes where text is meant",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn of_text(schema: &Schema, text: &str) -> Vec<String> {
    let own = &schema.own;
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let most = own.max_length.filter(|most| length > *most);
    let least = own.min_length.filter(|least| length < *least);
    let pattern = schema.pattern.as_ref().filter(|pattern| !pattern.is_match(text));
    [
        most.map(|most| format!("may not be more than {most} characters long; it has {length}")),
        least.map(|least| format!("should be at least {least} chars long; it has {length}")),
        pattern.map(|pattern| format!("should match '{pattern}'")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_number(schema: &Schema, value: &Value) -> Vec<String> {
    let own = &schema.own;
    let number = value.as_f64().unwrap_or(f64::NAN);
    let least = own.minimum.filter(|least| number < *least);
    let most = own.maximum.filter(|most| number > *most);
    let part = own.multiple_of.filter(|part| number % part != 0.0);
    let printed = |bound: f64| printed(bound, own.type_.as_deref() == Some("number"));
    [
        least.map(|least| format!("should be greater than or equal to {}", printed(least))),
        most.map(|most| format!("should be less than or equal to {}", printed(most))),
        part.map(|part| format!("should be a multiple of {part}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A bound as the API server prints it: of what may have a fraction with an exponent from a million on.
fn printed(bound: f64, is_float: bool) -> String {
    if is_float && bound.abs() >= 1e6 { format!("{bound:e}").replace('e', "e+") } else { bound.to_string() }
}

fn of_size(least: Option<i64>, most: Option<i64>, size: usize) -> Vec<String> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let least = least.filter(|least| size < *least);
    let most = most.filter(|most| size > *most);
    let few = least.map(|least| format!("should have at least {least} items; it has {size}"));
    // The API server counts here, and not there.
    let many = most.map(|most| {
        let items = if most == 1 { "item" } else { "items" };
        format!("must have at most {most} {items}; it has {size}")
    });
    few.into_iter().chain(many).collect()
}

fn of_enum(schema: &Schema, value: &Value) -> Option<String> {
    let allowed = schema.own.enum_.as_ref()?;
    if allowed.iter().any(|one| one.0 == *value) {
        return None;
    }
    let allowed: Vec<String> = allowed.iter().map(|one| one.0.to_string()).collect();
    Some(format!("write one of the supported values: {}", allowed.join(", ")))
}

fn of_items(schema: &Schema, path: &str, items: &[Value]) -> Vec<InvalidSpec> {
    let keys = schema.own.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
    let identity = |item: &Value| match schema.own.x_kubernetes_list_type.as_deref() {
        Some("set") => Some(vec![item.clone()]),
        Some("map") => Some(keys.iter().map(|key| item[key].clone()).collect()),
        _ => None,
    };
    let known: Vec<Option<Vec<Value>>> = items.iter().map(identity).collect();
    let each = items.iter().enumerate().flat_map(|(place, item)| {
        let path = format!("{path}[{place}]");
        let is_twice = known[place].is_some() && known[..place].contains(&known[place]);
        let twice =
            is_twice.then(|| InvalidSpec::new(path.clone(), "Duplicate value; remove it or rename it"));
        let below = schema.items.iter().flat_map(move |schema| faults(schema, &path, item));
        twice.into_iter().chain(below)
    });
    each.collect()
}

fn of_fields(schema: &Schema, path: &str, fields: &Map<String, Value>) -> Vec<InvalidSpec> {
    let required = schema.own.required.iter().flatten().filter(|name| !fields.contains_key(*name));
    let missing = required.map(|name| InvalidSpec::new(format!("{path}.{name}"), "Required value"));
    // A schema within `anyOf` has no type, and speaks of some fields only.
    let is_closed = schema.own.type_.is_some()
        && schema.values.is_none()
        && schema.own.x_kubernetes_preserve_unknown_fields != Some(true);
    let each = fields.iter().flat_map(|(name, value)| {
        let path = format!("{path}.{name}");
        match schema.properties.get(name).or(schema.values.as_deref()) {
            Some(below) => faults(below, &path, value),
            None if is_closed => {
                vec![InvalidSpec::new(path, "unknown field; remove it, or correct its name or its place")]
            }
            None => Vec::new(),
        }
    });
    missing.chain(each).collect()
}

/// `allOf`, `anyOf` and `not`. The first of the alternatives has the words, as it has for the API server.
fn of_alternatives(schema: &Schema, path: &str, value: &Value) -> Vec<InvalidSpec> {
    let all = schema.all_of.iter().flat_map(|one| faults(one, path, value));
    let any = || {
        let each = schema.any_of.iter().map(|one| faults(one, path, value));
        let wrong: Vec<Vec<InvalidSpec>> = each.take_while(|faults| !faults.is_empty()).collect();
        let none_fits = wrong.len() == schema.any_of.len();
        wrong.into_iter().next().filter(|_| none_fits).into_iter().flatten()
    };
    let fits = |not: &Schema| faults(not, path, value).is_empty();
    let not = schema.not.as_deref().filter(|not| fits(not));
    let not = not.map(|_| InvalidSpec::new(path, "it is what the schema excludes"));
    all.chain(any()).chain(not).collect()
}
