//! What a namespace may do with the controller's identities: asked for each thing by its full id, when it is used.
//!
//! In: the grants of the configuration, an asker, an id. Out: nothing, or the line that the platform team has to add.

use crate::address::{Address, owner};
use crate::invalid::InvalidSpec;
use crate::pattern::any_matches;
use crate::reasons::Reason;
use azureml_client::ArmId;
use serde::Deserialize;

/// What some namespaces may do with an identity of the controller. Every list takes names with `*` for any text.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Grant {
    /// The namespaces.
    pub namespaces: Vec<String>,
    /// The subscriptions.
    #[serde(default = "any")]
    pub subscriptions: Vec<String>,
    /// The resource groups.
    #[serde(default = "any")]
    pub resource_groups: Vec<String>,
    /// The workspaces.
    #[serde(default = "any")]
    pub workspaces: Vec<String>,
    /// The registries, by name or by ARM id. None: those in the subscriptions and resource groups of this grant.
    #[serde(default)]
    pub registries: Vec<String>,
    /// Client ids for which the controller's federated token may be exchanged. None: the controller's own identity.
    #[serde(default)]
    pub clients: Vec<String>,
    /// The clouds. None: the configured default.
    #[serde(default)]
    pub clouds: Vec<String>,
    /// ARM ids of identities that clusters may have. Code of the namespace then runs with their rights.
    #[serde(default)]
    pub identities: Vec<String>,
    /// ARM ids of subnets that clusters may be in.
    #[serde(default)]
    pub subnets: Vec<String>,
    /// Agent pools of registries that images may be built on. A build then reaches what the pool's network reaches.
    #[serde(default)]
    pub agent_pools: Vec<String>,
}

fn any() -> Vec<String> {
    vec!["*".to_owned()]
}

/// The namespace that asks, and the identity as which it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The namespace.
    pub namespace: String,
    /// The client for which the controller's token is exchanged; none for the controller's own identity.
    pub client: Option<String>,
    /// The cloud.
    pub cloud: String,
    /// Whether it is the configured default.
    pub is_default_cloud: bool,
}

/// What may be used through an MLWorkspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The namespace brought credentials of its own: Azure decides.
    Own,
    /// An identity of the controller is used.
    Granted {
        /// The namespace that asks.
        asker: Asker,
        /// The workspace.
        workspace: ArmId,
        /// The grants of the asker, for whatever workspace.
        grants: Vec<Grant>,
    },
}

