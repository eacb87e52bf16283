//! What runs in a step: a command, or one of the bodies that follow the CLI's schema.
//!
//! In: the layers of a job. Out: the field of the body. A body reads its own keys only.

use super::bindings::{named, without_blanks, without_groups};
use super::context::Context;
use super::environment;
use super::fields::Fields;
use super::layers::{Layers, peek};
use super::out::{Map, Out};
use super::running::spelled;
use super::values::Values;

/// Puts the body of a kind into a step.
pub fn put(ctx: &mut Context<'_>, step: &mut Map, kind: &str, layers: &Layers<'_>, values: &Values) {
    match kind {
        "sweep" => sweep(ctx, step, layers, values),
        "spark" => step.put("spark", spark(layers)),
        "parallel" => parallel(ctx, step, layers),
        // A search has a file of its own.
        "automl" => {}
        _ => step.put_some("command", command(ctx, layers, values)),
    }
}

/// Keys of a body, and whether the first level below is names of the user's.
type Keys = [(&'static str, bool)];

const SWEEP: [(&str, bool); 5] = [
    ("sampling_algorithm", false),
    ("search_space", true),
    ("objective", false),
    ("early_termination", false),
    ("limits", false),
];
const SPARK: [(&str, bool); 16] = [
    ("entry", false),
    ("args", false),
    ("conf", true),
    ("jars", false),
    ("py_files", false),
    ("files", false),
    ("archives", false),
    ("resources", false),
    ("driver_cores", false),
    ("driver_memory", false),
    ("executor_cores", false),
    ("executor_memory", false),
    ("executor_instances", false),
    ("dynamic_allocation_enabled", false),
    ("dynamic_allocation_min_executors", false),
    ("dynamic_allocation_max_executors", false),
];
const PARALLEL: [(&str, bool); 10] = [
    ("input_data", false),
    ("mini_batch_size", false),
    ("mini_batch_error_threshold", false),
    ("error_threshold", false),
    ("max_concurrency_per_instance", false),
    ("partition_keys", false),
    ("logging_level", false),
    ("retry_settings", false),
    ("progress_update_timeout", false),
    ("first_task_creation_timeout", false),
];
/// A sweep stands beside the command of its trials. Its times have units here, and the time of all trials is the step's.
fn sweep(ctx: &mut Context<'_>, step: &mut Map, layers: &Layers<'_>, values: &Values) {
    step.put_some("command", command(ctx, layers, values));
    let mut body = typed(layers, &SWEEP);
    if let Some(Out::Text(kind)) = body.get("samplingAlgorithm").cloned() {
        body.set("samplingAlgorithm", Map::new().with("type", kind));
    }
    if let Some(Out::Map(mut limits)) = body.get("limits").cloned() {
        step.put_some("timeout", limits.take("timeout").map(seconds));
        if let Some(trial) = limits.take("trialTimeout") {
            limits.put("trialTimeout", seconds(trial));
        }
        body.set("limits", limits);
    }
    step.put("sweep", body);
}

/// A number of seconds as a duration.
fn seconds(value: Out) -> Out {
    if let Out::Number(number) = &value { Out::Text(format!("{number}s")) } else { value }
}

/// A Spark program; the size of its nodes is its compute's.
fn spark(layers: &Layers<'_>) -> Map {
    let mut body = typed(layers, &SPARK);
    if let Some(Out::Map(mut resources)) = body.take("resources") {
        body.put_some("runtimeVersion", resources.take("runtimeVersion"));
    }
    body
}

fn typed(layers: &Layers<'_>, keys: &Keys) -> Map {
    let mut body = Map::new();
    for (key, is_named) in keys {
        if let Some((node, _)) = layers.node(key) {
            body.put(&super::running::camel(key), spelled(node, *is_named));
        }
    }
    body
}

/// The line of a command, with what it names checked.
fn command(ctx: &mut Context<'_>, layers: &Layers<'_>, values: &Values) -> Option<String> {
    let Some(text) = layers.text("command", &mut ctx.findings) else {
        ctx.findings.fail(
            layers.job.place,
            &layers.job.path("command"),
            "the step has no command; write one",
        );
        return None;
    };
    let (place, key) = (layers.place("command"), layers.of("command").path("command"));
    let absent: Vec<&str> = values.absent.iter().map(String::as_str).collect();
    let shorter = without_groups(&without_blanks(text.trim_end()), &absent);
    if !absent.is_empty() && shorter != text.trim_end() {
        let message =
            format!("the job gives no {}, so what names it in $[[ ]] is left out", absent.join(", "));
        ctx.findings.note(place, &key, &message);
    }
    let tried = layers.node("search_space").map(|(node, _)| node);
    let is_tried = |name: &str| tried.is_some_and(|tried| peek(tried, name).is_some());
    // The values that are tried are inputs of the trial.
    let shorter = shorter.replace("${{search_space.", "${{inputs.");
    for name in named(&shorter) {
        let is_there = match name.split_once('.') {
            Some(("inputs", input)) => {
                values.inputs.get(input).or(values.data.get(input)).is_some() || is_tried(input)
            }
            Some(("outputs", output)) => values.outputs.get(output).is_some(),
            _ => false,
        };
        if !is_there {
            let message = format!(
                "${{{{{name}}}}} is neither an input with a value nor an output of the step; add it, or remove it"
            );
            ctx.findings.fail(place, &key, &message);
        }
    }
    Some(shorter)
}

/// A parallel job says code and environment at its task; here they are the step's.
fn parallel(ctx: &mut Context<'_>, step: &mut Map, layers: &Layers<'_>) {
    let mut body = typed(layers, &PARALLEL);
    let mut below = Map::new();
    if let Some((node, key)) = layers.node("task") {
        let fields = Fields::of(node, &key, &mut ctx.findings);
        let mut task = Map::new();
        if fields.text("type", &mut ctx.findings).is_some_and(|kind| kind != "run_function") {
            let message =
                "a parallel step calls a function here (run_function); write a component for the rest";
            ctx.findings.refuse(fields.place_of("type"), &fields.path("type"), message);
        }
        for key in ["entry_script", "program_arguments", "append_row_to", "model"] {
            task.put_some(&super::running::camel(key), fields.text(key, &mut ctx.findings));
        }
        body.put("task", task);
        if let Some(node) = fields.node("code") {
            let text = fields.text("code", &mut ctx.findings).unwrap_or_default();
            let source = super::code::source(ctx, &text, &node.place, &fields.path("code"));
            below.put_some("code", source.map(super::code::Source::out));
        }
        if let Some(node) = fields.node("environment") {
            below.put_some("environment", environment::reference(ctx, node, &fields.path("environment")));
        }
        fields.finish(&[], &mut ctx.findings);
    }
    step.put("parallel", body);
    step.put_some("code", below.get("code").cloned());
    step.put_some("environment", below.get("environment").cloned());
}
