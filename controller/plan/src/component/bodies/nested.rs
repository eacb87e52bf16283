//! A pipeline in the place of a step: its node.

use crate::component::node::begin;
use crate::component::resolved::Resolved;
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::step::Step;
use serde_json::{Value, json};

/// The node that runs a pipeline component.
pub(crate) fn node(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    id: &str,
) -> Result<Value, InvalidSpec> {
    let mut node = begin(pipeline, step, resolved, "pipeline")?;
    node["componentId"] = json!(id);
    Ok(node)
}
