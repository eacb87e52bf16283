//! What rules use of Kubernetes' CEL and the interpreter does not have, or has with another meaning.
//!
//! In: values. Out: a context in which every function of our rules is known. Adds a function where a rule begins to use it.

use crate::comprehensions;
use jiff::tz::TimeZone;
use kube_cel::KubeCelExt as _;
use kube_cel::cel::extractors::This;
use kube_cel::cel::{Context, ExecutionError, Value};
use regex::Regex;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The types that a rule may compare with: `type(x) == string`.
const TYPES: [&str; 6] = ["bool", "double", "int", "list", "map", "string"];

/// All functions and types.
pub fn context() -> Context<'static> {
    let mut context = Context::default().with_all();
    for name in TYPES {
        context.add_variable_from_value(name, name);
    }
    context.add_function("type", |value: Value| Arc::new(type_of(&value)));
    context.add_function("size", |This(this): This<Value>| size(&this));
    context.add_function("getHours", |This(this): This<Value>, zone: Arc<String>| hours(&this, &zone));
    let patterns = Mutex::new(HashMap::new());
    context.add_function("matches", move |This(text): This<Arc<String>>, pattern: Arc<String>| {
        matches(&patterns, &text, &pattern)
    });
    comprehensions::add(&mut context);
    context
}

fn type_of(value: &Value) -> String {
    let name = value.type_of().to_string();
    if name == "float" { "double".to_owned() } else { name }
}

/// Whether a text matches. The interpreter's own reads the pattern for each text again, and a rule may ask thousands.
fn matches(
    patterns: &Mutex<HashMap<String, Regex>>,
    text: &str,
    pattern: &str,
) -> Result<bool, ExecutionError> {
    let mut patterns = patterns.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = patterns.get(pattern) {
        return Ok(known.is_match(text));
    }
    let read = Regex::new(pattern).map_err(|error| ExecutionError::function_error("matches", error))?;
    Ok(patterns.entry(pattern.to_owned()).or_insert(read).is_match(text))
}

/// The size of a text is counted in characters, and the interpreter's own counts bytes.
fn size(value: &Value) -> Result<i64, ExecutionError> {
    let size = if let Value::String(text) = value {
        text.chars().count()
    } else if let Value::List(items) = value {
        items.len()
    } else if let Value::Map(entries) = value {
        entries.map.len()
    } else {
        return Err(ExecutionError::function_error("size", "it has no size"));
    };
    i64::try_from(size).map_err(|error| ExecutionError::function_error("size", error))
}

/// The hour in a time zone. The interpreter's own takes none.
fn hours(moment: &Value, zone: &str) -> Result<i64, ExecutionError> {
    let wrong = |error: jiff::Error| ExecutionError::function_error("getHours", error);
    let Value::Timestamp(moment) = moment else {
        return Err(ExecutionError::function_error("getHours", "it is no time"));
    };
    let zone = TimeZone::get(zone).map_err(wrong)?;
    let moment = jiff::Timestamp::from_second(moment.timestamp()).map_err(wrong)?;
    Ok(moment.to_zoned(zone).hour().into())
}
