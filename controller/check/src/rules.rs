//! The rules of a definition over a value: each at every place where it stands, so that all faults are found at once.
//!
//! In: a schema, a value, the value before. Out: faults. A value with a fault of the schema somewhere inside of it is left alone,
//! as the API server does: a rule may rely on the bounds.

use crate::functions;
use crate::rule::Rule;
use crate::schema::Schema;
use azureml_plan::InvalidSpec;
use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Context, Value as Cel};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// A value and the one before, at their place.
#[derive(Clone)]
struct At<'a> {
    path: String,
    value: &'a Value,
    before: Option<&'a Value>,
}

/// All rules that a value breaks; `faults` are those of the schema.
pub fn faults(
    schema: &Schema,
    path: &str,
    (value, before): (&Value, Option<&Value>),
    faults: &[InvalidSpec],
) -> Vec<InvalidSpec> {
    let mut broken = Vec::new();
    let at = At { path: path.to_owned(), value, before };
    walk(schema, &at, &functions::context(), &mut |rule, context, at| {
        let is_inside = |fault: &InvalidSpec| {
            let rest = fault.field.strip_prefix(&at.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if !faults.iter().any(is_inside) {
            broken.extend(rule.fault(context, &at.path));
        }
    });
    broken
}

fn walk(
    schema: &Schema,
    at: &At<'_>,
    functions: &Context<'_>,
    judge: &mut dyn FnMut(&Rule, &Context<'_>, &At<'_>),
) {
    if !schema.rules.is_empty() {
        let mut context = functions.new_inner_scope();
        context.add_variable_from_value("self", cel(at.value));
        if let Some(before) = at.before {
            context.add_variable_from_value("oldSelf", cel(before));
        }
        let rules = schema.rules.iter().filter(|rule| !rule.is_transition || at.before.is_some());
        rules.for_each(|rule| judge(rule, &context, at));
    }
    match at.value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(below) = schema.properties.get(name).or(schema.values.as_deref()) {
                    let before = at.before.and_then(|before| before.get(name));
                    walk(below, &At { path: format!("{}.{name}", at.path), value, before }, functions, judge);
                }
            }
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                if let Some(below) = schema.items.as_deref() {
                    // No rule below a list compares with before.
                    let path = format!("{}[{place}]", at.path);
                    walk(below, &At { path, value, before: None }, functions, judge);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A value as CEL sees it. A whole number is signed there, whatever its size.
fn cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Cel::Float(number.as_f64().unwrap_or(f64::NAN)), Cel::Int)
        }
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(cel).collect())),
        Value::Object(fields) => {
            let entry = |(name, value): (&String, &Value)| (Key::String(Arc::new(name.clone())), cel(value));
            Cel::Map(Map { map: Arc::new(fields.iter().map(entry).collect::<HashMap<_, _>>()) })
        }
    }
}
