//! What a conversion knows while it goes on: files, options, what was found, and the objects so far.
//!
//! In: what the parts of the conversion hand over. Out: the same, without doubles. It is the only thing that changes.

use super::files::{Files, Found, beside, tidy};
use super::findings::Findings;
use super::names::{Taken, object};
use super::out::Map;
use super::read::{Node, Place, Scalar, read};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// What the user wants.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespace of the objects; without it the kustomization says none.
    pub namespace: Option<String>,
    /// The MLWorkspace that they name.
    pub workspace: String,
    /// Whether what is not carried is a warning.
    pub is_lenient: bool,
    /// Where the folders of the files are in Git.
    pub git: Option<Git>,
}

/// A repository at a reference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Git {
    /// The address.
    pub url: String,
    /// `branch`, `tag` or `commit`.
    pub kind: String,
    /// Its name.
    pub reference: String,
}

/// An object to be written.
#[derive(Clone, Debug)]
pub struct Object {
    /// The kind.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// The file that it comes from.
    pub from: Rc<str>,
    /// Comments at its beginning.
    pub notes: Vec<String>,
    /// What it says.
    pub spec: Map,
}

/// Files of a ConfigMap that the kustomization makes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Generated {
    /// The name.
    pub name: String,
    /// Name to content.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// What a user of a pipeline says over the pipeline's own words.
#[derive(Clone, Debug, Default)]
pub struct Over {
    /// Keys of the job or deployment, by name.
    pub nodes: BTreeMap<&'static str, Node>,
    /// The batch endpoint that publishes it.
    pub publish: Option<String>,
    /// Values that a caller gives to inputs.
    pub values: BTreeMap<String, Scalar>,
}

/// A pipeline that is to become an object.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The name of the object.
    pub name: String,
    /// The pipeline job or component.
    pub root: Rc<Node>,
    /// What is said over it.
    pub over: Over,
}

/// Named assets among the files that were given: their file, by kind and name.
pub type Index = BTreeMap<(&'static str, String), String>;

/// All of it.
pub struct Context<'a> {
    /// The files.
    pub files: &'a dyn Files,
    /// What the user wants.
    pub options: &'a Options,
    /// What was found.
    pub findings: Findings,
    /// The objects so far.
    pub objects: Vec<Object>,
    /// The ConfigMaps so far.
    pub generated: Vec<Generated>,
    /// Named assets among the files that were given.
    pub index: Index,
    /// Pipelines that are still to be converted.
    pub queue: VecDeque<Wanted>,
    /// Files of components that a pipeline uses.
    pub used: BTreeSet<String>,
    taken: Taken,
    known: BTreeMap<String, String>,
    documents: BTreeMap<String, Option<Rc<Node>>>,
}

impl<'a> Context<'a> {
    /// At the beginning.
    #[must_use]
    pub fn new(files: &'a dyn Files, options: &'a Options) -> Self {
        Self {
            files,
            options,
            findings: Findings::new(options.is_lenient),
            objects: Vec::new(),
            generated: Vec::new(),
            index: Index::new(),
            queue: VecDeque::new(),
            used: BTreeSet::new(),
            taken: Taken::default(),
            known: BTreeMap::new(),
            documents: BTreeMap::new(),
        }
    }

    /// The tree of a YAML file. A file that is not there or cannot be read is said once, where it is named first.
    pub fn document(&mut self, path: &str, named_at: &Place, key: &str) -> Option<Rc<Node>> {
        let path = tidy(path);
        if let Some(known) = self.documents.get(&path) {
            return known.clone();
        }
        let tree = self.text(&path, named_at, key).and_then(|text| match read(&path, &text) {
            Ok(tree) => Some(Rc::new(tree)),
            Err(error) => {
                self.findings.fail(&error.place, "", &error.message);
                None
            }
        });
        self.documents.insert(path, tree.clone());
        tree
    }

    /// The text of a file.
    pub fn text(&mut self, path: &str, named_at: &Place, key: &str) -> Option<String> {
        let message = match self.files.look(path) {
            Found::File(bytes) => match String::from_utf8(bytes) {
                Ok(text) => return Some(text),
                Err(_) => format!("{path} is not UTF-8 text"),
            },
            Found::Nothing => {
                format!("{path} is not there; correct the path, or run the command where the file is")
            }
            Found::Folder(_) => format!("{path} is a folder; name the file in it"),
            Found::Unreadable(why) => format!("{path} cannot be read: {why}"),
        };
        self.findings.fail(named_at, key, &message);
        None
    }

    /// The path that a file's text means.
    #[must_use]
    pub fn beside(place: &Place, path: &str) -> String {
        beside(&place.file, path)
    }

    /// A name for an object of a kind, from a wish.
    pub fn name(&mut self, kind: &'static str, wish: &str) -> String {
        self.taken.take(kind, &object(wish))
    }

    /// The name of the object that was made for a content before.
    #[must_use]
    pub fn known(&self, kind: &str, content: &str) -> Option<String> {
        self.known.get(&format!("{kind} {content}")).cloned()
    }

    /// Keeps the name of the object that a content got.
    pub fn know(&mut self, kind: &str, content: &str, name: &str) {
        self.known.insert(format!("{kind} {content}"), name.to_owned());
    }

    /// A spec that names the workspace.
    #[must_use]
    pub fn spec(&self) -> Map {
        Map::new().with("workspaceRef", Map::new().with("name", self.options.workspace.as_str()))
    }

    /// Whether the name of an asset says which version; if not, that is said.
    pub fn is_versioned(&mut self, text: &str, place: &Place, key: &str) -> bool {
        let name = text.strip_prefix("azureml:").filter(|name| !name.starts_with('/'));
        if name.is_none_or(|name| name.contains([':', '@'])) {
            return true;
        }
        let message = format!("{text:?} says no version; write {text}:<version> or {text}@latest");
        self.findings.refuse(place, key, &message);
        false
    }

    /// The file of a named asset, where it was given: of `azureml:name:version`, `azureml:name@label` or `azureml:name`.
    #[must_use]
    pub fn given(&self, kind: &'static str, text: &str) -> Option<String> {
        let name = text.strip_prefix("azureml:").filter(|name| !name.starts_with("//"))?;
        let name = name.split([':', '@']).next().unwrap_or(name);
        self.index.get(&(kind, name.to_owned())).cloned()
    }
}

/// The path of a local file that a text names: `file:x.yml`, `./x.yml` or `x.yml`.
#[must_use]
pub fn local(text: &str) -> Option<&str> {
    let is_address =
        text.contains("://") || text.starts_with("azureml:") || text.starts_with("/subscriptions/");
    let is_other = ["git+", "runs:", "dbfs:"].iter().any(|other| text.starts_with(other));
    (!is_address && !is_other).then(|| text.strip_prefix("file:").unwrap_or(text))
}
