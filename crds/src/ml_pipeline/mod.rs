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
    /// The MLWorkspace of the pipeline. Immutable.
    pub workspace_ref: WorkspaceReference,
    /// Name of the pipeline component in Azure, and prefix of its steps' components. Default: `<namespace>_<name>_<8 hex digits>`.
    /// Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 180))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z][a-z0-9_]*$')")
        .message("azureName: use lower-case letters, digits and _, starting with a letter (Azure ML components take no hyphens)"), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// Name that studio shows, also for jobs whose MLRun or MLSchedule gives none. Default: the name of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Description, shown in studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Inputs of a run: name to definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    #[x_kube(validation = crate::rules::variable_names("inputs"), validation = crate::rules::yaml_keys("inputs"))]
    pub inputs: BTreeMap<String, Input>,
    /// Outputs of a run: name to definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    #[x_kube(validation = crate::rules::variable_names("outputs"), validation = crate::rules::yaml_keys("outputs"))]
    pub outputs: BTreeMap<String, Output>,
    /// Settings for steps that do not give them themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// Experiment under which studio lists the jobs, if an MLRun or MLSchedule gives none. Default: the name of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::ml_run::experiment_rule())]
    pub experiment: Option<String>,
    /// Tags of the jobs: name to value. An MLRun or MLSchedule can add tags and replace these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// Steps, in the order of the work.
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub steps: Vec<Step>,
    /// Interval, such as `24h`, between lookups of labels such as `azureml:r-env@latest`. Default: none; the annotation
    /// `azureml.dev/reconcile-requested-at` asks for a lookup. A label that moved makes a new version. Azure ML itself looks up labels of a
    /// registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("refresh", "10m", "8760h"))]
    pub refresh: Option<String>,
    /// Batch endpoint with a stable address, where others call the pipeline. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// MLRun to make once for each new version, when it is ready. Default: none.
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
    /// Compute of steps that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<Compute>,
    /// Environment of steps that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Files of steps that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Source>,
    /// Datastore of outputs without an address, such as `workspaceblobstore`. Default: the workspace's default datastore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9][a-zA-Z0-9_-]*$')")
        .message("defaults.datastore: use letters, digits, - and _, starting with a letter or a digit"))]
    pub datastore: Option<String>,
    /// Whether steps that do not need a failed step still run. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continue_on_step_failure: Option<bool>,
    /// Whether every step runs, even if Azure ML has the result of an equal one. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_rerun: Option<bool>,
}

/// How others call the pipeline.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Publish {
    /// Name of the batch endpoint, unique in the Azure region: 3 to 32 letters, digits and `-`. Immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z][-a-zA-Z0-9]{1,30}[a-zA-Z0-9]$')")
        .message("publish.endpoint: use 3 to 32 letters, digits and -, starting with a letter and not ending in -"))]
    pub endpoint: String,
    /// Number of old deployments to keep beside the current one. Default: `2`.
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
    /// Version in force, which MLRuns, MLSchedules and the endpoint use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// The whole version in force, written when everything that it needs is in Azure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Current>,
    /// Steps of the version in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub steps: Vec<StepStatus>,
    /// Versions that the labels in the spec point to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 300))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub resolved: Vec<ResolvedAsset>,
    /// What each source of files held when it was last fetched; files in the spec are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 101))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub sources: Vec<SourceStatus>,
    /// The batch endpoint in Azure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointStatus>,
    /// Version that `runOnChange` still has to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub pending_run: Option<String>,
    /// Steps as a Mermaid flowchart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32_768))]
    pub graph: Option<String>,
}
has_common!(MLPipelineStatus);

/// A step of the version in force.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// Name of the step.
    #[schemars(length(max = 63))]
    pub name: String,
    /// ARM id of its component; absent if Azure ML runs the step without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub component_id: Option<String>,
    /// Hash of its files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub code_hash: Option<String>,
    /// Its environment version; absent if an existing component sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub environment: Option<String>,
}

/// The endpoint as it is in Azure.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointStatus {
    /// Name of the endpoint.
    #[schemars(length(max = 64))]
    pub name: String,
    /// Address to which callers send requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub scoring_uri: Option<String>,
    /// Deployment that serves the requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub default: Option<String>,
    /// All deployments, the default first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub deployments: Vec<String>,
}