/// A list of a grant, as it is asked for.
#[derive(Clone, Copy)]
enum List<'a> {
    Registries(&'a ArmId),
    Identities(&'a ArmId),
    Subnets(&'a ArmId),
    AgentPools(&'a str),
}

impl Rights {
    /// The rights of an asker in a workspace.
    ///
    /// # Errors
    /// When no grant is for it; the message is the line to add.
    pub fn granted(all: &[Grant], asker: Asker, workspace: ArmId) -> Result<Self, InvalidSpec> {
        let grants: Vec<Grant> = all.iter().filter(|grant| grant.is_for(&asker)).cloned().collect();
        if grants.iter().any(|grant| grant.reaches(&workspace)) {
            return Ok(Self::Granted { asker, workspace, grants });
        }
        let message = format!(
            "the controller's identity is not granted to this namespace for this workspace; the platform team adds to the \
             controller's configuration: grants: [{}]",
            line(&asker, &workspace, "")
        );
        Err(InvalidSpec { reason: Reason::IDENTITY_NOT_GRANTED, ..InvalidSpec::new("identity", message) })
    }

    /// The rights of an asker in a workspace that another namespace shares with it: in the workspace itself, and what the asker's own grants
    /// give besides.
    #[must_use]
    pub fn shared(all: &[Grant], asker: Asker, workspace: ArmId) -> Self {
        let grants = all.iter().filter(|grant| grant.is_for(&asker)).cloned().collect();
        Self::Granted { asker, workspace, grants }
    }

    /// Whether a registry may be used.
    ///
    /// # Errors
    /// When it is not granted.
    pub fn registry(&self, id: &ArmId) -> Result<(), InvalidSpec> {
        self.ask(List::Registries(id), "registry.resourceId", Reason::REGISTRY_NOT_GRANTED)
    }

    /// Whether a cluster may have an identity.
    ///
    /// # Errors
    /// When it is not granted.
    pub fn identity(&self, id: &ArmId) -> Result<(), InvalidSpec> {
        self.ask(List::Identities(id), "identity.userAssigned", Reason::IDENTITY_NOT_GRANTED)
    }

    /// Whether a cluster may be in a subnet.
    ///
    /// # Errors
    /// When it is not granted.
    pub fn subnet(&self, id: &ArmId) -> Result<(), InvalidSpec> {
        self.ask(List::Subnets(id), "subnetId", Reason::SUBNET_NOT_GRANTED)
    }

    /// Whether images may be built on an agent pool.
    ///
    /// # Errors
    /// When it is not granted.
    pub fn agent_pool(&self, name: &str) -> Result<(), InvalidSpec> {
        self.ask(List::AgentPools(name), "builder.acr.agentPool", Reason::AGENT_POOL_NOT_GRANTED)
    }

    /// Whether something may be named by an address: data, an output, an environment. What is of a workspace is asked for; what cannot be
    /// read as an address of Azure ML is refused, since the controller sends it.
    ///
    /// # Errors
    /// When it is of a workspace that is not granted, or cannot be told.
    pub fn address(&self, field: &str, text: &str) -> Result<(), InvalidSpec> {
        let Self::Granted { asker, workspace, grants } = self else { return Ok(()) };
        let of = match owner(text) {
            Address::Elsewhere => return Ok(()),
            Address::Of(of) => of,
            Address::Unclear => {
                let message = format!(
                    "{text:?} does not say of which workspace it is; write azureml://datastores/<datastore>/paths/<path>, or the ARM \
                     id of a version in this workspace"
                );
                return Err(InvalidSpec {
                    reason: Reason::WORKSPACE_NOT_GRANTED,
                    ..InvalidSpec::new(field, message)
                });
            }
        };
        if of.key() == workspace.key() || grants.iter().any(|grant| grant.reaches(&of)) {
            return Ok(());
        }
        let message = format!(
            "{text} is of another workspace, which is not granted to this namespace; the platform team adds to the controller's \
             configuration: grants: [{}]",
            line(asker, &of, "")
        );
        Err(InvalidSpec { reason: Reason::WORKSPACE_NOT_GRANTED, ..InvalidSpec::new(field, message) })
    }

    fn ask(&self, list: List<'_>, field: &str, reason: Reason) -> Result<(), InvalidSpec> {
        let Self::Granted { asker, workspace, grants } = self else { return Ok(()) };
        let mut here = grants.iter().filter(|grant| grant.reaches(workspace));
        let (word, what, is_granted) = match list {
            List::Registries(id) => ("registries", id.as_str(), here.any(|grant| grant.builds_in(id))),
            List::Identities(id) => {
                ("identities", id.as_str(), here.any(|grant| any_matches(&grant.identities, id.as_str())))
            }
            List::Subnets(id) => {
                ("subnets", id.as_str(), here.any(|grant| any_matches(&grant.subnets, id.as_str())))
            }
            List::AgentPools(name) => {
                ("agentPools", name, here.any(|grant| any_matches(&grant.agent_pools, name)))
            }
        };
        if is_granted {
            return Ok(());
        }
        let message = format!(
            "{what} is not granted to this namespace; the platform team adds to the controller's configuration: grants: [{}]",
            line(asker, workspace, &format!(", {word}: [{what}]"))
        );
        Err(InvalidSpec { reason, ..InvalidSpec::new(field, message) })
    }
}

impl Grant {
    fn is_for(&self, asker: &Asker) -> bool {
        let by_client = match &asker.client {
            None => self.clients.is_empty(),
            Some(client) => any_matches(&self.clients, client),
        };
        let by_cloud = match self.clouds.as_slice() {
            [] => asker.is_default_cloud,
            // The controller's own identity is one of its own cloud.
            some => any_matches(some, &asker.cloud) && (asker.client.is_some() || asker.is_default_cloud),
        };
        by_client && by_cloud && any_matches(&self.namespaces, &asker.namespace)
    }

    fn reaches(&self, workspace: &ArmId) -> bool {
        let name = workspace.segment("workspaces").unwrap_or_default();
        self.encloses(workspace) && any_matches(&self.workspaces, name)
    }

    fn encloses(&self, id: &ArmId) -> bool {
        let segment = |key| id.segment(key).unwrap_or_default();
        any_matches(&self.subscriptions, segment("subscriptions"))
            && any_matches(&self.resource_groups, segment("resourceGroups"))
    }

    fn builds_in(&self, registry: &ArmId) -> bool {
        if self.registries.is_empty() { self.encloses(registry) } else { names(&self.registries, registry) }
    }
}

/// A grant as it is written.
fn line(asker: &Asker, workspace: &ArmId, more: &str) -> String {
    let segment = |key| workspace.segment(key).unwrap_or_default();
    let client = asker.client.as_ref().map(|client| format!(", clients: [{client}]")).unwrap_or_default();
    let cloud = if asker.is_default_cloud { String::new() } else { format!(", clouds: [{}]", asker.cloud) };
    format!(
        "{{namespaces: [{}], subscriptions: [{}], resourceGroups: [{}], workspaces: [{}]{client}{cloud}{more}}}",
        asker.namespace,
        segment("subscriptions"),
        segment("resourceGroups"),
        segment("workspaces")
    )
}

/// Whether patterns name a registry: by its name, which no other of its cloud has, or by its id.
fn names(patterns: &[String], id: &ArmId) -> bool {
    patterns.iter().any(|pattern| {
        let text = if pattern.contains('/') { id.as_str() } else { id.name() };
        any_matches(std::slice::from_ref(pattern), text)
    })
}

#[cfg(test)]
mod tests;
