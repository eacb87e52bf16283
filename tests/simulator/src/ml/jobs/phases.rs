//! The phases of one step: it waits for nodes of its cluster, they are prepared, it runs, it is cleaned up, it is over.
//! In: events that are due, nodes that were granted, processes that ended. Out: the step moved on, more events.

use super::engine::{end, later, run_mut};
use super::run::Status;
use crate::arm::ids;
use crate::execute::{self, Effect, Obstacle};
use crate::faults::{Failure, Outcome};
use crate::ml::computes::{self, Claim};
use crate::ml::{Workspace, refs};
use crate::timers::Event;
use crate::world::World;
use jiff::Timestamp;

/// A step, or a command job, enters its next phase.
pub fn due(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(run) = run_mut(world, key, id) else { return };
    match run.status {
        Status::Preparing if run.queued.is_none() => queue(world, key, id, at),
        Status::Queued => granted(world, key, id, at),
        Status::Preparing => begin(world, key, id, at),
        Status::Running => wrap_up(world, key, id, at),
        Status::Finalizing => end(world, key, id, (Status::Completed, None), at),
        Status::CancelRequested | Status::Completed | Status::Failed | Status::Canceled => {}
    }
}

/// Lets a step wait for nodes of its cluster; what needs none goes on after the time that a node takes.
pub fn queue(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(workspace) = world.workspaces.get_mut(key) else { return };
    let Some(run) = workspace.runs.get_mut(id) else { return };
    run.status = Status::Queued;
    run.queued = Some(at);
    let Some(step) = run.step() else { return };
    let (instances, is_node) = (step.instances, run.parent.is_some());
    let compute = step
        .compute
        .as_deref()
        .and_then(|text| refs::named("computes", text))
        .map(|(_, name)| ids::key(name));
    let cluster = compute.as_deref().and_then(|name| workspace.computes.get_mut(name));
    match (cluster, compute) {
        (Some(cluster), Some(name)) if cluster.is_cluster() => {
            cluster.nodes.claim(Claim { run: id.to_owned(), count: instances });
            computes::rebalance(world, key, &name, at);
        }
        (None, Some(name)) if name != "serverless" => {
            let text = format!("The compute target '{name}' could not be found.");
            end(world, key, id, (Status::Failed, Some(Failure::new("ComputeTargetNotFound", text))), at);
        }
        (None, None) if is_node => {
            let text = "No compute was given for the step, and the pipeline has no default compute.";
            end(world, key, id, (Status::Failed, Some(Failure::new("UserError", text))), at);
        }
        (_, _) => later(world, key, id, at + world.settings.node_time),
    }
}

/// A step has its nodes: they are prepared.
pub fn granted(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(run) = run_mut(world, key, id).filter(|run| run.status == Status::Queued) else { return };
    run.status = Status::Preparing;
    later(world, key, id, at + world.settings.preparation_time);
}

/// A step begins to run: as a process, or for the time that steps take.
fn begin(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(run) = run_mut(world, key, id) else { return };
    run.status = Status::Running;
    run.started = Some(at);
    let timeout = run.step().and_then(|step| step.timeout);
    if let Err(failure) = execute::check_code(world, key, id) {
        return end(world, key, id, (Status::Failed, Some(failure)), at);
    }
    if let Some(timeout) = timeout {
        world.timers.set(at + timeout, Event::Timeout(key.to_owned(), id.to_owned()));
    }
    match execute::plan(world, key, id) {
        Ok(job) => world.outbox.push(Effect::Run(Box::new(job))),
        Err(Obstacle::Fails(failure)) => end(world, key, id, (Status::Failed, Some(failure)), at),
        Err(Obstacle::NotExecuted(reason)) => {
            execute::note(world, key, id, &format!("This step was not executed: {reason}.\n"), at);
            if let Some(run) = run_mut(world, key, id) {
                run.facts.insert(execute::NOT_EXECUTED.into(), reason);
            }
            later(world, key, id, at + world.settings.step_time);
        }
    }
}

/// A step has run: it ends well, or as a fault says.
fn wrap_up(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let event = Event::Run(key.to_owned(), id.to_owned());
    let Some(resource) = world.workspaces.get(key).and_then(|workspace| resource(workspace, id)) else {
        return;
    };
    match world.faults.outcome(&resource, &event) {
        Outcome::Held => {}
        Outcome::Fail(failure) => end(world, key, id, (Status::Failed, Some(failure)), at),
        Outcome::Unchanged => {
            if let Some(run) = run_mut(world, key, id) {
                run.status = Status::Finalizing;
            }
            later(world, key, id, at + world.settings.step_time / 8);
        }
    }
}

/// The id that faults know a run by: the job's, with the nodes that lead to a step.
fn resource(workspace: &Workspace, id: &str) -> Option<String> {
    let run = workspace.runs.get(id)?;
    match (&run.parent, &run.node) {
        (Some(parent), Some(node)) => Some(format!("{}/steps/{node}", resource(workspace, parent)?)),
        (_, _) => Some(format!("{}/jobs/{}", workspace.id(), run.id)),
    }
}

/// The process of a step has ended.
pub fn executed(world: &mut World, key: &str, id: &str, result: Result<(), Failure>, at: Timestamp) {
    if run_mut(world, key, id).is_none_or(|run| run.status != Status::Running) {
        return;
    }
    match result {
        Ok(()) => wrap_up(world, key, id, at),
        Err(failure) => end(world, key, id, (Status::Failed, Some(failure)), at),
    }
}

/// A step may not run any longer: it is cancelled (`JobLimits.timeout`: "after which the job will be cancelled").
pub fn timed_out(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(run) = run_mut(world, key, id).filter(|run| run.status == Status::Running) else { return };
    let Some(limit) = run.step().and_then(|step| step.timeout) else { return };
    let text = format!("The job was cancelled because it ran longer than its limit of {limit:#}.");
    end(world, key, id, (Status::Canceled, Some(Failure::new("JobTimeoutExceeded", text))), at);
}

/// The cluster of a step is being deleted.
pub fn compute_gone(world: &mut World, key: &str, id: &str, compute: &str, at: Timestamp) {
    let text = format!("The compute target '{compute}' was deleted while the step was using it.");
    end(world, key, id, (Status::Failed, Some(Failure::new("ComputeTargetDeleted", text))), at);
}
