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
    /// How jobs of this version run.
    pub settings: Settings,
    /// Hash of the workspace's identity and cloud for which this version was accepted. Nothing runs it under another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub accepted_as: Option<String>,
    /// What a run can be given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    pub inputs: BTreeMap<String, Input>,
    /// Inputs that a command uses without quotes. They take letters, digits and `_ . / : @ % + = , -` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub bare_inputs: Vec<String>,
    /// Inputs that a command uses in double quotes, and nowhere without quotes. They take no `$`, backquote, `"` and `\`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub double_quoted_inputs: Vec<String>,
    /// What a run leaves behind.
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
    /// ARM id of the datastore of outputs that name no place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub default_datastore: Option<String>,
    /// Whether steps that do not need the failed one still run.
    pub continue_on_step_failure: bool,
    /// Whether every step runs, also when Azure ML has the result of an equal one.
    pub force_rerun: bool,
    /// The experiment of jobs that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub experiment: Option<String>,
    /// The name that studio shows for jobs that name none.
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
