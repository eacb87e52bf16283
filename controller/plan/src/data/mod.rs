//! MLData: data registered as a version that is named by its type, and by its address or the hash of its files.
//!
//! Source: Azure REST API, `DataVersions_CreateOrUpdate`: type and address of a version that exists cannot be changed.

mod content;

pub use self::content::{Content, FIELD, content, path, told};

use crate::action::{Action, Files, Next, Plan, Room, Verdict};
use crate::asset::changed;
use crate::context::{Ask, Workspace};
use crate::diff::differences;
use crate::environment::{Version, archive};
use crate::invalid::InvalidSpec;
use crate::owner::{Belongs, Other, Owner};
use crate::reasons::Reason;
use crate::settle::Differing;
use crate::source::Sources;
use crate::taken::taken;
use crate::{Decide, Leave, View, hash, names, tags};
use azureml_client::ArmId;
use azureml_crds::MLData;
use azureml_crds::ml_data::{MLDataSpec, MLDataStatus};
use azureml_crds::shared::DeletionPolicy;
use serde_json::{Value, json};

/// What an MLData refers to.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The workspace.
    pub workspace: Workspace,
    /// This object as an owner.
    pub owner: Owner,
    /// What the source held.
    pub sources: Sources,
}

/// The data asset version that should be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The version.
    pub id: ArmId,
    /// What is fixed: its type, and where it is or what is in it.
    pub content: Content,
    /// What can be changed.
    pub changeable: Value,
}

/// What is known of data that goes.
#[derive(Clone, Debug)]
pub struct Address {
    /// The data asset.
    pub id: ArmId,
    /// This object as an owner.
    pub owner: Owner,
}

