//! A function over batches of data, on many nodes. Spelling: the parallel job of the Azure ML CLI v2, in camelCase.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A function of a script, called for each batch of the data. The files are those of `code`, the environment that of the step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parallel {
    /// Function that is called for each batch.
    pub task: Task,
    /// Data that is cut into batches: `${{inputs.<input>}}`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[$][{][{]inputs[.][A-Za-z0-9_]+[}][}]$"))]
    pub input_data: String,
    /// Size of a batch: a number of files for a folder, such as `"10"`, or a size for a table, such as `100kb`. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), regex(pattern = r"^[0-9]+([kKmMgG][bB])?$"))]
    pub mini_batch_size: Option<String>,
    /// Columns of a table, such as `[store]`; rows with equal values are one batch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub partition_keys: Vec<String>,
    /// Number of processes on each node. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 256))]
    pub max_concurrency_per_instance: Option<i32>,
    /// Number of items that may fail; `-1` is any number. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 1_000_000_000))]
    pub error_threshold: Option<i32>,
    /// Number of batches that may fail; `-1` is any number. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 1_000_000_000))]
    pub mini_batch_error_threshold: Option<i32>,
    /// Retries of a batch that fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_settings: Option<RetrySettings>,
    /// Level of the logs. Default: `INFO` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging_level: Option<LoggingLevel>,
}

/// What is called for each batch.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Path of the script in the step's code that has the function `run`, such as `score.py`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$"))]
    pub entry_script: String,
    /// Arguments of the script, as one text, such as `--verbose`. How Azure ML reads it is not documented, so values in it may have only
    /// letters, digits and `_ . / : @ % + = , -`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub program_arguments: Option<String>,
    /// Output to which returned rows are appended: `${{outputs.<output>}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[$][{][{]outputs[.][A-Za-z0-9_]+[}][}]$"))]
    pub append_row_to: Option<String>,
}

/// How a batch that fails is tried again.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetrySettings {
    /// Number of retries. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub max_retries: Option<i32>,
    /// Maximum time of one call, in seconds. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 259_200))]
    pub timeout: Option<i32>,
}

/// Levels of logs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(description = "")]
pub enum LoggingLevel {
    /// Everything.
    Debug,
    /// The course of things.
    Info,
    /// What may be wrong.
    Warning,
}
