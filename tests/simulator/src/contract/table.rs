//! The published types and routes as data, read from the two reduced files.
//! In: the text of the files. Out: a table whose references all resolve. Decides nothing about requests.

use std::collections::{BTreeMap, HashMap};

use fancy_regex::Regex;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::LoadError;

/// Everything the check needs to know.
#[derive(Debug, Deserialize)]
pub(super) struct Table {
    /// Service, then described version, then the api-versions that are checked as it.
    #[serde(default)]
    pub(super) versions: HashMap<String, BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    pub(super) routes: Vec<Route>,
    pub(super) types: HashMap<String, Type>,
}

/// One path with its methods.
#[derive(Debug, Deserialize)]
pub(super) struct Route {
    pub(super) service: String,
    pub(super) path: String,
    pub(super) methods: HashMap<String, Operation>,
}

/// What one method of a path takes and gives.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    /// The type of the body, if there may be one.
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) body_required: bool,
    /// The rule for the last name in the path, where the operation gives that name to something new.
    pub(super) name: Option<Schema>,
    #[serde(default)]
    pub(super) query: BTreeMap<String, Property>,
    /// The type of the answer by status; nothing for an answer without a body.
    pub(super) responses: HashMap<String, Option<String>>,
    /// The only api-versions that have the operation.
    pub(super) only: Option<Vec<String>>,
}

/// A named type.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Type {
    /// One of several types, told apart by the value of a property.
    OneOf {
        discriminator: String,
        /// Nothing for a subtype that Azure has and this table leaves out.
        variants: BTreeMap<String, Option<String>>,
        /// The type of an object without the discriminator.
        default: Option<String>,
    },
    /// An object with known properties.
    Object {
        properties: BTreeMap<String, Property>,
        /// The schema of all other properties; without it there are none.
        #[serde(rename = "map")]
        others: Option<Box<Schema>>,
    },
}

/// A property of an object or a parameter of a query.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Property {
    #[serde(flatten)]
    pub(super) schema: Schema,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) read_only: bool,
    #[serde(default)]
    pub(super) create_only: bool,
    /// The first described version that has it.
    pub(super) since: Option<String>,
}

/// What a value may be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Schema {
    #[serde(rename = "type")]
    pub(super) kind: Option<Kind>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) array: Option<Box<Self>>,
    pub(super) map: Option<Box<Self>>,
    pub(super) any_of: Option<Vec<Self>>,
    #[serde(rename = "enum")]
    pub(super) values: Option<Vec<String>>,
    pub(super) pattern: Option<Pattern>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) format: Option<Format>,
    #[serde(default)]
    pub(super) nullable: bool,
    /// A binding (`${{…}}`) may stand for the value.
    #[serde(default)]
    pub(super) binding: bool,
}

/// The kinds of plain values.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Any,
    Boolean,
    Integer,
    Number,
    String,
}

/// The formats that are checked.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Format {
    DateTime,
    Duration,
    Int32,
    Int64,
    Uuid,
}

/// A compiled pattern; some of Azure's look ahead.
#[derive(Debug)]
pub(super) struct Pattern(pub(super) Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(D::Error::custom)
    }
}

impl Table {
    /// Reads the files and joins their types.
    pub(super) fn parse(azure: &str, client: &str) -> Result<Self, LoadError> {
        let mut table: Self =
            serde_json::from_str(azure).map_err(|source| LoadError::Data { file: "azure.json", source })?;
        let free: Self =
            serde_json::from_str(client).map_err(|source| LoadError::Data { file: "client.json", source })?;
        table.types.extend(free.types);
        match table.references().into_iter().find(|name| !table.types.contains_key(*name)) {
            Some(name) => Err(LoadError::Unresolved { name: name.to_owned() }),
            None => Ok(table),
        }
    }

    /// All names of types that something refers to.
    fn references(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for operation in self.routes.iter().flat_map(|route| route.methods.values()) {
            found.extend(operation.body.as_deref());
            found.extend(
                operation.responses.values().flatten().map(String::as_str).filter(|name| *name != "any"),
            );
        }
        for entry in self.types.values() {
            match entry {
                Type::OneOf { variants, default, .. } => {
                    found.extend(variants.values().flatten().map(String::as_str));
                    found.extend(default.as_deref());
                }
                Type::Object { properties, others } => {
                    let own = properties.values().map(|property| &property.schema);
                    own.chain(others.as_deref()).for_each(|schema| schema.references(&mut found));
                }
            }
        }
        found
    }
}

impl Schema {
    fn references<'a>(&'a self, found: &mut Vec<&'a str>) {
        found.extend(self.reference.as_deref());
        let inner = self.array.as_deref().into_iter().chain(self.map.as_deref());
        inner.chain(self.any_of.iter().flatten()).for_each(|schema| schema.references(found));
    }
}
