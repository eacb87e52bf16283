//! The version of a pipeline that is in force: all that a run needs.

use crate::values::{Input, Output};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A version of a pipeline, complete: a run needs nothing else.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Current {
    /// Hash of the component's id, the settings, the inputs and the outputs.
    #[schemars(length(max = 64))]
    pub version: String,
    /// ARM id of the pipeline component.
    #[schemars(length(max = 1024))]
    pub component_id: String,
    /// Settings of the jobs of this version.
    pub settings: Settings,
    /// Hash of the workspace's identity and cloud that this version was accepted for. It runs under no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub accepted_as: Option<String>,
    /// Inputs of a run: name to definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    pub inputs: BTreeMap<String, Input>,
    /// Inputs that a command uses without quotes. Their values have only letters, digits and `_ . / : @ % + = , -`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub bare_inputs: Vec<String>,
    /// Inputs that a command uses in double quotes, and never without quotes. Their values have no `$`, backquote, `"` or `\`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub double_quoted_inputs: Vec<String>,
    /// Outputs of a run: name to definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    pub outputs: BTreeMap<String, Output>,
}

/// How jobs of a version run.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// ARM id of the compute of steps that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub default_compute: Option<String>,
    /// ARM id of the datastore of outputs without an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub default_datastore: Option<String>,
    /// Whether steps that do not need a failed step still run.
    pub continue_on_step_failure: bool,
    /// Whether every step runs, even if Azure ML has the result of an equal one.
    pub force_rerun: bool,
    /// Experiment of jobs that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub experiment: Option<String>,
    /// Name in studio of jobs that give none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub display_name: Option<String>,
    /// Tags of the jobs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    pub tags: BTreeMap<String, String>,
}

impl Settings {
    /// The settings that make another version. The component has the name, so that its id tells another name already.
    #[must_use]
    pub fn counted(&self) -> Self {
        Self { display_name: None, ..self.clone() }
    }
}
