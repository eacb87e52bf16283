//! What an MLPipeline refers to, and everything that should be registered. Plain data: nothing is decided here.

use crate::asset_name::Pins;
use crate::component::{Files, Own, Prepared};
use crate::context::Workspace;
use crate::owner::Owner;
use crate::source::Sources;
use azureml_client::ArmId;
use azureml_crds::ml_data::DataType;
use azureml_crds::ml_pipeline::{Current, Settings};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an MLPipeline refers to.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The workspace.
    pub workspace: Workspace,
    /// This object as an owner.
    pub owner: Owner,
    /// Environment versions by the name of the MLEnvironment.
    pub environments: BTreeMap<String, String>,
    /// Clusters by the name of the MLCompute.
    pub computes: BTreeMap<String, String>,
    /// Data asset versions by the name of the MLData.
    pub data: BTreeMap<String, Data>,
    /// Versions in force by the name of the MLPipeline.
    pub pipelines: BTreeMap<String, Current>,
    /// What labels mean.
    pub pins: Pins,
    /// What the sources of files hold.
    pub sources: Sources,
    /// How the settings of a deployment are written.
    pub deployments: Deployments,
}

/// The version of an MLData.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Its ARM id.
    pub id: String,
    /// What kind of data it is.
    pub r#type: DataType,
}

/// How the settings of a deployment are written: the definition says that all are text, Microsoft's client sends booleans.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Deployments {
    /// All are text.
    #[default]
    Text,
    /// Booleans are booleans.
    Typed,
}

impl Deployments {
    pub(crate) fn flag(self, is_set: bool) -> Value {
        match self {
            Self::Text => Value::from(is_set.to_string()),
            Self::Typed => Value::from(is_set),
        }
    }
}

/// Everything that should be registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The steps.
    pub steps: Vec<Prepared>,
    /// The component of the whole.
    pub id: ArmId,
    /// Its body.
    pub body: Value,
    /// How jobs of this version run.
    pub settings: Settings,
    /// The version that is current once everything is registered.
    pub current: Current,
    /// The endpoint that should be there.
    pub endpoint: Option<ArmId>,
    /// The tags of everything that is registered.
    pub tags: BTreeMap<String, String>,
}

impl Wanted {
    /// The components that are registered for steps, with the names of the steps.
    pub fn owned(&self) -> impl Iterator<Item = (&Prepared, &Own)> {
        self.steps.iter().filter_map(|step| Some((step, step.own()?)))
    }

    /// The files of all steps that are uploaded, each once.
    #[must_use]
    pub fn codes(&self) -> Vec<&Files> {
        let mut codes: Vec<&Files> = Vec::new();
        for code in self.owned().filter_map(|(_, own)| own.code.as_ref()?.files()) {
            if !codes.iter().any(|known| known.hash == code.hash) {
                codes.push(code);
            }
        }
        codes
    }
}
