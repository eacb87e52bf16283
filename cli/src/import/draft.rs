//! What an import knows while it goes on: objects, what is left over, and names.
//!
//! In: what the parts of the import hand over. Out: the same, each object held against the definitions of its kind. It is the only
//! thing that changes.

use super::live::{bare, component_id};
use super::object::{Object, manifest, text};
use super::secret::{self, has_secret};
use crate::convert::check;
use crate::convert::names::{self, Taken};
use crate::convert::out::{Map, Out};
use azureml_check::Definitions;
use azureml_client::ArmId;
use azureml_plan::{owner, tags};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the user wants.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether manifests say `adopt: true`.
    pub adopts: bool,
    /// The namespace of the objects; without it the kustomization says none.
    pub namespace: Option<String>,
    /// The cloud of the workspace, where it is not the usual one.
    pub cloud: Option<String>,
}

/// Something in Azure that became no object.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Left {
    /// What it is.
    pub what: String,
    /// Its name in Azure.
    pub name: String,
    /// Why it became no object.
    pub why: String,
    /// What to do with it.
    pub way: String,
}

/// All of it.
pub struct Draft<'a> {
    /// What the user wants.
    pub options: &'a Options,
    /// The workspace's id.
    pub id: &'a ArmId,
    /// The name of its MLWorkspace.
    pub workspace: String,
    /// The objects so far.
    pub objects: Vec<Object>,
    /// What is left over so far.
    pub left: Vec<Left>,
    /// The MLCompute of a cluster, by the cluster's name in small letters.
    pub computes: BTreeMap<String, String>,
    /// MLPipelines by what they say.
    pub pipelines: BTreeMap<String, String>,
    /// Pipeline components that an MLPipeline runs.
    pub used: BTreeSet<String>,
    definitions: &'a Definitions,
    taken: Taken,
}

impl<'a> Draft<'a> {
    /// At the beginning.
    #[must_use]
    pub fn new(id: &'a ArmId, options: &'a Options, definitions: &'a Definitions) -> Self {
        Self {
            options,
            id,
            workspace: names::object(id.name()),
            objects: Vec::new(),
            left: Vec::new(),
            computes: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            used: BTreeSet::new(),
            definitions,
            taken: Taken::default(),
        }
    }

    /// A spec that names the workspace.
    #[must_use]
    pub fn spec(&self) -> Map {
        Map::new().with("workspaceRef", Map::new().with("name", self.workspace.as_str()))
    }

    /// Keeps an object that its kind takes, and says its name. One that the kind refuses, or that has a secret in it, is left over, under its
    /// name in Azure.
    pub fn keep(&mut self, azure_name: &str, mut object: Object) -> Option<String> {
        let place = secret::place(&Out::Map(object.spec.clone())).map(|place| format!("spec.{place}"));
        let of_notes = || object.notes.iter().any(|note| has_secret(note)).then(|| "a note on it".to_owned());
        if let Some(place) = place.or_else(of_notes) {
            self.leave(object.kind, azure_name, &format!("{place} {}", secret::WHY), secret::WAY);
            return None;
        }
        object.name = self.taken.take(object.kind, &names::object(azure_name));
        let faults = match text(&object) {
            Ok(text) => check::held(self.definitions, object.kind, &manifest(&object), &text),
            Err(why) => vec![why],
        };
        if let Some(fault) = faults.first() {
            let way = format!("write an {} by hand; the rest of it would be as Azure shows it", object.kind);
            self.leave(object.kind, azure_name, &format!("its kind refuses it: {fault}"), &way);
            return None;
        }
        let name = object.name.clone();
        self.objects.push(object);
        Some(name)
    }

    /// Names something that became no object.
    pub fn leave(&mut self, what: &str, name: &str, why: &str, way: &str) {
        // What Azure said goes into the reasons too.
        let (why, way) = if has_secret(why) || has_secret(way) {
            (format!("it {}", secret::WHY), secret::WAY.to_owned())
        } else {
            (why.to_owned(), way.to_owned())
        };
        let left = Left { what: what.into(), name: name.into(), why, way };
        // A job that two schedules start is said once.
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }

    /// Leaves what an operator made, whose manifest is somewhere already; whether that was so.
    pub fn is_owned(&mut self, what: &str, name: &str, its_tags: &Value) -> bool {
        if owner::is_foreign(its_tags) {
            return false;
        }
        let said = |tag: &str| tags::get(its_tags, tag).as_str().unwrap_or("?").to_owned();
        let why = format!("an operator made it, for {}/{}", said(owner::NAMESPACE), said(owner::NAME));
        self.leave(what, name, &why, "take the manifest of that object; what exists is then its own");
        true
    }

    /// The name in Azure, where the kinds take it; a note where they do not.
    pub fn put_azure_name(
        &self,
        spec: &mut Map,
        name: &str,
        (least, most, also): (usize, usize, &str),
    ) -> Option<String> {
        match names::azure(name, least, most, also) {
            Ok(()) => {
                spec.put("azureName", name);
                None
            }
            Err(why) => {
                Some(format!("Its name in Azure is {name}. The operator's will be generated: {why}."))
            }
        }
    }

    /// `adopt`, where it is wanted.
    pub fn put_adopt(&self, spec: &mut Map) {
        if self.options.adopts {
            spec.put("adopt", true);
        }
    }

    /// The shortest reference to a version of an asset: `azureml:<name>:<version>` in this workspace, else as Azure says it.
    #[must_use]
    pub fn reference(&self, id: &str) -> String {
        let id = bare(id);
        let Ok(parsed) = ArmId::parse(id) else { return id.to_owned() };
        let is_here = parsed.enclosing_workspace().as_ref() == Some(self.id);
        let asset = parsed.parent().map(|asset| asset.name().to_owned()).unwrap_or_default();
        // The names of what has none belong to Azure ML.
        let is_named = asset.starts_with(|first: char| first.is_ascii_alphanumeric())
            && !asset.to_ascii_lowercase().contains("anonymous");
        if is_here && is_named { format!("azureml:{asset}:{}", parsed.name()) } else { id.to_owned() }
    }

    /// The shortest reference to a component.
    #[must_use]
    pub fn component(&self, text: &str) -> String {
        component_id(self.id, text).map_or_else(|| text.to_owned(), |id| self.reference(id.as_str()))
    }

    /// The compute that a job or deployment names, as the field `compute` has it.
    #[must_use]
    pub fn compute(&self, id: &str) -> Option<Map> {
        let name = bare(id).rsplit(['/', ':']).next().unwrap_or_default();
        if name.is_empty() {
            return None;
        }
        if name.eq_ignore_ascii_case("serverless") {
            return Some(Map::new().with("serverless", Map::new()));
        }
        Some(match self.computes.get(&name.to_ascii_lowercase()) {
            Some(object) => Map::new().with("ref", object.as_str()),
            None => Map::new().with("name", name),
        })
    }
}
