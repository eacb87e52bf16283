//! Inputs and outputs: the values that flow through a pipeline, and the names of their types in Azure ML.

mod types;

pub use self::types::{InputMode, InputType, LiteralType, OutputMode, OutputType};
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// A scalar as it was written: text, a number, `true` or `false`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Scalar(pub Value);

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The bounds contradict each other, so that no list and no object fits.
        json_schema!({"x-kubernetes-preserve-unknown-fields": true, "maxLength": 1024,
            "minItems": 1, "maxItems": 0, "minProperties": 1, "maxProperties": 0})
    }
}

/// What a step is given: text, which may be a binding, or a whole number of any size.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Literal {
    /// A whole number.
    Number(serde_json::Number),
    /// Text.
    Text(String),
}

impl JsonSchema for Literal {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-int-or-string": true})
    }
}

/// An input of a pipeline.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.path) || !(self.type in ['string', 'integer', 'number', 'boolean'])")
        .message("path is for data inputs; a string, integer, number or boolean takes default").field_path(".path"),
    validation = Rule::new("!has(self.ref) || self.type in ['uri_file', 'uri_folder', 'mltable']")
        .message("ref is for inputs of type uri_file, uri_folder or mltable, which an MLData can have").field_path(".ref"),
    validation = Rule::new("!has(self.ref) || !has(self.path)")
        .message("set at most one of path, ref").field_path(".ref"),
    validation = Rule::new("!has(self.mode) || !(self.type in ['string', 'integer', 'number', 'boolean'])")
        .message("mode is for data inputs; remove it").field_path(".mode"),
    validation = Rule::new("!(has(self.minimum) || has(self.maximum)) || self.type in ['integer', 'number']")
        .message("minimum and maximum are for integer and number inputs; remove them"),
    validation = Rule::new("!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum")
        .message("minimum is greater than maximum; exchange them").field_path(".minimum"),
    validation = Rule::new("!has(self.enum) || self.type == 'string'")
        .message("enum is for string inputs; use minimum and maximum for numbers").field_path(".enum"),
)]
pub struct Input {
    /// Type of the input: data, a model, or a literal.
    pub r#type: InputType,
    /// Address of the data, if a run gives none: `azureml://datastores/<datastore>/paths/<path>`, `https://…`, `abfss://…`, or a data asset
    /// such as `azureml:<name>@latest` or its ARM id. For MLRun and MLSchedule; callers of the endpoint give their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = crate::rules::data_path("path"), validation = crate::rules::stays_quoted("path"))]
    pub path: Option<String>,
    /// MLData in this namespace whose version is used if a run gives none, instead of `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("ref"))]
    pub r#ref: Option<String>,
    /// How steps read the data, unless a step says otherwise. Default: `ReadOnlyMount` (Azure ML's). For MLRun and MLSchedule; callers of
    /// the endpoint give their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<InputMode>,
    /// Whether a run may leave the input out. Default: `false`. A command uses it only inside `$[[…]]`, which is dropped when there is no
    /// value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
    /// Value if a run gives none, such as `0.1`. A string is written in quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
    /// Smallest value of an integer or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Largest value of an integer or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// Allowed values of a string.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 256)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::values_stay_quoted(), validation = crate::rules::values_have_a_letter())]
    pub r#enum: Vec<String>,
    /// Description, shown in studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
}

impl Output {
    /// What kind of data it is.
    #[must_use]
    pub fn kind(&self) -> OutputType {
        self.r#type.unwrap_or(OutputType::UriFolder)
    }
}

/// An output of a pipeline.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.version) || has(self.name)")
    .message("version is that of name, so set name too, or remove version").field_path(".version"))]
pub struct Output {
    /// Type of the output. Default: `uri_folder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<OutputType>,
    /// Name under which a successful run registers the output: as a data asset, or as a model if `type` is a model. Default: none. For
    /// MLRun and MLSchedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9][a-zA-Z0-9._-]*$')")
        .message("name: use letters, digits, . _ and -, starting with a letter or a digit"))]
    pub name: Option<String>,
    /// Version under which the output is registered. Default: Azure ML numbers them. No version can be registered twice: the job's name
    /// `${{name}}` in it makes one for each run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub version: Option<String>,
    /// Address to write to, such as `azureml://datastores/<datastore>/paths/<path>`; `${{name}}` in it is the name of the job. Default:
    /// Azure ML chooses a place in the default datastore. For MLRun and MLSchedule; callers of the endpoint give their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.contains('://')")
        .message("path: write azureml://datastores/<datastore>/paths/<path>"))]
    pub path: Option<String>,
    /// How steps write the output. Default: `ReadWriteMount` (Azure ML's). For MLRun and MLSchedule; callers of the endpoint give their
    /// own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<OutputMode>,
    /// Description, shown in studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
}
