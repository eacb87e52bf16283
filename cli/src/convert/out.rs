//! What is written: a tree that keeps the order of its keys and the comments of choices.
//!
//! In: values. Out: YAML, and JSON for the check. Knows no kind.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Number, Value};
use serde_saphyr::{Commented, DoubleQuoted};

/// The longest line of a text, in characters.
pub const LINE: usize = 120;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// Text.
    Text(String),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Boolean(bool),
    /// A list.
    List(Vec<Out>),
    /// A map.
    Map(Map),
    /// A scalar with a comment behind it.
    Noted(Box<Out>, String),
}

/// A map in the order in which it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<(String, Out)>);

impl Map {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    pub fn put(&mut self, key: &str, value: impl Into<Out>) {
        self.0.push((key.to_owned(), value.into()));
    }

    /// Adds a field where there is a value.
    pub fn put_some(&mut self, key: &str, value: Option<impl Into<Out>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// Adds a map where there is something in it.
    pub fn put_full(&mut self, key: &str, value: Map) {
        if !value.is_empty() {
            self.put(key, value);
        }
    }

    /// With one field more.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Out>) -> Self {
        self.put(key, value);
        self
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Out> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Another value in the place of a key's.
    pub fn set(&mut self, key: &str, value: impl Into<Out>) {
        if let Some((_, old)) = self.0.iter_mut().find(|(name, _)| name == key) {
            *old = value.into();
        }
    }

    /// Takes a field out.
    pub fn take(&mut self, key: &str) -> Option<Out> {
        let place = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(place).1)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the fields of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// With its keys in the order of the alphabet, as Kubernetes keeps maps of names.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.0.sort_by(|(first, _), (second, _)| first.cmp(second));
        self
    }
}

impl FromIterator<(String, Out)> for Map {
    fn from_iter<T: IntoIterator<Item = (String, Out)>>(fields: T) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl IntoIterator for Map {
    type Item = (String, Out);
    type IntoIter = std::vec::IntoIter<(String, Out)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Out {
    /// With a comment behind it.
    #[must_use]
    pub fn noted(self, comment: &str) -> Self {
        Self::Noted(Box::new(self), comment.to_owned())
    }

    /// As JSON, without comments.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Boolean(truth) => Value::Bool(*truth),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Map(map) => map.0.iter().map(|(key, value)| (key.clone(), value.json())).collect(),
            Self::Noted(value, _) => value.json(),
        }
    }
}

impl Serialize for Out {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // What has no blank, such as an ARM id, cannot be folded.
            Self::Text(text) if text.len() > LINE && !text.contains([' ', '\n']) => {
                DoubleQuoted(text).serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(map) => {
                let mut fields = serializer.serialize_map(Some(map.0.len()))?;
                for (key, value) in &map.0 {
                    fields.serialize_entry(key, value)?;
                }
                fields.end()
            }
            Self::Noted(value, comment) => Commented(value, comment.clone()).serialize(serializer),
        }
    }
}

impl From<&str> for Out {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Out {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Out {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<Number> for Out {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Out {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<Map> for Out {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl<T: Into<Out>> From<Vec<T>> for Out {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
