//! Inputs and outputs as the files say them: of pipelines and components what they take, of jobs what they are given.
//!
//! In: the maps `inputs` and `outputs`. Out: ports, and literals as the kinds take them.

use super::fields::Fields;
use super::findings::Findings;
use super::out::{Map, Out};
use super::read::{Entry, Literal, Place, Scalar, Value, number, truth};
use azureml_crds::literals::fault;
use serde_json::Number;

/// An input: what is taken, or what is given.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name.
    pub name: String,
    /// Where it is said.
    pub place: Place,
    /// The type, where it is said or can be seen.
    pub kind: Option<String>,
    /// Whether the type was seen only, from the look of the value.
    pub is_inferred: bool,
    /// Where the data is.
    pub path: Option<String>,
    /// How a step sees the data.
    pub mode: Option<&'static str>,
    /// A literal or a binding.
    pub value: Option<Scalar>,
    /// Whether it may have no value.
    pub is_optional: bool,
    /// The least number.
    pub minimum: Option<Number>,
    /// The greatest number.
    pub maximum: Option<Number>,
    /// The only values.
    pub choices: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl Input {
    /// An input of which nothing is said yet.
    pub fn named(name: &str, place: &Place) -> Self {
        Self {
            name: name.to_owned(),
            place: place.clone(),
            kind: None,
            is_inferred: true,
            path: None,
            mode: None,
            value: None,
            is_optional: false,
            minimum: None,
            maximum: None,
            choices: Vec::new(),
            description: None,
        }
    }
}

