//! `graph`: draws objects and what they name, or the steps of a pipeline.
//!
//! In: files, or a namespace by kubectl. Out: a tree, or a drawing's source, on standard output.

use super::Failed;
use super::cluster::{Place, resource};
use super::files::read;
use anyhow::{Context as _, Result, anyhow, ensure};
use azureml_cli::graph::{Graph, of_objects, of_steps, svg, write};
use azureml_cli::objects::{is_meant, objects};
use azureml_cli::thing::{Thing, things};
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};

/// The arguments of `graph`.
#[derive(clap::Args)]
pub struct Draw {
    /// Only what this object names and what names it, such as mlpipeline/train. Default: everything.
    #[arg(value_name = "KIND/NAME")]
    object: Option<String>,
    /// The steps of the MLPipeline that is named, in place of objects.
    #[arg(long, requires = "object")]
    steps: bool,
    /// A file, a folder with everything below it, or - for standard input, in place of the cluster. May stand more than once.
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|-")]
    files: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// How it is drawn.
    #[arg(short, long, value_name = "FORMAT", default_value = "tree")]
    output: Output,
}

/// How a graph is drawn.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Output {
    /// Text for a terminal.
    Tree,
    /// A Mermaid flowchart.
    Mermaid,
    /// The language of Graphviz.
    Dot,
    /// A drawing.
    Svg,
}

impl Draw {
    /// Draws.
    ///
    /// # Errors
    /// When something cannot be read, or there is no such object.
    pub fn run(&self) -> Result<bool, Failed> {
        self.drawn().map(|()| true).map_err(|cause| Failed { cause, code: 1 })
    }

    fn drawn(&self) -> Result<()> {
        let graph = self.graph(&self.things()?)?;
        ensure!(
            !graph.nodes.is_empty(),
            "name files by -f, or another namespace by --namespace: there is nothing to draw"
        );
        let text = match self.output {
            Output::Tree => write::tree(&graph, super::is_coloured(std::io::stdout().is_terminal())),
            Output::Mermaid => write::mermaid(&graph),
            Output::Dot => write::dot(&graph),
            Output::Svg => svg::svg(&graph),
        };
        std::io::stdout().write_all(text.as_bytes()).context("standard output")
    }

    fn things(&self) -> Result<Vec<Thing>> {
        if self.files.is_empty() {
            return self.place.things();
        }
        let mut files = Vec::new();
        for named in &self.files {
            read(named, &mut files)?;
        }
        let mut all = Vec::new();
        for (name, text) in files {
            all.extend(objects(&name, &text)?);
        }
        let namespace = self.place.named();
        let mut found = things(all, namespace.unwrap_or_default());
        found.retain(|one| namespace.is_none_or(|namespace| one.namespace == namespace));
        Ok(found)
    }

    fn graph(&self, things: &[Thing]) -> Result<Graph> {
        // Runs that have ended stand on nothing any more; there may be hundreds of them.
        let is_drawn = |one: &&Thing| {
            let is_named = self.object.as_ref().is_some_and(|named| is_meant(named, &one.kind, &one.name));
            !one.has_ended() || is_named
        };
        let drawn = || things.iter().filter(is_drawn);
        let Some(named) = &self.object else { return Ok(of_objects(&drawn().cloned().collect::<Vec<_>>())) };
        resource(named)?;
        let found = only(named, things)?;
        if self.steps {
            return of_steps(found).map_err(|wrong| anyhow!(wrong));
        }
        let here: Vec<Thing> = drawn().filter(|one| one.namespace == found.namespace).cloned().collect();
        Ok(of_objects(&here).around(&found.id()))
    }
}

/// The object that is named. Files may have it in several namespaces: then it is for the user to say which one is meant.
fn only<'a>(named: &str, things: &'a [Thing]) -> Result<&'a Thing> {
    let all: Vec<&Thing> = things.iter().filter(|one| is_meant(named, &one.kind, &one.name)).collect();
    let of = |one: &&Thing| if one.namespace.is_empty() { "none".to_owned() } else { one.namespace.clone() };
    let namespaces: BTreeSet<String> = all.iter().map(of).collect();
    ensure!(
        namespaces.len() < 2,
        "choose one by --namespace: {named} is in several namespaces: {}",
        namespaces.into_iter().collect::<Vec<_>>().join(", ")
    );
    all.first().copied().with_context(|| format!("correct the name: there is no {named} here"))
}
