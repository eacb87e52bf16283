//! A step of a pipeline: what runs, on what, with which values.

mod bodies;
mod bounds;
mod data;
mod environment;
mod rules;
mod runs_on;
mod services;

pub use self::bodies::{
    AutoMl, AutoMlLimits, AutoMlSweep, AutoMlTask, AutoOr, Autoscale, Databricks, DatabricksCluster,
    DatabricksJob, EarlyTermination, Entry, Featurization, FeaturizationMode, Forecasting, Goal, Jar, Lags,
    Learner, Library, LoggingLevel, Maven, Nested, NewCluster, Notebook, Objective, Package, Parallel,
    Policy, PythonFile, Raw, RetrySettings, Sampling, SamplingRule, SamplingType, Script, SecurityMode,
    ShortSeries, Space, SpaceType, Spark, StackEnsemble, Stl, Sweep, SweepLimits, TargetAggregation, Task,
    Training, TrainingMode, Transformer, Verbosity,
};
pub(crate) use self::bounds::{at_most_50, bound_inputs, bound_variables};
pub use self::data::{StepData, StepOutput};
pub use self::environment::Environment;
pub use self::runs_on::{
    Compute, Distribution, Identity, IdentityType, Processes, Ray, Resources, Serverless, TensorFlow,
};
pub use self::services::{Service, ServiceNodes, ServiceType};
use crate::shared::Reference;
use crate::source::Source;
use crate::values::{InputMode, Literal, LiteralType};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The maps that give a step its inputs.
const INPUTS: &[&str] = &["inputs", "data", "sweep.searchSpace"];

