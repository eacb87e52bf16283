//! What `validate` finds: a finding, and the object in which it is.

use crate::convert::findings::{Finding, Weight};
use crate::convert::read::Place;

/// A finding, and the object in which it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The finding; its key is the field.
    pub finding: Finding,
    /// The object, such as `MLPipeline/iris`; empty where a file is no YAML.
    pub object: String,
    /// The word of the reason, such as `InvalidSpec`.
    pub reason: &'static str,
}

pub(super) fn error(object: &str, place: Place, key: &str, message: &str, reason: &'static str) -> Found {
    said(Weight::Error, object, (place, key), message, reason)
}

pub(super) fn said(
    weight: Weight,
    object: &str,
    (place, key): (Place, &str),
    message: &str,
    reason: &'static str,
) -> Found {
    let finding = Finding { weight, place, key: key.to_owned(), message: message.to_owned() };
    Found { finding, object: object.to_owned(), reason }
}
