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

/// One run of a pipeline. An MLRun makes at most one Azure job, even after a crash; `retry` allows more.
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
    doc = "One run of a pipeline, now. Make it with `kubectl create` and `generateName`.",
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
    /// The MLPipeline to run. Its version at the start is kept in `status.pipeline`. Immutable.
    pub pipeline_ref: Reference,
    /// Values for the pipeline's inputs, such as `{trees: 500}`; for data an address. Changes after the start are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "scalars")]
    pub inputs: Option<BTreeMap<String, Value>>,
    /// Experiment under which studio lists the job. Default: `experiment` of the MLPipeline, else its name. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = crate::ml_run::experiment_rule())]
    pub experiment: Option<String>,
    /// Name that studio shows for the job. Default: `displayName` of the MLPipeline, else the name of this object. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Tags of the job: name to value. They add to those of the MLPipeline and replace equal names. Immutable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// Whether every step runs, even if Azure ML has the result of an equal one. Default: that of the MLPipeline. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_rerun: Option<bool>,
    /// When to make another job after one failed for no fault of its own. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Whether to cancel the job, or the run before it has a job. Default: `false`. It cannot be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<bool>,
    /// Time to keep this object after the run ends, such as `72h`. Default: for ever. It is ignored, with a warning event, on objects that
    /// Flux or Argo CD manages and would make again.
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
    /// The MLWorkspace, so that the job can still be cancelled when the MLPipeline is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_ref: Option<WorkspaceReference>,
    /// Version of the pipeline that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Current>,
    /// Phase of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Name of the Azure job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub job_name: Option<String>,
    /// Address of the job in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub studio_url: Option<String>,
    /// When the job started to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the job ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Duration from start to end, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// Seconds in which steps only waited for nodes, or for each other's. Set at the end, like the next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_seconds: Option<i64>,
    /// Seconds in which a step was prepared (nodes, image, data) and none ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparing_seconds: Option<i64>,
    /// Seconds in which a step ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_seconds: Option<i64>,
    /// Steps, in the order in which they started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub steps: Vec<StepRun>,
    /// Outputs of the job: name to address. Azure ML tells it of outputs that have a `path` or became data assets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_run::bound_outputs)]
    pub outputs: BTreeMap<String, String>,
    /// Why the run failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Earlier jobs that failed, after which `retry` made another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub attempts: Vec<Attempt>,
    /// Versions that labels of data assets point to, in `inputs` or in the pipeline.
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
    /// Name of the step.
    #[schemars(length(max = 255))]
    pub name: String,
    /// Phase of the step.
    pub phase: Phase,
    /// When Azure ML made the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<Time>,
    /// When the step started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the step ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Duration from start to end, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i64>,
    /// When the step was first seen in preparation. The operator looks every ten seconds to a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparing_at: Option<Time>,
    /// When the step began to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_at: Option<Time>,
    /// Seconds in which the step waited for nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_seconds: Option<i64>,
    /// Seconds in which nodes, image and data were prepared. If absent, this time is part of another field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparing_seconds: Option<i64>,
    /// Seconds in which the step ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_seconds: Option<i64>,
    /// Whether Azure ML took the result of an earlier, equal step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<bool>,
    /// Why the step failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub message: Option<String>,
}
