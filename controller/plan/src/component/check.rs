//! What a pipeline says that its schema could not see: defaults that no run would take, literals that leave their quotes, and
//! optional inputs where a command needs a value.
//!
//! In: a pipeline, a step, its command line. Out: nothing, or what is wrong.

use super::bare;
use super::step_body::Body;
use crate::invalid::InvalidSpec;
use crate::{job, names};
use azureml_crds::literals;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::step::Step;
use azureml_crds::values::{Literal, LiteralType};
use azureml_crds::{MLPipeline, step};
use std::collections::BTreeMap;

/// The most bytes that all inputs together have as JSON: each run's status holds them once more.
const INPUTS: usize = 32 * 1024;

/// What runs are given stays small.
pub(super) fn size(pipeline: &MLPipeline) -> Result<(), InvalidSpec> {
    let bytes = serde_json::to_vec(&pipeline.spec.inputs).map_or(0, |text| text.len());
    if bytes <= INPUTS {
        return Ok(());
    }
    let message = format!(
        "they have {bytes} bytes, and {INPUTS} are the most; shorten descriptions and lists of values"
    );
    Err(InvalidSpec::new("inputs", message))
}

/// The component of no step has a name that the operator generates for another pipeline.
pub(super) fn names(pipeline: &MLPipeline) -> Result<(), InvalidSpec> {
    let Some(base) = &pipeline.spec.azure_name else { return Ok(()) };
    let undated = names::without_date(base);
    let has_own = |step: &Step| matches!(Body::of(step), Ok(Body::Own(_)));
    let is_taken =
        |step: &&Step| has_own(step) && names::looks_generated(&names::step_component(undated, &step.name));
    match pipeline.spec.steps.iter().find(is_taken) {
        None => Ok(()),
        Some(step) => {
            let name = names::step_component(base, &step.name);
            let message = format!(
                "{name}, the component of a step, looks like a name that the operator generates; rename the step, or give another azureName"
            );
            Err(InvalidSpec::new("azureName", message))
        }
    }
}

/// What a run without values would send is what a run may send.
pub(super) fn defaults(pipeline: &MLPipeline, nested: &BTreeMap<String, Current>) -> Result<(), InvalidSpec> {
    let places = bare::inputs(pipeline, nested);
    pipeline.spec.inputs.iter().try_for_each(|(name, input)| {
        let own = job::own(name, input, places.get(name));
        own.map_err(|wrong| InvalidSpec::new(wrong.field, wrong.message))
    })
}

/// Every literal of a step stays one word of its command.
pub(super) fn literals(step: &Step) -> Result<(), InvalidSpec> {
    let is_binding = |text: &str| text.starts_with("${{") && text.ends_with("}}") && !text[3..].contains('$');
    let places = bare::places(match Body::of(step)? {
        Body::Own(own) => own.written(),
        Body::Component(_) | Body::Pipeline(_) => "",
    });
    for (name, value) in &step.inputs {
        if let Some(fault) = mistyped(value, step.input_types.get(name)) {
            return Err(InvalidSpec::new(format!("steps.{}.inputs.{name}", step.name), fault));
        }
        let Literal::Text(text) = value else { continue };
        let fault = || {
            let of_place = || places.get(name.as_str()).and_then(|place| bare::fault(text, *place));
            literals::fault(text).or_else(of_place)
        };
        if let Some(fault) = fault().filter(|_| !is_binding(text)) {
            return Err(InvalidSpec::new(format!("steps.{}.inputs.{name}", step.name), fault));
        }
    }
    Ok(())
}

/// What is wrong with a literal of a type that the step says; nothing where it is bound.
fn mistyped(value: &Literal, r#type: Option<&LiteralType>) -> Option<String> {
    let text = match value {
        Literal::Number(number) => number.to_string(),
        Literal::Text(text) if text.starts_with("${{") => {
            return r#type.map(|_| {
                "it is bound and has the type of what it is bound to; remove its inputTypes".to_owned()
            });
        }
        Literal::Text(text) => text.clone(),
    };
    let (is_one, words) = match r#type? {
        LiteralType::String => (matches!(value, Literal::Text(_)), "text in quotes"),
        LiteralType::Integer => (text.parse::<i128>().is_ok(), "a whole number"),
        LiteralType::Number => (text.parse::<f64>().is_ok_and(f64::is_finite), "a number, such as \"0.5\""),
        LiteralType::Boolean => (["true", "false"].contains(&text.as_str()), "\"true\" or \"false\""),
    };
    (!is_one).then(|| format!("inputTypes says another type than {text:?} has; write {words}"))
}

/// An optional input may have no value, so a command uses it inside of `$[[ ]]` only.
pub(super) fn optional(pipeline: &MLPipeline, step: &step::Step, command: &str) -> Result<(), InvalidSpec> {
    let is_optional = |name: &str| match step.inputs.get(name) {
        Some(Literal::Text(text)) => {
            let from = text.strip_prefix("${{parent.inputs.").and_then(|rest| rest.strip_suffix("}}"));
            from.and_then(|from| pipeline.spec.inputs.get(from))
                .is_some_and(|input| input.optional == Some(true))
        }
        Some(Literal::Number(_)) | None => false,
    };
    match bare_inputs(command).find(|name| is_optional(name)) {
        None => Ok(()),
        Some(name) => Err(InvalidSpec::new(
            format!("steps.{}", step.name),
            format!(
                "the command uses {name}, an optional input, which may have no value; write it as $[[--{name} \
                 ${{{{inputs.{name}}}}}]], or remove optional from the pipeline's input"
            ),
        )),
    }
}

/// The inputs that a command uses outside of its optional groups.
fn bare_inputs(command: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(command);
    let outside = std::iter::from_fn(move || {
        let (before, group) = match rest?.split_once("$[[") {
            Some((before, group)) => (before, Some(group)),
            None => (rest?, None),
        };
        rest = group.and_then(|group| group.split_once("]]")).map(|(_, after)| after);
        Some(before)
    });
    outside
        .flat_map(|text| text.split("${{inputs.").skip(1))
        .filter_map(|text| Some(text.split_once("}}")?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_found_outside_of_groups() {
        for (command, bare) in [
            ("x ${{inputs.a}} $[[--b ${{inputs.b}}]] ${{inputs.c}}", vec!["a", "c"]),
            ("x $[[--b ${{inputs.b}} --c ${{inputs.c}}]]", vec![]),
            ("if [[ -n x ]]; then y $[[${{inputs.b}}]]; fi; z '${{inputs.d}}'", vec!["d"]),
            ("x $[[--b ${{inputs.b}}", vec![]),
        ] {
            assert_eq!(bare_inputs(command).collect::<Vec<_>>(), bare, "{command}");
        }
    }
}
