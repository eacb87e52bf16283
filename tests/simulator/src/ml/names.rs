//! The names Azure Machine Learning accepts, by type. Sources: path patterns of the REST API specification 2024-04-01.

use crate::arm::errors::{Refusal, mfe};
use http::StatusCode;
use regex::Regex;
use std::sync::LazyLock;

/// The pattern for assets, jobs, schedules and datastores.
static ASSET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$").ok());
/// The pattern for versions, which the specification leaves open.
static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$").ok());
/// The pattern for endpoints and their deployments.
static ENDPOINT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]$").ok());
/// The pattern for a node of a pipeline.
static NODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[a-z_][a-z0-9_]*$").ok());

/// What is being named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// An asset, a job or a schedule.
    Asset,
    /// A version of an asset.
    Version,
    /// An endpoint or a deployment.
    Endpoint,
    /// A node of a pipeline.
    Node,
}

/// Refuses a name that does not have the form its type asks for.
pub fn check(kind: Name, name: &str) -> Result<(), Refusal> {
    let pattern = match kind {
        Name::Asset => &ASSET,
        Name::Version => &VERSION,
        Name::Endpoint => &ENDPOINT,
        Name::Node => &NODE,
    };
    let Some(pattern) = pattern.as_ref() else { return Ok(()) };
    if pattern.is_match(name) {
        return Ok(());
    }
    let text = format!("The name '{name}' is not valid. It must match the regular expression {pattern}.");
    Err(mfe(StatusCode::BAD_REQUEST, &["BadArgument", "InvalidName"], &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_form_their_type_asks_for() {
        for (kind, good, bad) in [
            (Name::Asset, "r-env_1", "-r"),
            (Name::Version, "9f2c1a7b.1", "a/b"),
            (Name::Endpoint, "iris-train", "1iris"),
            (Name::Node, "prepare_2", "Prepare"),
        ] {
            assert!(check(kind, good).is_ok(), "{kind:?} takes {good}");
            assert!(check(kind, bad).is_err(), "{kind:?} refuses {bad}");
        }
    }
}
