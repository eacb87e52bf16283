//! A step of a pipeline: what runs, on what, with which values.

use crate::files::Files;
use crate::literals;
use crate::shared::Reference;
use crate::values::{InputMode, Literal, OutputMode, OutputType};
use kube::KubeSchema;
use kube::core::{Message, Rule};
use schemars::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A step. Exactly one of `command`, `python` and `r` says what runs.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::exactly_one("step", &["command", "python", "r"]),
    validation = uses("command", "inputs"),
    validation = uses("command", "outputs"),
    validation = args_use("r", "inputs"),
    validation = args_use("r", "outputs"),
    validation = args_use("python", "inputs"),
    validation = args_use("python", "outputs"),
    validation = own_bindings("command", &format!("!has(self.command) || {}", is_own("self.command"))),
    validation = own_bindings("r.args", &format!("!has(self.r) || !has(self.r.args) || self.r.args.all(a, {})", is_own("a"))),
    validation = own_bindings("python.args", &format!("!has(self.python) || !has(self.python.args) || self.python.args.all(a, {})", is_own("a"))),
    validation = script_is_in_the_code("r"),
    validation = script_is_in_the_code("python"),
    validation = Rule::new("!has(self.inputModes) || self.inputModes.all(k, has(self.inputs) && k in self.inputs)")
        .message("inputModes names an input that is not in the inputs of the step; add it there or remove the mode").field_path(".inputModes"),
)]
pub struct Step {
    /// The name, unique in the pipeline.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z_][a-z0-9_]*$')")
        .message(Message::Expression("'name: \"%s\": use lower-case letters, digits and _, not starting with a digit (Azure ML takes no hyphens here)'.format([self])".into())))]
    pub name: String,
    /// The name that studio shows. Default: `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Shown in Azure ML studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// A shell line, sent as written. It reads `${{inputs.<input>}}` and `${{outputs.<output>}}`; a fragment `$[[…]]` is dropped
    /// when the optional input in it has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65_536))]
    pub command: Option<String>,
    /// A Python script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<Script>,
    /// An R script, run by `Rscript`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r: Option<Script>,
    /// The files that the step runs. Default: `defaults.code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The environment. Default: `defaults.environment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The compute. Default: `defaults.compute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<Compute>,
    /// Name to value: a literal, `${{parent.inputs.<input>}}` or `${{parent.jobs.<step>.outputs.<output>}}`.
    /// Decimals and booleans are written in quotes. A text has no single quote and no line break, which could leave the quotes of
    /// a command, and a letter of a-z, a digit or `_`, which Azure ML asks for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::bound_inputs)]
    #[x_kube(validation = crate::rules::variable_names("inputs"), validation = crate::rules::yaml_keys("inputs"))]
    pub inputs: BTreeMap<String, Literal>,
    /// How the step sees the data of an input. Default: the mode of the pipeline's input, else Azure ML's default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    pub input_modes: BTreeMap<String, InputMode>,
    /// What the step writes. What another step uses is listed here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::at_most_50)]
    #[x_kube(validation = crate::rules::variable_names("outputs"), validation = crate::rules::yaml_keys("outputs"))]
    pub outputs: BTreeMap<String, StepOutput>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::step::bound_variables)]
    #[x_kube(validation = Rule::new("self.all(k, k.matches('^[A-Za-z_.-][A-Za-z0-9_.-]*$'))")
        .message("environmentVariables: a name has letters, digits, _ - and . only, and does not start with a digit"),
        validation = crate::rules::yaml_keys("environmentVariables"))]
    pub environment_variables: BTreeMap<String, String>,
    /// How much of the compute it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The longest the step may take. Default: Azure ML's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("timeout", "1m", "504h"))]
    pub timeout: Option<String>,
    /// Whether equal inputs give equal outputs, so that Azure ML may reuse an earlier result. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deterministic: Option<bool>,
}

/// A command uses only what the step has.
fn uses(field: &str, what: &str) -> Rule {
    let parts = format!("('}}}}' + self.{field}).split('${{{{{what}.', 100)");
    let known = format!("b.startsWith('}}}}') || has(self.{what}) && b.split('}}}}', 2)[0] in self.{what}");
    Rule::new(format!("!has(self.{field}) || {parts}.all(b, {known})"))
        .message(Message::Expression(format!(
            "'{field} of step %s uses ${{{{{what}.X}}}} where X is %s, which is not in the {what} of the step; add it there'\
             .format([self.name, {parts}.map(b, !({known}), b.split('}}}}', 2)[0])])"
        )))
        .field_path(format!(".{field}"))
}

/// The arguments of a script use only what the step has.
fn args_use(body: &str, what: &str) -> Rule {
    let known = format!(
        "('}}}}' + a).split('${{{{{what}.', 8).all(b, b.startsWith('}}}}') || has(self.{what}) && b.split('}}}}', 2)[0] in self.{what})"
    );
    Rule::new(format!("!has(self.{body}) || !has(self.{body}.args) || self.{body}.args.all(a, {known})"))
        .message(Message::Expression(format!(
            "'{body}.args of step %s use ${{{{{what}.…}}}} that is not in the {what} of the step: %s; add it there'\
             .format([self.name, self.{body}.args.filter(a, !({known}))])"
        )))
        .field_path(format!(".{body}.args"))
}

