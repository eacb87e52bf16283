//! What a verb found, for programs: the name of its form, and the whole of it, as JSON or YAML.
//!
//! In: a value. Out: text, whose form is kept as long as its name. Chooses nothing of the value.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

/// A value with the name of its form.
#[derive(Debug)]
pub struct Report<'a, T: ?Sized> {
    /// The form and its version, as `apiVersion`.
    pub form: &'static str,
    /// The key of the value.
    pub key: &'static str,
    /// The value.
    pub value: &'a T,
}

impl<T: Serialize + ?Sized> Serialize for Report<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("apiVersion", self.form)?;
        map.serialize_entry(self.key, self.value)?;
        map.end()
    }
}

impl<T: Serialize + ?Sized> Report<'_, T> {
    /// The report as JSON.
    ///
    /// # Errors
    /// When a key of the value is no text.
    pub fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The report as YAML.
    ///
    /// # Errors
    /// When a key of the value is no text.
    pub fn yaml(&self) -> anyhow::Result<String> {
        Ok(serde_saphyr::to_string(self)?)
    }
}
