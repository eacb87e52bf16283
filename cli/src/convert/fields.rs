//! The keys of a map, which know whether somebody has read them. What nobody read is not carried, and said.
//!
//! In: one map, or a job over the component that it names. Out: values. This is why nothing is dropped silently.

use super::findings::Findings;
use super::read::{Entry, Node, Place, Value, truth};
use serde_json::Number;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The keys of a map.
pub struct Fields<'a> {
    /// Where the map is.
    pub place: &'a Place,
    /// The keys above it, such as `jobs.train`.
    path: String,
    entries: &'a [Entry],
    read: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Fields<'a> {
    /// The keys of a node that has to be a map.
    pub fn of(node: &'a Node, path: &str, findings: &mut Findings) -> Self {
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            Value::Scalar(_) | Value::List(_) => {
                findings.fail(&node.place, path, "this has to be a map of keys and values");
                &[]
            }
        };
        Self { place: &node.place, path: path.to_owned(), entries, read: RefCell::default() }
    }

    /// The whole name of a key.
    #[must_use]
    pub fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The entry of a key, also one without a value.
    pub fn entry(&self, key: &'static str) -> Option<&'a Entry> {
        self.read.borrow_mut().insert(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a key.
    pub fn node(&self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.node).filter(|node| !matches!(node.value, Value::Null))
    }

    /// The place of a key, or of the map.
    #[must_use]
    pub fn place_of(&self, key: &str) -> &'a Place {
        self.entries.iter().find(|entry| entry.key == key).map_or(self.place, |entry| &entry.place)
    }

    /// The text of a key.
    pub fn text(&self, key: &'static str, findings: &mut Findings) -> Option<String> {
        text(self.node(key)?, &self.path(key), findings)
    }

    /// The whole or decimal number of a key.
    pub fn number(&self, key: &'static str, findings: &mut Findings) -> Option<Number> {
        let text = self.text(key, findings)?;
        let number = super::read::number(&text);
        if number.is_none() {
            findings.fail(self.place_of(key), &self.path(key), &format!("{text:?} is not a number"));
        }
        number
    }

    /// The whole number of a key.
    pub fn integer(&self, key: &'static str, findings: &mut Findings) -> Option<i64> {
        let number = self.number(key, findings)?;
        let whole = number.as_i64();
        if whole.is_none() {
            findings.fail(self.place_of(key), &self.path(key), &format!("{number} is not a whole number"));
        }
        whole
    }

    /// The truth of a key.
    pub fn boolean(&self, key: &'static str, findings: &mut Findings) -> Option<bool> {
        let text = self.text(key, findings)?;
        let found = truth(&text);
        if found.is_none() {
            findings.fail(
                self.place_of(key),
                &self.path(key),
                &format!("{text:?} is neither true nor false"),
            );
        }
        found
    }

    /// The texts of a key: a list, or one value alone.
    pub fn texts(&self, key: &'static str, findings: &mut Findings) -> Vec<String> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let path = self.path(key);
        match &node.value {
            Value::List(items) => items.iter().filter_map(|item| text(item, &path, findings)).collect(),
            Value::Null | Value::Scalar(_) | Value::Map(_) => {
                text(node, &path, findings).into_iter().collect()
            }
        }
    }

    /// The names and values below a key.
    pub fn named(&self, key: &'static str, findings: &mut Findings) -> &'a [Entry] {
        self.node(key).map_or(&[], |node| Fields::of(node, &self.path(key), findings).entries)
    }

    /// A key without effect here; what it was for is said.
    pub fn without_effect(&self, key: &'static str, why: &str, findings: &mut Findings) {
        if self.node(key).is_some() {
            findings.note(self.place_of(key), &self.path(key), why);
        }
    }

    /// Name and version of an asset that has neither here.
    pub fn named_by_content(&self, findings: &mut Findings) {
        let found = ["name", "version"].into_iter().find(|key| self.node(key).is_some());
        if let Some(key) = found {
            let why = "names and versions in Azure follow from the object's name and its content";
            findings.note(self.place_of(key), &self.path(key), why);
        }
        self.entry("version");
    }

    /// Says what nobody read, with the way out where it is known.
    pub fn finish(self, ways: &[(&str, &str)], findings: &mut Findings) {
        let read = self.read.borrow();
        for entry in self.entries.iter().filter(|entry| !read.contains(entry.key.as_str())) {
            // An empty value says nothing, so nothing is lost.
            let is_empty = match &entry.node.value {
                Value::Null => true,
                Value::Map(entries) => entries.is_empty(),
                Value::List(items) => items.is_empty(),
                Value::Scalar(_) => false,
            };
            if is_empty || entry.key == "$schema" {
                continue;
            }
            let way = ways
                .iter()
                .find(|(key, _)| *key == entry.key)
                .map_or("remove it if you can do without", |(_, way)| way);
            findings.refuse(&entry.place, &self.path(&entry.key), &format!("this key is not carried; {way}"));
        }
    }
}

/// The text of a scalar.
pub fn text(node: &Node, path: &str, findings: &mut Findings) -> Option<String> {
    match &node.value {
        Value::Scalar(scalar) => Some(scalar.text.clone()),
        Value::Null | Value::List(_) | Value::Map(_) => {
            findings.fail(&node.place, path, "this has to be one value");
            None
        }
    }
}
