//! The inputs and outputs of a step's component, typed by what is bound to them.

use azureml_crds::MLPipeline;
use azureml_crds::step::Step;
use azureml_crds::values::{Literal, Output, OutputType};
use serde_json::{Map, Value, json};

const PARENT_INPUT: &str = "${{parent.inputs.";

pub(super) const PARENT_OUTPUT: &str = "${{parent.outputs.";

const PARENT_JOB: &str = "${{parent.jobs.";

/// What the inputs of a step are bound to.
enum Bound<'a> {
    Input(&'a str),
    Output(&'a str, &'a str),
    Literal,
}

fn bound(value: &Literal) -> Bound<'_> {
    let Literal::Text(text) = value else { return Bound::Literal };
    let inner = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix("}}"));
    if let Some(input) = inner(PARENT_INPUT) {
        return Bound::Input(input);
    }
    match inner(PARENT_JOB).and_then(|rest| rest.split_once(".outputs.")) {
        Some((step, output)) => Bound::Output(step, output),
        None => Bound::Literal,
    }
}

pub(super) fn component_inputs(pipeline: &MLPipeline, step: &Step) -> Map<String, Value> {
    let of = |value: &Literal| match (bound(value), value) {
        (Bound::Input(name), _) => pipeline.spec.inputs.get(name).map_or_else(
            || json!({"type": "string"}),
            |input| match input.optional {
                Some(true) => json!({"type": input.r#type.word(), "optional": true}),
                _ => json!({"type": input.r#type.word()}),
            },
        ),
        (Bound::Output(from, output), _) => json!({"type": output_type(pipeline, from, output).word()}),
        (Bound::Literal, Literal::Number(_)) => json!({"type": "integer"}),
        (Bound::Literal, Literal::Text(_)) => json!({"type": "string"}),
    };
    let typed = |name: &String, value| {
        step.input_types.get(name).map_or_else(|| of(value), |said| json!({"type": said.word()}))
    };
    let literals = step.inputs.iter().map(|(name, value)| (name.clone(), typed(name, value)));
    let data = step.data.iter().map(|(name, data)| (name.clone(), json!({"type": data.r#type.word()})));
    literals.chain(data).collect()
}

pub(super) fn component_outputs(pipeline: &MLPipeline, step: &Step) -> Map<String, Value> {
    step.outputs
        .keys()
        .map(|name| (name.clone(), json!({"type": output_type(pipeline, &step.name, name).word()})))
        .collect()
}

/// The type of a step's output: its own, else that of the pipeline's output it is bound to, else a folder.
pub(super) fn output_type(pipeline: &MLPipeline, step: &str, output: &str) -> OutputType {
    let found =
        pipeline.spec.steps.iter().find(|one| one.name == step).and_then(|step| step.outputs.get(output));
    let parent = |path: &String| {
        let name = path.strip_prefix(PARENT_OUTPUT)?.strip_suffix("}}")?;
        pipeline.spec.outputs.get(name).map(Output::kind)
    };
    found
        .and_then(|found| found.r#type.or_else(|| found.path.as_ref().and_then(parent)))
        .unwrap_or(OutputType::UriFolder)
}
