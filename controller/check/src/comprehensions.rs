//! Loops over keys and values at once, which the interpreter does not have: `all(k, v, …)`, `transformList`, `transformMapEntry`.
//!
//! In: a list or a map, two names, an optional filter, an expression. Out: the value. A key of a list is the place of an item.
//! Source: `ext.TwoVarComprehensions` of cel-go, which Kubernetes has since 1.33.

use kube_cel::cel::common::ast::Expr;
use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Context, ExecutionError, FunctionContext, IdedExpr, Value};
use std::collections::HashMap;
use std::sync::Arc;

type Answer<T> = Result<T, ExecutionError>;

/// Makes the loops known.
pub fn add(context: &mut Context<'_>) {
    context.add_function("all", all);
    context.add_function("transformList", list);
    context.add_function("transformMapEntry", map);
}

fn all(call: &FunctionContext<'_, '_>) -> Answer<Value> {
    let mut error = None;
    for answer in Loop::of(call)?.answers(call) {
        match answer {
            Ok(Value::Bool(true)) => {}
            Ok(Value::Bool(false)) => return Ok(Value::Bool(false)),
            Ok(_) => error = Some(call.error("it is neither true nor false")),
            Err(other) => error = Some(other),
        }
    }
    error.map_or(Ok(Value::Bool(true)), Err)
}

fn list(call: &FunctionContext<'_, '_>) -> Answer<Value> {
    let items: Vec<Value> = Loop::of(call)?.answers(call).collect::<Answer<_>>()?;
    Ok(Value::List(Arc::new(items)))
}

fn map(call: &FunctionContext<'_, '_>) -> Answer<Value> {
    let mut all: HashMap<Key, Value> = HashMap::new();
    for entry in Loop::of(call)?.answers(call) {
        let Value::Map(entry) = entry? else { return Err(call.error("an entry is a map")) };
        all.extend(entry.map.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(Value::Map(Map { map: Arc::new(all) }))
}

/// What a loop goes over, and what it asks of each.
struct Loop<'a> {
    entries: Vec<(Value, Value)>,
    key: &'a str,
    value: &'a str,
    filter: Option<&'a IdedExpr>,
    each: &'a IdedExpr,
}

impl<'a> Loop<'a> {
    fn of(call: &FunctionContext<'_, 'a>) -> Answer<Self> {
        let (key, value, filter, each) = match call.args {
            [key, value, each] => (key, value, None, each),
            [key, value, filter, each] => (key, value, Some(filter), each),
            _ => return Err(call.error("write two names, an optional filter and an expression")),
        };
        let (Expr::Ident(key), Expr::Ident(value)) = (&key.expr, &value.expr) else {
            return Err(call.error("the first two arguments are names"));
        };
        let entries = match &call.this {
            Some(Value::List(items)) => (0..).map(Value::Int).zip(items.iter().cloned()).collect(),
            Some(Value::Map(Map { map })) => {
                map.iter().map(|(key, value)| (key_value(key), value.clone())).collect()
            }
            _ => return Err(call.error("it goes over a list or a map")),
        };
        Ok(Self { entries, key, value, filter, each })
    }

    /// The expression of each entry that the filter leaves.
    fn answers(self, call: &FunctionContext<'_, '_>) -> impl Iterator<Item = Answer<Value>> {
        let Self { entries, key, value, filter, each } = self;
        entries.into_iter().filter_map(move |(k, v)| {
            let mut scope = call.ptx.new_inner_scope();
            scope.add_variable_from_value(key, k);
            scope.add_variable_from_value(value, v);
            match filter.map_or(Ok(Value::Bool(true)), |filter| scope.resolve(filter)) {
                Ok(Value::Bool(true)) => Some(scope.resolve(each)),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            }
        })
    }
}

fn key_value(key: &Key) -> Value {
    match key {
        Key::Int(number) => Value::Int(*number),
        Key::Uint(number) => Value::UInt(*number),
        Key::Bool(flag) => Value::Bool(*flag),
        Key::String(text) => Value::String(Arc::clone(text)),
    }
}
