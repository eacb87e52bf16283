//! Values for the inputs of a pipeline, held against what it takes: as the operator does before it makes a job.
//!
//! In: a version of a pipeline, values. Out: nothing, or what is wrong. Pure; the rules are the plan's.

use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{Current, MLPipelineSpec, Settings};
use azureml_plan::InvalidSpec;
use azureml_plan::asset_name::Pins;
use azureml_plan::component::bare::{self, Place};
use azureml_plan::grants::Rights;
use azureml_plan::job::{self, Form, Job};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is wrong with values that a run or a schedule gives.
#[must_use]
pub fn fault(
    current: &Current,
    given: Option<&BTreeMap<String, Value>>,
    is_scheduled: bool,
) -> Option<InvalidSpec> {
    let workspace = ArmId::workspace("s", "g", "w");
    let mut pins = Pins::default();
    for label in job::labels(given, current, &workspace) {
        pins.pin(label, "1");
    }
    let asked = Job {
        display_name: "",
        experiment: "",
        tags: &BTreeMap::new(),
        inputs: given,
        is_scheduled,
        form: Form::default(),
        rights: &Rights::Own,
        workspace: &workspace,
        pins: &pins,
    };
    job::inputs(&asked, current).err()
}

/// A version of a pipeline as its spec tells it. What an object is named for has an address once it is registered. What pipelines in the
/// place of steps make of values is not known.
#[must_use]
pub fn current(spec: MLPipelineSpec) -> Current {
    let pipeline = MLPipeline::new("", spec);
    let places = bare::inputs(&pipeline, &BTreeMap::new());
    let at = |place| places.iter().filter(|(_, at)| **at == place).map(|(name, _)| name.clone()).collect();
    let mut inputs = pipeline.spec.inputs;
    for input in inputs.values_mut().filter(|input| input.r#ref.is_some()) {
        input.r#ref = None;
        input.path = Some("azureml://datastores/registered/paths/later".to_owned());
    }
    Current {
        version: String::new(),
        component_id: String::new(),
        settings: Settings::default(),
        accepted_as: None,
        inputs,
        bare_inputs: at(Place::Bare),
        double_quoted_inputs: at(Place::InDoubleQuotes),
        outputs: BTreeMap::new(),
    }
}
