//! How a node of a pipeline becomes a run: its inputs and outputs bound, its component found; or an earlier run reused.

use super::bind::{self, Pipeline};
use super::run::{Run, Status, Task};
use super::step::Step;
use crate::ml::Workspace;
use crate::ml::assets::Version;
use crate::ml::graph::{self, Interface, Node};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The run of a node that has not begun; `id` is the id it gets.
pub fn of_node(workspace: &Workspace, parent: &str, name: &str, id: &str, at: Timestamp) -> Option<Run> {
    let parent = workspace.runs.get(parent)?;
    let pipeline = parent.pipeline()?;
    let (node, interface) = pipeline.graph.nodes.get(name)?;
    let task = task(workspace, parent, (node, interface.as_ref()), id)?;
    let body = match &task {
        Task::Step(step) => step.body(&node.display_name, &parent.experiment),
        Task::Pipeline(_) => Map::from_iter([
            ("jobType".into(), Value::from("Pipeline")),
            ("displayName".into(), node.display_name.as_str().into()),
            ("experimentName".into(), parent.experiment.as_str().into()),
            ("componentId".into(), node.component.clone().into()),
        ]),
    };
    let mut origin = parent.origin.clone();
    (origin.created, origin.modified) = (at, at);
    Some(Run {
        id: id.to_owned(),
        number: 0,
        parent: Some(parent.id.clone()),
        root: parent.root.clone(),
        node: Some(name.to_owned()),
        display_name: node.display_name.clone(),
        experiment: parent.experiment.clone(),
        schedule: None,
        body,
        status: if matches!(task, Task::Pipeline(_)) { Status::Preparing } else { Status::Queued },
        task,
        queued: None,
        started: None,
        ended: None,
        error: None,
        facts: BTreeMap::new(),
        hidden: false,
        children: BTreeMap::new(),
        origin,
    })
}

/// What a node is to do: a pipeline of its own, or one step.
fn task(
    workspace: &Workspace,
    parent: &Run,
    (node, interface): (&Node, Option<&Interface>),
    id: &str,
) -> Option<Task> {
    let pipeline = parent.pipeline()?;
    let upstream =
        |other: &str, output: &str| workspace.runs.get(parent.children.get(other)?)?.output(output);
    let inputs = bind::node_inputs(pipeline, &node.name, upstream);
    let outputs = bind::node_outputs(pipeline, &node.name, id);
    let compute = node.compute.clone().or_else(|| pipeline.compute.clone());
    let component =
        node.component.as_deref().and_then(|text| graph::component(workspace, text).ok().flatten());
    if let Some(graph) =
        component.filter(|_| node.kind == "pipeline").and_then(|(_, version)| nested(workspace, version))
    {
        return Some(Task::Pipeline(Box::new(Pipeline {
            graph,
            inputs,
            outputs,
            direct: bind::direct(pipeline, node),
            compute,
            ..pipeline.clone()
        })));
    }
    let known = component.map(|(name, version)| {
        (name, version, format!("{}/components/{name}/versions/{}", workspace.id(), version.name))
    });
    let direct = bind::direct(pipeline, node);
    let mut step = Step { inputs, outputs, direct, compute, ..Step::of_node(node, known) };
    step.remember(interface.is_some_and(|interface| interface.deterministic) && !pipeline.force);
    Some(Task::Step(Box::new(step)))
}

/// The graph of a pipeline component.
fn nested(workspace: &Workspace, version: &Version) -> Option<graph::Graph> {
    let jobs = version.properties.get("componentSpec")?.get("jobs")?.as_object()?;
    graph::read(workspace, jobs).ok()
}

/// The earlier run whose outputs a run can take over.
pub fn reusable(workspace: &Workspace, id: &str) -> Option<String> {
    let hash = workspace.runs.get(id)?.step()?.reuse.as_ref()?;
    let earlier = workspace.runs.reusable.get(hash)?;
    workspace.runs.get(earlier).filter(|run| run.status == Status::Completed).map(|run| run.id.clone())
}

/// Gives a run the outputs of an earlier one, and says so in its properties.
pub fn take_over(workspace: &mut Workspace, id: &str, earlier: &str, at: Timestamp) {
    let found = workspace.runs.get(earlier).and_then(|run| Some((run.step()?.outputs.clone(), run)));
    let Some((outputs, found)) = found else { return };
    let mut facts = BTreeMap::from([
        ("azureml.isreused".to_owned(), "true".to_owned()),
        ("azureml.reusedrunid".to_owned(), earlier.to_owned()),
        ("azureml.reusedpipelinerunid".to_owned(), found.root.clone()),
    ]);
    // Whether the work behind the outputs was done is a fact about them.
    let note = found.facts.get_key_value(crate::execute::NOT_EXECUTED);
    facts.extend(note.map(|(name, reason)| (name.clone(), reason.clone())));
    let Some(run) = workspace.runs.get_mut(id) else { return };
    if let Task::Step(step) = &mut run.task {
        step.outputs = outputs;
        run.body = step.body(&run.display_name, &run.experiment);
    }
    run.facts.extend(facts);
    run.started = Some(at);
}
