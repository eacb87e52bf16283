//! What a step is given and gives: each input of its component gets a binding, a literal or data in place.
//!
//! In: a job, what steps share. Out: the maps `inputs`, `inputTypes`, `inputModes`, `data` and `outputs` of a step.

use super::bindings::{Binding, whole};
use super::context::{Context, local};
use super::data;
use super::frame::Frame;
use super::job::{Body, Job};
use super::layers::{Layers, peek};
use super::out::{Map, Out};
use super::ports::{self, Input, Output, is_data};
use super::read::{Place, Scalar};

/// What a step is given and gives.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// Bindings and literals.
    pub inputs: Map,
    /// Types of literals that their look does not say.
    pub types: Map,
    /// How bound data is seen.
    pub modes: Map,
    /// Data in place.
    pub data: Map,
    /// What it writes.
    pub outputs: Map,
    /// Inputs of the component without a value.
    pub absent: Vec<String>,
}

/// All of a step.
pub fn values(ctx: &mut Context<'_>, frame: &mut Frame, job: &Job, layers: &Layers<'_>) -> Values {
    let place = layers.job.place;
    let mut maker = Maker { ctx, frame, values: Values::default(), place };
    maker.inputs(job, layers);
    maker.outputs(job, layers);
    let mut values = maker.values;
    values.inputs = values.inputs.sorted();
    values
}

struct Maker<'m, 'a> {
    ctx: &'m mut Context<'a>,
    frame: &'m mut Frame,
    values: Values,
    place: &'m Place,
}

impl Maker<'_, '_> {
    fn inputs(&mut self, job: &Job, layers: &Layers<'_>) {
        let path = layers.job.path("inputs");
        let given = layers.job.named("inputs", &mut self.ctx.findings);
        let given = ports::inputs(given, &path, &mut self.ctx.findings);
        let takes = job.takes.clone().unwrap_or_else(|| given.clone());
        for own in given.iter().filter(|own| !takes.iter().any(|take| take.name == own.name)) {
            let message = format!("the component has no input {}; correct the name, or remove it", own.name);
            self.ctx.findings.fail(&own.place, &format!("{path}.{}", own.name), &message);
        }
        for take in &takes {
            let key = format!("{path}.{}", take.name);
            match given.iter().find(|own| own.name == take.name) {
                Some(own) => self.given(take, own, &key),
                // A sweep tries values of its own.
                None if layers
                    .node("search_space")
                    .is_some_and(|(node, _)| peek(node, &take.name).is_some()) => {}
                // A pipeline has its defaults itself.
                None if matches!(job.body, Body::Pipeline(_))
                    && (take.is_optional || take.value.is_some()) => {}
                None => self.not_given(take, &key),
            }
        }
    }

    /// An input of the component that the job leaves out.
    fn not_given(&mut self, take: &Input, key: &str) {
        if let (Some(kind), Some(value)) =
            (&take.kind, take.value.as_ref().filter(|value| !value.text.is_empty()))
        {
            self.literal(take, kind, value, key);
        } else if take.is_optional {
            self.values.absent.push(take.name.clone());
        } else {
            let message =
                format!("the component needs {}, and has no default for it; give it a value", take.name);
            self.ctx.findings.fail(self.place, key, &message);
        }
    }

    fn given(&mut self, take: &Input, own: &Input, key: &str) {
        let Some(text) = own.value.as_ref().map(|value| &value.text).or(own.path.as_ref()) else {
            let message = "there is no value; write a binding, a literal, or type and path";
            return self.ctx.findings.fail(&own.place, key, message);
        };
        let declared = take.kind.as_deref().filter(|_| !take.is_inferred);
        let said = declared.or(own.kind.as_deref().filter(|_| !own.is_inferred));
        let mode = own.mode.or(take.mode);
        match self.frame.bound(text, said) {
            Some(Ok(binding)) => {
                self.values.inputs.put(&take.name, binding);
                self.values.modes.put_some(&take.name, mode);
            }
            Some(Err(message)) => self.ctx.findings.fail(&own.place, key, &message),
            None => {
                let kind = said.or(own.kind.as_deref()).unwrap_or("string");
                if is_data(kind) {
                    self.data(own, kind, text, (mode, key));
                } else {
                    let scalar = own.value.clone().unwrap_or(Scalar { text: text.clone(), is_plain: false });
                    self.literal(own, kind, &scalar, key);
                }
            }
        }
    }

