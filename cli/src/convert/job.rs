//! A job of a pipeline: which body it has, and what its component takes and gives.
//!
//! In: an entry of `jobs`. Out: the job with the file of its component read, or the name of the registered one.

use super::bindings::{Binding, whole};
use super::context::{Context, Over, Wanted, local};
use super::fields::Fields;
use super::files::{folder, stem};
use super::kinds::{Kind, kind};
use super::layers::{peek, peek_text};
use super::names;
use super::out::Map;
use super::ports::{Input, Output, inputs, outputs};
use super::read::{Entry, Node, Place, Scalar, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a job runs.
#[derive(Clone, Debug)]
pub enum Body {
    /// What is said here or in a file: `command`, `sweep`, `spark`, `parallel` or `automl`.
    Here(&'static str),
    /// A registered component.
    Component(String),
    /// Another pipeline: the fields of `pipeline`.
    Pipeline(Map),
}

/// A job of a pipeline.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its key.
    pub key: String,
    /// The name of the step.
    pub name: String,
    /// What the job says.
    pub node: Node,
    /// What its component says.
    pub component: Option<Rc<Node>>,
    /// What runs.
    pub body: Body,
    /// What the component takes; nothing where the job is none.
    pub takes: Option<Vec<Input>>,
    /// What the component gives.
    pub gives: Vec<Output>,
}

/// Reads a job. `values` are literals of the pipeline's inputs.
pub fn job(ctx: &mut Context<'_>, entry: &Entry, values: &BTreeMap<String, Scalar>) -> Option<Job> {
    let node = &entry.node;
    let path = format!("jobs.{}", entry.key);
    let word = peek_text(node, "type").unwrap_or("command");
    let key = if word == "sweep" { "trial" } else { "component" };
    let mut job = Job {
        key: entry.key.clone(),
        name: names::step(&entry.key),
        node: node.clone(),
        component: None,
        body: Body::Here("command"),
        takes: None,
        gives: Vec::new(),
    };
    let Some(found) = peek(node, key) else {
        job.body = Body::Here(body(ctx, word, &entry.place, &path)?);
        return Some(job);
    };
    let own = format!("{path}.{key}");
    let Value::Scalar(scalar) = &found.value else {
        job.body = Body::Here(body(ctx, word, &entry.place, &path)?);
        declare(ctx, &mut job, &Rc::new(found.clone()));
        if word == "sweep" && peek(found, "inputs").is_none() {
            // A trial in place takes what the sweep is given.
            job.takes = None;
        }
        return Some(job);
    };
    match file(ctx, &scalar.text, &found.place) {
        Some(file) => from_file(ctx, job, &file, (&found.place, &own), values),
        None if !ctx.is_versioned(&scalar.text, &found.place, &own) => None,
        None if word == "pipeline" => {
            job.body = Body::Pipeline(Map::new().with("component", scalar.text.as_str()));
            Some(job)
        }
        None => {
            job.body = Body::Component(scalar.text.clone());
            Some(job)
        }
    }
}

/// The file of a component: one that is named, or one of the files that were given.
pub fn file(ctx: &Context<'_>, text: &str, place: &Place) -> Option<String> {
    ctx.given("component", text).or_else(|| local(text).map(|path| Context::beside(place, path)))
}

fn body(ctx: &mut Context<'_>, word: &str, place: &Place, path: &str) -> Option<&'static str> {
    let known = ["command", "sweep", "spark", "parallel", "automl"].into_iter().find(|known| *known == word);
    if known.is_none() {
        let message =
            format!("a job of type {word:?} without a component is not carried; write it as a command job");
        ctx.findings.refuse(place, path, &message);
    }
    known
}

/// What a component says it takes and gives. What is wrong with that is said when the step reads it.
fn declare(ctx: &mut Context<'_>, job: &mut Job, component: &Rc<Node>) {
    let fields = Fields::of(component, "", &mut ctx.findings);
    let takes = fields.named("inputs", &mut ctx.findings);
    job.takes = Some(inputs(takes, "inputs", &mut ctx.findings));
    let gives = fields.named("outputs", &mut ctx.findings);
    job.gives = outputs(gives, "outputs", &mut ctx.findings);
    job.component = Some(Rc::clone(component));
}

fn from_file(
    ctx: &mut Context<'_>,
    mut job: Job,
    file: &str,
    (place, key): (&Place, &str),
    values: &BTreeMap<String, Scalar>,
) -> Option<Job> {
    let root = ctx.document(file, place, key)?;
    ctx.used.insert(file.to_owned());
    match kind(&root) {
        Kind::Step(word) => {
            // A sweep names a command as its trial.
            job.body = Body::Here(if peek(&job.node, "trial").is_some() { "sweep" } else { word });
            declare(ctx, &mut job, &root);
        }
        Kind::Pipeline => {
            declare(ctx, &mut job, &root);
            job.component = None;
            let name = nested(ctx, &job, &root, values);
            job.body = Body::Pipeline(Map::new().with("ref", name));
        }
        Kind::Other(what, way) => {
            ctx.findings.refuse(
                place,
                key,
                &format!("{file} is {what}, which is not carried as a step; {way}"),
            );
            return None;
        }
        Kind::Environment
        | Kind::Compute
        | Kind::Data
        | Kind::Schedule
        | Kind::Endpoint
        | Kind::Deployment => {
            ctx.findings.fail(place, key, &format!("{file} is no component; correct the path"));
            return None;
        }
    }
    Some(job)
}

/// The object of a pipeline component, one for each file and choice of clusters.
fn nested(ctx: &mut Context<'_>, job: &Job, root: &Rc<Node>, values: &BTreeMap<String, Scalar>) -> String {
    let given = peek(&job.node, "inputs").map_or_else(Vec::new, |node| match &node.value {
        Value::Map(entries) => entries.clone(),
        Value::Null | Value::Scalar(_) | Value::List(_) => Vec::new(),
    });
    let mut over = Over::default();
    for name in clusters(root) {
        let Some(Value::Scalar(scalar)) =
            given.iter().find(|entry| entry.key == name).map(|entry| &entry.node.value)
        else {
            continue;
        };
        let value = match whole(&scalar.text) {
            Some(Binding::Input(outer)) => values.get(&outer).cloned(),
            Some(_) => None,
            None => Some(scalar.clone()),
        };
        over.values.extend(value.map(|value| (name, value)));
    }
    let content = format!("{} {:?}", root.place.file, over.values);
    if let Some(name) = ctx.known("pipeline", &content) {
        return name;
    }
    want(ctx, &content, root, over)
}

/// The content of a pipeline's file, with nothing said over it.
#[must_use]
pub fn plain(file: &str) -> String {
    format!("{file} {:?}", BTreeMap::<String, Scalar>::new())
}

/// Asks for the object of a pipeline, once for each content.
pub fn want(ctx: &mut Context<'_>, content: &str, root: &Rc<Node>, over: Over) -> String {
    let name = ctx.name("MLPipeline", &wish(root));
    ctx.know("pipeline", content, &name);
    ctx.queue.push_back(Wanted { name: name.clone(), root: Rc::clone(root), over });
    name
}

/// The inputs of a pipeline that are the names of clusters.
fn clusters(root: &Node) -> Vec<String> {
    let Some(Value::Map(jobs)) = peek(root, "jobs").map(|node| &node.value) else { return Vec::new() };
    let bound = |job: &Entry| match whole(peek_text(&job.node, "compute")?)? {
        Binding::Input(name) => Some(name),
        Binding::Output(_) | Binding::Step { .. } | Binding::Unknown => None,
    };
    jobs.iter().filter_map(bound).collect()
}

/// The name that a pipeline's object should have: its own, that of studio, or that of its file or folder.
#[must_use]
pub fn wish(root: &Node) -> String {
    let file = &root.place.file;
    let own = ["name", "display_name"].into_iter().find_map(|key| peek_text(root, key));
    let says_little = ["pipeline", "job", "component", "spec"].contains(&stem(file));
    own.unwrap_or_else(|| folder(file).filter(|_| says_little).unwrap_or_else(|| stem(file))).to_owned()
}
