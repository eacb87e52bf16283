//! What a pipeline says that its schema could not see: defaults that no run would take, literals that leave their quotes, bindings
//! that lead nowhere, and optional inputs where a command needs a value.
//!
//! In: a pipeline. Out: everything that is wrong with it.

use super::after;
use super::bare::{self, Place};
use super::bodies::{automl_rules, databricks, raw, spark, sweep};
use super::ports;
use super::step_body::{Body, Own};
use crate::invalid::InvalidSpec;
use crate::{job, names};
use azureml_crds::MLPipeline;
use azureml_crds::literals;
use azureml_crds::ml_pipeline::Current;
use azureml_crds::step::{Step, StepData};
use azureml_crds::values::{InputMode, Literal, LiteralType};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes that all inputs together have as JSON: each run's status holds them once more.
const INPUTS: usize = 32 * 1024;

/// What is wrong with a pipeline. `nested` has those that stand in the place of steps; one that is not there is not judged.
pub(super) fn faults(pipeline: &MLPipeline, nested: &BTreeMap<String, Current>) -> Vec<InvalidSpec> {
    let ordered = match after::ordered(pipeline) {
        Ok(ordered) => ordered,
        Err(wrong) => return vec![wrong],
    };
    let pipeline = ordered.as_ref();
    let of_steps = pipeline.spec.steps.iter().flat_map(|step| of_step(pipeline, step, nested));
    size(pipeline)
        .into_iter()
        .chain(names(pipeline))
        .chain(defaults(pipeline, nested))
        .chain(of_steps)
        .collect()
}

/// What runs are given stays small.
fn size(pipeline: &MLPipeline) -> Option<InvalidSpec> {
    let bytes = serde_json::to_vec(&pipeline.spec.inputs).map_or(0, |text| text.len());
    (bytes > INPUTS).then(|| {
        let message = format!(
            "they have {bytes} bytes, and {INPUTS} are the most; shorten descriptions and lists of values"
        );
        InvalidSpec::new("inputs", message)
    })
}

/// The component of no step has a name that the operator generates for another pipeline.
fn names(pipeline: &MLPipeline) -> Option<InvalidSpec> {
    let base = pipeline.spec.azure_name.as_ref()?;
    let undated = names::without_date(base);
    let has_own = |step: &Step| matches!(Body::of(step), Ok(Body::Own(_)));
    let is_taken =
        |step: &&Step| has_own(step) && names::looks_generated(&names::step_component(undated, &step.name));
    let step = pipeline.spec.steps.iter().find(is_taken)?;
    let name = names::step_component(base, &step.name);
    let message = format!(
        "{name}, the component of a step, looks like a name that the operator generates; rename the step, or give another azureName"
    );
    Some(InvalidSpec::new("azureName", message))
}

/// What a run without values would send is what a run may send.
fn defaults(pipeline: &MLPipeline, nested: &BTreeMap<String, Current>) -> Vec<InvalidSpec> {
    let places = bare::inputs(pipeline, nested);
    let wrong = pipeline.spec.inputs.iter().filter_map(|(name, input)| {
        let wrong = job::own(name, input, places.get(name)).err()?;
        Some(InvalidSpec::new(wrong.field, wrong.message))
    });
    wrong.collect()
}

fn of_step(pipeline: &MLPipeline, step: &Step, nested: &BTreeMap<String, Current>) -> Vec<InvalidSpec> {
    let own = Body::of(step).and_then(|body| match body {
        Body::Own(own) => own.command(&step.name).map(|_| Some(own)),
        Body::Component(_) | Body::Pipeline(_) | Body::AutoMl(_) | Body::Raw(_) => Ok(None),
    });
    let own = match own {
        Ok(read) => read,
        Err(wrong) => return vec![wrong],
    };
    let places = bare::of_step(step, nested);
    let places = places.iter().map(|(name, place)| (name.as_str(), *place)).collect();
    let inputs = step.inputs.iter().filter_map(|(name, value)| {
        literal(step, name, value, &places).or_else(|| ports::input(pipeline, step, name, value).err())
    });
    let outputs = step.outputs.iter();
    let outputs = outputs.filter_map(|(name, output)| ports::output_type(pipeline, step, name, output).err());
    let of_command = own.into_iter().flat_map(|own| {
        // The table of a parallel step is no part of its command, and it needs one.
        let text = own.texts().join("\n");
        unknown(step, own).into_iter().chain(optional(pipeline, step, &text))
    });
    inputs
        .chain(outputs)
        .chain(of_command)
        .chain(addresses(step, &places))
        .chain(sweep::faults(step, &places))
        .chain(spark::faults(step))
        .chain(automl_rules::faults(pipeline, step))
        .chain(raw::faults(pipeline, step))
        .chain(databricks::faults(pipeline, step))
        .collect()
}

