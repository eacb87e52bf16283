//! Workspaces: GET and LIST. Where and what they are; they are made by the simulator's options and controls alone.
//! Source: Azure REST API, `Workspaces_Get`, `Workspaces_ListByResourceGroup`, `Workspaces_ListBySubscription`.

use super::Origin;
use super::assets::Assets;
use super::computes::Compute;
use super::datastores::{self, Datastore};
use super::endpoints::Endpoint;
use super::jobs::Runs;
use super::schedules::Schedule;
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::ids::{self, Target};
use crate::arm::paging::Page;
use crate::ids::{sha256, uuid_of};
use crate::options::{StorageAccess, WorkspaceSpec};
use crate::wire::Answer;
use crate::world::{Settings, World};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One workspace with everything in it.
pub struct Workspace {
    /// The subscription.
    pub subscription: String,
    /// The resource group.
    pub group: String,
    /// The name.
    pub name: String,
    /// The region.
    pub region: String,
    /// The id that Azure gave it.
    pub guid: String,
    /// The storage account's name.
    pub storage: String,
    /// What the storage account takes.
    pub storage_access: StorageAccess,
    /// The registry's name.
    pub registry: String,
    /// Clusters by lower-cased name.
    pub computes: BTreeMap<String, Compute>,
    /// Versioned assets.
    pub assets: Assets,
    /// Jobs and their steps.
    pub runs: Runs,
    /// Schedules by name.
    pub schedules: BTreeMap<String, Schedule>,
    /// Batch endpoints by lower-cased name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Datastores by name.
    pub datastores: BTreeMap<String, Datastore>,
    origin: Origin,
}

/// Letters and digits of a name, as far as a storage account's or a registry's name may go.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>().to_ascii_lowercase()
}

impl Workspace {
    /// A workspace as the specification asks for it.
    pub fn new(settings: &Settings, spec: &WorkspaceSpec, now: Timestamp) -> Self {
        let subscription = spec.subscription.clone().unwrap_or_else(|| settings.subscription.clone());
        let id = ids::key(&ids::workspace(&subscription, &spec.resource_group, &spec.name));
        let mark = sha256(id.as_bytes()).chars().take(6).collect::<String>();
        let plain = plain(&spec.name);
        let (guid, storage) = (uuid_of(&id), format!("st{plain}{mark}"));
        Self {
            datastores: datastores::initial(&storage, &guid, now),
            assets: Assets::default(),
            runs: Runs::default(),
            schedules: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            guid,
            storage,
            storage_access: spec.storage,
            registry: spec.registry.clone().unwrap_or_else(|| format!("acr{plain}{mark}")),
            group: spec.resource_group.clone(),
            name: spec.name.clone(),
            region: spec.region.clone().unwrap_or_else(|| settings.region.clone()),
            computes: BTreeMap::new(),
            origin: Origin::by("azureml-simulator", now),
            subscription,
        }
    }

    /// The ARM id.
    pub fn id(&self) -> String {
        ids::workspace(&self.subscription, &self.group, &self.name)
    }

    /// The key in the world's map.
    pub fn key(&self) -> String {
        ids::key(&self.id())
    }

    fn neighbour(&self, path: &str) -> String {
        ids::resource(&self.subscription, &self.group, path)
    }

