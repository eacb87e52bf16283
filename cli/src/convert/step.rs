//! A job of a pipeline becomes a step.
//!
//! In: a job, and what steps share. Out: the step in the order of its definition. Adds to the pipeline's ports what it learns.

use super::automl;
use super::bindings::{Binding, whole};
use super::bodies;
use super::code;
use super::compute;
use super::context::Context;
use super::environment;
use super::fields::Fields;
use super::frame::Frame;
use super::job::{Body, Job};
use super::layers::Layers;
use super::out::{Map, Out};
use super::running;
use super::values::{self, Values};

/// Ways out for keys of a job.
const WAYS: [(&str, &str); 13] = [
    ("tags", "write it as a tag of the pipeline"),
    ("experiment_name", "write it at the pipeline"),
    ("additional_includes", "put the files into the folder of code"),
    ("schedule", "write an MLSchedule"),
    ("queue_settings", "serverless compute chooses its nodes"),
    ("parent_job_name", "runs are made by an MLRun"),
    ("jobs", "name the file of a pipeline component"),
    ("description", "the component says it"),
    ("is_deterministic", "the component says it"),
    ("environment", "the component says it"),
    ("code", "the component says it"),
    ("compute", "write it in the pipeline component"),
    ("properties", "write it as a tag of the pipeline"),
];

/// Makes a step of a job.
pub fn step(ctx: &mut Context<'_>, frame: &mut Frame, job: &Job) -> Map {
    let path = format!("jobs.{}", job.key);
    let layers = Layers {
        job: Fields::of(&job.node, &path, &mut ctx.findings),
        component: job.component.as_ref().map(|node| Fields::of(node, "", &mut ctx.findings)),
    };
    for key in ["type", "component", "inputs", "outputs"] {
        let _ = layers.of(key);
    }
    if matches!(job.body, Body::Here("sweep")) {
        let _ = layers.of("trial");
    }
    let values = values::values(ctx, frame, job, &layers);
    let mut step = Map::new();
    let is_renamed = job.name != job.key;
    let name = Out::from(job.name.as_str());
    step.put("name", if is_renamed { name.noted(&format!("{} in the file", job.key)) } else { name });
    step.put_some("displayName", layers.text("display_name", &mut ctx.findings));
    match &job.body {
        Body::Here(kind) => {
            step.put_some("description", layers.text("description", &mut ctx.findings));
            if *kind == "automl" {
                step.put("automl", automl::automl(ctx, frame, &job.name, &layers));
            }
            bodies::put(ctx, &mut step, kind, &layers, &values);
            files_and_image(ctx, &mut step, &layers, kind);
        }
        Body::Component(text) => step.put("component", text.as_str()),
        Body::Pipeline(fields) => step.put("pipeline", fields.clone()),
    }
    // A pipeline says itself how its steps run.
    let is_pipeline = matches!(job.body, Body::Pipeline(_));
    let resources = if is_pipeline { Map::new() } else { on_what(ctx, &mut step, frame, job, &layers) };
    put_ports(&mut step, values);
    if !is_pipeline {
        how(ctx, &mut step, frame, (job, &layers), resources);
    }
    if let Some(component) = &layers.component {
        component.named_by_content(&mut ctx.findings);
    }
    layers.finish(&WAYS, &mut ctx.findings);
    step
}

fn files_and_image(ctx: &mut Context<'_>, step: &mut Map, layers: &Layers<'_>, kind: &str) {
    // A parallel step says them at its task.
    if let Some((node, key)) = layers.node("code") {
        let text = super::fields::text(node, &key, &mut ctx.findings);
        let source = text.and_then(|text| code::source(ctx, &text, &node.place, &key));
        step.put_some("code", source.map(code::Source::out));
    }
    match layers.node("environment") {
        Some((node, key)) => step.put_some("environment", environment::reference(ctx, node, &key)),
        None if kind == "command" || kind == "sweep" => {
            ctx.findings.fail(
                layers.job.place,
                &layers.job.path("environment"),
                "the step has no environment; name one",
            );
        }
        None => {}
    }
}

fn put_ports(step: &mut Map, values: Values) {
    step.put_full("inputs", values.inputs);
    step.put_full("inputTypes", values.types);
    step.put_full("inputModes", values.modes);
    step.put_full("data", values.data);
    step.put_full("outputs", values.outputs);
}