/// An address of data that a command sees as a text stays one word of it.
fn addresses(step: &Step, places: &BTreeMap<&str, Place>) -> Vec<InvalidSpec> {
    let is_text = |data: &StepData| step.spark.is_some() || data.mode == Some(InputMode::Direct);
    let of = |(name, data): (&String, &StepData)| {
        let place = places.get(name.as_str()).filter(|_| is_text(data))?;
        let fault = bare::fault(data.path.as_ref()?, *place)?;
        Some(InvalidSpec::new(format!("steps.{}.data.{name}", step.name), fault))
    };
    step.data.iter().filter_map(of).collect()
}

/// What a command or an argument uses is there. The rules of the definition look at the first uses only.
fn unknown(step: &Step, own: Own<'_>) -> Vec<InvalidSpec> {
    let texts = own.texts();
    let varied = step.sweep.iter().flat_map(|sweep| sweep.search_space.keys());
    let known: [(&str, Vec<&String>); 2] = [
        ("inputs", step.inputs.keys().chain(step.data.keys()).chain(varied).collect()),
        ("outputs", step.outputs.keys().collect()),
    ];
    let mut wrong = Vec::new();
    if texts.iter().any(|text| text.contains("${{ ") || text.contains("${{parent.")) {
        let message = "write ${{inputs.<input>}} and ${{outputs.<output>}} without blanks; ${{parent.…}} is for inputs and outputs of the step";
        wrong.push(InvalidSpec::new(format!("steps.{}", step.name), message));
    }
    for (place, known) in known {
        let beginning = format!("${{{{{place}.");
        let uses = texts.iter().flat_map(|text| text.split(&beginning).skip(1));
        let names = uses.filter_map(|rest| Some(rest.split_once("}}")?.0));
        let unknown: BTreeSet<&str> =
            names.filter(|name| !known.iter().any(|one| one.as_str() == *name)).collect();
        wrong.extend(unknown.into_iter().map(|name| {
            let message = format!(
                "it uses ${{{{{place}.{name}}}}}, which is not in the {place} of the step; add it there"
            );
            InvalidSpec::new(format!("steps.{}", step.name), message)
        }));
    }
    wrong
}

/// Every literal of a step stays one word of its command.
fn literal(step: &Step, name: &str, value: &Literal, places: &BTreeMap<&str, Place>) -> Option<InvalidSpec> {
    let wrong = |fault| InvalidSpec::new(format!("steps.{}.inputs.{name}", step.name), fault);
    if let Some(fault) = mistyped(value, step.input_types.get(name)) {
        return Some(wrong(fault));
    }
    let Literal::Text(text) = value else { return None };
    let is_binding = text.starts_with("${{") && text.ends_with("}}") && !text[3..].contains('$');
    if is_binding {
        return None;
    }
    let of_place = || places.get(name).and_then(|place| bare::fault(text, *place));
    let fault = literals::fault(text).or_else(of_place)?;
    Some(wrong(fault))
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
fn optional(pipeline: &MLPipeline, step: &Step, command: &str) -> Option<InvalidSpec> {
    let is_optional = |name: &str| match step.inputs.get(name) {
        Some(Literal::Text(text)) => {
            let from = text.strip_prefix("${{parent.inputs.").and_then(|rest| rest.strip_suffix("}}"));
            from.and_then(|from| pipeline.spec.inputs.get(from))
                .is_some_and(|input| input.optional == Some(true))
        }
        Some(Literal::Number(_)) | None => false,
    };
    let name = bare_inputs(command).find(|name| is_optional(name))?;
    Some(InvalidSpec::new(
        format!("steps.{}", step.name),
        format!(
            "the command uses {name}, an optional input, which may have no value; write it as $[[--{name} \
             ${{{{inputs.{name}}}}}]], or remove optional from the pipeline's input"
        ),
    ))
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
