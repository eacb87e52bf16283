//! A run on Azure Databricks: a command that starts it by the Jobs API, follows it, and ends as it ends.
//!
//! In: a step. Out: its command, what decides its version, and what is wrong with it. The command holds two Python files and the request, as
//! base64: nothing that the user wrote is read by a shell, and values stand behind the program (`shell.rs`).

mod request;

use super::spark;
use crate::component::node::said;
use crate::component::resolved::Resolved;
use crate::invalid::InvalidSpec;
use crate::{shell, time};
use azureml_crds::MLPipeline;
use azureml_crds::step::{Databricks, Step};
use azureml_crds::values::{InputMode, OutputMode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the step asks Azure.
const WEB: &str = include_str!("web.py");
/// The run on Databricks.
const STEP: &str = include_str!("step.py");
/// Which program and request a version has. It is part of the hash in their place, so that a new operator publishes nothing anew; it is
/// increased where what is published must change with them.
const FORM: u32 = 1;
/// The longest request, in bytes. Source: Linux takes no argument longer than 128 KiB; the whole command is one, and base64 makes four bytes
/// of three.
const MOST: usize = 64 * 1024;
/// Makes a module of the first file, and becomes the second. Python is told to read nothing of the step's folder (`-I`).
const BEGIN: &str = "import base64,sys,types;d=base64.b64decode;m=sys.modules[\"web\"]=types.ModuleType(\"web\");\
                     exec(d(sys.argv.pop(1)),m.__dict__);exec(d(sys.argv.pop(1)))";

/// The command line.
pub(crate) fn command(step: &Step, databricks: &Databricks) -> Result<String, InvalidSpec> {
    if let Some(text) = texts(databricks).into_iter().find(|text| shell::has_part_of_group(text)) {
        let message = format!(
            "{text:?} has a group in it; write the whole value as a group: $[[${{{{inputs.name}}}}]]"
        );
        return Err(InvalidSpec::new(format!("steps.{}.databricks", step.name), message));
    }
    let request = request::of(step, databricks, limit(step, databricks)?).to_string();
    if request.len() > MOST {
        let message = format!(
            "its request has {} bytes, and {MOST} are the most; shorten sparkConf, sparkEnvVars or parameters, or run a job",
            request.len()
        );
        return Err(InvalidSpec::new(format!("steps.{}.databricks", step.name), message));
    }
    let encoded = [WEB, STEP, request.as_str()].map(|text| STANDARD.encode(text));
    let [web, run, request] = &encoded;
    let line = shell::line(&["python3", "-I", "-c", BEGIN, web, run, request], &values(databricks));
    // A shell that stays would keep a signal to itself; one with values becomes the program by itself.
    Ok(if line.starts_with("python3") { format!("exec {line}") } else { line })
}

/// The longest that the run may take, in seconds.
fn limit(step: &Step, databricks: &Databricks) -> Result<Option<i64>, InvalidSpec> {
    let of_step = || step.timeout.as_ref().map(|text| ("timeout", text));
    let said = databricks.timeout.as_ref().map(|text| ("databricks.timeout", text)).or_else(of_step);
    said.map(|(field, text)| Ok(time::duration(&format!("steps.{}.{field}", step.name), text)?.as_secs()))
        .transpose()
}

/// The texts that take values of inputs and outputs.
pub(crate) fn texts(databricks: &Databricks) -> Vec<&str> {
    databricks.parameters.values().chain(&databricks.args).map(String::as_str).collect()
}

/// The ports that the texts use, each as an argument that names it. One that stands in groups alone may have no value.
fn values(databricks: &Databricks) -> Vec<String> {
    let mut ports: BTreeMap<&str, bool> = BTreeMap::new();
    for text in texts(databricks) {
        let is_group = text.starts_with("$[[");
        for rest in text.split("${{").skip(1) {
            if let Some((port, _)) = rest.split_once("}}") {
                *ports.entry(port).or_insert(true) &= is_group && port.starts_with("inputs.");
            }
        }
    }
    let argument = |(port, is_optional): (&str, bool)| {
        let (before, after) = if is_optional { ("$[[", "]]") } else { ("", "") };
        format!("{before}{port}=${{{{{port}}}}}{after}")
    };
    ports.into_iter().map(argument).collect()
}

/// What decides the version of the component: what the user wrote, and the form of what is made of it.
pub(crate) fn content(step: &Step, databricks: &Databricks) -> Value {
    let limit = databricks.timeout.as_ref().or(step.timeout.as_ref());
    let client = step.identity.as_ref().and_then(|identity| identity.client_id.as_ref());
    said(json!({"form": FORM, "run": databricks, "timeout": limit, "clientId": client}))
}

/// The node: that of a command which sees data by its address.
pub(crate) fn node(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    id: &str,
) -> Result<Value, InvalidSpec> {
    super::command::node(pipeline, &spark::by_address(pipeline, step)?, resolved, id)
}

/// What is wrong with a step on Databricks: data that it would not see by its address, and values where none are taken.
pub(crate) fn faults(pipeline: &MLPipeline, step: &Step) -> Vec<InvalidSpec> {
    let Some(databricks) = &step.databricks else { return Vec::new() };
    let at = |field: String, words: &str| InvalidSpec::new(format!("steps.{}.{field}", step.name), words);
    let words = "Databricks reads and writes data by its address; write Direct, or remove the mode";
    let given = step.input_modes.iter().map(|(name, mode)| (format!("inputModes.{name}"), *mode));
    let data = step.data.iter().filter_map(|(name, data)| Some((format!("data.{name}.mode"), data.mode?)));
    let inputs = given.chain(data).filter(|(_, mode)| *mode != InputMode::Direct).map(|(field, _)| field);
    let outputs =
        step.outputs.iter().filter(|(_, output)| output.mode.is_some_and(|mode| mode != OutputMode::Direct));
    let outputs = outputs.map(|(name, _)| format!("outputs.{name}.mode"));
    let is_mounted = |name: &str| {
        pipeline.spec.outputs.get(name).is_some_and(|output| output.mode != Some(OutputMode::Direct))
    };
    let bound = step.outputs.iter().filter_map(|(name, output)| {
        let parent = output.path.as_ref()?.strip_prefix("${{parent.outputs.")?.strip_suffix("}}")?;
        let words = format!(
            "Databricks writes data by its address; write mode: Direct at outputs.{parent} of the pipeline"
        );
        is_mounted(parent).then(|| at(format!("outputs.{name}.path"), &words))
    });
    let without_values = Databricks { parameters: BTreeMap::new(), args: Vec::new(), ..databricks.clone() };
    let is_bound = json!(without_values).to_string().contains("${{");
    let elsewhere = is_bound.then(|| {
        at(
            "databricks".into(),
            "write it without ${{; only parameters and args take values of inputs and outputs",
        )
    });
    inputs.chain(outputs).map(|field| at(field, words)).chain(bound).chain(elsewhere).collect()
}

#[cfg(test)]
mod tests;
