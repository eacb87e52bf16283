//! The inputs and outputs of a step's component, typed by what is bound to them. A binding that leads nowhere is refused.
//!
//! In: a pipeline, a step. Out: types, or what is wrong with the binding.

use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{
    NO_SUCH_INPUT, NO_SUCH_OUTPUT, NO_SUCH_STEP_OUTPUT, NOT_A_BINDING, NOT_ABOVE,
};
use azureml_crds::step::{Step, StepOutput};
use azureml_crds::values::{Literal, OutputType};
use serde_json::{Map, Value, json};

const PARENT_INPUT: &str = "${{parent.inputs.";

pub(super) const PARENT_OUTPUT: &str = "${{parent.outputs.";

const PARENT_JOB: &str = "${{parent.jobs.";

pub(super) fn component_inputs(
    pipeline: &MLPipeline,
    step: &Step,
) -> Result<Map<String, Value>, InvalidSpec> {
    let typed = |(name, value): (&String, &Literal)| Ok((name.clone(), input(pipeline, step, name, value)?));
    let data = step.data.iter().map(|(name, data)| Ok((name.clone(), json!({"type": data.r#type.word()}))));
    step.inputs.iter().map(typed).chain(data).collect()
}

pub(super) fn component_outputs(
    pipeline: &MLPipeline,
    step: &Step,
) -> Result<Map<String, Value>, InvalidSpec> {
    let typed = |(name, output): (&String, &StepOutput)| {
        Ok((name.clone(), json!({"type": output_type(pipeline, step, name, output)?.word()})))
    };
    step.outputs.iter().map(typed).collect()
}

/// The type of a step's input: that of what is bound to it.
pub(super) fn input(
    pipeline: &MLPipeline,
    step: &Step,
    name: &str,
    value: &Literal,
) -> Result<Value, InvalidSpec> {
    if let Some(said) = step.input_types.get(name) {
        return Ok(json!({"type": said.word()}));
    }
    let text = match value {
        Literal::Number(_) => return Ok(json!({"type": "integer"})),
        Literal::Text(text) => text,
    };
    if !text.starts_with("${{") {
        return Ok(json!({"type": "string"}));
    }
    bound(pipeline, step, &format!("inputs.{name}"), text)
}

/// What is bound to a field of a step: its type, and whether it may be absent.
pub(super) fn bound(
    pipeline: &MLPipeline,
    step: &Step,
    field: &str,
    text: &str,
) -> Result<Value, InvalidSpec> {
    let wrong =
        |words: &str| InvalidSpec::new(format!("steps.{}.{field}", step.name), format!("{words}: {text}"));
    if let Some(of_pipeline) = inner(text, PARENT_INPUT) {
        let input = pipeline.spec.inputs.get(of_pipeline).ok_or_else(|| wrong(NO_SUCH_INPUT))?;
        return Ok(match input.optional {
            Some(true) => json!({"type": input.r#type.word(), "optional": true}),
            _ => json!({"type": input.r#type.word()}),
        });
    }
    let bound = inner(text, PARENT_JOB).and_then(|rest| rest.split_once(".outputs."));
    let (from, output) = bound.ok_or_else(|| wrong(NOT_A_BINDING))?;
    let place = |name: &str| pipeline.spec.steps.iter().position(|one| one.name == name);
    let used = place(from).and_then(|place| Some((place, pipeline.spec.steps.get(place)?)));
    let found = used.and_then(|(place, used)| Some((place, used, used.outputs.get(output)?)));
    let (used_place, used, found) = found.ok_or_else(|| wrong(NO_SUCH_STEP_OUTPUT))?;
    if place(&step.name).is_some_and(|own| used_place >= own) {
        return Err(wrong(NOT_ABOVE));
    }
    Ok(json!({"type": output_type(pipeline, used, output, found)?.word()}))
}

/// The type of a step's output: its own, else that of the pipeline's output it is bound to, else a folder.
pub(super) fn output_type(
    pipeline: &MLPipeline,
    step: &Step,
    name: &str,
    output: &StepOutput,
) -> Result<OutputType, InvalidSpec> {
    let StepOutput { r#type, path, mode: _ } = output;
    let Some(path) = path.as_ref().filter(|path| path.starts_with("${{")) else {
        return Ok(r#type.unwrap_or(OutputType::UriFolder));
    };
    let parent = inner(path, PARENT_OUTPUT).and_then(|name| pipeline.spec.outputs.get(name));
    let parent = parent.ok_or_else(|| {
        let field = format!("steps.{}.outputs.{name}.path", step.name);
        InvalidSpec::new(field, format!("{NO_SUCH_OUTPUT}: {path}"))
    })?;
    Ok(r#type.unwrap_or(parent.kind()))
}

/// What stands between a beginning and `}}`.
fn inner<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    text.strip_prefix(beginning)?.strip_suffix("}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_binding_that_leads_nowhere_is_refused_where_it_stands() {
        let spec = json!({
            "workspaceRef": {"name": "a"}, "inputs": {"x": {"type": "uri_file"}},
            "steps": [
                {"name": "a", "command": "x", "outputs": {"o": {"type": "uri_file"}, "n": {"path": "${{parent.outputs.none}}"}}},
                {"name": "b", "command": "x", "inputs": {
                    "good": "${{parent.jobs.a.outputs.o}}", "whole": "${{parent.inputs.x}}",
                    "input": "${{parent.inputs.y}}", "output": "${{parent.jobs.a.outputs.p}}",
                    "own": "${{parent.jobs.b.outputs.o}}", "step": "${{parent.jobs.c.outputs.o}}",
                    "shape": "${{parent.jobs.a}}",
                }, "outputs": {"o": {}}},
            ],
        });
        let pipeline = MLPipeline::new("p", serde_json::from_value(spec).unwrap());
        let faults = super::super::check(&pipeline, &BTreeMap::new());
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let of_b = |name: &str, words: &str, text: &str| {
            format!("steps.b.inputs.{name}: {words}: ${{{{parent.{text}}}}}")
        };
        assert_eq!(
            said,
            [
                format!("steps.a.outputs.n.path: {NO_SUCH_OUTPUT}: ${{{{parent.outputs.none}}}}"),
                of_b("input", NO_SUCH_INPUT, "inputs.y"),
                of_b("output", NO_SUCH_STEP_OUTPUT, "jobs.a.outputs.p"),
                of_b("own", NOT_ABOVE, "jobs.b.outputs.o"),
                of_b("shape", NOT_A_BINDING, "jobs.a"),
                of_b("step", NO_SUCH_STEP_OUTPUT, "jobs.c.outputs.o"),
            ]
        );
    }
}
