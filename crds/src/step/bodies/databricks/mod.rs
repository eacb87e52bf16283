//! A run on Azure Databricks. Spelling: the Jobs API of Databricks (`runs/submit`, `run-now`), in camelCase.
//!
//! In: nothing. Out: the body and its schema. Texts of these types are data for a program; none is read by a shell.

mod cluster;
mod library;

pub use self::cluster::{Autoscale, DatabricksCluster, NewCluster, SecurityMode};
pub use self::library::{Library, Maven, Package};
use crate::step::bounds::bound_texts;
use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run on Azure Databricks. The step starts it, follows it, cancels it when the step is cancelled, and fails when it fails. The step
/// itself runs on the `compute` in the `environment`, which needs `python3` and nothing else; a small node is enough.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::exactly_one("databricks", &["notebook", "python", "jar", "job"]),
    validation = Rule::new("has(self.cluster) != has(self.job)")
        .message("databricks.cluster: a notebook, python and jar need one; a job has its own, so remove it there"),
    validation = Rule::new("!has(self.libraries) || !has(self.job)")
        .message("databricks.libraries: a job has its own; remove them").field_path(".libraries"),
    validation = Rule::new("!has(self.parameters) || has(self.notebook) || has(self.job)")
        .message("databricks.parameters are for a notebook or job; write args for python or jar").field_path(".parameters"),
    validation = Rule::new("!has(self.args) || has(self.python) || has(self.jar)")
        .message("databricks.args are for python or jar; write parameters for a notebook or job").field_path(".args"),
)]
pub struct Databricks {
    /// Address of the Databricks workspace, such as `https://adb-1234567890123456.7.azuredatabricks.net`. The step's token is sent nowhere
    /// else.
    #[schemars(
        length(min = 1, max = 128),
        regex(
            pattern = r"^https://adb-[0-9]{1,20}[.][0-9]{1,4}[.](azuredatabricks[.]net|databricks[.]azure[.](us|cn))/?$"
        )
    )]
    pub workspace_url: String,
    /// Notebook to run. It reads `parameters` as widgets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notebook: Option<Notebook>,
    /// Python file to run, with `args`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<PythonFile>,
    /// Class to run, of a jar in `libraries`. Its `main` gets `args`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jar: Option<Jar>,
    /// Existing job of the Databricks workspace. It gets `parameters`, which it must declare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<DatabricksJob>,
    /// Cluster of a notebook, python or jar. A job has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<DatabricksCluster>,
    /// Libraries to install on the cluster first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub libraries: Vec<Library>,
    /// Parameters: name to value. A value may use `${{inputs.<input>}}` and `${{outputs.<output>}}`; data is given by its address. A value
    /// `$[[${{inputs.<input>}}]]` is dropped, with its name, when the optional input has no value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = bound_parameters)]
    #[x_kube(validation = crate::rules::yaml_keys("databricks.parameters"))]
    pub parameters: BTreeMap<String, String>,
    /// Arguments, with values as in `parameters`. An optional group, `$[[--rate ${{inputs.rate}}]]`, is one element, whose words become
    /// arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub args: Vec<String>,
    /// Maximum time of the run, such as `90m`, after which Databricks ends it, even if the step is gone. Default: the `timeout` of the
    /// step, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("databricks.timeout", "1m", "504h"))]
    pub timeout: Option<String>,
    /// Name of a secret with a Databricks token, in the Key Vault of the Azure ML workspace. Default: none; the step's managed identity
    /// signs in to Databricks. With a secret, this identity reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 127), regex(pattern = r"^[0-9a-zA-Z-]+$"))]
    pub token_secret: Option<String>,
}

/// Bounds for parameters.
fn bound_parameters(schema: &mut Schema) {
    bound_texts(schema, 50, 1024);
}

/// A notebook of the Databricks workspace.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notebook {
    /// Path of the notebook, such as `/Shared/prepare`.
    #[schemars(length(min = 2, max = 1024), regex(pattern = r"^/[^$\n\r]+$"))]
    pub path: String,
}

/// A Python file that Databricks can read.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PythonFile {
    /// Path of the file in the workspace, such as `/Workspace/Shared/prepare.py`, or its address: `dbfs:/…`, `abfss://…`, `/Volumes/…`.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^(/|dbfs:/|abfss://)[^$\n\r]+$"))]
    pub file: String,
}

/// A class of a jar.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Jar {
    /// Full name of the class, such as `com.example.Prepare`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z_][A-Za-z0-9_.]*$"))]
    pub main_class: String,
}

/// A job of the Databricks workspace.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabricksJob {
    /// Id of the job, a number.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub id: i64,
}
