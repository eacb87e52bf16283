//! What a plan refuses of a spec by itself, and the definitions cannot say or cannot afford to.
//!
//! In: a spec in which the definitions find nothing. Out: every fault. Nothing is decided here: it asks the plans.

use azureml_crds::ml_environment::MLEnvironmentSpec;
use azureml_crds::ml_pipeline::MLPipelineSpec;
use azureml_crds::ml_schedule::MLScheduleSpec;
use azureml_crds::{MLEnvironment, MLPipeline, MLSchedule};
use azureml_plan::{InvalidSpec, component, environment, schedule};
use kube::Resource as _;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the plan of a kind refuses.
pub fn faults(kind: &str, spec: &Value) -> Vec<InvalidSpec> {
    let read =
        |error: serde_json::Error| vec![InvalidSpec::new("spec", format!("it cannot be read: {error}"))];
    let faults = if kind == MLPipeline::kind(&()) {
        serde_json::from_value::<MLPipelineSpec>(spec.clone())
            .map_or_else(read, |spec| component::check(&MLPipeline::new("", spec), &BTreeMap::new()))
    } else if kind == MLSchedule::kind(&()) {
        serde_json::from_value::<MLScheduleSpec>(spec.clone())
            .map_or_else(read, |spec| schedule::check(&spec))
    } else if kind == MLEnvironment::kind(&()) {
        serde_json::from_value::<MLEnvironmentSpec>(spec.clone())
            .map_or_else(read, |spec| environment::check(&MLEnvironment::new("", spec)))
    } else {
        Vec::new()
    };
    let placed = faults.into_iter().map(|fault| match fault.field.as_str() {
        "spec" => fault,
        field => InvalidSpec { field: format!("spec.{field}"), ..fault },
    });
    placed.collect()
}