    /// The workspace as `api_version` shows it.
    fn json(&self, settings: &Settings, api_version: &str) -> Value {
        let host = settings.base.trim_start_matches("https://");
        let id = self.id();
        let mut shown = json!({
            "id": id, "name": self.name, "type": "Microsoft.MachineLearningServices/workspaces", "etag": null,
            "location": self.region, "kind": "Default", "sku": { "name": "Basic", "tier": "Basic" }, "tags": {},
            "identity": {
                "type": "SystemAssigned", "tenantId": settings.tenant, "principalId": uuid_of(&format!("{id}/identity")),
            },
            "systemData": self.origin.json(),
            "properties": {
                "workspaceId": self.guid, "tenantId": settings.tenant, "friendlyName": self.name,
                "description": "", "provisioningState": "Succeeded",
                "storageAccount": self.neighbour(&format!("Microsoft.Storage/storageAccounts/{}", self.storage)),
                "containerRegistry": self.neighbour(&format!("Microsoft.ContainerRegistry/registries/{}", self.registry)),
                "keyVault": self.neighbour(&format!("Microsoft.KeyVault/vaults/kv{}", self.storage)),
                "applicationInsights": self.neighbour(&format!("Microsoft.Insights/components/ai{}", self.storage)),
                "discoveryUrl": format!("{}/discovery", settings.base),
                "mlFlowTrackingUri": format!("azureml://{host}/mlflow/v1.0{id}"),
                "publicNetworkAccess": "Enabled", "v1LegacyMode": false, "hbiWorkspace": false,
                "storageHnsEnabled": false, "privateLinkCount": 0,
                "managedNetwork": {
                    "isolationMode": "Disabled",
                    "changeableIsolationModes": ["AllowInternetOutbound", "AllowOnlyApprovedOutbound"],
                },
                "creationTime": crate::clock::stamp(self.origin.created), "imageBuildCompute": null,
                "softDeleteEnabled": false, "enableDataIsolation": false, "linkedModelInventoryArmId": null,
                "notebookInfo": { "resourceId": self.guid.replace('-', ""), "isPrivateLinkEnabled": false,
                                  "fqdn": format!("ml-{}-{}.{}.notebooks.azure.net", self.name, self.guid, self.region),
                                  "notebookPreparationError": null },
            },
        });
        // Not there in 2023-04; since when is not recorded.
        if api_version >= "2024-04-01" {
            let mode = if self.storage_access == StorageAccess::Identity { "Identity" } else { "AccessKey" };
            shown["properties"]["systemDatastoresAuthMode"] = mode.into();
        }
        shown
    }
}

/// The key of the workspace a path is below; says which of its parents is missing.
pub fn find(world: &World, target: &Target<'_>, rest: &[&str]) -> Result<String, Refusal> {
    let name = rest.get(1).copied().unwrap_or_default();
    let group = target.group.unwrap_or_default();
    let key = ids::key(&ids::workspace(target.subscription, group, name));
    if world.workspaces.contains_key(&key) {
        return Ok(key);
    }
    in_group(world, target)?;
    let kind = format!("Microsoft.MachineLearningServices/workspaces/{name}");
    Err(if rest.len() > 2 { errors::no_parent(&kind) } else { errors::no_resource(&kind, group) })
}

/// Refuses a resource group that holds nothing.
fn in_group(world: &World, target: &Target<'_>) -> Result<(), Refusal> {
    let group = target.group.unwrap_or_default();
    let known = world.workspaces.values().any(|workspace| {
        workspace.group.eq_ignore_ascii_case(group)
            && workspace.subscription.eq_ignore_ascii_case(target.subscription)
    });
    if known { Ok(()) } else { Err(errors::no_group(group)) }
}

/// `GET …/workspaces/{name}`.
pub fn get(world: &World, call: &Call<'_>, target: &Target<'_>) -> Reply {
    if !call.is(&Method::GET) {
        return Err(errors::no_method(call));
    }
    let key = find(world, target, &target.rest)?;
    let workspace = world.workspaces.get(&key).ok_or_else(|| errors::no_route(call))?;
    Ok(Answer::ok(&workspace.json(&world.settings, call.api_version())))
}

/// `GET …/workspaces` of a subscription or a resource group.
pub fn list(world: &World, call: &Call<'_>, target: &Target<'_>) -> Reply {
    if !call.is(&Method::GET) {
        return Err(errors::no_method(call));
    }
    if target.group.is_some() {
        in_group(world, target)?;
    }
    let page = Page::of(call, &world.settings)?;
    let here = |workspace: &&Workspace| {
        workspace.subscription.eq_ignore_ascii_case(target.subscription)
            && target.group.is_none_or(|group| workspace.group.eq_ignore_ascii_case(group))
    };
    let items = world.workspaces.values().filter(here);
    Ok(Answer::ok(&page.cut("value", items, |workspace| workspace.json(&world.settings, call.api_version()))))
}
