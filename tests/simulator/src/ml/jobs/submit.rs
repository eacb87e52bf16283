//! From the body of a job to a run: everything it names must exist, every value must fit. Then it starts.
//! In: the body as it was PUT, or as a schedule or an endpoint holds it. Out: a run that has not begun, or a refusal.

use super::bind::{self, Pipeline};
use super::run::{Run, Status, Task};
use super::step::Step;
use crate::arm::errors::{self, Refusal};
use crate::ml::assets::{self, Kind};
use crate::ml::graph::{self, Interface};
use crate::ml::{Origin, Workspace, datastores, refs};
use crate::timers::Event;
use crate::world::World;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Where a job comes from.
#[derive(Clone, Debug)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// Its maker, and the time.
    pub origin: Origin,
    /// The schedule that fires it.
    pub schedule: Option<String>,
}

/// Makes a run of a body, or refuses it.
pub fn prepare(workspace: &Workspace, body: &Map<String, Value>, context: &Context) -> Result<Run, Refusal> {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let task = match text("jobType") {
        Some("Pipeline") => Task::Pipeline(Box::new(pipeline(workspace, body, &context.name)?)),
        Some("Command") => Task::Step(Box::new(command(workspace, body, &context.name)?)),
        Some(other) => {
            return Err(errors::invalid(&format!(
                "The simulator runs jobs of type Pipeline and Command, not {other}."
            )));
        }
        None => return Err(errors::invalid("The jobType field is required.")),
    };
    let mut body = body.clone();
    let display_name =
        text("displayName").filter(|name| !name.is_empty()).unwrap_or(&context.name).to_owned();
    let experiment = text("experimentName").filter(|name| !name.is_empty()).unwrap_or("Default").to_owned();
    body.insert("displayName".into(), display_name.as_str().into());
    body.insert("experimentName".into(), experiment.as_str().into());
    Ok(Run {
        id: context.name.clone(),
        number: 0,
        parent: None,
        root: context.name.clone(),
        node: None,
        display_name,
        experiment,
        schedule: context.schedule.clone(),
        hidden: body.get("isArchived") == Some(&Value::Bool(true)),
        body,
        task,
        status: Status::Preparing,
        queued: None,
        started: None,
        ended: None,
        error: None,
        facts: BTreeMap::new(),
        children: BTreeMap::new(),
        origin: context.origin.clone(),
    })
}

/// Starts a run that was prepared.
pub fn start(world: &mut World, key: &str, run: Run, now: Timestamp) {
    let id = run.id.clone();
    if let Some(workspace) = world.workspaces.get_mut(key) {
        workspace.runs.insert(run);
    }
    world.timers.set(now + world.settings.step_time / 4, Event::Run(key.to_owned(), id));
}

fn flag(settings: Option<&Value>, key: &str) -> bool {
    let value = settings.and_then(|settings| settings.get(key));
    value.is_some_and(|value| {
        value == &Value::Bool(true) || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    })
}

/// Reads a pipeline job: its own graph, a registered component's, or that of an earlier job.
fn pipeline(workspace: &Workspace, body: &Map<String, Value>, name: &str) -> Result<Pipeline, Refusal> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let object = |key: &str| body.get(key).and_then(Value::as_object);
    if let Some(source) = text("sourceJobId") {
        return again(workspace, body, source, name);
    }
    let settings = body.get("settings");
    let setting = |key: &str| {
        settings.and_then(|settings| settings.get(key)).and_then(Value::as_str).map(str::to_owned)
    };
    let compute = setting("default_compute").or_else(|| text("computeId").map(str::to_owned));
    let datastore = setting("default_datastore").unwrap_or_else(|| datastores::DEFAULT.into());
    let (_, store) = refs::named("datastores", &datastore).unwrap_or((None, &datastore));
    workspace.datastore(store)?;
    let (jobs, interface) = jobs(workspace, body)?;
    graph::present(workspace, &jobs)?;
    let graph = graph::read(workspace, &jobs)?;
    let inputs = bind::inputs(workspace, object("inputs"), interface.as_ref(), name)?;
    let outputs = bind::outputs(workspace, object("outputs"), interface.as_ref(), (name, &datastore))?;
    let mut names: Vec<&str> = inputs.keys().map(String::as_str).collect();
    names.extend(interface.iter().flat_map(|interface| interface.inputs.keys()).map(String::as_str));
    let outs: Vec<&str> = outputs.keys().map(String::as_str).collect();
    graph::check_job(workspace, &graph, &names, &outs)?;
    bind::literals(&graph, &inputs)?;
    // Where the settings do not say, a pipeline goes on after a step has failed.
    let silent =
        settings.is_none_or(|settings| settings.get("continue_on_step_failure").is_none_or(Value::is_null));
    let goes_on = silent || flag(settings, "continue_on_step_failure");
    let force = flag(settings, "force_rerun");
    let direct = graph::direct(body);
    Ok(Pipeline { graph, inputs, outputs, direct, compute, datastore, goes_on, force })
}

