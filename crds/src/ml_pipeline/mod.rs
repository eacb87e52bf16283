//! MLPipeline: steps, registered as components and (optionally) published behind a stable endpoint.

mod current;
mod rules;
mod run_on_change;

pub use current::{Current, Settings};
pub use rules::{NO_SUCH_INPUT, NO_SUCH_OUTPUT, NO_SUCH_STEP_OUTPUT, NOT_A_BINDING, NOT_ABOVE};
pub use run_on_change::RunOnChange;

use crate::shared::{Common, DeletionPolicy, ResolvedAsset, has_common};
use crate::sharing::WorkspaceReference;
use crate::source::{Source, SourceStatus};
use crate::step::{Compute, Environment, Step};
use crate::values::{Input, Output};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A pipeline of steps. A step uses only what is listed above it.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "azureml.dev",
    version = "v1alpha1",
    kind = "MLPipeline",
    plural = "mlpipelines",
    namespaced,
    status = "MLPipelineStatus",
    shortname = "mlpipe",
    category = "azureml",
    derive = "PartialEq",
    doc = "Steps (Python, R, any command) registered in Azure Machine Learning and published behind a stable endpoint.",
    selectable = ".spec.workspaceRef.name",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Version","type":"string","jsonPath":".status.version"}"#,
    printcolumn = r#"{"name":"Endpoint","type":"string","jsonPath":".spec.publish.endpoint"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"URI","type":"string","jsonPath":".status.endpoint.scoringUri","priority":1}"#,
    printcolumn = r#"{"name":"Azure-Id","type":"string","jsonPath":".status.azureId","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::binding_shape(),
    validation = rules::bound_to_pipeline_input(),
    validation = rules::bound_to_step_output(),
    validation = rules::bound_to_a_step_above(),
    validation = rules::bound_to_pipeline_output(),
    validation = rules::optional_in_a_group(rules::COMMAND),
    validation = rules::optional_in_a_group(rules::ARGS),
    validation = rules::here_or_default("compute", &["pipeline", "raw"]),
    validation = rules::here_or_default("environment", &["component", "pipeline", "spark", "automl", "raw"]),
    validation = rules::scripts_have_code(),
    validation = rules::scripts_are_in_the_default_code(),
    validation = crate::rules::immutable("MLPipeline", "workspaceRef"),
    validation = crate::rules::immutable("MLPipeline", "azureName"),
    validation = Rule::new("!has(self.publish) || !has(oldSelf.publish) || self.publish.endpoint == oldSelf.publish.endpoint")
        .message("publish.endpoint cannot be changed: callers use its address; make a new MLPipeline, or remove publish first")
        .field_path(".publish.endpoint").reason(Reason::FieldValueForbidden),
)]
pub struct MLPipelineSpec {
    /// The MLWorkspace.
    pub workspace_ref: WorkspaceReference,
    /// The name of the pipeline component in Azure, and the beginning of the names of its steps' components, where the generated one is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 180))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z][a-z0-9_]*$')")
        .message("azureName: use lower-case letters, digits and _, starting with a letter (Azure ML components take no hyphens)"), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// The name that studio shows, also for jobs where an MLRun or MLSchedule says none. Default: the name of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Shown in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// What a run can be given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    #[x_kube(validation = crate::rules::variable_names("inputs"), validation = crate::rules::yaml_keys("inputs"))]
    pub inputs: BTreeMap<String, Input>,
    /// What a run leaves behind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    #[x_kube(validation = crate::rules::variable_names("outputs"), validation = crate::rules::yaml_keys("outputs"))]
    pub outputs: BTreeMap<String, Output>,
    /// What steps use that do not say it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// The experiment under which studio lists the jobs, where an MLRun or MLSchedule says none. Default: the name of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::ml_run::experiment_rule())]
    pub experiment: Option<String>,
    /// Tags of the jobs. An MLRun or MLSchedule adds to them, and says others of the same name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// The steps, in the order of the work.
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub steps: Vec<Step>,
    /// How often labels of environments, components and data (`azureml:r-env@latest`) are looked up again; what moved makes a new version.
    /// Default: only where the annotation `azureml.dev/reconcile-requested-at` asks for it. Labels of a registry are Azure ML's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("refresh", "10m", "8760h"))]
    pub refresh: Option<String>,
    /// Makes the pipeline callable by others at an address that stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// Makes an MLRun once for each new version, when it is ready. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_on_change: Option<RunOnChange>,
    /// What happens in Azure when this object is deleted. Default: `Delete`, which removes the endpoint and archives the components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// What steps use that do not say it themselves.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Defaults {
    /// The compute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<Compute>,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Source>,
    /// The datastore where outputs go that name no place. Default: the workspace's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9][a-zA-Z0-9_-]*$')")
        .message("defaults.datastore: use letters, digits, - and _, starting with a letter or a digit"))]
    pub datastore: Option<String>,
    /// Whether steps that do not need the failed one still run. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continue_on_step_failure: Option<bool>,
    /// Whether every step runs, also when Azure ML has the result of an equal one. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_rerun: Option<bool>,
}

/// How others call the pipeline.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Publish {
    /// The name of the batch endpoint, unique in the Azure region: 3 to 32 letters, digits and `-`.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z][-a-zA-Z0-9]{1,30}[a-zA-Z0-9]$')")
        .message("publish.endpoint: use 3 to 32 letters, digits and -, starting with a letter and not ending in -"))]
    pub endpoint: String,
    /// How many old deployments are kept beside the current one. Default: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 17))]
    pub keep: Option<i32>,
}

/// What the controller made in Azure.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MLPipelineStatus {
    /// The part that every kind has; `azureId` is the current pipeline component.
    #[serde(flatten)]
    pub common: Common,
    /// The version in force: what MLRun, MLSchedule and the endpoint use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// All of the version in force, written when everything it needs is in Azure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Current>,
    /// The steps of the version in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub steps: Vec<StepStatus>,
    /// What labels mean that the spec names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 300))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub resolved: Vec<ResolvedAsset>,
    /// What the sources of files held when they were last fetched, but for files in place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 101))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub sources: Vec<SourceStatus>,
    /// The endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointStatus>,
    /// The version that `runOnChange` still has to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub pending_run: Option<String>,
    /// The steps as a Mermaid flowchart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32_768))]
    pub graph: Option<String>,
}
has_common!(MLPipelineStatus);

/// A step of the version in force.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// The name of the step.
    #[schemars(length(max = 63))]
    pub name: String,
    /// ARM id of its component; none where Azure ML runs the step without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub component_id: Option<String>,
    /// Hash of its files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub code_hash: Option<String>,
    /// The environment version; none where an existing component says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub environment: Option<String>,
}

/// The endpoint as it is in Azure.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointStatus {
    /// Its name.
    #[schemars(length(max = 64))]
    pub name: String,
    /// Where callers send their requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub scoring_uri: Option<String>,
    /// The deployment that serves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub default: Option<String>,
    /// All deployments, the default first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub deployments: Vec<String>,
}