/// Text without bindings that the other rules would not see, or that mean nothing inside of a step.
fn is_own(text: &str) -> String {
    format!("!{text}.contains('${{{{ ') && !{text}.contains('${{{{parent.')")
}

fn own_bindings(field: &str, rule: &str) -> Rule {
    Rule::new(rule)
        .message(Message::Message(format!(
            "{field}: write ${{{{inputs.<input>}}}} and ${{{{outputs.<output>}}}} without blanks; ${{{{parent.…}}}} is for inputs and outputs of the step"
        )))
        .field_path(format!(".{field}"))
}

/// A script is one of the files, where the step has its own.
fn script_is_in_the_code(body: &str) -> Rule {
    Rule::new(format!("!has(self.{body}) || !has(self.code) || self.{body}.script in self.code.files"))
        .message(Message::Expression(format!(
            "'{body}.script \"%s\" is not among the files of code: %s; add it there or correct the name'\
             .format([self.{body}.script, self.code.files.map(f, f)])"
        )))
        .field_path(format!(".{body}.script"))
}

/// Bounds for a map with at most 50 entries.
pub(crate) fn at_most_50(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 50.into());
}

/// Bounds for the inputs of a step.
pub(crate) fn bound_inputs(schema: &mut Schema) {
    at_most_50(schema);
    if let Some(values) = schema.get_mut("additionalProperties") {
        literals::bound(values);
    }
}

/// Bounds for environment variables.
pub(crate) fn bound_variables(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 100.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 4096.into();
    }
}

/// A script and its arguments.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// The file, a path in the step's code.
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9._/-]+$') && !self.startsWith('/') && !self.startsWith('-') && !self.contains('..')")
        .message("script: write a relative path of letters, digits, . _ - and /, without .."))]
    pub script: String,
    /// Arguments. Each is one word: it is quoted for the shell, with bindings inside the quotes. An optional group is one
    /// element, `$[[--rate ${{inputs.rate}}]]`, whose words are quoted one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 1024)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub args: Vec<String>,
}

/// Where files come from.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// Files in place: relative path to content. At most 50 files of 64 KiB each, 256 KiB together.
    #[schemars(transform = crate::step::bound_files)]
    #[x_kube(validation = crate::rules::file_names(), validation = crate::rules::file_sizes())]
    pub files: Files,
}

/// Bounds for inline files.
pub(crate) fn bound_files(schema: &mut Schema) {
    schema.insert("minProperties".into(), 1.into());
    at_most_50(schema);
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 65_536.into();
    }
}

/// The environment of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("environment", &["ref", "id"]))]
pub struct Environment {
    /// An MLEnvironment of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("environment.ref"))]
    pub r#ref: Option<String>,
    /// An environment version that exists: its ARM id, or `azureml://registries/<registry>/environments/<name>/versions/<version>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^(/subscriptions/|azureml://registries/).+/environments/[^/]+/versions/[^/]+$')")
        .message("environment.id: write the ARM id of an environment version, or azureml://registries/<registry>/environments/<name>/versions/<version>; names and labels such as @latest are resolved by clients only"))]
    pub id: Option<String>,
}

/// The compute of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("compute", &["ref", "name", "serverless"]))]
pub struct Compute {
    /// An MLCompute of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("compute.ref"))]
    pub r#ref: Option<String>,
    /// A compute of the workspace that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 32))]
    #[x_kube(validation = crate::rules::cluster_name("compute.name", 2, 32))]
    pub name: Option<String>,
    /// Azure ML's serverless compute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serverless: Option<Serverless>,
}

/// Azure ML's serverless compute.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Serverless {
    /// The size of a node, such as `Standard_DS3_v2`.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = crate::rules::vm_size("serverless.instanceType"))]
    pub instance_type: String,
}

/// An output of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.mode) || !has(self.path) || !self.path.startsWith('${{')")
    .message("an output that is bound to spec.outputs takes its mode from there; remove mode here").field_path(".mode"))]
pub struct StepOutput {
    /// What kind of data it is. Default: the type of the pipeline's output that `path` names, else `uri_folder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<OutputType>,
    /// `${{parent.outputs.<output>}}` to make it an output of the pipeline, or an address in a datastore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.startsWith('${{') || self.contains('://')")
        .message("path: write ${{parent.outputs.<output>}} or azureml://datastores/<datastore>/paths/<path>"))]
    pub path: Option<String>,
    /// How the step writes it. Azure ML's default is `ReadWriteMount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<OutputMode>,
}

/// How much of the compute a step takes.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// How many nodes. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub instance_count: Option<i32>,
    /// Shared memory of the container, such as `2g`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]*[bkmg]$')")
        .message("resources.shmSize: write a size such as 2g or 512m"))]
    pub shm_size: Option<String>,
}

/// A reference to an MLEnvironment or MLCompute by its name.
impl From<&str> for Reference {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}
