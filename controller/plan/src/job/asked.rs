//! The job that somebody asks for, beside the version that it runs. Plain data: nothing is decided here.

use crate::asset_name::Pins;
use crate::grants::Rights;
use azureml_client::ArmId;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How a job says what it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// By `componentId`, with `jobs: {}`.
    #[default]
    Component,
    /// By one node of type `pipeline` that names the component.
    Node,
}

/// What a job is made of, beside the version.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The name that studio shows.
    pub display_name: &'a str,
    /// The experiment.
    pub experiment: &'a str,
    /// Tags and, since only these can be searched by value, properties.
    pub tags: &'a BTreeMap<String, String>,
    /// Values that the caller gives.
    pub inputs: Option<&'a BTreeMap<String, Value>>,
    /// Whether a value may be the time of the firing.
    pub is_scheduled: bool,
    /// How it says what it runs.
    pub form: Form,
    /// What may be used: data of another workspace is asked for.
    pub rights: &'a Rights,
    /// The workspace that names of data assets belong to.
    pub workspace: &'a ArmId,
    /// What labels of data assets mean.
    pub pins: &'a Pins,
}
