//! What a step is given in place, and what it writes.

use crate::literals;
use crate::rules;
use crate::values::{InputMode, OutputMode, OutputType};
use kube::KubeSchema;
use schemars::Schema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Bounds for addresses of data, of which a pipeline may have too many for rules.
fn bound_address(address: &mut Schema) {
    let stays = json!({"not": {"pattern": literals::LEAVES}});
    let is_data = json!({"pattern": format!("://|{}", rules::DATA_ASSET)});
    let bounds = [(literals::STAYS, stays), (rules::DATA, is_data)];
    let bounds = bounds.map(|(words, good)| json!({"anyOf": [{"enum": [words]}, good]}));
    address.insert("allOf".into(), json!(bounds));
}

/// What is said of a reference that names no object.
const A_NAME: &str = "the name of an MLData: lower-case letters, digits, - and .";

/// A Kubernetes object name, as far as a reference can know.
fn bound_name(name: &mut Schema) {
    let words = json!({"enum": [A_NAME]});
    name.insert("anyOf".into(), json!([words, {"pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"}]));
}

/// Data of a step, in place.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.path) != has(self.ref)").message("set exactly one of path, ref"))]
pub struct StepData {
    /// Type of the data.
    pub r#type: OutputType,
    /// Address of the data: `azureml://datastores/<datastore>/paths/<path>`, `https://…`, `abfss://…`, or a data asset:
    /// `azureml:<name>:<version>`, `azureml:<name>@latest`, a registry's, or its ARM id. A label is looked up once; `status.resolved` shows
    /// the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), transform = bound_address)]
    pub path: Option<String>,
    /// Name of an MLData in this namespace, instead of `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), transform = bound_name)]
    pub r#ref: Option<String>,
    /// How the step reads the data. Default: `ReadOnlyMount` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<InputMode>,
}

/// An output of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.mode) || !has(self.path) || !self.path.startsWith('${{')")
    .message("an output that is bound to spec.outputs takes its mode from there; remove mode here").field_path(".mode"))]
pub struct StepOutput {
    /// Type of the output. Default: the type of the pipeline's output that `path` names, else `uri_folder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<OutputType>,
    /// Address: `${{parent.outputs.<output>}}` for an output of the pipeline, or `azureml://datastores/<datastore>/paths/<path>`. Default:
    /// Azure ML chooses a place in `defaults.datastore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.startsWith('${{') || self.contains('://')")
        .message("path: write ${{parent.outputs.<output>}} or azureml://datastores/<datastore>/paths/<path>"))]
    pub path: Option<String>,
    /// How the step writes the output. Default: `ReadWriteMount` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<OutputMode>,
}
