//! What happens to jobs by themselves: nodes of a pipeline start when what they need is there, a pipeline ends when nothing
//! is left to do, and what ends lets its parent move on. In: events. Out: runs moved on, more events.
//! The phases of one step are in `phases`, how a node becomes a run in `child`.

use super::child;
use super::phases;
use super::run::{Run, Status};
use crate::arm::ids;
use crate::execute::Effect;
use crate::faults::Failure;
use crate::ml::graph::Node;
use crate::ml::{Workspace, computes, refs};
use crate::timers::Event;
use crate::world::World;
use jiff::Timestamp;

/// A run that is to be changed.
pub fn run_mut<'a>(world: &'a mut World, key: &str, id: &str) -> Option<&'a mut Run> {
    world.workspaces.get_mut(key)?.runs.get_mut(id)
}

/// Lets a run enter its next phase at a time.
pub fn later(world: &mut World, key: &str, id: &str, at: Timestamp) {
    world.timers.set(at, Event::Run(key.to_owned(), id.to_owned()));
}

/// A run enters its next phase.
pub fn due(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(run) = run_mut(world, key, id) else { return };
    if run.pipeline().is_none() {
        return phases::due(world, key, id, at);
    }
    if run.status == Status::Preparing {
        run.status = Status::Running;
        run.started = Some(at);
        advance(world, key, id, at);
    } else if run.status == Status::Finalizing {
        close(world, key, id, at);
    }
}

/// What a running pipeline can do next.
#[derive(Debug, Default, PartialEq, Eq)]
struct Progress {
    /// Nodes that can start.
    ready: Vec<String>,
    /// Runs that are to be ended, because another has failed.
    stop: Vec<String>,
    /// Whether nothing runs and nothing can start.
    done: bool,
}

impl Progress {
    fn of(workspace: &Workspace, id: &str) -> Option<Self> {
        let run = workspace.runs.get(id).filter(|run| run.status == Status::Running)?;
        let pipeline = run.pipeline()?;
        let child = |node: &str| run.children.get(node).and_then(|id| workspace.runs.get(id));
        let status = |node: &str| child(node).map(|run| run.status);
        let open: Vec<String> = run
            .children
            .keys()
            .filter_map(|node| child(node))
            .filter(|run| !run.status.is_over())
            .map(|run| run.id.clone())
            .collect();
        let bad = |node: &String| matches!(status(node), Some(Status::Failed | Status::Canceled));
        if run.children.keys().any(bad) && !pipeline.goes_on {
            return Some(Self { done: open.is_empty(), stop: open, ready: Vec::new() });
        }
        let ready = |node: &&Node| {
            status(&node.name).is_none()
                && node.upstream().all(|other| status(other) == Some(Status::Completed))
        };
        let nodes = pipeline.graph.nodes.values().map(|(node, _)| node);
        let ready: Vec<String> = nodes.filter(ready).map(|node| node.name.clone()).collect();
        Some(Self { done: open.is_empty() && ready.is_empty(), ready, stop: Vec::new() })
    }
}

/// Starts the nodes of a pipeline that can start, and finishes it when nothing is left.
fn advance(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(progress) = world.workspaces.get(key).and_then(|workspace| Progress::of(workspace, id)) else {
        return;
    };
    for node in &progress.ready {
        start_node(world, key, id, node, at);
    }
    for child in &progress.stop {
        cancel(world, key, child, at);
    }
    if progress.done {
        if let Some(run) = run_mut(world, key, id) {
            run.status = Status::Finalizing;
        }
        later(world, key, id, at + world.settings.step_time / 8);
    }
}

/// Makes the run of a node and lets it wait for its compute. A node that ended while others started is not started again.
fn start_node(world: &mut World, key: &str, parent: &str, name: &str, at: Timestamp) {
    let id = world.ids.uuid();
    let Some(workspace) = world.workspaces.get_mut(key) else { return };
    let started = workspace.runs.get(parent).is_none_or(|parent| parent.children.contains_key(name));
    let Some(run) = child::of_node(workspace, parent, name, &id, at).filter(|_| !started) else { return };
    if let Some(parent) = workspace.runs.get_mut(parent) {
        parent.children.insert(name.to_owned(), id.clone());
    }
    let is_pipeline = run.pipeline().is_some();
    workspace.runs.insert(run);
    if is_pipeline {
        return due(world, key, &id, at);
    }
    if let Some(earlier) = child::reusable(workspace, &id) {
        child::take_over(workspace, &id, &earlier, at);
        return end(world, key, &id, (Status::Completed, None), at);
    }
    phases::queue(world, key, &id, at);
}

/// A run ends. Its nodes are free, and what waits for it moves on.
pub fn end(
    world: &mut World,
    key: &str,
    id: &str,
    (status, error): (Status, Option<Failure>),
    at: Timestamp,
) {
    let Some(workspace) = world.workspaces.get_mut(key) else { return };
    let Some(run) = workspace.runs.get_mut(id).filter(|run| !run.status.is_over()) else { return };
    (run.status, run.error, run.ended) = (status, error, Some(at));
    run.origin.modified = at;
    let (parent, is_step) = (run.parent.clone(), run.step().is_some());
    let compute =
        run.step().and_then(|step| step.compute.as_deref()).and_then(|text| refs::named("computes", text));
    let compute = compute.map(|(_, name)| ids::key(name));
    let hash = run.step().and_then(|step| step.reuse.clone()).filter(|_| status == Status::Completed);
    if let Some(hash) = hash {
        workspace.runs.reusable.entry(hash).or_insert_with(|| id.to_owned());
    }
    // A process that has ended by itself is not there any more to be ended.
    if is_step && status != Status::Completed {
        world.outbox.push(Effect::Kill(id.to_owned()));
    }
    if let Some(name) = compute {
        if let Some(cluster) = world.workspaces.get_mut(key).and_then(|ws| ws.computes.get_mut(&name)) {
            cluster.nodes.release(id, at);
        }
        computes::rebalance(world, key, &name, at);
    }
    if let Some(parent) = parent {
        advance(world, key, &parent, at);
    }
}

/// A pipeline whose nodes are all over ends: well, or because of some that failed. Which ones, its children tell.
fn close(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(workspace) = world.workspaces.get(key) else { return };
    let bad = |run: &&Run| matches!(run.status, Status::Failed | Status::Canceled);
    let outcome = if workspace.runs.children(id).iter().any(bad) {
        let text = "Pipeline has some failed steps. See child run or execution logs for more details.";
        (Status::Failed, Some(Failure::new("ServiceError", text)))
    } else {
        (Status::Completed, None)
    };
    end(world, key, id, outcome, at);
}

/// Marks a job and everything below it that is not over as asked to end.
pub fn request_cancel(world: &mut World, key: &str, id: &str) {
    let Some(workspace) = world.workspaces.get_mut(key) else { return };
    for id in workspace.runs.tree(id) {
        if let Some(run) = workspace.runs.get_mut(&id).filter(|run| !run.status.is_over()) {
            run.status = Status::CancelRequested;
        }
    }
}

/// Ends a run and everything below it, what is below first.
pub fn cancel(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let tree = world.workspaces.get(key).map(|workspace| workspace.runs.tree(id)).unwrap_or_default();
    request_cancel(world, key, id);
    for id in tree.iter().rev() {
        end(world, key, id, (Status::Canceled, None), at);
    }
}
