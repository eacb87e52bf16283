//! A Spark program. Spelling: the Spark job of the Azure ML CLI v2, in camelCase.

use crate::values::Scalar;
use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A Spark program in Python, on Azure ML's serverless Spark (`compute.serverless.instanceType`) or an attached Synapse pool (`compute.name`).
/// The files are those of `code`. An `environment` is used where the step has its own, not that of `defaults`.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spark {
    /// Program to run.
    pub entry: Entry,
    /// Arguments of the program, as one text, such as `--out ${{outputs.table}}`. How Azure ML reads it is not documented, so values in it
    /// may have only letters, digits and `_ . / : @ % + = , -`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub args: Option<String>,
    /// Version of serverless Spark, such as `"3.4"`. A Synapse pool has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), regex(pattern = r"^[0-9]+[.][0-9]+([.][0-9]+)?$"))]
    pub runtime_version: Option<String>,
    /// Configuration of Spark: name to value, such as `spark.driver.cores`, `spark.driver.memory`, `spark.executor.cores`,
    /// `spark.executor.memory` and `spark.executor.instances`.
    #[schemars(transform = bound_conf)]
    pub conf: BTreeMap<String, Scalar>,
    /// Files of the step's code to add to Python's path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub py_files: Vec<String>,
    /// Files of the step's code to add to Java's class path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub jars: Vec<String>,
    /// Files of the step's code to put into each executor's working directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub files: Vec<String>,
    /// Archives of the step's code to unpack in each executor's working directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub archives: Vec<String>,
}

/// Bounds for a configuration.
fn bound_conf(schema: &mut Schema) {
    schema.insert("minProperties".into(), 1.into());
    schema.insert("maxProperties".into(), 100.into());
}

/// What a Spark program runs.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Path of the Python file in the step's code, such as `main.py`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$"))]
    pub file: String,
}
