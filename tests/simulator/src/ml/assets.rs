//! Versioned assets: environments, codes, components and data share paths, lists, archiving and immutability; what is
//! special to one kind is in its rules. Source: Azure REST API, `EnvironmentVersions_*`, `CodeVersions_*`,
//! `ComponentVersions_*`, `DataVersions_*` and their containers.

mod containers;
mod rules;
mod show;
mod upload;
mod versions;

use super::Origin;
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::world::World;
use http::Method;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub use versions::resolve;

/// The kinds of assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Environments.
    Environment,
    /// Code snapshots.
    Code,
    /// Components.
    Component,
    /// Data assets.
    Data,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Environment, Self::Code, Self::Component, Self::Data];

    /// The segment of the path.
    pub fn segment(self) -> &'static str {
        match self {
            Self::Environment => "environments",
            Self::Code => "codes",
            Self::Component => "components",
            Self::Data => "data",
        }
    }

    /// The word in error texts.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Environment => "Environment",
            Self::Code => "Code",
            Self::Component => "Component",
            Self::Data => "Data",
        }
    }

    /// The kind of a segment of a path.
    pub fn of(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.segment().eq_ignore_ascii_case(segment))
    }
}

/// One version of an asset.
#[derive(Clone, Debug)]
pub struct Version {
    /// The version.
    pub name: String,
    /// Its place in the order of creation.
    pub number: u64,
    /// Its properties as they are kept.
    pub properties: Map<String, Value>,
    /// Its maker, and the time.
    pub origin: Origin,
}

impl Version {
    /// Whether it is archived.
    pub fn is_archived(&self) -> bool {
        self.properties.get("isArchived") == Some(&Value::Bool(true))
    }
}

/// An asset with its versions.
#[derive(Clone, Debug)]
pub struct Container {
    /// The name.
    pub name: String,
    /// Properties of its own: `description`, `tags`, `properties`, `isArchived`.
    pub properties: Map<String, Value>,
    /// Its versions by name.
    pub versions: BTreeMap<String, Version>,
    /// Its maker, and the time.
    pub origin: Origin,
}

/// All assets of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    kinds: BTreeMap<Kind, BTreeMap<String, Container>>,
    made: u64,
}

impl Assets {
    /// The assets of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Container> {
        self.kinds.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    /// An asset.
    pub fn container(&self, kind: Kind, name: &str) -> Option<&Container> {
        self.kinds.get(&kind)?.get(name)
    }

    /// An asset that is to be changed.
    fn container_mut(&mut self, kind: Kind, name: &str) -> Option<&mut Container> {
        self.kinds.get_mut(&kind)?.get_mut(name)
    }

    /// A version of an asset.
    pub fn version(&self, kind: Kind, name: &str, version: &str) -> Option<&Version> {
        self.container(kind, name)?.versions.get(version)
    }

    /// The asset of this name, made when it is not there.
    fn ensure(&mut self, kind: Kind, name: &str, origin: Origin) -> &mut Container {
        let new =
            || Container { name: name.to_owned(), properties: Map::new(), versions: BTreeMap::new(), origin };
        self.kinds.entry(kind).or_default().entry(name.to_owned()).or_insert_with(new)
    }

    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn remove(&mut self, kind: Kind, name: &str) -> bool {
        self.kinds.get_mut(&kind).is_some_and(|all| all.remove(name).is_some())
    }
}

/// Which of the archived and the active are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// `ActiveOnly`.
    Active,
    /// `ArchivedOnly`.
    Archived,
    /// `All`.
    All,
}

impl View {
    /// Reads `listViewType`.
    pub fn of(call: &Call<'_>) -> Result<Self, Refusal> {
        match call.request.query("listViewType").map(str::to_ascii_lowercase).as_deref() {
            None | Some("activeonly") => Ok(Self::Active),
            Some("archivedonly") => Ok(Self::Archived),
            Some("all") => Ok(Self::All),
            Some(other) => Err(errors::invalid(&format!(
                "listViewType must be ActiveOnly, ArchivedOnly or All, not '{other}'."
            ))),
        }
    }

    /// Whether something that is, or is not, archived is wanted.
    pub fn takes(self, archived: bool) -> bool {
        match self {
            Self::Active => !archived,
            Self::Archived => archived,
            Self::All => true,
        }
    }
}

/// Answers a request below a kind of assets.
pub fn answer(world: &mut World, call: &Call<'_>, key: &str, kind: Kind, rest: &[&str]) -> Reply {
    let versions = rest.get(1).is_none_or(|word| word.eq_ignore_ascii_case("versions"));
    match (&call.request.method, rest) {
        (_, [_, _, ..]) if !versions => Err(errors::no_route(call)),
        (&Method::GET, []) => containers::list(world, call, key, kind),
        (&Method::GET, [name]) => containers::get(world, key, kind, name),
        (&Method::PUT, [name]) => containers::put(world, call, key, kind, name),
        (&Method::DELETE, [name]) => containers::delete(world, key, kind, name),
        (&Method::GET, [name, _]) => versions::list(world, call, key, kind, name),
        (&Method::GET, [name, _, version]) => versions::get(world, key, kind, (name, version)),
        (&Method::PUT, [name, _, version]) => versions::put(world, call, key, kind, (name, version)),
        (&Method::DELETE, [name, _, version]) => versions::delete(world, key, kind, (name, version)),
        (&Method::POST, [name, _, version, action]) if action.eq_ignore_ascii_case("startPendingUpload") => {
            upload::start(world, call, key, kind, (name, version))
        }
        (_, [] | [_] | [_, _] | [_, _, _]) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}

/// The assets of a workspace by kind, name and version, without times; codes by their content, since names and places
/// of uploads are random with some clients.
pub fn canonical(workspace: &crate::ml::Workspace) -> Value {
    let version = |kind: Kind, version: &Version| {
        let mut shown = Value::Object(version.properties.clone());
        if kind == Kind::Code {
            shown.as_object_mut().map(|map| map.remove("codeUri"));
        }
        (version.name.clone(), shown)
    };
    let container = |kind: Kind, container: &Container| {
        let versions = container.versions.values().map(|one| version(kind, one)).collect::<Map<_, _>>();
        (container.name.clone(), Value::Object(versions))
    };
    let of = |kind: Kind| {
        let all = workspace.assets.of(kind).map(|one| container(kind, one)).collect::<Map<_, _>>();
        (kind.segment().to_owned(), Value::Object(all))
    };
    Value::Object(Kind::ALL.into_iter().map(of).collect())
}