/// The name of the version: the content's. Of a status no other is believed.
#[must_use]
pub fn version_name(spec: &MLDataSpec, content: &Content) -> String {
    hash::name("data", &content.named(spec.r#type))
}

/// The data asset's id: names alone decide it.
#[must_use]
pub fn id(data: &MLData, workspace: &ArmId) -> ArmId {
    let meta = &data.metadata;
    let generated = || {
        let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
        names::generated(names::DATA, namespace.unwrap_or_default(), name.unwrap_or_default())
    };
    workspace.child("data", &data.spec.azure_name.clone().unwrap_or_else(generated))
}

/// What can be changed of a version that exists.
fn changeable(spec: &MLDataSpec, owner: &Owner) -> Value {
    let MLDataSpec {
        description,
        tags,
        // The id has them.
        workspace_ref: _,
        azure_name: _,
        // They are fixed.
        r#type: _,
        path: _,
        source: _,
        // What the operator does with the data, and not what it is.
        deletion_policy: _,
    } = spec;
    let mut properties = json!({"tags": owner.tags(tags), "isArchived": false});
    if let Some(description) = description {
        properties["description"] = json!(description);
    }
    properties
}

impl Decide for MLData {
    type Status = MLDataStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Option<Value>;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        tags::unique(&self.spec.tags)?;
        let content = content(&self.spec, &refs.sources)?;
        if let Content::At(path) = &content {
            refs.workspace.rights.address("path", path)?;
        }
        let id = id(self, &refs.workspace.id).child("versions", &version_name(&self.spec, &content));
        Ok(Wanted { id, content, changeable: changeable(&self.spec, &refs.owner) })
    }

    fn plan(&self, View { refs, wanted, seen, ask }: View<'_, Self>) -> Plan {
        match seen {
            Some(have) => settle(self, refs, wanted, &have["properties"], ask),
            None => register(self, refs, wanted),
        }
    }

    fn facts(&self, View { refs, wanted, seen, ask }: View<'_, Self>, plan: &Plan) -> MLDataStatus {
        let mut status = self.status.clone().unwrap_or_default();
        // It is written with the request, so that pipelines follow at once.
        let sent = plan.actions.iter().find_map(|action| match action {
            Action::Put { body, .. } | Action::Upload { body, .. } => Some(body),
            Action::Patch { .. } | Action::Post { .. } | Action::Delete { .. } => None,
        });
        status.sources = refs.sources.status(&status.sources, ask.now);
        let own = seen.as_ref().filter(|have| is_ours(self, refs, wanted, &have["properties"]));
        if let Some(version) = own.or(sent) {
            status.common.azure_id = Some(wanted.id.to_string());
            status.version = Some(wanted.id.name().to_owned());
            status.path = version["properties"]["dataUri"].as_str().map(str::to_owned);
        }
        status
    }
}

fn register(data: &MLData, refs: &Refs, wanted: &Wanted) -> Plan {
    let mut properties = json!({"isAnonymous": false, "properties": {}, "dataType": data.spec.r#type.word()});
    for (key, value) in wanted.changeable.as_object().into_iter().flatten() {
        properties[key] = value.clone();
    }
    let id = wanted.id.clone();
    let send = match &wanted.content {
        Content::At(path) => {
            properties["dataUri"] = json!(path);
            Action::Put { id, body: json!({"properties": properties}) }
        }
        Content::Files { hash, file } => Action::Upload {
            room: Room::Datastore {
                workspace: refs.workspace.id.clone(),
                hash: hash.clone(),
                file: file.clone(),
            },
            files: Files::OfObject { hash: hash.clone() },
            id,
            body: json!({"properties": properties}),
            pointer: "/properties/dataUri",
        },
    };
    let message = format!("{} is being registered as version {}", wanted.content, wanted.id.name());
    Plan::send(vec![send], Verdict::working(Reason::REGISTERING, message), Next::Now)
}

/// Whether a version is ours and has the content that its name tells: anybody with write access to the workspace may register
/// another address under it.
fn is_ours(data: &MLData, refs: &Refs, wanted: &Wanted, properties: &Value) -> bool {
    let whole = |uri: &str| whole(uri, &refs.workspace.id);
    let found = properties["dataUri"].as_str().map(whole).unwrap_or_default();
    let is_there = match &wanted.content {
        Content::At(path) => found == whole(path),
        // Any datastore of this workspace: the default one may have become another since.
        Content::Files { .. } => {
            let here = whole("azureml://datastores/");
            let place = found.strip_prefix(&here).and_then(|rest| rest.split_once("/paths/"));
            place.is_some_and(|(store, path)| {
                !store.contains('/') && Some(path) == wanted.content.path().as_deref()
            })
        }
    };
    matches!(refs.owner.of(&properties["tags"]), Belongs::Us | Belongs::Inherited)
        && properties["dataType"] == data.spec.r#type.word()
        && is_there
}

/// An address with the workspace of its datastore, as Azure ML shows it: `azureml://datastores/…` and
/// `azureml://subscriptions/…/datastores/…` are one place. Source: `LONG_URI_FORMAT` of Microsoft's client.
fn whole(uri: &str, workspace: &ArmId) -> String {
    const SHORT: &str = "azureml://datastores/";
    const LONG: &str = "azureml://subscriptions/";
    let is_long = uri.get(..LONG.len()).is_some_and(|start| start.eq_ignore_ascii_case(LONG));
    let part = |key: &str| workspace.segment(key).unwrap_or_default();
    let (subscription, group) = (part("subscriptions"), part("resourceGroups"));
    let here = format!("{LONG}{subscription}/resourcegroups/{group}/workspaces/{}", workspace.name());
    let found = match uri.strip_prefix(SHORT) {
        Some(rest) => Some((here.as_str(), rest)),
        None => uri.split_once("/datastores/").filter(|_| is_long),
    };
    found
        .map_or_else(|| uri.to_owned(), |(at, rest)| format!("{}/datastores/{rest}", at.to_ascii_lowercase()))
}

/// A version that exists: equal by its name; only tags, description and archiving can differ.
fn settle(data: &MLData, refs: &Refs, wanted: &Wanted, properties: &Value, ask: &Ask) -> Plan {
    if !is_ours(data, refs, wanted, properties) {
        let owner = match refs.owner.of(&properties["tags"]) {
            Belongs::Another(owner) => owner,
            Belongs::Us | Belongs::Inherited | Belongs::Nobody => {
                Other::unknown("nobody, by its tags or its address")
            }
        };
        return taken(&wanted.id, &owner, "give this object another azureName");
    }
    let found = differences(&wanted.changeable, properties);
    let hash = hash::content("data-facts", &wanted.changeable);
    if found.is_empty() {
        let message = format!("version {} is {}", wanted.id.name(), wanted.content);
        let verdict = Verdict::ready(Reason::SUCCEEDED, message);
        return Plan { applied: Some(hash), ..Plan::say(verdict, Next::Tick) };
    }
    let put = Action::Put { id: wanted.id.clone(), body: changed(properties, &wanted.changeable) };
    if properties["isArchived"] == true {
        let message = format!("version {} is archived, and is wanted", wanted.id.name());
        return Plan::send(vec![put], Verdict::working(Reason::RESTORING, message), Next::Look);
    }
    let common = data.status.as_ref().map(|status| &status.common);
    let is_inherited = refs.owner.of(&properties["tags"]) == Belongs::Inherited;
    let differing =
        Differing { common, policy: None, hash: &hash, is_foreign: false, is_inherited, found: &found };
    differing.plan(put, Next::Look, ask)
}

impl Leave for MLData {
    type Address = Address;
    type Left = Vec<Version>;

    fn farewell(&self, address: &Address, left: &Vec<Version>, _: &Ask) -> Plan {
        if self.spec.deletion_policy != Some(DeletionPolicy::Delete) {
            return Plan::leave("the data asset stays in Azure");
        }
        archive(&address.id, &address.owner, left, "data asset")
    }
}
