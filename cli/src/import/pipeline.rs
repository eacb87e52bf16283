//! Pipeline components that exist become MLPipelines of one step, which runs them as they are.
//!
//! In: a version of a pipeline component, and how its jobs run. Out: a paused object. Azure shows no steps of a pipeline component, so that
//! none can be written here.

use super::draft::Draft;
use super::object::Object;
use super::ports;
use super::shown::{READS, asset, said, truth, user_tags};
use crate::convert::names;
use crate::convert::out::{Map, Out};
use serde_json::Value;

const REGISTERS: &str = "\
Azure does not show the steps of a pipeline component, so that this pipeline has one step, which runs the component as it is.
Without the annotation azureml.dev/paused the operator registers a pipeline component of its own around it, and changes nothing that exists.";

/// A pipeline component that becomes an object.
pub struct Wrapped<'a> {
    /// From what the object's name is made.
    pub wish: &'a str,
    /// The component's id.
    pub id: &'a str,
    /// The component as Azure shows it.
    pub body: &'a Value,
    /// How its jobs run.
    pub settings: &'a Value,
    /// The job that runs it, where one is known: its tags, modes and outputs.
    pub job: &'a Value,
    /// Comments, before those that all have.
    pub notes: Vec<String>,
}

/// The MLPipeline of a component: one for each component and way to run it.
pub fn wrapped(draft: &mut Draft<'_>, of: &Wrapped<'_>) -> Option<String> {
    let reference = draft.component(of.id);
    let defaults = defaults(draft, of.settings);
    let component = &of.body["properties"]["componentSpec"];
    let mut notes = of.notes.clone();
    notes.push(format!("{READS} {reference} stays what it is.\n{REGISTERS}"));
    let ports = match ports::passed(draft, component, of.job, &mut notes) {
        Ok(ports) => ports,
        Err(why) => {
            draft.leave("pipeline component", &reference, &why, "write an MLPipeline by hand");
            return None;
        }
    };
    let mut step = Map::new().with("name", step_name(said(&component["name"]).unwrap_or(of.wish)));
    step.put("pipeline", Map::new().with("component", reference.as_str()));
    step.put_full("inputs", ports.bound_inputs);
    step.put_full("outputs", ports.bound_outputs);
    let mut spec = draft.spec();
    spec.put_some("displayName", said(&component["display_name"]));
    spec.put_some(
        "description",
        said(&component["description"]).or_else(|| said(&of.body["properties"]["description"])),
    );
    spec.put_full("inputs", ports.inputs);
    spec.put_full("outputs", ports.outputs);
    spec.put_full("defaults", defaults);
    spec.put_full("tags", user_tags(&of.job["tags"]));
    spec.put("steps", vec![step]);
    draft.used.insert(reference);
    let known = Out::Map(spec.clone()).json().to_string();
    if let Some(name) = draft.pipelines.get(&known) {
        return Some(name.clone());
    }
    let object =
        Object { folder: "pipelines", kind: "MLPipeline", name: String::new(), notes, is_paused: true, spec };
    let name = draft.keep(of.wish, object)?;
    draft.pipelines.insert(known, name.clone());
    Some(name)
}

/// The name of a step, whatever the name is made of.
#[must_use]
pub fn step_name(wish: &str) -> String {
    let name = names::step(wish);
    if name.chars().any(|letter| letter.is_ascii_alphanumeric()) { name } else { "step".to_owned() }
}

/// Makes the MLPipeline of a component that nothing else brought in.
pub fn component(draft: &mut Draft<'_>, body: &Value) {
    let id = body["id"].as_str().unwrap_or_default();
    let (properties, name) = (&body["properties"], asset(id));
    let reference = draft.reference(id);
    if properties["isAnonymous"] == true
        || draft.used.contains(&reference)
        || draft.is_owned("pipeline component", &name, &properties["tags"])
    {
        return;
    }
    wrapped(
        draft,
        &Wrapped { wish: &name, id, body, settings: &Value::Null, job: &Value::Null, notes: Vec::new() },
    );
}

/// How jobs run, as `defaults` has it.
#[must_use]
pub fn defaults(draft: &Draft<'_>, settings: &Value) -> Map {
    let mut defaults = Map::new();
    defaults.put_some("compute", said(&settings["default_compute"]).and_then(|id| draft.compute(id)));
    let datastore = said(&settings["default_datastore"]).map(|id| id.rsplit(['/', ':']).next().unwrap_or(id));
    defaults.put_some("datastore", datastore);
    defaults.put_some("continueOnStepFailure", truth(&settings["continue_on_step_failure"]).then_some(true));
    defaults.put_some("forceRerun", truth(&settings["force_rerun"]).then_some(true));
    defaults
}
