//! Order without data. Azure ML orders the nodes of a pipeline by what they read, and by nothing else: a step that comes after another
//! reads the address of one of its outputs, and does nothing with it.
//!
//! In: a pipeline. Out: the same pipeline, in which the order is said by inputs and outputs, or what is wrong with an order.

use super::step_body::{Body, Own};
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::NOT_ABOVE;
use azureml_crds::step::{Step, StepOutput};
use azureml_crds::values::{InputMode, Literal};
use std::borrow::Cow;

/// The beginning of the inputs that are for the order alone.
const AFTER: &str = "after_";

/// The output of a step that has none.
const DONE: &str = "done";

/// The pipeline with its order said by data.
///
/// # Errors
/// When a step comes after one that is not above it, or one of the two cannot have an input or output for it.
pub(crate) fn ordered(pipeline: &MLPipeline) -> Result<Cow<'_, MLPipeline>, InvalidSpec> {
    if pipeline.spec.steps.iter().all(|step| step.after.is_empty()) {
        return Ok(Cow::Borrowed(pipeline));
    }
    let mut ordered = pipeline.clone();
    for step in &pipeline.spec.steps {
        for before in &step.after {
            let (output, value) = end(&mut ordered, step, before)?;
            let own = ordered.spec.steps.iter_mut().find(|one| one.name == step.name);
            if let Some(own) = own {
                begin(own, before, &output, value)?;
            }
        }
    }
    Ok(Cow::Owned(ordered))
}

/// The output of a step that another comes after: its first, else one of its own.
fn end(pipeline: &mut MLPipeline, step: &Step, before: &str) -> Result<(String, String), InvalidSpec> {
    let wrong =
        |words: &str| InvalidSpec::new(format!("steps.{}.after", step.name), format!("{before}: {words}"));
    let place = |name: &str| pipeline.spec.steps.iter().position(|one| one.name == name);
    match (place(before), place(&step.name)) {
        (None, _) => return Err(wrong("there is no such step")),
        (Some(before), Some(own)) if before >= own => return Err(wrong(NOT_ABOVE)),
        _ => {}
    }
    let found = pipeline.spec.steps.iter_mut().find(|one| one.name == before);
    let found = found.ok_or_else(|| wrong("there is no such step"))?;
    if found.outputs.is_empty() {
        if !matches!(Body::of(found), Ok(Body::Own(_))) {
            return Err(wrong(
                "it has no output that could be waited for; list one of its component under its outputs",
            ));
        }
        found.outputs.insert(DONE.to_owned(), StepOutput { r#type: None, path: None, mode: None });
    }
    let output = found.outputs.keys().next().cloned().unwrap_or_default();
    let value = format!("${{{{parent.jobs.{before}.outputs.{output}}}}}");
    Ok((output, value))
}

/// The input of a step that comes after another.
fn begin(step: &mut Step, before: &str, output: &str, value: String) -> Result<(), InvalidSpec> {
    let name = format!("{AFTER}{before}");
    let field = format!("steps.{}.after", step.name);
    match Body::of(step)? {
        Body::Own(Own::Command(_) | Own::Python(_) | Own::R(_) | Own::Spark(_) | Own::Databricks(..)) => {}
        Body::Own(Own::Parallel(_))
        | Body::Component(_)
        | Body::Pipeline(_)
        | Body::AutoMl(_)
        | Body::Raw(_) => {
            let message = format!(
                "{before}: the order is an input of a component, and this one is not the operator's; bind one of its inputs to \
                 {value}"
            );
            return Err(InvalidSpec::new(field, message));
        }
    }
    let is_read = step.inputs.values().any(|one| matches!(one, Literal::Text(text) if is_of(text, before)));
    if is_read {
        return Ok(());
    }
    if step.inputs.contains_key(&name) || step.data.contains_key(&name) {
        let message =
            format!("{before}: the step has an input {name} of its own, which waits for {output}; rename it");
        return Err(InvalidSpec::new(field, message));
    }
    // Its address alone: nothing is mounted.
    step.input_modes.insert(name.clone(), InputMode::Direct);
    step.inputs.insert(name, Literal::Text(value));
    Ok(())
}

/// Whether a value is an output of a step.
fn is_of(text: &str, step: &str) -> bool {
    text.strip_prefix("${{parent.jobs.")
        .and_then(|rest| rest.strip_prefix(step))
        .is_some_and(|rest| rest.starts_with('.'))
}
