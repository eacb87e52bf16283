//! What the API server would say about a manifest, without an API server: all that is wrong with it, at once.
//!
//! In: the definitions of the kinds, a spec. Out: every fault with its field. The bounds and the rules are those of the definitions, read
//! as they are written there, so that nothing is said twice. No network, no clock, no client of Kubernetes.

mod beyond;
mod bounds;
mod comprehensions;
mod functions;
mod rule;
mod rules;
mod schema;
mod unreadable;

pub use unreadable::Unreadable;

use azureml_plan::InvalidSpec;
use schema::Schema;
use serde_json::Value;
use std::collections::BTreeMap;

/// The definitions of all kinds, ready to check manifests.
pub struct Definitions {
    specs: BTreeMap<String, Schema>,
}

impl Definitions {
    /// Reads the definitions that this version of the operator installs.
    ///
    /// # Errors
    /// When one of them cannot be read; a test proves that this does not happen.
    pub fn read() -> Result<Self, Unreadable> {
        let mut specs = BTreeMap::new();
        for definition in azureml_crds::all()? {
            let mut versions = definition.spec.versions.into_iter().filter_map(|version| version.schema);
            let schema = versions.find_map(|schema| schema.open_api_v3_schema);
            let spec = schema.and_then(|schema| schema.properties?.remove("spec"));
            if let Some(spec) = spec {
                specs.insert(definition.spec.names.kind, Schema::read(spec)?);
            }
        }
        Ok(Self { specs })
    }

    /// Everything that is wrong with a spec: first what the API server refuses, and where that is nothing, what a plan refuses. `before` is the spec that it changes, where there is one.
    #[must_use]
    pub fn check(&self, kind: &str, spec: &Value, before: Option<&Value>) -> Vec<InvalidSpec> {
        let Some(schema) = self.specs.get(kind) else {
            let known: Vec<&str> = self.specs.keys().map(String::as_str).collect();
            return vec![InvalidSpec::new("kind", format!("{kind} is not one of {}", known.join(", ")))];
        };
        let (spec, before) = (without_nulls(spec), before.map(without_nulls));
        let mut faults = bounds::faults(schema, "spec", &spec);
        faults.extend(rules::faults(schema, "spec", (&spec, before.as_ref()), &faults));
        if faults.is_empty() { beyond::faults(kind, &spec) } else { faults }
    }
}

/// The API server takes a field that is null for one that is not there.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let set = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(set.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar.clone(),
    }
}