/// How it runs, whatever runs.
fn how(
    ctx: &mut Context<'_>,
    step: &mut Map,
    frame: &Frame,
    (job, layers): (&Job, &Layers<'_>),
    resources: Map,
) {
    if let Some((node, key)) = layers.node("environment_variables") {
        step.put_full("environmentVariables", running::variables(ctx, node, &key));
    }
    step.put_full("resources", resources);
    if let Some((node, key)) = layers.node("distribution") {
        step.put_some("distribution", running::distribution(ctx, node, &key));
    }
    let identity = layers.node("identity").and_then(|(node, key)| running::identity(ctx, node, &key));
    // Trials of a sweep have no identity of their own.
    let is_sweep = matches!(job.body, Body::Here("sweep"));
    step.put_some("identity", identity.or_else(|| frame.identity.clone().filter(|_| !is_sweep)));
    if is_sweep && frame.identity.is_some() {
        let message =
            "trials of a sweep run as their compute does: the identity of the pipeline is not theirs";
        ctx.findings.note(layers.job.place, &layers.job.path("identity"), message);
    }
    if let Some((node, key)) = layers.node("services") {
        step.put_full("services", running::services(ctx, node, &key));
    }
    if matches!(job.body, Body::Here("command" | "spark"))
        && let Some((node, key)) = layers.node("limits")
    {
        step.put_some("timeout", running::timeout(ctx, node, &key));
    }
    if matches!(job.body, Body::Here(_)) {
        let is_same = layers.of("is_deterministic").boolean("is_deterministic", &mut ctx.findings);
        step.put_some("deterministic", is_same.filter(|same| !same));
    }
}

/// The compute, and the resources that are no part of it. The size of a node belongs to serverless compute.
fn on_what(ctx: &mut Context<'_>, step: &mut Map, frame: &Frame, job: &Job, layers: &Layers<'_>) -> Map {
    let is_spark = matches!(job.body, Body::Here("spark"));
    let compute = cluster(ctx, frame, layers);
    if is_spark && let Some((node, key)) = layers.node("resources") {
        // A Spark job without a compute says the size of its nodes. What they run is in its body.
        let fields = Fields::of(node, &key, &mut ctx.findings);
        let _ = fields.entry("runtime_version");
        let size = fields.text("instance_type", &mut ctx.findings);
        if size.is_some() && compute.is_some() {
            let message = "the nodes of a pool have its size; remove this, or the compute";
            ctx.findings.refuse(fields.place_of("instance_type"), &fields.path("instance_type"), message);
        }
        fields.finish(&[], &mut ctx.findings);
        let size = size.filter(|_| compute.is_none());
        let sized = size.map(|size| Map::new().with("serverless", Map::new().with("instanceType", size)));
        step.put_some("compute", sized.or(compute));
        return Map::new();
    }
    let said = layers.node("resources");
    let is_serverless = compute.as_ref().unwrap_or(&frame.compute).get("serverless").is_some();
    let (resources, size) =
        said.map_or((Map::new(), None), |(node, key)| running::resources(ctx, node, &key, is_serverless));
    let sized = size.map(|size| Map::new().with("serverless", Map::new().with("instanceType", size)));
    step.put_some("compute", sized.or(compute));
    resources
}

/// The compute that a job names; an input of the pipeline may say its name.
fn cluster(ctx: &mut Context<'_>, frame: &Frame, layers: &Layers<'_>) -> Option<Map> {
    let text = layers.text("compute", &mut ctx.findings)?;
    let (place, key) = (layers.place("compute"), layers.of("compute").path("compute"));
    let Some(binding) = whole(&text) else { return compute::reference(ctx, &text, place, &key) };
    let value = match &binding {
        Binding::Input(name) => frame.values.get(name),
        Binding::Output(_) | Binding::Step { .. } | Binding::Unknown => None,
    };
    let Some(value) = value else {
        let message = format!("{text}: a step's cluster is not chosen by a run; write its name here");
        ctx.findings.refuse(place, &key, &message);
        return None;
    };
    let message = format!("{text} is {} in every run: a step's cluster is not chosen by a run", value.text);
    ctx.findings.note(place, &key, &message);
    compute::reference(ctx, &value.text, place, &key)
}
