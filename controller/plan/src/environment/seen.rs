//! What Azure has of an environment: its versions, and what its image comes from. Plain data: nothing is decided here.

use serde_json::Value;

/// An environment version that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// The whole resource.
    pub body: Value,
}

impl Version {
    /// The image that it names.
    #[must_use]
    pub fn image(&self) -> Option<&str> {
        self.body["properties"]["image"].as_str()
    }
}

/// What Azure has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The version of this content whose image exists.
    pub version: Option<Version>,
    /// The digest that the tag has; looked at only where there is no version, or on request.
    pub digest: Option<String>,
    /// The task run; looked at only where there is neither.
    pub task_run: Option<Value>,
    /// The end of the log of a run that failed.
    pub tail: Vec<String>,
    /// The registry; looked at only before a build is started.
    pub registry: Option<Value>,
}
