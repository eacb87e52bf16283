//! Registries: GET. What a registry is called, where it is reached, how roles work in it.
//! Source: Azure REST API, `Registries_Get`; role modes: learn.microsoft.com, "Microsoft Entra attribute-based access
//! control (ABAC) for repository permissions".

use super::runs::Run;
use super::task_runs::TaskRun;
use crate::arm::Call;
use crate::arm::errors::{self, Refusal};
use crate::arm::ids::{self, Target};
use crate::clock::stamp;
use crate::ml::{Origin, Workspace};
use crate::wire::Answer;
use crate::world::World;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

/// How roles work in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleMode {
    /// `LegacyRegistryPermissions`: a build pushes with the registry's own rights.
    Legacy,
    /// `AbacRepositoryPermissions`: a build pushes with the rights of the identity it names.
    Abac,
}

impl RoleMode {
    /// Azure's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Legacy => "LegacyRegistryPermissions",
            Self::Abac => "AbacRepositoryPermissions",
        }
    }
}

/// One registry.
pub struct Registry {
    /// The subscription.
    pub subscription: String,
    /// The resource group.
    pub group: String,
    /// The name.
    pub name: String,
    /// The region.
    pub region: String,
    /// How roles work in it.
    pub mode: RoleMode,
    /// Whether its network rules let in only those it names, which the builders of ACR Tasks are not.
    pub restricted: bool,
    /// Runs by id.
    pub runs: BTreeMap<String, Run>,
    /// Task runs by lower-cased name.
    pub task_runs: BTreeMap<String, TaskRun>,
    created: Timestamp,
}

impl Registry {
    /// The registry of a workspace.
    pub fn new(workspace: &Workspace, mode: RoleMode, restricted: bool, now: Timestamp) -> Self {
        Self {
            subscription: workspace.subscription.clone(),
            group: workspace.group.clone(),
            name: workspace.registry.clone(),
            region: workspace.region.clone(),
            mode,
            restricted,
            runs: BTreeMap::new(),
            task_runs: BTreeMap::new(),
            created: now,
        }
    }

    /// The ARM id.
    pub fn id(&self) -> String {
        ids::registry(&self.subscription, &self.group, &self.name)
    }

    /// The key in the world's map.
    pub fn key(&self) -> String {
        ids::key(&self.id())
    }

    /// The host that images are named by.
    pub fn login_server(&self) -> String {
        format!("{}.azurecr.io", self.name.to_ascii_lowercase())
    }

    /// The registry as a GET shows it; what newer versions of the API know is not shown by older ones. Network rules
    /// are those of a premium registry alone.
    pub fn answer(&self, call: &Call<'_>) -> Answer {
        let mut properties = json!({
            "loginServer": self.login_server(), "creationDate": stamp(self.created), "provisioningState": "Succeeded",
            "adminUserEnabled": false, "publicNetworkAccess": "Enabled",
            "networkRuleBypassOptions": "AzureServices", "zoneRedundancy": "Disabled", "dataEndpointEnabled": false,
            "dataEndpointHostNames": [], "privateEndpointConnections": [], "encryption": { "status": "disabled" },
            "anonymousPullEnabled": false,
            "policies": {
                "quarantinePolicy": { "status": "disabled" }, "trustPolicy": { "type": "Notary", "status": "disabled" },
                "retentionPolicy": { "days": 7, "lastUpdatedTime": stamp(self.created), "status": "disabled" },
                "exportPolicy": { "status": "enabled" },
            },
        });
        if self.restricted {
            let rules = json!([{ "action": "Allow", "value": "203.0.113.7" }]);
            properties["networkRuleSet"] = json!({ "defaultAction": "Deny", "ipRules": rules });
        }
        if call.api_version() >= "2024-11-01" {
            properties["roleAssignmentMode"] = self.mode.word().into();
        }
        if call.api_version() >= "2025-05-01" {
            properties["networkRuleBypassAllowedForTasks"] = false.into();
        }
        let tier = if self.restricted { "Premium" } else { "Standard" };
        let origin = Origin::by("azureml-simulator", self.created);
        Answer::ok(&json!({
            "id": self.id(), "name": self.name, "type": "Microsoft.ContainerRegistry/registries",
            "location": self.region, "tags": {}, "sku": { "name": tier, "tier": tier },
            "properties": properties, "systemData": origin.json(),
        }))
    }
}

/// The key of the registry a path is below.
pub fn find(world: &World, target: &Target<'_>, rest: &[&str]) -> Result<String, Refusal> {
    let name = rest.get(1).copied().unwrap_or_default();
    let group = target.group.unwrap_or_default();
    let key = ids::key(&ids::registry(target.subscription, group, name));
    if world.registries.contains_key(&key) {
        return Ok(key);
    }
    let known = world.registries.values().any(|registry| registry.group.eq_ignore_ascii_case(group));
    if !known {
        return Err(errors::no_group(group));
    }
    let kind = format!("Microsoft.ContainerRegistry/registries/{name}");
    Err(if rest.len() > 2 { errors::no_parent(&kind) } else { errors::no_resource(&kind, group) })
}
