//! A pipeline job or pipeline component becomes an MLPipeline.
//!
//! In: the tree of a file, and what its user says over it. Out: an object; pipelines that it nests are asked for.

use super::bindings::{Binding, whole};
use super::context::{Context, Object, Wanted};
use super::fields::Fields;
use super::frame::Frame;
use super::job::{self, Job, job};
use super::order::order;
use super::out::Map;
use super::read::{Node, Place, Value};
use super::running;
use super::settings::{Said, serverless, settings};
use super::signature;
use super::step::step;
use std::collections::BTreeSet;
use std::rc::Rc;

const WAYS: [(&str, &str); 6] = [
    ("schedule", "write an MLSchedule"),
    ("services", "write them at the step"),
    ("properties", "write it as a tag"),
    ("environment", "write it at each step, or as defaults.environment"),
    ("environment_variables", "write them at each step"),
    ("is_deterministic", "write it at each step"),
];
/// Keys that a user of a pipeline says over it.
pub const OVER: [&str; 9] = [
    "display_name",
    "description",
    "experiment_name",
    "tags",
    "settings",
    "compute",
    "inputs",
    "outputs",
    "identity",
];

/// Makes an object of a pipeline.
pub fn pipeline(ctx: &mut Context<'_>, wanted: &Wanted) {
    let root = Rc::clone(&wanted.root);
    let fields = Fields::of(&root, "", &mut ctx.findings);
    if fields.node("component").is_some() {
        of_component(ctx, wanted, &fields);
        return finish(ctx, fields);
    }
    let said = Said { fields: &fields, over: &wanted.over };
    let mut frame = Frame::default();
    signature::read(ctx, &mut frame, &said);
    let settings = settings(ctx, &said);
    frame.compute = settings.compute.clone().unwrap_or_else(serverless);
    frame.identity = said.node("identity").and_then(|node| running::identity(ctx, &node, "identity"));
    let jobs = jobs(ctx, &mut frame, &fields);
    let steps: Vec<Map> = jobs.iter().map(|job| step(ctx, &mut frame, job)).collect();
    if steps.is_empty() {
        let message = "the pipeline has no step; write a job that can be carried";
        return ctx.findings.fail(fields.place_of("jobs"), "jobs", message);
    }
    let mut spec = ctx.spec();
    spec.put_some("displayName", said.text(ctx, "display_name"));
    spec.put_some("description", said.text(ctx, "description"));
    spec.put_some("experiment", said.text(ctx, "experiment_name"));
    if let Some(node) = said.node("tags") {
        spec.put_full("tags", running::variables(ctx, &node, "tags"));
    }
    signature::put(ctx, &frame, &mut spec);
    spec.put_full("defaults", settings.map(&steps));
    spec.put("steps", steps);
    spec.put_some("publish", wanted.over.publish.as_deref().map(|name| Map::new().with("endpoint", name)));
    finish(ctx, fields);
    let (name, from) = (wanted.name.clone(), Rc::clone(&root.place.file));
    ctx.objects.push(Object { kind: "MLPipeline", name, from, notes: Vec::new(), spec });
}

fn finish(ctx: &mut Context<'_>, fields: Fields<'_>) {
    fields.entry("type");
    fields.named_by_content(&mut ctx.findings);
    fields.finish(&WAYS, &mut ctx.findings);
}

/// A job that runs a pipeline component: the component, with the job's words over it.
fn of_component(ctx: &mut Context<'_>, wanted: &Wanted, fields: &Fields<'_>) {
    let place = fields.place_of("component").clone();
    let Some(text) = fields.text("component", &mut ctx.findings) else { return };
    let Some(root) = component(ctx, &text, &place) else { return };
    let mut over = wanted.over.clone();
    for key in OVER {
        if let Some(node) = fields.node(key) {
            over.nodes.entry(key).or_insert_with(|| node.clone());
        }
    }
    for key in ["type", "name", "component", "version"] {
        fields.entry(key);
    }
    ctx.queue.push_front(Wanted { name: wanted.name.clone(), root, over });
}

/// The tree of a pipeline component.
pub fn component(ctx: &mut Context<'_>, text: &str, place: &Place) -> Option<Rc<Node>> {
    let Some(file) = job::file(ctx, text, place) else {
        let message = format!(
            "{text} is only in Azure; write its YAML with az ml component show, and name the file too"
        );
        ctx.findings.refuse(place, "component", &message);
        return None;
    };
    ctx.used.insert(file.clone());
    ctx.document(&file, place, "component")
}

/// The jobs in an order in which each uses only what is above it.
fn jobs(ctx: &mut Context<'_>, frame: &mut Frame, fields: &Fields<'_>) -> Vec<Job> {
    let entries = fields.named("jobs", &mut ctx.findings);
    if entries.is_empty() {
        ctx.findings.fail(fields.place, "jobs", "the pipeline has no jobs; write at least one");
    }
    let mut jobs: Vec<Job> = entries.iter().filter_map(|entry| job(ctx, entry, &frame.values)).collect();
    tell_apart(&mut jobs);
    let uses: Vec<Vec<(String, String)>> = jobs.iter().map(|job| used(&job.node)).collect();
    frame.know(&jobs, &uses.concat());
    let place = |key: &str| jobs.iter().position(|job| job.key == key);
    let above: Vec<BTreeSet<usize>> =
        uses.iter().map(|uses| uses.iter().filter_map(|(key, _)| place(key)).collect()).collect();
    match order(&above) {
        Ok(order) => {
            if !order.is_sorted() {
                ctx.findings.note(
                    fields.place_of("jobs"),
                    "jobs",
                    "steps are in another order: each uses only what is above it",
                );
            }
            order.into_iter().map(|place| jobs[place].clone()).collect()
        }
        Err(circle) => {
            let names: Vec<&str> = circle.iter().map(|place| jobs[*place].key.as_str()).collect();
            let message = format!("jobs {} wait for each other; cut the circle", names.join(", "));
            ctx.findings.fail(fields.place_of("jobs"), "jobs", &message);
            Vec::new()
        }
    }
}

/// Names of jobs that differ in capitals or signs only are one name of steps; the later ones get a number.
fn tell_apart(jobs: &mut [Job]) {
    let mut taken = BTreeSet::new();
    for job in jobs {
        let name = job.name.clone();
        let mut number = 1;
        while !taken.insert(job.name.clone()) {
            number += 1;
            job.name = format!("{name}_{number}");
        }
    }
}

/// The outputs of other jobs that a job names, wherever it does.
fn used(node: &Node) -> Vec<(String, String)> {
    match &node.value {
        Value::Null => Vec::new(),
        Value::Scalar(scalar) => match whole(&scalar.text) {
            Some(Binding::Step { job, output }) => vec![(job, output)],
            Some(Binding::Input(_) | Binding::Output(_) | Binding::Unknown) | None => Vec::new(),
        },
        Value::List(items) => items.iter().flat_map(used).collect(),
        Value::Map(entries) => entries.iter().flat_map(|entry| used(&entry.node)).collect(),
    }
}
