//! `kubectl azureml import`: a workspace that exists becomes manifests, of which none changes anything in Azure.
//!
//! In: what Azure shows. Out: the files of a kustomization, and an inventory of what became none. Only `read.rs` asks Azure, and only reads.
//! What the operator could only make anew (versions of environments, data and pipelines have names of their content) is paused.

mod compute;
mod data;
pub mod draft;
mod endpoint;
mod environment;
mod literal;
pub mod live;
mod node;
mod object;
mod others;
mod pipeline;
mod ports;
pub mod read;
mod schedule;
mod secret;
mod shown;
mod workspace;
mod write;

use crate::convert::check::definitions;
use draft::{Draft, Options};
use live::Live;
use std::collections::BTreeMap;

/// What an import gives.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The files, by their path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// How many objects there are.
    pub objects: usize,
    /// How many lines the inventory has.
    pub left: usize,
}

/// Makes manifests of a workspace.
///
/// # Errors
/// When an object cannot be expressed as YAML, or the kinds not as JSON; both are faults of this program.
pub fn import(live: &Live, options: &Options) -> Result<Imported, String> {
    let mut draft = Draft::new(&live.id, options, definitions()?);
    workspace::workspace(&mut draft, &live.workspace);
    for body in &live.computes {
        compute::compute(&mut draft, body);
    }
    for body in &live.environments {
        environment::environment(&mut draft, body);
    }
    for body in &live.data {
        data::data(&mut draft, body);
    }
    for one in &live.endpoints {
        endpoint::endpoint(&mut draft, live, one);
    }
    for body in &live.schedules {
        schedule::schedule(&mut draft, live, body);
    }
    for body in &live.components {
        match body.pointer("/properties/componentSpec/type").and_then(|kind| kind.as_str()) {
            Some("pipeline") => pipeline::component(&mut draft, body),
            _ => others::component(&mut draft, body),
        }
    }
    for (collection, body) in &live.others {
        others::other(&mut draft, collection, body);
    }
    for (collection, why) in &live.unread {
        draft.leave(
            collection,
            "all of them",
            &format!("they could not be read: {why}"),
            "make sure that you may read them, and import again",
        );
    }
    Ok(Imported { files: write::files(&draft)?, objects: draft.objects.len(), left: draft.left.len() })
}
