//! What a pipeline and its user say of how it runs: `settings`, `compute`, and every other key that a user may say over it.
//!
//! In: a pipeline's keys, and what its user says over it. Out: `defaults`. The user's word counts, key by key.

use super::compute;
use super::context::{Context, Over};
use super::fields::{Fields, text};
use super::layers::Layers;
use super::out::Map;
use super::read::{Node, Value};

const WAYS: [(&str, &str); 3] = [
    ("on_init", "make it the first step"),
    ("on_finalize", "make it the last step"),
    ("continue_run_on_failed_optional_input", "a step whose input failed does not run"),
];

/// What a pipeline says, under what its user says.
pub struct Said<'f, 'a> {
    /// What it says itself.
    pub fields: &'f Fields<'a>,
    /// What its user says.
    pub over: &'f Over,
}

impl Said<'_, '_> {
    /// The value of a key.
    pub fn node(&self, key: &'static str) -> Option<Node> {
        let own = self.fields.node(key);
        self.over.nodes.get(key).or(own).cloned()
    }

    /// The text of a key.
    pub fn text(&self, ctx: &mut Context<'_>, key: &'static str) -> Option<String> {
        text(&self.node(key)?, key, &mut ctx.findings)
    }
}

/// What `settings` and `compute` say.
#[derive(Default)]
pub struct Settings {
    /// The compute of steps that name none.
    pub compute: Option<Map>,
    others: Map,
}

/// Where jobs run that name no compute.
#[must_use]
pub fn serverless() -> Map {
    Map::new().with("serverless", Map::new())
}

impl Settings {
    /// `defaults`. Steps without a compute run on serverless compute, as they do with az ml.
    #[must_use]
    pub fn map(self, steps: &[Map]) -> Map {
        let is_needed = steps.iter().any(|step| step.get("compute").or(step.get("pipeline")).is_none());
        let mut defaults = Map::new();
        defaults.put_some("compute", self.compute.or_else(|| is_needed.then(serverless)));
        defaults.extend(self.others);
        defaults
    }
}

/// Reads them.
pub fn settings(ctx: &mut Context<'_>, said: &Said<'_, '_>) -> Settings {
    let empty = Node { place: said.fields.place.clone(), value: Value::Null };
    // What the user of a pipeline sets, and below it what the pipeline sets.
    let (over, own) = (said.over.nodes.get("settings"), said.fields.node("settings"));
    let fields = Layers {
        job: Fields::of(over.unwrap_or(&empty), "settings", &mut ctx.findings),
        component: own.map(|own| Fields::of(own, "settings", &mut ctx.findings)),
    };
    let own = fields.text("default_compute", &mut ctx.findings);
    let own = own.map(|text| (text, fields.place("default_compute").clone()));
    let named = own.or_else(|| {
        let node = said.node("compute")?;
        Some((text(&node, "compute", &mut ctx.findings)?, node.place))
    });
    let compute = named.and_then(|(text, place)| compute::reference(ctx, &text, &place, "compute"));
    let mut settings = Settings { compute, ..Settings::default() };
    let store = fields.text("default_datastore", &mut ctx.findings);
    settings.others.put_some("datastore", store.map(|store| store.trim_start_matches("azureml:").to_owned()));
    for (from, to) in [("continue_on_step_failure", "continueOnStepFailure"), ("force_rerun", "forceRerun")] {
        settings.others.put_some(to, fields.of(from).boolean(from, &mut ctx.findings));
    }
    fields.finish(&WAYS, &mut ctx.findings);
    settings
}
