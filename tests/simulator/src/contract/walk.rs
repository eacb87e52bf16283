//! Walks a body along the published types and collects what does not fit.
//! In: the table, a type's name, JSON. Out: violations with their places. Asks the tolerances only where something is wrong.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Violation;
use super::table::{Kind, Property, Schema, Table, Type};
use super::tolerances::{Fault, Tolerance};
use super::values::{number_fault, text_fault};

/// Which way a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Answer,
}

/// One walk and what it found.
pub(super) struct Walk<'a> {
    pub(super) table: &'a Table,
    tolerances: &'a [&'static Tolerance],
    described: &'a str,
    direction: Direction,
    pub(super) place: Vec<String>,
    pub(super) violations: Vec<Violation>,
    /// What a tolerated value means in the published words, by its place.
    pub(super) replacements: Vec<(Vec<String>, Value)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        table: &'a Table,
        tolerances: &'a [&'static Tolerance],
        described: &'a str,
        direction: Direction,
    ) -> Self {
        Self {
            table,
            tolerances,
            described,
            direction,
            place: Vec::new(),
            violations: Vec::new(),
            replacements: Vec::new(),
        }
    }

    /// Checks a value against a named type.
    pub(super) fn named(&mut self, name: &str, value: &Value) {
        let Some(object) = value.as_object() else {
            self.report(name, Fault::Type, || {
                format!("Error converting value {value} to type '{name}': expected an object.")
            });
            return;
        };
        match self.table.types.get(name) {
            Some(Type::Object { properties, others }) => {
                self.object(name, properties, others.as_deref(), object);
            }
            Some(Type::OneOf { .. }) => {
                if let Some(chosen) = self.chosen(name, object) {
                    self.named(chosen, value);
                }
            }
            None => {}
        }
    }

    /// The type that the discriminator chooses, or a violation.
    pub(super) fn chosen(&mut self, name: &str, object: &Map<String, Value>) -> Option<&'a str> {
        let Some(Type::OneOf { discriminator, variants, default }) = self.table.types.get(name) else {
            return None;
        };
        let Some(given) = object.get(discriminator).filter(|given| !given.is_null()) else {
            if default.is_none() {
                self.report(name, Fault::Missing, || {
                    format!("The {discriminator} field is required: one of {}.", keys(variants))
                });
            }
            return default.as_deref();
        };
        match given.as_str().map(|value| variants.get(value)) {
            Some(Some(Some(chosen))) => Some(chosen),
            Some(Some(None)) => {
                self.report(name, Fault::Value, || {
                    format!(
                        "{discriminator} {given} exists in Azure and not in this simulator, which has {}.",
                        keys(variants)
                    )
                });
                None
            }
            Some(None) | None => {
                self.report(name, Fault::Value, || {
                    format!(
                        "Error converting value {given} to type '{name}': {discriminator} is one of {}.",
                        keys(variants)
                    )
                });
                None
            }
        }
    }

    fn object(
        &mut self,
        name: &str,
        properties: &'a BTreeMap<String, Property>,
        others: Option<&'a Schema>,
        object: &Map<String, Value>,
    ) {
        for (key, property) in properties {
            let written = self.direction == Direction::Answer || !property.read_only;
            let given = object.get(key).is_some_and(|value| !value.is_null() || property.schema.nullable);
            if property.required && written && self.exists(property) && !given {
                self.report(&format!("{name}.{key}"), Fault::Missing, || {
                    format!("The {key} field is required on '{name}'.")
                });
            }
        }
        for (key, value) in object {
            self.place.push(key.clone());
            match properties.get(key).filter(|property| self.exists(property)) {
                Some(property) if property.read_only && self.direction == Direction::Request => {}
                Some(property) => self.value(&format!("{name}.{key}"), &property.schema, value),
                None => match others {
                    Some(schema) => self.value(&format!("{name}.{key}"), schema, value),
                    None => self.unknown(name, key, properties),
                },
            }
            self.place.pop();
        }
    }

    /// Whether the version that is checked has the property.
    fn exists(&self, property: &Property) -> bool {
        property.since.as_deref().is_none_or(|since| since <= self.described)
    }

    fn unknown(&mut self, name: &str, key: &str, properties: &BTreeMap<String, Property>) {
        let plain = |text: &str| text.replace('_', "").to_lowercase();
        let meant =
            properties.iter().find(|(known, property)| plain(known) == plain(key) && self.exists(property));
        let hint = meant.map_or_else(String::new, |(known, _)| format!(" Did you mean '{known}'?"));
        self.report(&format!("{name}.{key}"), Fault::Unknown, || {
            format!("Could not find member '{key}' on object of type '{name}'.{hint}")
        });
    }

    /// Checks a value against a schema; `owner` is type and property, for the tolerances.
    ///
    /// Azure's answers hold `null` for what is not set, also where the definitions do not say so.
    fn value(&mut self, owner: &str, schema: &'a Schema, value: &Value) {
        let null_fits =
            self.direction == Direction::Answer || schema.nullable || schema.kind == Some(Kind::Any);
        if value.is_null() && !null_fits {
            self.report(owner, Fault::Null, || format!("'{owner}' may not be null: leave it out."));
        }
        if value.is_null() || (schema.binding && is_binding(value)) {
            return;
        }
        if let Some(name) = &schema.reference {
            self.named(name, value);
        } else if let Some(inner) = &schema.array {
            self.list(owner, inner, value);
        } else if let Some(inner) = &schema.map {
            self.map(owner, inner, value);
        } else if let Some(choices) = &schema.any_of {
            self.any(owner, choices, value);
        } else {
            self.plain(owner, schema, value);
        }
    }

    fn list(&mut self, owner: &str, inner: &'a Schema, value: &Value) {
        let Some(entries) = value.as_array() else {
            self.report(owner, Fault::Type, || format!("Error converting value {value} to type 'array'."));
            return;
        };
        for (index, entry) in entries.iter().enumerate() {
            self.place.push(format!("[{index}]"));
            self.value(&format!("{owner}[]"), inner, entry);
            self.place.pop();
        }
    }

    fn map(&mut self, owner: &str, inner: &'a Schema, value: &Value) {
        let Some(entries) = value.as_object() else {
            self.report(owner, Fault::Type, || format!("Error converting value {value} to type 'object'."));
            return;
        };
        for (key, entry) in entries {
            self.place.push(key.clone());
            self.value(&format!("{owner}.{key}"), inner, entry);
            self.place.pop();
        }
    }

    /// Fits when one of the choices does; otherwise the choice of the value's own form says why not.
    fn any(&mut self, owner: &str, choices: &'a [Schema], value: &Value) {
        let mut faults = Vec::new();
        for choice in choices {
            let mut trial = Walk::new(self.table, self.tolerances, self.described, self.direction);
            trial.place.clone_from(&self.place);
            trial.value(owner, choice, value);
            if trial.violations.is_empty() {
                self.replacements.append(&mut trial.replacements);
                return;
            }
            let same_form = (choice.reference.is_some() || choice.map.is_some()) == value.is_object();
            if same_form || faults.is_empty() {
                faults = trial.violations;
            }
        }
        self.violations.extend(faults);
    }

    fn plain(&mut self, owner: &str, schema: &Schema, value: &Value) {
        let kind = schema.kind.unwrap_or(Kind::Any);
        let fault = match (kind, value) {
            (Kind::Any, _) | (Kind::Boolean, Value::Bool(_)) => None,
            (Kind::String, Value::String(text)) => text_fault(schema, text),
            (Kind::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {
                number_fault(schema, number)
            }
            (Kind::Number, Value::Number(number)) => number_fault(schema, number),
            (Kind::Boolean | Kind::String | Kind::Integer | Kind::Number, _) => {
                let wanted = format!("{kind:?}").to_lowercase();
                let message = || format!("Error converting value {value} to type '{wanted}'.");
                return self.report_value(owner, Fault::Type, (schema, value), message);
            }
        };
        if let Some(fault) = fault {
            let message = || format!("The value {value} of '{owner}' {fault}.");
            self.report_value(owner, Fault::Value, (schema, value), message);
        }
    }

    /// Adds a violation unless a tolerance covers it; one that does says what is meant.
    fn report_value(
        &mut self,
        owner: &str,
        fault: Fault,
        (schema, value): (&Schema, &Value),
        message: impl FnOnce() -> String,
    ) {
        match self.covering(owner, fault, value).and_then(|tolerance| tolerance.published(schema, value)) {
            Some(published) => self.replacements.push((self.place.clone(), published)),
            None => self.report(owner, fault, message),
        }
    }

    /// Adds a violation unless a tolerance covers it.
    fn report(&mut self, owner: &str, fault: Fault, message: impl FnOnce() -> String) {
        if self.covering(owner, fault, &Value::Null).is_none() {
            let path = self.place.join(".").replace(".[", "[");
            self.violations.push(Violation { code: self.code(), path, message: message() });
        }
    }

    fn covering(&self, owner: &str, fault: Fault, value: &Value) -> Option<&'static Tolerance> {
        self.tolerances
            .iter()
            .copied()
            .find(|tolerance| tolerance.covers(self.direction, owner, fault, value))
    }

    fn code(&self) -> &'static str {
        match self.direction {
            Direction::Request => "RequestInvalid",
            Direction::Answer => "ResponseInvalid",
        }
    }
}

/// Whether a value is one binding and nothing else.
fn is_binding(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("${{") && text.ends_with("}}"))
}

/// The known values of a discriminator.
fn keys(variants: &BTreeMap<String, Option<String>>) -> String {
    let known: Vec<&str> =
        variants.iter().filter(|(_, entry)| entry.is_some()).map(|(key, _)| key.as_str()).collect();
    known.join(", ")
}
