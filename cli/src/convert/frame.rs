//! What the steps of a pipeline share: its inputs and outputs, which learn from the steps, and each other's outputs.
//!
//! In: ports of the pipeline, jobs. Out: what a binding means, or why it means nothing.

use super::bindings::{Binding, whole};
use super::job::Job;
use super::out::Map;
use super::ports::{Input, Output};
use super::read::Scalar;
use std::collections::{BTreeMap, BTreeSet};

/// A step, as others see it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// Its outputs.
    pub outputs: BTreeSet<String>,
}

/// What steps share.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The pipeline's inputs.
    pub inputs: Vec<Input>,
    /// The pipeline's outputs.
    pub outputs: Vec<Output>,
    /// The steps, by the key of their job.
    pub steps: BTreeMap<String, Seen>,
    /// Literals that inputs have, by name.
    pub values: BTreeMap<String, Scalar>,
    /// The compute of steps that name none.
    pub compute: Map,
    /// As whom steps run that do not say it.
    pub identity: Option<Map>,
}

impl Frame {
    /// The binding as a step writes it. The input of the pipeline learns the type that the step takes.
    ///
    /// # Errors
    /// When it leads nowhere, with the way out.
    pub fn bound(&mut self, text: &str, takes: Option<&str>) -> Option<Result<String, String>> {
        Some(match whole(text)? {
            Binding::Input(name) => self.input(&name, takes),
            Binding::Step { job, output } => self.output_of(&job, &output),
            Binding::Output(_) | Binding::Unknown => Err(format!(
                "{text}: an input is bound to parent.inputs.<input> or parent.jobs.<job>.outputs.<output>"
            )),
        })
    }

    fn input(&mut self, name: &str, takes: Option<&str>) -> Result<String, String> {
        let Some(input) = self.inputs.iter_mut().find(|input| input.name == name) else {
            return Err(format!(
                "the pipeline has no input {name}; add it to its inputs, or correct the binding"
            ));
        };
        if let Some(kind) = takes.filter(|_| input.is_inferred) {
            input.kind = Some(kind.to_owned());
            input.is_inferred = false;
        }
        Ok(format!("${{{{parent.inputs.{name}}}}}"))
    }

    fn output_of(&self, job: &str, output: &str) -> Result<String, String> {
        let Some(seen) = self.steps.get(job) else {
            return Err(format!("the pipeline has no job {job}; correct the binding"));
        };
        if !seen.outputs.contains(output) {
            return Err(format!(
                "job {job} has no output {output}; add it to its outputs, or correct the binding"
            ));
        }
        Ok(format!("${{{{parent.jobs.{}.outputs.{output}}}}}", seen.name))
    }

    /// The output of the pipeline that an output of a step becomes; it learns type, mode and asset.
    ///
    /// # Errors
    /// When there is none.
    pub fn output(&mut self, name: &str, of: &Output, gives: Option<&str>) -> Result<(), String> {
        let Some(output) = self.outputs.iter_mut().find(|output| output.name == name) else {
            return Err(format!(
                "the pipeline has no output {name}; add it to its outputs, or correct the binding"
            ));
        };
        output.kind = output.kind.take().or(gives.map(str::to_owned));
        output.mode = output.mode.or(of.mode);
        output.asset = output.asset.take().or(of.asset.clone());
        output.version = output.version.take().or(of.version.clone());
        Ok(())
    }

    /// A job gives a value to an input of the pipeline component that it runs; `false` when there is no such input.
    pub fn give(&mut self, own: Input) -> bool {
        let Some(input) = self.inputs.iter_mut().find(|input| input.name == own.name) else { return false };
        input.path = own.path.or(input.path.take());
        input.mode = own.mode.or(input.mode);
        input.value = own.value.or(input.value.take());
        true
    }

    /// A job says where an output of the pipeline component that it runs goes; `false` when there is no such output.
    pub fn place(&mut self, own: Output) -> bool {
        let Some(output) = self.outputs.iter_mut().find(|output| output.name == own.name) else {
            return false;
        };
        output.kind = own.kind.or(output.kind.take());
        output.mode = own.mode.or(output.mode);
        output.path = own.path.or(output.path.take());
        output.asset = own.asset;
        output.version = own.version;
        true
    }

    /// An output of a step that becomes an asset is an output of the pipeline: its name there.
    pub fn promote(
        &mut self,
        step: &str,
        of: &Output,
        mode: Option<&'static str>,
        kind: Option<&str>,
    ) -> String {
        let name = format!("{step}_{}", of.name);
        self.outputs.push(Output { name: name.clone(), mode, kind: kind.map(str::to_owned), ..of.clone() });
        name
    }

    /// Makes the jobs known. A registered component and a pipeline of Azure give what others take from them.
    pub fn know(&mut self, jobs: &[Job], used: &[(String, String)]) {
        for job in jobs {
            let taken = used.iter().filter(|(key, _)| *key == job.key && job.takes.is_none());
            let outputs = job
                .gives
                .iter()
                .map(|output| output.name.clone())
                .chain(taken.map(|(_, output)| output.clone()));
            self.steps.insert(job.key.clone(), Seen { name: job.name.clone(), outputs: outputs.collect() });
        }
    }
}
