//! What the names in a step mean, once they are found: its environment, its compute, what it runs in place of a command, its data.

use azureml_client::ArmId;
use azureml_crds::ml_pipeline::Current;
use std::collections::BTreeMap;

/// What a step resolves to.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// What it runs.
    pub runs: Runs,
    /// The compute; none where the pipeline's default serves.
    pub compute: Option<String>,
    /// The size of a serverless node.
    pub instance_type: Option<String>,
    /// The code version that it names, where it names one.
    pub asset: Option<ArmId>,
    /// Addresses of data in place.
    pub data: BTreeMap<String, String>,
}

/// What a step runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Runs {
    /// A component of its own, in this environment version, where it has one: an ARM id or a registry's URI.
    Own(Option<String>),
    /// Nothing beside its node.
    Node,
    /// A component that exists: an ARM id or a registry's URI.
    Component(String),
    /// A pipeline component that exists.
    PipelineComponent(String),
    /// The version in force of an MLPipeline.
    Pipeline(Box<Current>),
}
