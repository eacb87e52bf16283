//! Files of `az ml` become manifests: each file's kind is found, its keys are read once, and what nobody reads is said.
//!
//! In: paths, something that reads files, options. Out: the files of a kustomization, and what was found. No disk, no clock.

mod automl;
pub(crate) mod bindings;
mod bodies;
pub(crate) mod check;
mod code;
pub(crate) mod compute;
pub mod context;
mod data;
mod endpoint;
pub(crate) mod environment;
mod fields;
pub mod files;
pub mod findings;
mod frame;
mod job;
mod kinds;
mod layers;
mod lift;
pub(crate) mod names;
pub(crate) mod order;
pub(crate) mod out;
mod pipeline;
pub(crate) mod ports;
pub mod read;
mod running;
mod schedule;
mod settings;
mod signature;
mod step;
mod values;
pub(crate) mod write;

use context::{Context, Options, Over};
use files::{Files, tidy};
use findings::{Finding, Weight};
use job::{plain, want};
use kinds::{Kind, kind};
use layers::peek_text;
use lift::lifted;
use read::{Node, Place};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a conversion gives.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The files of the kustomization, by their path in it.
    pub files: BTreeMap<String, Vec<u8>>,
    /// All objects as one stream.
    pub stream: String,
    /// How many objects there are.
    pub objects: usize,
    /// What was found, in the order of the files.
    pub findings: Vec<Finding>,
    /// What was written and its kind refuses: faults of the converter, or values that Azure ML takes and the kinds do not.
    pub faults: Vec<String>,
}

impl Outcome {
    /// Whether anything that was found is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.weight == Weight::Error)
    }
}

/// Converts files.
///
/// # Errors
/// When an object cannot be expressed as YAML, or the kinds not as JSON; both are faults of this program.
pub fn convert(files: &dyn Files, paths: &[String], options: &Options) -> Result<Outcome, String> {
    let mut ctx = Context::new(files, options);
    let mut roots = Vec::new();
    for path in paths.iter().map(|path| tidy(path)) {
        if let Some(root) = ctx.document(&path, &Place::start(&path), "") {
            index(&mut ctx, &root);
            roots.push(root);
        }
    }
    for root in &roots {
        asset(&mut ctx, root);
    }
    drain(&mut ctx);
    // Components are steps of the pipelines above, or pipelines of their own.
    for is_step in [false, true] {
        for root in &roots {
            component(&mut ctx, root, is_step);
        }
        drain(&mut ctx);
    }
    outcome(ctx)
}

/// Makes an asset findable by its name.
fn index(ctx: &mut Context<'_>, root: &Node) {
    let (of, key) = match kind(root) {
        Kind::Pipeline | Kind::Step(_) => ("component", "name"),
        Kind::Environment => ("environment", "name"),
        Kind::Compute => ("compute", "name"),
        Kind::Data => ("data", "name"),
        Kind::Deployment => ("deployment", "endpoint_name"),
        Kind::Schedule | Kind::Endpoint | Kind::Other(..) => return,
    };
    if let Some(name) = peek_text(root, key) {
        ctx.index.entry((of, name.to_owned())).or_insert_with(|| root.place.file.to_string());
    }
}

/// Whether a file is a component by its own word.
fn is_component(root: &Node) -> bool {
    peek_text(root, "$schema").is_some_and(|schema| schema.to_lowercase().contains("component"))
}

/// Converts a file that is no component.
fn asset(ctx: &mut Context<'_>, root: &Rc<Node>) {
    match kind(root) {
        Kind::Pipeline if !is_component(root) => pipeline(ctx, root, root),
        Kind::Pipeline | Kind::Step(_) => {}
        Kind::Environment => {
            environment::object(ctx, root, "");
        }
        Kind::Compute => compute::cluster(ctx, root),
        Kind::Data => data::asset(ctx, root),
        Kind::Schedule => schedule::schedule(ctx, root),
        Kind::Endpoint => endpoint::endpoint(ctx, root),
        Kind::Deployment => endpoint::deployment(ctx, root),
        Kind::Other(what, way) => {
            ctx.findings.refuse(&root.place, "", &format!("this is {what}, which is not carried; {way}"));
        }
    }
}

/// Converts a component that no pipeline uses.
fn component(ctx: &mut Context<'_>, root: &Rc<Node>, is_step: bool) {
    if ctx.used.contains(&*root.place.file) {
        return;
    }
    if let Kind::Step(word) = kind(root)
        && is_step
    {
        pipeline(ctx, root, &lifted(root, word));
    } else if kind(root) == Kind::Pipeline && !is_step && is_component(root) {
        pipeline(ctx, root, root);
    }
}

fn pipeline(ctx: &mut Context<'_>, root: &Rc<Node>, tree: &Rc<Node>) {
    let content = plain(&root.place.file);
    if ctx.known("pipeline", &content).is_none() {
        want(ctx, &content, tree, Over::default());
    }
}

fn drain(ctx: &mut Context<'_>) {
    while let Some(wanted) = ctx.queue.pop_front() {
        pipeline::pipeline(ctx, &wanted);
    }
}

fn outcome(mut ctx: Context<'_>) -> Result<Outcome, String> {
    ctx.objects.sort_by(|first, second| (first.kind, &first.name).cmp(&(second.kind, &second.name)));
    let files = write::files(&ctx.objects, &ctx.generated, ctx.options)?;
    let definitions = check::definitions()?;
    let mut faults = Vec::new();
    for object in &ctx.objects {
        let text = files
            .get(&write::file_name(object))
            .map(|bytes| String::from_utf8_lossy(bytes))
            .unwrap_or_default();
        faults.extend(
            check::faults(definitions, object, &text)
                .into_iter()
                .map(|fault| format!("{} {}: {fault}", object.kind, object.name)),
        );
    }
    Ok(Outcome {
        stream: write::stream(&ctx.objects, &ctx.generated, ctx.options)?,
        objects: ctx.objects.len(),
        findings: ctx.findings.sorted(),
        files,
        faults,
    })
}
