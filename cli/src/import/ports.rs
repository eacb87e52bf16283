//! Inputs and outputs: of components, as a pipeline around them passes them on, and of jobs, as they are given.
//!
//! In: the maps of a component or a job as Azure shows them. Out: the maps of an MLPipeline and its step.

use super::draft::Draft;
use super::literal::{seen, text, typed};
use super::secret::has_secret;
use super::shown::{said, truth};
use crate::convert::out::{Map, Out};
use crate::convert::ports::is_data;
use serde_json::{Value, json};

/// What a pipeline of one step passes on.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// `inputs` of the pipeline.
    pub inputs: Map,
    /// `outputs` of the pipeline.
    pub outputs: Map,
    /// `inputs` of the step.
    pub bound_inputs: Map,
    /// `outputs` of the step.
    pub bound_outputs: Map,
}

/// The fields of a map, none where there is none.
pub fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The default of an input of a component, where it has one that an MLPipeline can say.
fn default(input: &Value) -> Option<Result<Out, String>> {
    Some(typed(said(&input["type"]).unwrap_or("string"), &text(&input["default"])?))
}

/// The inputs of a component that [`passed`] leaves out: their own default is none that an MLPipeline can say.
pub fn dropped(component: &Value) -> impl Iterator<Item = &String> {
    let is_dropped = |input: &Value| default(input).is_some_and(|value| value.is_err());
    fields(&component["inputs"]).filter(move |(_, input)| is_dropped(input)).map(|(name, _)| name)
}

/// Everything that a component takes and gives, passed on, with what a job says of it.
///
/// # Errors
/// When an address of the job cannot stand in a manifest, with the reason.
pub fn passed(
    draft: &Draft<'_>,
    component: &Value,
    job: &Value,
    notes: &mut Vec<String>,
) -> Result<Passed, String> {
    let mut all = Passed::default();
    let written = written(draft, job)?;
    for (name, input) in fields(&component["inputs"]) {
        let kind = said(&input["type"]).unwrap_or("string");
        let mut own = Map::new().with("type", kind);
        match default(input) {
            Some(Err(why)) => {
                notes.push(format!("The component's own default of its input {name} is in force: {why}."));
                continue;
            }
            Some(Ok(value)) => own.put("default", value),
            None => own.put_some("optional", truth(&input["optional"]).then_some(true)),
        }
        own.put_some("mode", said(&job["inputs"][name]["mode"]).filter(|_| is_data(kind)));
        own.put_some("description", said(&input["description"]));
        all.inputs.put(name, own);
        all.bound_inputs.put(name, format!("${{{{parent.inputs.{name}}}}}"));
    }
    for (name, output) in fields(&component["outputs"]) {
        let kind = said(&output["type"]).filter(|kind| *kind != "uri_folder");
        let mut own = Map::new();
        own.put_some("type", kind);
        if let Some(Out::Map(given)) = written.get(name) {
            let given =
                given.clone().into_iter().filter(|(key, _)| !["type", "description"].contains(&key.as_str()));
            own.extend(given.collect());
        }
        own.put_some("description", said(&output["description"]));
        all.outputs.put(name, own);
        let mut bound = Map::new();
        bound.put_some("type", kind);
        bound.put("path", format!("${{{{parent.outputs.{name}}}}}"));
        all.bound_outputs.put(name, bound);
    }
    Ok(all)
}

/// The types of literals that jobs give, as the inputs of a component have them: where two jobs differ, a text.
#[must_use]
pub fn types(jobs: &[&Value]) -> Value {
    let mut types = json!({});
    for (name, input) in jobs.iter().flat_map(|job| fields(&job["inputs"])) {
        let Some(text) = text(&input["value"]) else { continue };
        let (known, kind) = (types[name]["type"].take(), seen(&text));
        types[name]["type"] = if known.is_null() || known == kind { kind } else { "string" }.into();
    }
    types
}

/// The type of a literal: the one that is known, else the one that its look says.
fn kind_of<'a>(types: &'a Value, name: &str, text: &str) -> &'a str {
    said(&types[name]["type"]).filter(|kind| !is_data(kind)).unwrap_or_else(|| seen(text))
}

/// The inputs of a job, as a pipeline has them: the job's values are what a run reads that gives none. Their types are those of [`types`].
///
/// # Errors
/// When a value cannot stand in a manifest, with the reason.
pub fn given(draft: &Draft<'_>, job: &Value, types: &Value) -> Result<Map, String> {
    let mut inputs = Map::new();
    for (name, input) in fields(&job["inputs"]) {
        let kind = said(&input["jobInputType"]).unwrap_or("literal").to_ascii_lowercase();
        let mut own = Map::new();
        if is_data(&kind) {
            own.put("type", kind.as_str());
            own.put_some("path", address(draft, name, &input["uri"])?);
            own.put_some("mode", said(&input["mode"]));
        } else {
            let value = text(&input["value"]).ok_or_else(|| format!("its input {name} has no value"))?;
            let kind = kind_of(types, name, &value);
            own.put("type", kind);
            if is_of_the_firing(&value) {
                inputs.put(name, own);
                continue;
            }
            own.put("default", typed(kind, &value).map_err(|why| format!("its input {name}: {why}"))?);
        }
        own.put_some("description", said(&input["description"]));
        inputs.put(name, own);
    }
    Ok(inputs)
}

/// The outputs of a job, as a pipeline has them.
///
/// # Errors
/// When an address cannot stand in a manifest, with the reason.
pub fn written(draft: &Draft<'_>, job: &Value) -> Result<Map, String> {
    let mut outputs = Map::new();
    for (name, output) in fields(&job["outputs"]) {
        let mut own = Map::new();
        let kind = said(&output["jobOutputType"]).map(str::to_ascii_lowercase);
        own.put_some("type", kind.filter(|kind| kind != "uri_folder"));
        own.put_some("name", said(&output["assetName"]));
        own.put_some("version", said(&output["assetVersion"]));
        own.put_some("path", address(draft, name, &output["uri"])?);
        own.put_some("mode", said(&output["mode"]));
        own.put_some("description", said(&output["description"]));
        outputs.put(name, own);
    }
    Ok(outputs)
}

/// The values that a schedule gives to a pipeline which exists, by the types of its inputs.
///
/// # Errors
/// When a value cannot stand in a manifest, with the reason.
pub fn values(draft: &Draft<'_>, job: &Value, types: &Value) -> Result<Map, String> {
    let mut values = Map::new();
    for (name, input) in fields(&job["inputs"]) {
        if let Some(address) = address(draft, name, &input["uri"])? {
            values.put(name, address);
        } else if let Some(value) = text(&input["value"]) {
            // What the type does not take is refused with its reason by the kind.
            let own = typed(kind_of(types, name, &value), &value).unwrap_or_else(|_| value.as_str().into());
            values.put(name, own);
        }
    }
    Ok(values)
}

/// Whether a value is known at a firing alone: only a schedule gives it.
#[must_use]
pub fn is_of_the_firing(text: &str) -> bool {
    text.contains("${{creation_context.trigger_time")
}

/// An address of data; an asset of this workspace by its name.
///
/// # Errors
/// When it carries a secret.
pub fn address(draft: &Draft<'_>, name: &str, uri: &Value) -> Result<Option<String>, String> {
    let Some(uri) = said(uri) else { return Ok(None) };
    if has_secret(uri) {
        return Err(format!(
            "the address of {name} has a signature, a password or a token, which belongs into no file"
        ));
    }
    Ok(Some(if uri.contains("/data/") { draft.reference(uri) } else { super::data::short(draft, uri) }))
}
