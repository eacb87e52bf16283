//! MLPipeline: steps, registered as components and (optionally) published behind a stable endpoint.

use crate::shared::{Common, DeletionPolicy, Reference, has_common};
use crate::step::{Code, Compute, Environment, Step};
use crate::values::{Input, Output};
use kube::core::{Message, Rule};
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
    validation = binding_shape(),
    validation = bound_to_pipeline_input(),
    validation = bound_to_step_output(),
    validation = bound_to_a_step_above(),
    validation = bound_to_pipeline_output(),
    validation = here_or_default("compute"),
    validation = here_or_default("environment"),
    validation = scripts_have_code(),
    validation = scripts_are_in_the_default_code(),
    validation = crate::rules::immutable("MLPipeline", "workspaceRef"),
    validation = crate::rules::immutable("MLPipeline", "azureName"),
    validation = Rule::new("!has(self.publish) || !has(oldSelf.publish) || self.publish.endpoint == oldSelf.publish.endpoint")
        .message("publish.endpoint cannot be changed: callers use its address; make a new MLPipeline, or remove publish first")
        .field_path(".publish.endpoint").reason(Reason::FieldValueForbidden),
)]
pub struct MLPipelineSpec {
    /// The MLWorkspace.
    pub workspace_ref: Reference,
    /// The name of the pipeline component in Azure, and the beginning of the names of its steps' components, where the generated one is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 180))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z][a-z0-9_]*$')")
        .message("azureName: use lower-case letters, digits and _, starting with a letter (Azure ML components take no hyphens)"))]
    pub azure_name: Option<String>,
    /// The name that studio shows. In force when unset: the name of this object.
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
    #[x_kube(validation = crate::rules::variable_names("inputs"))]
    pub inputs: BTreeMap<String, Input>,
    /// What a run leaves behind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    #[x_kube(validation = crate::rules::variable_names("outputs"))]
    pub outputs: BTreeMap<String, Output>,
    /// What steps use that do not say it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// The steps, in the order of the work.
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub steps: Vec<Step>,
    /// Makes the pipeline callable by others at an address that stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publish>,
    /// What happens in Azure when this object is deleted. In force when unset: `Delete`, which removes the endpoint and archives the components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

const INPUT: &str = "${{parent.inputs.";
const OUTPUT: &str = "${{parent.jobs.";

/// A rule over every input of every step: `good` is a CEL expression of `s` (step), `k` (name), with `m` in scope.
fn each_input(map: &str, good: &str, message: &str) -> Rule {
    let bad = format!("!({good})");
    let shown = format!(
        "[{map}].map(m, self.steps.map(s, has(s.inputs) && !s.inputs.all(k, {good}), s.inputs.map(k, {bad}, \
         '%s.inputs.%s: %s'.format([s.name, k, s.inputs[k]]))[0]))[0]"
    );
    Rule::new(format!("[{map}].all(m, self.steps.all(s, !has(s.inputs) || s.inputs.all(k, {good})))"))
        .message(Message::Expression(format!("'{message}: %s'.format([{shown}])")))
        .field_path(".steps")
}

/// What begins as a binding is one. A binding elsewhere in a text is refused by a pattern: Kubernetes 1.33 takes every
/// int-or-string for 3 MiB long, so nothing that reads the whole text fits its budget for rules.
fn binding_shape() -> Rule {
    each_input(
        "true",
        &format!(
            "type(s.inputs[k]) != string || !s.inputs[k].startsWith('${{{{') || \
             (s.inputs[k].startsWith('{INPUT}') || s.inputs[k].startsWith('{OUTPUT}')) && s.inputs[k].endsWith('}}}}')"
        ),
        "an input is a literal, ${{parent.inputs.<input>}} or ${{parent.jobs.<step>.outputs.<output>}}, without blanks; not so",
    )
}

fn bound_to_pipeline_input() -> Rule {
    let map = "has(self.inputs) ? self.inputs.transformMapEntry(k, x, {'${{parent.inputs.%s}}'.format([k]): true}) : {}";
    let good =
        format!("type(s.inputs[k]) != string || !s.inputs[k].startsWith('{INPUT}') || s.inputs[k] in m");
    each_input(map, &good, "spec.inputs has no such input, so add it there or correct the step")
}

/// Every output of every step, with the place of the step.
const OUTPUTS: &str = "self.steps.transformMapEntry(i, t, has(t.outputs) ? t.outputs.transformMapEntry(o, x, \
                       {'${{parent.jobs.%s.outputs.%s}}'.format([t.name, o]): i}) : {})";

fn bound_to_step_output() -> Rule {
    let good =
        format!("type(s.inputs[k]) != string || !s.inputs[k].startsWith('{OUTPUT}') || s.inputs[k] in m");
    each_input(
        OUTPUTS,
        &good,
        "no step lists such an output under its outputs, so add it there or correct the step",
    )
}

