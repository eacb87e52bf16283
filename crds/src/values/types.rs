//! Types of inputs and outputs and the ways they are read and written, with the words that Azure ML uses for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of an input: data, or a literal.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputType {
    /// One file.
    UriFile,
    /// A folder.
    UriFolder,
    /// A table described by an `MLTable` file.
    #[serde(rename = "mltable")]
    MlTable,
    /// A model in any form.
    CustomModel,
    /// A model in MLflow's form.
    MlflowModel,
    /// A model in Triton's form.
    TritonModel,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl InputType {
    /// Whether a value of this type is written in place, not read from storage.
    #[must_use]
    pub fn is_literal(self) -> bool {
        matches!(self, Self::String | Self::Integer | Self::Number | Self::Boolean)
    }

    /// The word that Azure ML uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UriFile => "uri_file",
            Self::UriFolder => "uri_folder",
            Self::MlTable => "mltable",
            Self::CustomModel => "custom_model",
            Self::MlflowModel => "mlflow_model",
            Self::TritonModel => "triton_model",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// The type of an output.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum OutputType {
    /// One file.
    UriFile,
    /// A folder.
    UriFolder,
    /// A table described by an `MLTable` file.
    #[serde(rename = "mltable")]
    MlTable,
    /// A model in any form.
    CustomModel,
    /// A model in MLflow's form.
    MlflowModel,
    /// A model in Triton's form.
    TritonModel,
}

impl OutputType {
    /// The word that Azure ML uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UriFile => "uri_file",
            Self::UriFolder => "uri_folder",
            Self::MlTable => "mltable",
            Self::CustomModel => "custom_model",
            Self::MlflowModel => "mlflow_model",
            Self::TritonModel => "triton_model",
        }
    }
}

/// The type of a literal that a step is given.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum LiteralType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl LiteralType {
    /// The word that Azure ML uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// How a step sees the data of an input.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum InputMode {
    /// A mounted, read-only path (Azure ML's default).
    ReadOnlyMount,
    /// A mounted path that can be written.
    ReadWriteMount,
    /// A local copy made before the step starts.
    Download,
    /// The URI itself.
    Direct,
    /// As `ReadOnlyMount`, for MLTable.
    EvalMount,
    /// As `Download`, for MLTable.
    EvalDownload,
}

impl InputMode {
    /// The word that Azure ML uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReadOnlyMount => "ReadOnlyMount",
            Self::ReadWriteMount => "ReadWriteMount",
            Self::Download => "Download",
            Self::Direct => "Direct",
            Self::EvalMount => "EvalMount",
            Self::EvalDownload => "EvalDownload",
        }
    }
}

/// How a step writes an output.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum OutputMode {
    /// A mounted path (Azure ML's default).
    ReadWriteMount,
    /// A local path that is uploaded when the step ends.
    Upload,
    /// The URI itself.
    Direct,
}

impl OutputMode {
    /// The word that Azure ML uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReadWriteMount => "ReadWriteMount",
            Self::Upload => "Upload",
            Self::Direct => "Direct",
        }
    }
}
