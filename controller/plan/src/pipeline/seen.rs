//! What Azure has of a pipeline: its components, its files, its endpoint. Plain data: nothing is decided here.

use crate::owner::Other;
use crate::publish::Publication;
use azureml_client::ArmId;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether something that is named by its hash is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// It is not.
    Absent,
    /// It is.
    Here,
    /// It is, and archived, or a predecessor's: it is put once more.
    Archived(Value),
    /// It is, and another's.
    Another(Other),
}

/// What Azure has.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The component of the whole.
    pub whole: Presence,
    /// The components of the steps, by name; looked at only where the whole is not there as it should be.
    pub steps: BTreeMap<String, Presence>,
    /// The code versions that hold the files, by hash; looked at only where a step is absent.
    pub codes: BTreeMap<String, ArmId>,
    /// The endpoint and its deployments.
    pub publication: Publication,
    /// The compute instances among the computes that it names; looked at only where the whole is there.
    pub instances: Vec<String>,
}

impl Seen {
    /// The whole and the endpoint, and nothing else.
    #[must_use]
    pub fn of(whole: Presence, publication: Publication) -> Self {
        Self { whole, steps: BTreeMap::new(), codes: BTreeMap::new(), publication, instances: Vec::new() }
    }
}