fn bound_to_a_step_above() -> Rule {
    let good = format!(
        "type(s.inputs[k]) != string || !s.inputs[k].startsWith('{OUTPUT}') || !(s.inputs[k] in m) || m[s.inputs[k]] < i"
    );
    let bad = format!("!({good})");
    Rule::new(format!("[{OUTPUTS}].all(m, self.steps.all(i, s, !has(s.inputs) || s.inputs.all(k, {good})))"))
        .message(Message::Expression(format!(
            "'a step uses outputs of steps listed above it only, not its own, so that there is no cycle; move the used step up: %s'.format([[{OUTPUTS}]\
             .map(m, self.steps.transformList(i, s, has(s.inputs) && !s.inputs.all(k, {good}), s.inputs.map(k, {bad}, \
             '%s.inputs.%s: %s'.format([s.name, k, s.inputs[k]]))[0]))[0]])"
        )))
        .field_path(".steps")
}

fn bound_to_pipeline_output() -> Rule {
    let map = "has(self.outputs) ? self.outputs.transformMapEntry(k, x, {'${{parent.outputs.%s}}'.format([k]): true}) : {}";
    let good = "!has(s.outputs[k].path) || !s.outputs[k].path.startsWith('${{') || s.outputs[k].path in m";
    Rule::new(format!("[{map}].all(m, self.steps.all(s, !has(s.outputs) || s.outputs.all(k, {good})))"))
        .message(Message::Expression(format!(
            "'spec.outputs has no such output, so add it there or correct the step: %s'.format([[{map}].map(m, self.steps.map(s, \
             has(s.outputs) && !s.outputs.all(k, {good}), s.outputs.map(k, !({good}), '%s.outputs.%s: %s'.format([s.name, k, s.outputs[k].path]))[0]))[0]])"
        )))
        .field_path(".steps")
}

/// What every step needs and may leave to the defaults.
fn here_or_default(field: &str) -> Rule {
    Rule::new(format!("has(self.defaults) && has(self.defaults.{field}) || self.steps.all(s, has(s.{field}))"))
        .message(Message::Expression(format!(
            "'steps %s have no {field}; set {field} there, or defaults.{field}'.format([self.steps.map(s, !has(s.{field}), s.name)])"
        )))
        .field_path(".steps")
}

fn scripts_have_code() -> Rule {
    let good = "has(s.command) || has(s.code)";
    Rule::new(format!("has(self.defaults) && has(self.defaults.code) || self.steps.all(s, {good})"))
        .message(Message::Expression(format!(
            "'steps %s have a script but no code; set code there, or defaults.code'.format([self.steps.map(s, !({good}), s.name)])"
        )))
        .field_path(".steps")
}

fn scripts_are_in_the_default_code() -> Rule {
    let good = "has(s.code) || (!has(s.r) || s.r.script in f) && (!has(s.python) || s.python.script in f)";
    let files = "[self.defaults.code.files]";
    Rule::new(format!("!has(self.defaults) || !has(self.defaults.code) || {files}.all(f, self.steps.all(s, {good}))"))
        .message(Message::Expression(format!(
            "'the scripts of steps %s are not among the files of defaults.code; add them there or correct the names'\
             .format([{files}.map(f, self.steps.map(s, !({good}), s.name))[0]])"
        )))
        .field_path(".steps")
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
    pub code: Option<Code>,
    /// The datastore where outputs go that name no place. In force when unset: the workspace's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9][a-zA-Z0-9_-]*$')")
        .message("defaults.datastore: use letters, digits, - and _, starting with a letter or a digit"))]
    pub datastore: Option<String>,
    /// Whether steps that do not need the failed one still run. In force when unset: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continue_on_step_failure: Option<bool>,
    /// Whether every step runs, also when Azure ML has the result of an equal one. In force when unset: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_rerun: Option<bool>,
}

/// How others call the pipeline.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Publish {
    /// The name of the batch endpoint, unique in the Azure region.
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z][-a-zA-Z0-9]{1,30}[a-zA-Z0-9]$')")
        .message("publish.endpoint: use 3 to 32 letters, digits and -, starting with a letter and not ending in -"))]
    pub endpoint: String,
    /// How many old deployments are kept beside the current one. In force when unset: 2.
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
    /// The endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointStatus>,
    /// The steps as a Mermaid flowchart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32_768))]
    pub graph: Option<String>,
}
has_common!(MLPipelineStatus);

/// A version of a pipeline, complete: whoever runs it needs nothing else.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Current {
    /// Hash of the other four fields.
    #[schemars(length(max = 64))]
    pub version: String,
    /// ARM id of the pipeline component.
    #[schemars(length(max = 1024))]
    pub component_id: String,
    /// How jobs of this version run.
    pub settings: Settings,
    /// What a run can be given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    pub inputs: BTreeMap<String, Input>,
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
}

/// A step of the version in force.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// The name of the step.
    #[schemars(length(max = 63))]
    pub name: String,
    /// ARM id of its component.
    #[schemars(length(max = 1024))]
    pub component_id: String,
    /// Hash of its files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub code_hash: Option<String>,
    /// The environment version.
    #[schemars(length(max = 1024))]
    pub environment: String,
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
