//! A run: a job, or a step of one. What it is to do, how far it is, and what became of it. Plain data.

use super::bind::{Bound, Pipeline};
use super::step::Step;
use crate::faults::Failure;
use crate::ml::Origin;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for a compute.
    Queued,
    /// It has a compute, which is being prepared.
    Preparing,
    /// It runs.
    Running,
    /// It has run, and is being cleaned up.
    Finalizing,
    /// It is asked to end.
    CancelRequested,
    /// It has ended well.
    Completed,
    /// It has ended badly.
    Failed,
    /// It was ended.
    Canceled,
}

impl Status {
    /// Azure's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Preparing => "Preparing",
            Self::Running => "Running",
            Self::Finalizing => "Finalizing",
            Self::CancelRequested => "CancelRequested",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }

    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }
}

/// What a run is to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// To run the nodes of a graph.
    Pipeline(Box<Pipeline>),
    /// To run one command.
    Step(Box<Step>),
}

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The job's name, or the id of a step's run.
    pub id: String,
    /// Its place in the order of creation.
    pub number: u64,
    /// The run that it is a step of.
    pub parent: Option<String>,
    /// The job at the top.
    pub root: String,
    /// The node that it runs.
    pub node: Option<String>,
    /// What people call it.
    pub display_name: String,
    /// The experiment.
    pub experiment: String,
    /// The schedule that fired it.
    pub schedule: Option<String>,
    /// Its properties in the resource manager's form.
    pub body: Map<String, Value>,
    /// What it is to do.
    pub task: Task,
    /// How far it is.
    pub status: Status,
    /// When it began to wait for a compute.
    pub queued: Option<Timestamp>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// Properties that the run's history adds.
    pub facts: BTreeMap<String, String>,
    /// Whether it is archived.
    pub hidden: bool,
    /// The runs of its nodes.
    pub children: BTreeMap<String, String>,
    /// Its maker, and the time.
    pub origin: Origin,
}

impl Run {
    /// The resource manager's type of the job.
    pub fn kind(&self) -> &'static str {
        match self.task {
            Task::Pipeline(_) => "Pipeline",
            Task::Step(_) => "Command",
        }
    }

    /// The graph it runs, when it is a pipeline.
    pub fn pipeline(&self) -> Option<&Pipeline> {
        match &self.task {
            Task::Pipeline(pipeline) => Some(pipeline),
            Task::Step(_) => None,
        }
    }

    /// The command it runs, when it is a step or a command job.
    pub fn step(&self) -> Option<&Step> {
        match &self.task {
            Task::Step(step) => Some(step),
            Task::Pipeline(_) => None,
        }
    }

    /// Where an output of it is.
    pub fn output(&self, name: &str) -> Option<Bound> {
        match &self.task {
            Task::Pipeline(pipeline) => pipeline.outputs.get(name).cloned(),
            Task::Step(step) => step.outputs.get(name).cloned(),
        }
    }
}

/// All runs of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    all: BTreeMap<String, Run>,
    made: u64,
    /// Completed runs of deterministic steps, by what they did.
    pub reusable: BTreeMap<String, String>,
}

impl Runs {
    /// A run by id.
    pub fn get(&self, id: &str) -> Option<&Run> {
        self.all.get(id)
    }

    /// A run that is to be changed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Run> {
        self.all.get_mut(id)
    }

    /// Adds a run.
    pub fn insert(&mut self, mut run: Run) {
        self.made += 1;
        run.number = self.made;
        self.all.insert(run.id.clone(), run);
    }

    /// The runs that are no steps.
    pub fn roots(&self) -> impl Iterator<Item = &Run> {
        self.all.values().filter(|run| run.parent.is_none())
    }

    /// The steps of a run, oldest first.
    pub fn children(&self, id: &str) -> Vec<&Run> {
        let ids = self.get(id).into_iter().flat_map(|run| run.children.values());
        let mut runs: Vec<&Run> = ids.filter_map(|id| self.get(id)).collect();
        runs.sort_by_key(|run| run.number);
        runs
    }

    /// A run and everything below it.
    pub fn tree(&self, id: &str) -> Vec<String> {
        let below =
            self.get(id).into_iter().flat_map(|run| run.children.values()).flat_map(|id| self.tree(id));
        std::iter::once(id.to_owned()).chain(below).collect()
    }

    /// Removes a run and everything below it.
    pub fn remove(&mut self, id: &str) {
        for id in self.tree(id) {
            self.all.remove(&id);
        }
    }
}
