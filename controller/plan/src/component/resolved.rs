//! What the names in a step mean, once they are found: its environment and its compute.

/// What a step resolves to.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The environment version: an ARM id or a registry's URI.
    pub environment: String,
    /// The compute; none where the pipeline's default serves.
    pub compute: Option<String>,
    /// The size of a serverless node.
    pub instance_type: Option<String>,
}