/// A step. Exactly one of `command`, `python`, `r`, `component`, `pipeline`, `parallel`, `spark`, `automl`, `raw` and `databricks` says what runs.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::exactly_one("step", &["command", "python", "r", "component", "pipeline", "parallel", "spark", "automl", "raw", "databricks"]),
    validation = rules::uses("command", INPUTS),
    validation = rules::uses("command", &["outputs"]),
    validation = rules::args_use("r", INPUTS),
    validation = rules::args_use("r", &["outputs"]),
    validation = rules::args_use("python", INPUTS),
    validation = rules::args_use("python", &["outputs"]),
    validation = rules::own_bindings("command", &format!("!has(self.command) || {}", rules::is_own("self.command"))),
    validation = rules::own_bindings("r.args", &format!("!has(self.r) || !has(self.r.args) || self.r.args.all(a, {})", rules::is_own("a"))),
    validation = rules::own_bindings("python.args", &format!("!has(self.python) || !has(self.python.args) || self.python.args.all(a, {})", rules::is_own("a"))),
    validation = rules::script_is_in_the_code("r", "r.script"),
    validation = rules::script_is_in_the_code("python", "python.script"),
    validation = rules::script_is_in_the_code("parallel", "parallel.task.entryScript"),
    validation = rules::of_inputs("inputModes", &["inputs"]),
    validation = rules::of_inputs("inputTypes", &["inputs", "sweep.searchSpace"]),
    validation = rules::data_has_its_own_names(),
    validation = rules::belongs_to_the_component("component", &["code", "environment", "description", "deterministic"]),
    validation = rules::belongs_to_the_component("pipeline", &["code", "environment", "description", "deterministic",
        "environmentVariables", "resources", "distribution", "identity", "services", "timeout", "compute"]),
    validation = rules::script_is_in_the_code("spark", "spark.entry.file"),
    validation = rules::is_no_part_of("spark", &["environmentVariables", "resources", "distribution", "services", "timeout"]),
    validation = rules::is_no_part_of("parallel", &["distribution", "services", "timeout"]),
    validation = rules::is_no_part_of("automl", &["inputs", "inputTypes", "inputModes", "data", "code", "environment", "description",
        "deterministic", "distribution", "services", "timeout"]),
    validation = rules::is_no_part_of("raw", &["code", "environment", "description", "deterministic", "distribution", "services", "timeout"]),
    validation = rules::is_no_part_of("databricks", &["code", "resources", "distribution", "services"]),
    validation = rules::signs_in_to_databricks(),
    validation = rules::is_no_part_of("sweep", &["pipeline", "parallel", "spark", "automl", "raw", "databricks", "environmentVariables", "distribution", "identity", "services"]),
)]
pub struct Step {
    /// Name of the step, unique in the pipeline, such as `prepare_data`.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z_][a-z0-9_]*$')")
        .message(Message::Expression("'name: \"%s\": use lower-case letters, digits and _, not starting with a digit (Azure ML takes no hyphens here)'.format([self])".into())))]
    pub name: String,
    /// Name that studio shows. Default: the name of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Description, shown in studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Shell line to run, sent as written. It can use `${{inputs.<input>}}` and `${{outputs.<output>}}`. A part `$[[…]]` is dropped when
    /// the optional input in it has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65_536), regex(pattern = r"[a-zA-Z0-9_]"))]
    pub command: Option<String>,
    /// Python script to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<Script>,
    /// R script to run, by `Rscript`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<Script>,
    /// Existing component: `azureml:<name>:<version>`, `azureml:<name>@latest` or `@default`,
    /// `azureml://registries/<registry>/components/<name>/versions/<version>`, or the ARM id of a version. A label is looked up once;
    /// `status.resolved` shows the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = crate::rules::asset("component", "components", true))]
    pub component: Option<String>,
    /// Another pipeline that runs as this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Nested>,
    /// Function that is called for each batch of data, on many nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<Parallel>,
    /// Python program that runs on Spark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spark: Option<Spark>,
    /// Search for the best model, by Azure ML itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automl: Option<AutoMl>,
    /// Node as the service takes it, for what has no field here. The other fields of the step are checked; the rest is sent as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Raw>,
    /// Run on Azure Databricks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub databricks: Option<Databricks>,
    /// Many trials of the command, script or component, each with other values of some inputs. The best trial is the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// Files of the step. Default: `defaults.code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Source>,
    /// Environment of the step. Default: `defaults.environment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Compute of the step. Default: `defaults.compute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<Compute>,
    /// Inputs: name to a literal, `${{parent.inputs.<input>}}` or `${{parent.jobs.<step>.outputs.<output>}}`. Decimals and booleans are
    /// written in quotes. Text has no single quote and no line break, but at least one letter of a-z, digit or `_`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::bound_inputs)]
    #[x_kube(validation = crate::rules::variable_names("inputs"), validation = crate::rules::yaml_keys("inputs"))]
    pub inputs: BTreeMap<String, Literal>,
    /// Types of the literals in `inputs`: name to type. Default: `integer` for a whole number, `string` for text. Set it for a decimal
    /// (`number`) and for `"true"` (`boolean`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    pub input_types: BTreeMap<String, LiteralType>,
    /// Data written here: name to address, so that no run has to give it. A command reads it as `${{inputs.<name>}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    #[x_kube(validation = crate::rules::variable_names("data"), validation = crate::rules::yaml_keys("data"))]
    pub data: BTreeMap<String, StepData>,
    /// How the step reads its data: input to mode. Default: the mode of the pipeline's input, else Azure ML's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    pub input_modes: BTreeMap<String, InputMode>,
    /// Steps above that must end first, though this one reads nothing of them. Each adds an input `after_<step>` to this step's component.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 63), regex(pattern = r"^[a-z_][a-z0-9_]*$")))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub after: Vec<String>,
    /// Outputs of the step: name to definition. List here what another step uses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    #[x_kube(validation = crate::rules::variable_names("outputs"), validation = crate::rules::yaml_keys("outputs"))]
    pub outputs: BTreeMap<String, StepOutput>,
    /// Environment variables: name to value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::bound_variables)]
    #[x_kube(validation = Rule::new("self.all(k, k.matches('^[A-Za-z_.-][A-Za-z0-9_.-]*$'))")
        .message("environmentVariables: a name has letters, digits, _ - and . only, and does not start with a digit"),
        validation = crate::rules::yaml_keys("environmentVariables"))]
    pub environment_variables: BTreeMap<String, String>,
    /// Resources that the step takes from its compute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// How the command starts on several nodes, or several times on each. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Identity with which the step reaches data. Default: the identity of the compute, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Programs beside the command that people can open while it runs: name to program.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = services::bound_services)]
    #[x_kube(validation = crate::rules::variable_names("services"), validation = crate::rules::yaml_keys("services"))]
    pub services: BTreeMap<String, Service>,
    /// Maximum time of the step, such as `90m`. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("timeout", "1m", "504h"))]
    pub timeout: Option<String>,
    /// Whether equal inputs give equal outputs, so that Azure ML may reuse an earlier result. Default: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deterministic: Option<bool>,
}

/// A reference to an MLEnvironment or MLCompute by its name.
impl From<&str> for Reference {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}
