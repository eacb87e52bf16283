//! The schema of a definition as a tree that is ready to use: its patterns and rules are read once.
//!
//! In: a schema of OpenAPI as Kubernetes keeps it. Out: the tree. Looks at no value.

use crate::rule::Rule;
use crate::unreadable::Unreadable;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use regex::Regex;
use std::collections::BTreeMap;

/// A schema with everything below it.
pub struct Schema {
    /// What it says of its own value. What is below, the patterns and the rules are taken out.
    pub own: JSONSchemaProps,
    /// What a text has to match.
    pub pattern: Option<Regex>,
    /// What the value has to be beside the bounds.
    pub rules: Vec<Rule>,
    /// The fields of an object.
    pub properties: BTreeMap<String, Schema>,
    /// The items of a list.
    pub items: Option<Box<Schema>>,
    /// The values of a map.
    pub values: Option<Box<Schema>>,
    /// Schemas that all have to fit.
    pub all_of: Vec<Schema>,
    /// Schemas of which one has to fit.
    pub any_of: Vec<Schema>,
    /// A schema that must not fit.
    pub not: Option<Box<Schema>>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// When a pattern is no regular expression, or a rule is not CEL.
    pub fn read(mut own: JSONSchemaProps) -> Result<Self, Unreadable> {
        let values = match own.additional_properties.take() {
            Some(JSONSchemaPropsOrBool::Schema(values)) => Some(values),
            Some(JSONSchemaPropsOrBool::Bool(_)) | None => None,
        };
        let items = match own.items.take() {
            Some(JSONSchemaPropsOrArray::Schema(items)) => Some(items),
            Some(JSONSchemaPropsOrArray::Schemas(_)) | None => None,
        };
        let properties = own.properties.take().into_iter().flatten();
        let rules = own.x_kubernetes_validations.take().into_iter().flatten();
        Ok(Self {
            pattern: own.pattern.as_deref().map(Regex::new).transpose()?,
            rules: rules.map(Rule::read).collect::<Result<_, _>>()?,
            properties: properties
                .map(|(name, below)| Ok((name, Self::read(below)?)))
                .collect::<Result<_, Unreadable>>()?,
            items: boxed(items)?,
            values: boxed(values)?,
            all_of: several(own.all_of.take())?,
            any_of: several(own.any_of.take())?,
            not: boxed(own.not.take())?,
            own,
        })
    }
}

fn boxed(schema: Option<Box<JSONSchemaProps>>) -> Result<Option<Box<Schema>>, Unreadable> {
    schema.map(|schema| Schema::read(*schema).map(Box::new)).transpose()
}

fn several(schemas: Option<Vec<JSONSchemaProps>>) -> Result<Vec<Schema>, Unreadable> {
    schemas.into_iter().flatten().map(Schema::read).collect()
}
