//! MLRun: one run of a pipeline, now.

use crate::ml_pipeline::Current;
pub use crate::retry::{Attempt, Cause, Failure, Retry};
use crate::shared::{Common, DeletionPolicy, Reference, ResolvedAsset, has_common};
use crate::sharing::WorkspaceReference;
use crate::values::Scalar;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One run of a pipeline. At most one Azure job is made for one MLRun, whatever crashes.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "azureml.dev",
    version = "v1alpha1",
    kind = "MLRun",
    plural = "mlruns",
    namespaced,
    status = "MLRunStatus",
    shortname = "mlrun",
    category = "azureml",
    derive = "PartialEq",
    doc = "One run of a pipeline, now: make it with `kubectl create` and a generateName.",
    selectable = ".spec.pipelineRef.name",
    printcolumn = r#"{"name":"Pipeline","type":"string","jsonPath":".spec.pipelineRef.name"}"#,
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Succeeded\")].reason"}"#,
    printcolumn = r#"{"name":"Seconds","type":"integer","jsonPath":".status.durationSeconds"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Studio","type":"string","jsonPath":".status.studioUrl","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::immutable("MLRun", "pipelineRef"),
    validation = crate::rules::immutable("MLRun", "experiment"),
    validation = crate::rules::immutable("MLRun", "displayName"),
    validation = crate::rules::immutable("MLRun", "tags"),
    validation = crate::rules::immutable("MLRun", "forceRerun"),
    validation = Rule::new("!(has(oldSelf.cancel) && oldSelf.cancel) || has(self.cancel) && self.cancel")
        .message("cancel: a cancelled run cannot go on; make a new MLRun").field_path(".cancel"),
)]
pub struct MLRunSpec {
    /// The MLPipeline. Its current version is resolved once and kept in status.
    pub pipeline_ref: Reference,
    /// Values for the pipeline's inputs: a literal, or for data an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "scalars")]
    pub inputs: Option<BTreeMap<String, Value>>,
    /// The experiment under which studio lists the job. Default: `experiment` of the MLPipeline, else its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::ml_run::experiment_rule())]
    pub experiment: Option<String>,
    /// The name that studio shows for the job. Default: `displayName` of the MLPipeline, else the name of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Tags of the job, beside and over those of the MLPipeline.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// `true` runs every step, also when Azure ML has the result of an equal one. Default: what the MLPipeline says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_rerun: Option<bool>,
    /// Makes another job where one failed for no fault of its own. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// `true` cancels the job, or the run before a job exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<bool>,
    /// How long after its end this object is kept. Default: for ever. Ignored, with a warning event, on
    /// objects that Flux or Argo CD manages: they would be made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("ttlAfterFinished", "1s", "87600h"))]
    pub ttl_after_finished: Option<String>,
    /// What happens in Azure when this object is deleted. Default: `Delete`, which cancels a running job and leaves a finished one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// Values for inputs: scalars, checked by the controller against the pipeline's inputs. CEL cannot see a map of untyped values, so
/// that the controller says what was changed.
pub(crate) fn scalars(generator: &mut SchemaGenerator) -> Schema {
    let scalar = Scalar::json_schema(generator);
    json_schema!({"type": "object", "maxProperties": 100, "additionalProperties": scalar})
}

/// What Azure ML accepts as the name of an experiment.
pub(crate) fn experiment_rule() -> kube::core::Rule {
    kube::core::Rule::new("self.matches('^[a-zA-Z0-9][a-zA-Z0-9_-]*$')")
        .message("experiment: use letters, digits, - and _, starting with a letter or a digit")
}

/// What became of the run.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MLRunStatus {
    /// The part that every kind has; `azureId` is the job.
    #[serde(flatten)]
    pub common: Common,
    /// The MLWorkspace, kept so that the job can be cancelled when the MLPipeline is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_ref: Option<WorkspaceReference>,
    /// The pipeline's current version when the run was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Current>,
    /// Where the run is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The name of the Azure job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub job_name: Option<String>,
    /// The job in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub studio_url: Option<String>,
    /// When the job started to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the job ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How long it took from start to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// For how many seconds its steps only waited for nodes, or for one another's nodes. Told at the end, as the next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_seconds: Option<i64>,
    /// For how many seconds a step was prepared, and none ran: nodes, the image, the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparing_seconds: Option<i64>,
    /// For how many seconds a step ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_seconds: Option<i64>,
    /// The steps, in the order in which they started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub steps: Vec<StepRun>,
    /// The job's outputs, name to address, where Azure ML tells it: of outputs with a `path`, or that became data assets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_run::bound_outputs)]
    pub outputs: BTreeMap<String, String>,
    /// Why the run failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The jobs before this one, where `retry` made another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub attempts: Vec<Attempt>,
    /// What labels of data assets mean that `inputs` or the pipeline name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub resolved: Vec<ResolvedAsset>,
}
has_common!(MLRunStatus);

/// Bounds for a map of output addresses.
pub(crate) fn bound_outputs(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 100.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 2048.into();
    }
}

/// Where a run or a step is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum Phase {
    /// Not sent to Azure yet, or not started there.
    Pending,
    /// Waiting for nodes.
    Queued,
    /// Nodes and images are being made ready.
    Preparing,
    /// At work.
    Running,
    /// Outputs are being written.
    Finalizing,
    /// Done.
    Succeeded,
    /// Not done.
    Failed,
    /// Cancelled.
    Canceled,
}

impl Phase {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }
}

/// One step of a run.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepRun {
    /// The name of the step.
    #[schemars(length(max = 255))]
    pub name: String,
    /// Where it is.
    pub phase: Phase,
    /// When Azure ML made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<Time>,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// How long it took from start to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// Since when it was being prepared, as a look first saw it: they come ten seconds to a minute apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparing_at: Option<Time>,
    /// Since when it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_at: Option<Time>,
    /// How many seconds it waited for nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_seconds: Option<i64>,
    /// How many seconds its nodes, its image and its data were prepared. Absent where no look saw that: then the time is part of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparing_seconds: Option<i64>,
    /// How many seconds it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_seconds: Option<i64>,
    /// Whether Azure ML took the result of an earlier, equal step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<bool>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub message: Option<String>,
}
