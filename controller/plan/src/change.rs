//! One change of an MLRun in this cluster: what a plan sends to Kubernetes, as an `Action` is what it sends to Azure.
//!
//! In: nothing. Out: plain data that holds exactly the object to make. Decides nothing.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One change of an MLRun.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Makes an MLRun. One of the same owner that has its name already is as good: the name says what it was made for.
    Create {
        /// The whole object.
        run: Value,
        /// The firing time that it is made for, where it is made for one.
        due: Option<Timestamp>,
    },
    /// Cancels an MLRun.
    Cancel(Which),
    /// Deletes an MLRun.
    Delete(Which),
}

/// An MLRun that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Which {
    /// Its name.
    pub name: String,
    /// Its UID: another of the same name is left alone.
    pub uid: String,
}

impl Change {
    /// The name of the MLRun.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Create { run, .. } => run["metadata"]["name"].as_str().unwrap_or_default(),
            Self::Cancel(which) | Self::Delete(which) => &which.name,
        }
    }
}