/// An output.
#[derive(Clone, Debug)]
pub struct Output {
    /// The name.
    pub name: String,
    /// Where it is said.
    pub place: Place,
    /// The type, where it is said.
    pub kind: Option<String>,
    /// An address, or a binding to an output of the pipeline.
    pub path: Option<String>,
    /// How it is written.
    pub mode: Option<&'static str>,
    /// The data asset that it becomes.
    pub asset: Option<String>,
    /// The version of that.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

const WAYS: [(&str, &str); 1] = [("early_available", "outputs are there when the step ends")];

/// Types of data; the others are literals.
const DATA: [&str; 6] = ["uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"];

/// Whether a type is one of data.
#[must_use]
pub fn is_data(kind: &str) -> bool {
    DATA.contains(&kind)
}

/// How data is seen or written, in Azure's words.
fn mode(fields: &Fields<'_>, findings: &mut Findings) -> Option<&'static str> {
    let text = fields.text("mode", findings)?;
    let found = match text.to_lowercase().replace('_', "").as_str() {
        "romount" | "readonlymount" => "ReadOnlyMount",
        "rwmount" | "readwritemount" | "mount" => "ReadWriteMount",
        "download" => "Download",
        "upload" => "Upload",
        "direct" => "Direct",
        "evalmount" => "EvalMount",
        "evaldownload" => "EvalDownload",
        _ => {
            findings.fail(
                fields.place_of("mode"),
                &fields.path("mode"),
                &format!("{text:?} is no mode of Azure ML"),
            );
            return None;
        }
    };
    Some(found)
}

fn kind(fields: &Fields<'_>, findings: &mut Findings) -> Option<String> {
    let text = fields.text("type", findings)?;
    if is_data(&text) || ["string", "integer", "number", "boolean"].contains(&text.as_str()) {
        return Some(text);
    }
    let message = format!(
        "{text:?} is no type that is carried; use one of {}, string, integer, number, boolean",
        DATA.join(", ")
    );
    findings.refuse(fields.place_of("type"), &fields.path("type"), &message);
    None
}

/// Names are those of variables: a rule of the kinds.
fn check_names(entries: &[Entry], path: &str, findings: &mut Findings) {
    for entry in entries {
        let is_sign = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let begins_well = !entry.key.starts_with(|letter: char| letter.is_ascii_digit());
        if !begins_well || !entry.key.chars().all(is_sign) || entry.key.is_empty() || entry.key.len() > 63 {
            let message =
                "a name has up to 63 letters, digits and _, and does not begin with a digit; rename it";
            findings.refuse(&entry.place, &format!("{path}.{}", entry.key), message);
        }
    }
}

/// The inputs of a map.
pub fn inputs(entries: &[Entry], path: &str, findings: &mut Findings) -> Vec<Input> {
    check_names(entries, path, findings);
    entries.iter().map(|entry| input(entry, &format!("{path}.{}", entry.key), findings)).collect()
}

fn input(entry: &Entry, path: &str, findings: &mut Findings) -> Input {
    let mut input = Input::named(&entry.key, &entry.place);
    match &entry.node.value {
        Value::Null => {}
        Value::Scalar(scalar) => input.value = Some(scalar.clone()),
        Value::List(_) => {
            findings.fail(&entry.place, path, "an input is one value, or a map with type and path");
        }
        Value::Map(_) => {
            let fields = Fields::of(&entry.node, path, findings);
            input.kind = kind(&fields, findings);
            input.is_inferred = input.kind.is_none();
            input.path = fields.text("path", findings);
            input.mode = mode(&fields, findings);
            input.value = scalar(&fields, "value").or_else(|| scalar(&fields, "default"));
            input.is_optional = fields.boolean("optional", findings).unwrap_or(false);
            input.minimum = fields.number("min", findings);
            input.maximum = fields.number("max", findings);
            input.choices = fields.texts("enum", findings);
            input.description = fields.text("description", findings);
            fields.finish(&WAYS, findings);
        }
    }
    if input.kind.is_none() {
        input.kind = seen(&input);
    }
    input
}

fn scalar(fields: &Fields<'_>, key: &'static str) -> Option<Scalar> {
    match &fields.node(key)?.value {
        Value::Scalar(scalar) => Some(scalar.clone()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// The type that a value has by its look.
fn seen(input: &Input) -> Option<String> {
    if input.path.is_some() {
        return Some("uri_folder".to_owned());
    }
    let kind = match input.value.as_ref()?.literal() {
        Literal::Boolean(_) => "boolean",
        Literal::Integer(_) => "integer",
        Literal::Decimal(_) => "number",
        Literal::Text(_) => "string",
    };
    Some(kind.to_owned())
}

/// The outputs of a map.
pub fn outputs(entries: &[Entry], path: &str, findings: &mut Findings) -> Vec<Output> {
    check_names(entries, path, findings);
    entries.iter().map(|entry| output(entry, &format!("{path}.{}", entry.key), findings)).collect()
}

fn output(entry: &Entry, path: &str, findings: &mut Findings) -> Output {
    let mut output = Output {
        name: entry.key.clone(),
        place: entry.place.clone(),
        kind: None,
        path: None,
        mode: None,
        asset: None,
        version: None,
        description: None,
    };
    match &entry.node.value {
        Value::Null => {}
        Value::Scalar(scalar) => output.path = Some(scalar.text.clone()),
        Value::List(_) => {
            findings.fail(&entry.place, path, "an output is a binding, or a map with type and path");
        }
        Value::Map(_) => {
            let fields = Fields::of(&entry.node, path, findings);
            output.kind = kind(&fields, findings);
            output.path = fields.text("path", findings);
            output.mode = mode(&fields, findings);
            output.asset = fields.text("name", findings);
            output.version = fields.text("version", findings);
            output.description = fields.text("description", findings);
            fields.finish(&WAYS, findings);
        }
    }
    output
}

/// A literal as an input of a step takes it: whole numbers as they are, all else as text.
pub fn literal(kind: &str, scalar: &Scalar) -> Result<Out, String> {
    let text = &scalar.text;
    match kind {
        "integer" => {
            let number = text.parse::<i64>().map_err(|_| format!("{text:?} is not a whole number"))?;
            Ok(number.into())
        }
        "number" => {
            number(text).map(|_| text.as_str().into()).ok_or_else(|| format!("{text:?} is not a number"))
        }
        "boolean" => match truth(text) {
            Some(truth) => Ok(truth.to_string().into()),
            None => Err(format!("{text:?} is neither true nor false")),
        },
        _ => fault(text).map_or_else(|| Ok(text.as_str().into()), Err),
    }
}

/// The value of an input of a pipeline that has no other.
pub fn default(kind: &str, scalar: &Scalar) -> Result<Out, String> {
    match (kind, truth(&scalar.text), number(&scalar.text)) {
        ("number", _, Some(number)) => Ok(number.into()),
        ("boolean", Some(truth), _) => Ok(truth.into()),
        _ => literal(kind, scalar),
    }
}

/// The part of an input that says which values it takes.
pub fn put_bounds(input: &Input, map: &mut Map) {
    map.put_some("minimum", input.minimum.clone());
    map.put_some("maximum", input.maximum.clone());
    map.put_some("enum", Some(input.choices.clone()).filter(|choices| !choices.is_empty()));
    map.put_some("description", input.description.as_deref());
}