    fn data(&mut self, own: &Input, kind: &str, text: &str, (mode, key): (Option<&'static str>, &str)) {
        let Some(found) = data::place(self.ctx, text, kind, &own.place, key) else { return };
        let mut map = Map::new().with("type", kind);
        found.put(&mut map);
        map.put_some("mode", mode);
        self.values.data.put(&own.name, map);
    }

    fn literal(&mut self, of: &Input, kind: &str, scalar: &Scalar, key: &str) {
        match ports::literal(kind, scalar) {
            Ok(value) => {
                self.values.inputs.put(&of.name, value);
                // A whole number and a text are what they look like.
                let kind = Some(kind).filter(|kind| ["number", "boolean"].contains(kind));
                self.values.types.put_some(&of.name, kind);
            }
            Err(message) => self.ctx.findings.refuse(&of.place, key, &message),
        }
    }

    fn outputs(&mut self, job: &Job, layers: &Layers<'_>) {
        let path = layers.job.path("outputs");
        let given = layers.job.named("outputs", &mut self.ctx.findings);
        let given = ports::outputs(given, &path, &mut self.ctx.findings);
        let mut names: Vec<String> =
            job.gives.iter().chain(&given).map(|output| output.name.clone()).collect();
        names
            .extend(self.frame.steps.get(&job.key).into_iter().flat_map(|seen| seen.outputs.iter().cloned()));
        names.sort();
        names.dedup();
        for name in names {
            let key = format!("{path}.{name}");
            let declared = job.gives.iter().find(|output| output.name == name);
            let own = given.iter().find(|output| output.name == name);
            if let (Some(own), None, true) = (own, declared, job.takes.is_some()) {
                let message = format!("the component has no output {name}; correct the name, or remove it");
                self.ctx.findings.fail(&own.place, &key, &message);
                continue;
            }
            let map = self.output(own, declared, (&job.name, &key));
            self.values.outputs.put(&name, map);
        }
    }

    fn output(&mut self, own: Option<&Output>, gives: Option<&Output>, (step, key): (&str, &str)) -> Map {
        let mode = own.and_then(|own| own.mode).or(gives.and_then(|gives| gives.mode));
        let kind = own.and_then(|own| own.kind.as_deref()).or(gives.and_then(|gives| gives.kind.as_deref()));
        let mut map = Map::new();
        if let Some(own) = own
            && let Some(Binding::Output(name)) = own.path.as_deref().and_then(whole)
        {
            if let Err(message) = self.frame.output(&name, &Output { mode, ..own.clone() }, kind) {
                self.ctx.findings.fail(&own.place, key, &message);
            }
            map.put("path", format!("${{{{parent.outputs.{name}}}}}"));
            return map;
        }
        if let Some(own) = own.filter(|own| own.asset.is_some() || own.version.is_some()) {
            let name = self.frame.promote(step, own, mode, kind);
            let message = format!("an asset is made of an output of the pipeline; it is called {name} there");
            self.ctx.findings.note(&own.place, key, &message);
            map.put("path", format!("${{{{parent.outputs.{name}}}}}"));
            return map;
        }
        map.put_some("type", kind.filter(|kind| *kind != "uri_folder"));
        map.put_some("path", own.and_then(|own| self.address(own, key)).map(Out::from));
        map.put_some("mode", mode);
        map
    }

    /// The address of an output that is not one of the pipeline's.
    fn address(&mut self, own: &Output, key: &str) -> Option<String> {
        let path = own.path.clone()?;
        if whole(&path).is_some() {
            self.ctx.findings.fail(&own.place, key, "an output is bound to parent.outputs.<output>");
            return None;
        }
        if local(&path).is_some() {
            let message =
                format!("{path} is a local path; write azureml://datastores/<datastore>/paths/<path>");
            self.ctx.findings.refuse(&own.place, key, &message);
            return None;
        }
        Some(path)
    }
}
