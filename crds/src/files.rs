//! Files of a manifest as the operator keeps them: names, sizes and one hash of all, without their contents (ADR 25). An upload reads
//! the object again.
//!
//! In: a map of texts. Out: sizes and hash. It cannot give the texts back.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Files by what is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    sizes: BTreeMap<String, usize>,
    hash: String,
}

impl Files {
    /// What is known of files.
    #[must_use]
    pub fn of(texts: &BTreeMap<String, String>) -> Self {
        let sizes = texts.iter().map(|(path, text)| (path.clone(), text.len())).collect();
        Self { sizes, hash: hash(texts) }
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sizes.keys().map(String::as_str)
    }

    /// The hash of names and contents, as [`hash`] computes it.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|texts| Self::of(&texts))
    }
}

/// For people who look at it: what is in the files is not known any more.
impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.sizes.iter().map(|(path, size)| (path, format!("{size} bytes"))))
    }
}

impl JsonSchema for Files {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Files".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}

/// The hash of files as Azure ML computes it for code assets (version 202208): number of files; then for every file, in
/// the order of its lower-case path, `#path#size`; then all contents in the same order.
#[must_use]
pub fn hash(files: &BTreeMap<String, String>) -> String {
    let mut hash = AssetHash::of(files.iter().map(|(path, content)| (path.as_str(), content.len() as u64)));
    for content in std::mem::take(&mut hash.order).into_iter().filter_map(|path| files.get(path)) {
        hash.add(content.as_bytes());
    }
    hash.finish()
}

/// The same hash of contents that come piece by piece.
pub struct AssetHash<'a> {
    /// The paths in the order in which their contents are added.
    pub order: Vec<&'a str>,
    hash: Sha256,
}

impl<'a> AssetHash<'a> {
    /// Begins with paths and sizes.
    pub fn of(files: impl Iterator<Item = (&'a str, u64)>) -> Self {
        let mut sorted: Vec<(&str, u64)> = files.collect();
        sorted.sort_by_key(|(path, _)| path.to_lowercase());
        let mut hash = Sha256::new();
        hash.update(sorted.len().to_string().as_bytes());
        for (path, size) in &sorted {
            hash.update(format!("#{path}#{size}").as_bytes());
        }
        Self { order: sorted.into_iter().map(|(path, _)| path).collect(), hash }
    }

    /// The next bytes of the contents.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// The hash in hex.
    #[must_use]
    pub fn finish(self) -> String {
        self.hash.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_files_is_hashed_and_not_kept() {
        let read: Files = serde_json::from_str(r#"{"b.py":"print(1)\n","a.py":"x"}"#).unwrap();
        let other: Files = serde_json::from_str(r#"{"b.py":"print(2)\n","a.py":"x"}"#).unwrap();
        assert_ne!(read, other);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"a.py":"1 bytes","b.py":"9 bytes"}"#);
    }
}
