//! MLWorkspace: read, never written. Says what the other kinds need to know of the Azure ML workspace.

use crate::action::{Next, Plan, Verdict};
use crate::context::{Ask, Workspace};
use crate::grants::Rights;
use crate::invalid::InvalidSpec;
use crate::preflight::{Asked, Evidence, told};
use crate::reasons::Reason;
use crate::{Decide, Leave, View, hash, time};
use azureml_client::ArmId;
use azureml_crds::MLWorkspace;
use azureml_crds::ml_workspace::{MLWorkspaceSpec, MLWorkspaceStatus, RegistryStatus, RoleAssignmentMode};
use azureml_crds::sharing::WorkspaceReference;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// How soon a data plane that cannot be found is looked for again.
const AGAIN: std::time::Duration = std::time::Duration::from_mins(1);

/// What configuration adds to an MLWorkspace.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The interval of comparison where the spec sets none.
    pub resync: SignedDuration,
    /// What the identity may be used for.
    pub rights: Rights,
    /// What the environments of the workspace tell of builds.
    pub build: Asked,
    /// Whether a run in it has succeeded.
    pub has_run: bool,
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
    /// As what anything is learned: under whose identity, of which registry.
    pub hash: String,
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
    /// What the preflight asked; none where it was not asked.
    pub preflight: Option<Evidence>,
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

/// As what anything is learned of a workspace: under whose identity, of which registry.
fn learned_as(workspace: &MLWorkspace) -> String {
    let MLWorkspaceSpec {
        registry,
        cloud,
        identity,
        // They never change.
        subscription_id: _,
        resource_group: _,
        workspace_name: _,
        // How often, and not what.
        resync: _,
        // By whom else, and not what.
        allowed_namespaces: _,
    } = &workspace.spec;
    let content = json!({"registry": registry, "identity": identity, "cloud": cloud});
    hash::content("workspace", &content)
}

/// As whom a workspace is used.
fn used_as(workspace: &MLWorkspace) -> String {
    let content = json!({"identity": workspace.spec.identity, "cloud": workspace.spec.cloud});
    hash::cut(&hash::content("identity", &content), 12).to_owned()
}

/// The status, without what was learned under another identity or of another registry.
#[must_use]
pub fn believed(workspace: &MLWorkspace) -> MLWorkspaceStatus {
    let mut status = workspace.status.clone().unwrap_or_default();
    status.data_plane = status.data_plane.filter(|address| is_origin(address));
    if status.common.applied_hash.as_deref() == Some(&learned_as(workspace)) {
        return status;
    }
    let preflight = Vec::new();
    MLWorkspaceStatus {
        region: None,
        registry: None,
        storage_account: None,
        data_plane: None,
        preflight,
        ..status
    }
}

/// Whether an address is a host and nothing more, so that what is put behind it means what it says.
fn is_origin(address: &str) -> bool {
    let host = address.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', '\\', '%']))
}

/// A workspace that was found, for what is made in it. A status may be written by others: its registry is checked as if a user had
/// written it, by the rights of the MLWorkspace's own namespace.
#[must_use]
pub fn learned(
    workspace: &MLWorkspace,
    host: &Rights,
    (reference, rights): (WorkspaceReference, Rights),
) -> Option<Workspace> {
    let status = believed(workspace);
    let registry = status.registry.filter(|registry| is_believed(workspace, registry, host));
    let identity = used_as(workspace);
    let (region, data_plane) = (status.region?, status.data_plane);
    Some(Workspace { reference, id: id(workspace), region, registry, data_plane, rights, identity })
}

