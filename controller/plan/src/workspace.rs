//! MLWorkspace: read, never written. Says what the other kinds need to know of the Azure ML workspace.

use crate::action::{Next, Plan, Verdict};
use crate::context::{Ask, InvalidSpec};
use crate::time;
use crate::{Decide, Leave, View};
use azureml_client::ArmId;
use azureml_crds::MLWorkspace;
use azureml_crds::ml_workspace::{MLWorkspaceStatus, RegistryStatus, RoleAssignmentMode};
use jiff::SignedDuration;
use serde_json::Value;

/// How soon a data plane that cannot be found is looked for again.
const AGAIN: std::time::Duration = std::time::Duration::from_mins(1);

/// What configuration adds to an MLWorkspace.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The interval of comparison where the spec sets none.
    pub resync: SignedDuration,
}

/// What to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The workspace.
    pub id: ArmId,
    /// The registry that the spec names.
    pub registry: Option<ArmId>,
    /// The interval of comparison in force.
    pub resync: SignedDuration,
}

/// What Azure has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The workspace.
    pub workspace: Option<Value>,
    /// Its registry, or the one that the spec names.
    pub registry: Option<Value>,
    /// The address of its data plane, by discovery.
    pub data_plane: Option<String>,
}

/// The ids of a workspace: all that its spec holds.
#[must_use]
pub fn id(workspace: &MLWorkspace) -> ArmId {
    let spec = &workspace.spec;
    ArmId::workspace(&spec.subscription_id, &spec.resource_group, &spec.workspace_name)
}

/// The registry in force: the spec's, else the workspace's own.
#[must_use]
pub fn registry_id(wanted: &Wanted, workspace: Option<&Value>) -> Option<ArmId> {
    let own = || ArmId::parse(workspace?["properties"]["containerRegistry"].as_str()?).ok();
    wanted.registry.clone().or_else(own)
}

/// Where the workspace says how its data plane is found.
#[must_use]
pub fn discovery(workspace: Option<&Value>) -> Option<&str> {
    workspace?["properties"]["discoveryUrl"].as_str()
}

impl Decide for MLWorkspace {
    type Status = MLWorkspaceStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Seen;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        let registry = match &self.spec.registry {
            Some(registry) => Some(
                ArmId::parse(&registry.resource_id)
                    .map_err(|error| InvalidSpec::new("registry.resourceId", error.to_string()))?,
            ),
            None => None,
        };
        let resync = match &self.spec.resync {
            Some(text) => time::duration("resync", text)?,
            None => refs.resync,
        };
        Ok(Wanted { id: id(self), registry, resync })
    }

    fn plan(&self, View { wanted, seen, .. }: View<'_, Self>) -> Plan {
        let id = &wanted.id;
        let Some(workspace) = &seen.workspace else {
            let message =
                format!("there is no workspace {id}; make it, or correct the ids in a new MLWorkspace");
            return Plan::say(Verdict::stalled("WorkspaceNotFound", message), Next::Tick);
        };
        if workspace["properties"]["v1LegacyMode"] == true {
            let message =
                format!("{id} is in v1 legacy mode, which refuses this API; set v1LegacyMode to false");
            return Plan::say(Verdict::stalled("LegacyMode", message), Next::Tick);
        }
        match workspace["properties"]["provisioningState"].as_str() {
            Some("Succeeded") | None => {}
            Some(state) => {
                let message = format!("{id} is {state}");
                return Plan::say(Verdict::working("WorkspaceNotReady", message), Next::Look);
            }
        }
        if wanted.registry.is_some() && seen.registry.is_none() {
            let message = "there is no registry registry.resourceId; make it, or correct the id";
            return Plan::say(Verdict::stalled("RegistryNotFound", message), Next::Tick);
        }
        let message = format!(
            "{} in {}",
            wanted.id.name(),
            workspace["location"].as_str().unwrap_or("an unknown region")
        );
        if seen.data_plane.is_none() {
            let message = format!(
                "{message}; its data plane cannot be found, so runs cannot be followed: look at its discovery address"
            );
            return Plan::say(Verdict::ready("DataPlaneUnreachable", message), Next::After(AGAIN));
        }
        Plan::say(Verdict::ready("Succeeded", message), Next::Tick)
    }

    fn facts(&self, View { wanted, seen, .. }: View<'_, Self>, _: &Plan) -> MLWorkspaceStatus {
        let mut status = self.status.clone().unwrap_or_default();
        status.common.azure_id = Some(wanted.id.to_string());
        status.resync = Some(format!("{:#}", wanted.resync));
        if let Some(workspace) = &seen.workspace {
            let properties = &workspace["properties"];
            status.region = text(workspace, "location");
            status.storage_account = text(properties, "storageAccount");
            status.registry = seen.registry.as_ref().and_then(registry);
            status.data_plane = seen.data_plane.clone().or(status.data_plane);
        }
        status
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

fn registry(registry: &Value) -> Option<RegistryStatus> {
    let properties = &registry["properties"];
    let role_assignment_mode = match properties["roleAssignmentMode"].as_str() {
        Some("AbacRepositoryPermissions") => RoleAssignmentMode::AbacRepositoryPermissions,
        _ => RoleAssignmentMode::LegacyRegistryPermissions,
    };
    Some(RegistryStatus {
        resource_id: text(registry, "id")?,
        login_server: text(properties, "loginServer")?,
        location: text(registry, "location")?,
        role_assignment_mode,
    })
}

/// What still uses a workspace: `MLCompute/cpu`.
pub type Users = Vec<String>;

impl Leave for MLWorkspace {
    type Address = Users;
    type Left = ();

    fn farewell(&self, users: &Users, (): &(), _: &Ask) -> Plan {
        if users.is_empty() {
            return Plan::leave("nothing uses it any more");
        }
        let message = format!("still named by {}; it goes when they are deleted", users.join(", "));
        Plan::say(Verdict::working("InUse", message), Next::Change)
    }
}
