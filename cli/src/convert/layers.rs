//! A job over the component that it names: what the job does not say, the component says.
//!
//! In: two maps. Out: for each key the map that has it. Both know that the key was read.

use super::fields::Fields;
use super::findings::Findings;
use super::read::{Node, Place, Value};

/// A job, and its component.
pub struct Layers<'a> {
    /// What the job says.
    pub job: Fields<'a>,
    /// What its component says.
    pub component: Option<Fields<'a>>,
}

impl<'a> Layers<'a> {
    /// The map that has a key: the job, else the component.
    pub fn of(&self, key: &'static str) -> &Fields<'a> {
        let below = self.component.as_ref().filter(|fields| fields.node(key).is_some());
        if self.job.node(key).is_some() { &self.job } else { below.unwrap_or(&self.job) }
    }

    /// The value of a key and its whole name.
    pub fn node(&self, key: &'static str) -> Option<(&'a Node, String)> {
        let fields = self.of(key);
        fields.node(key).map(|node| (node, fields.path(key)))
    }

    /// The text of a key.
    pub fn text(&self, key: &'static str, findings: &mut Findings) -> Option<String> {
        self.of(key).text(key, findings)
    }

    /// Where a key is.
    pub fn place(&self, key: &'static str) -> &'a Place {
        self.of(key).place_of(key)
    }

    /// Says what nobody read.
    pub fn finish(self, ways: &[(&str, &str)], findings: &mut Findings) {
        self.job.finish(ways, findings);
        if let Some(component) = self.component {
            component.finish(ways, findings);
        }
    }
}

/// The value of a key, without reading it for good.
#[must_use]
pub fn peek<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Value::Map(entries) = &node.value else { return None };
    let found = entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node);
    found.filter(|node| !matches!(node.value, Value::Null))
}

/// The text of a key, without reading it for good.
#[must_use]
pub fn peek_text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    match &peek(node, key)?.value {
        Value::Scalar(scalar) => Some(scalar.text.as_str()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}