fn is_believed(workspace: &MLWorkspace, registry: &RegistryStatus, rights: &Rights) -> bool {
    let Ok(id) = ArmId::parse(&registry.resource_id) else { return false };
    let named = workspace.spec.registry.as_ref().map(|named| &named.resource_id);
    let host = registry.login_server.to_ascii_lowercase();
    let rest = host.strip_prefix(&id.name().to_ascii_lowercase());
    named.is_none_or(|named| named.eq_ignore_ascii_case(&registry.resource_id))
        // `<name>.azurecr.io`, or `<name>-<hash>.azurecr.io` where the registry has a label of its own.
        && rest.is_some_and(|rest| rest.starts_with(['.', '-']))
        && rights.registry(&id).is_ok()
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
        registry.as_ref().map_or(Ok(()), |registry| refs.rights.registry(registry))?;
        let resync = match &self.spec.resync {
            Some(text) => time::duration("resync", text)?,
            None => refs.resync,
        };
        Ok(Wanted { id: id(self), registry, resync, hash: learned_as(self) })
    }

    fn plan(&self, View { refs, wanted, seen, .. }: View<'_, Self>) -> Plan {
        let Some(workspace) = &seen.workspace else {
            let message = format!(
                "there is no workspace {}; make it, or correct the ids in a new MLWorkspace",
                wanted.id
            );
            return Plan::say(Verdict::stalled(Reason::WORKSPACE_NOT_FOUND, message), Next::Tick);
        };
        if let Some(obstacle) = obstacle(wanted, seen, workspace) {
            return obstacle;
        }
        let region = workspace["location"].as_str().unwrap_or("an unknown region");
        let mut message = format!("{} in {region}", wanted.id.name());
        let own = registry_id(wanted, Some(workspace));
        if let Some(Err(missing)) = own.map(|registry| refs.rights.registry(&registry)) {
            message = format!("{message}; images cannot be built here: {}", missing.message);
        }
        let plan = if seen.data_plane.is_some() {
            Plan::say(Verdict::ready(Reason::SUCCEEDED, message), Next::Tick)
        } else {
            let message = format!(
                "{message}; its data plane cannot be found, so runs cannot be followed: look at its discovery address"
            );
            Plan::say(Verdict::ready(Reason::DATA_PLANE_UNREACHABLE, message), Next::After(AGAIN))
        };
        Plan { applied: Some(wanted.hash.clone()), ..plan }
    }

    fn facts(&self, View { wanted, seen, .. }: View<'_, Self>, _: &Plan) -> MLWorkspaceStatus {
        let mut status = believed(self);
        status.common.azure_id = Some(wanted.id.to_string());
        status.resync = Some(format!("{:#}", wanted.resync));
        if let Some(workspace) = &seen.workspace {
            let properties = &workspace["properties"];
            status.region = text(workspace, "location");
            status.storage_account = text(properties, "storageAccount");
            status.registry = seen.registry.as_ref().and_then(registry);
            status.data_plane = seen.data_plane.clone().or(status.data_plane);
            if let Some(evidence) = &seen.preflight {
                status.preflight = told(evidence, &status.preflight);
            }
        }
        status
    }
}

/// What keeps a workspace that is there from being used.
fn obstacle(wanted: &Wanted, seen: &Seen, workspace: &Value) -> Option<Plan> {
    let (id, properties) = (&wanted.id, &workspace["properties"]);
    if properties["v1LegacyMode"] == true {
        let message = format!("{id} is in v1 legacy mode, which refuses this API; set v1LegacyMode to false");
        return Some(Plan::say(Verdict::stalled(Reason::LEGACY_MODE, message), Next::Tick));
    }
    if let Some(state) = properties["provisioningState"].as_str().filter(|state| *state != "Succeeded") {
        let message = format!("{id} is {state}");
        return Some(Plan::say(Verdict::working(Reason::WORKSPACE_NOT_READY, message), Next::Look));
    }
    if wanted.registry.is_some() && seen.registry.is_none() {
        let message = "there is no registry registry.resourceId; make it, or correct the id";
        return Some(Plan::say(Verdict::stalled(Reason::REGISTRY_NOT_FOUND, message), Next::Tick));
    }
    None
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

impl Leave for MLWorkspace {
    type Address = ();
    type Left = ();

    /// Nothing was made, so nothing is left.
    fn farewell(&self, (): &(), (): &(), _: &Ask) -> Plan {
        Plan::leave("nothing was made for it")
    }
}