/// The nodes of a pipeline job, and the interface of the component that they come from.
fn jobs(
    workspace: &Workspace,
    body: &Map<String, Value>,
) -> Result<(Map<String, Value>, Option<Interface>), Refusal> {
    let inline = body.get("jobs").and_then(Value::as_object).filter(|jobs| !jobs.is_empty());
    let component = body.get("componentId").and_then(Value::as_str);
    match (inline, component) {
        (Some(jobs), _) => Ok((jobs.clone(), None)),
        (None, Some(text)) => {
            graph::present_component(workspace, text)?;
            let found = graph::component(workspace, text)?;
            let (_, version) = found.ok_or_else(|| {
                errors::invalid(&format!("The simulator does not hold the shared registry of '{text}'."))
            })?;
            let interface = Interface::of(version);
            if interface.kind != "pipeline" {
                return Err(errors::invalid(&format!(
                    "'{text}' is a {} component, not a pipeline.",
                    interface.kind
                )));
            }
            let jobs = version
                .properties
                .get("componentSpec")
                .and_then(|spec| spec.get("jobs"))
                .and_then(Value::as_object);
            Ok((jobs.cloned().unwrap_or_default(), Some(interface)))
        }
        (None, None) => Err(errors::invalid("A pipeline job needs jobs, a componentId or a sourceJobId.")),
    }
}

/// A pipeline job that repeats an earlier one, with other inputs and settings where it gives some.
fn again(
    workspace: &Workspace,
    body: &Map<String, Value>,
    source: &str,
    name: &str,
) -> Result<Pipeline, Refusal> {
    let missing = || errors::invalid(&format!("The job '{source}' could not be found."));
    let (_, source) = refs::named("jobs", source).ok_or_else(missing)?;
    let earlier = workspace.runs.get(source).filter(|run| run.pipeline().is_some()).ok_or_else(missing)?;
    let mut whole = Value::Object(earlier.body.clone());
    let own: Map<String, Value> = body
        .iter()
        .filter(|(key, value)| *key != "sourceJobId" && !value.as_object().is_some_and(Map::is_empty))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    crate::json::merge(&mut whole, &Value::Object(own));
    pipeline(workspace, whole.as_object().unwrap_or(&Map::new()), name)
}

/// Reads a stand-alone command job.
fn command(workspace: &Workspace, body: &Map<String, Value>, name: &str) -> Result<Step, Refusal> {
    let object = |key: &str| body.get(key).and_then(Value::as_object);
    let mut step = Step::of_job(body);
    if step.command.is_empty() || step.environment.is_empty() {
        return Err(errors::invalid("A command job needs a command and an environmentId."));
    }
    assets::resolve(workspace, Kind::Environment, &step.environment)?;
    if let Some(code) = &step.code {
        assets::resolve(workspace, Kind::Code, code)?;
    }
    match &step.compute {
        Some(compute) => graph::compute(workspace, compute)?,
        None if body.get("resources").and_then(|resources| resources.get("instanceType")).is_none() => {
            return Err(errors::invalid(
                "A command job needs a computeId, or resources.instanceType for serverless.",
            ));
        }
        None => {}
    }
    step.inputs = bind::inputs(workspace, object("inputs"), None, name)?;
    step.outputs = bind::outputs(workspace, object("outputs"), None, (name, datastores::DEFAULT))?;
    Ok(step)
}
