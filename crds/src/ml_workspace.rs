//! MLWorkspace: where things are made, and with which identity. The operator reads it in Azure and never changes it.

use crate::shared::{Common, Reference, has_common};
use crate::sharing::AllowedNamespaces;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An existing Azure ML workspace, the registry where images are built, and the identity that acts there.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "azureml.dev",
    version = "v1alpha1",
    kind = "MLWorkspace",
    plural = "mlworkspaces",
    namespaced,
    status = "MLWorkspaceStatus",
    shortname = "mlws",
    category = "azureml",
    derive = "PartialEq",
    doc = "An existing Azure Machine Learning workspace, and the identity that works in it.",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Workspace","type":"string","jsonPath":".spec.workspaceName"}"#,
    printcolumn = r#"{"name":"Region","type":"string","jsonPath":".status.region"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Azure-Id","type":"string","jsonPath":".status.azureId","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::immutable("MLWorkspace", "subscriptionId"),
    validation = crate::rules::immutable("MLWorkspace", "resourceGroup"),
    validation = crate::rules::immutable("MLWorkspace", "workspaceName"),
    validation = crate::rules::immutable("MLWorkspace", "cloud"),
)]
pub struct MLWorkspaceSpec {
    /// Azure subscription of the workspace, a GUID. Immutable.
    #[schemars(length(max = 36))]
    #[x_kube(validation = crate::rules::guid("subscriptionId"))]
    pub subscription_id: String,
    /// Resource group of the workspace, such as `rg-ml`. Immutable.
    #[schemars(length(max = 90))]
    #[x_kube(validation = Rule::new("self.matches('^[-A-Za-z0-9_.()]{0,89}[-A-Za-z0-9_()]$')")
        .message("resourceGroup: use 1 to 90 letters, digits, - _ . ( and ), not ending in a dot"))]
    pub resource_group: String,
    /// Name of the workspace in Azure, such as `mlw-team-a`. Immutable.
    #[schemars(length(max = 33))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$')")
        .message("workspaceName: use 3 to 33 letters, digits, - and _, starting with a letter or a digit"))]
    pub workspace_name: String,
    /// Registry where images are built and kept. Default: the workspace's own registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<Registry>,
    /// Name of a cloud in the controller's configuration, such as `AzurePublic`. Default: its `defaultCloud`. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z][A-Za-z0-9-]*$')")
        .message("cloud: write the name of a cloud of the controller's configuration, such as AzurePublic; endpoints are never in a manifest"))]
    pub cloud: Option<String>,
    /// Identity that acts in Azure. Default: the controller's own, if its configuration grants it to this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The namespaces whose objects may name this MLWorkspace. Default: `from: Same`, its own alone. Their objects then act in the workspace
    /// with its identity; what else they may use is decided by the grants of their own namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<AllowedNamespaces>,
    /// Interval, such as `30m`, at which everything in this workspace is compared with Azure. Default: that of the controller's
    /// configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("resync", "1m", "24h"))]
    pub resync: Option<String>,
}

/// A container registry in Azure.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registry {
    /// ARM id of the registry: `/subscriptions/…/Microsoft.ContainerRegistry/registries/<name>`.
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("self.matches('(?i)^/subscriptions/[0-9a-f-]{36}/resourceGroups/[-a-z0-9_.()]*[-a-z0-9_()]/providers/Microsoft[.]ContainerRegistry/registries/[a-z0-9]{5,50}$')")
        .message("registry.resourceId: write /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ContainerRegistry/registries/<name>"))]
    pub resource_id: String,
}

/// An identity of Microsoft Entra ID.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.secretRef) || (has(self.clientId) && has(self.tenantId))")
        .message("identity.secretRef needs clientId and tenantId beside it"),
    validation = Rule::new("!has(self.tenantId) || has(self.clientId)")
        .message("identity.tenantId needs clientId beside it"),
)]
pub struct Identity {
    /// Application (client) id, a GUID. Without `secretRef`, the controller's federated token is exchanged for this client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    #[x_kube(validation = crate::rules::guid("clientId"))]
    pub client_id: Option<String>,
    /// Tenant id of the client, a GUID. Default: the controller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    #[x_kube(validation = crate::rules::guid("tenantId"))]
    pub tenant_id: Option<String>,
    /// Secret in this namespace with the client's secret (`clientSecret`), or its certificate and private key as PEM (`clientCertificate`,
    /// or `tls.crt` and `tls.key`). Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<Reference>,
}

/// What the controller found in Azure.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MLWorkspaceStatus {
    /// The part that every kind has.
    #[serde(flatten)]
    pub common: Common,
    /// Azure region of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub region: Option<String>,
    /// Registry in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryStatus>,
    /// ARM id of the workspace's storage account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub storage_account: Option<String>,
    /// Address of the workspace's data plane, found by discovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub data_plane: Option<String>,
    /// Checks made before anything is made in the workspace. They run when the spec changes or on request; that of the storage also at each
    /// comparison, until it is `True`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["check".into()]))]
    pub preflight: Vec<Preflight>,
    /// Interval at which everything in this workspace is compared with Azure, such as `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub resync: Option<String>,
}
has_common!(MLWorkspaceStatus);

/// One check of the preflight.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preflight {
    /// Name of the check.
    pub check: PreflightCheck,
    /// Result of the check.
    pub status: PreflightStatus,
    /// What was found, and what is missing.
    #[schemars(length(max = 512))]
    pub message: String,
}

/// What a preflight asks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PreflightCheck {
    /// Whether the identity reads the workspace.
    ReadWorkspace,
    /// Whether the identity builds images in the registry.
    BuildInRegistry,
    /// Whether clusters pull images.
    PullByClusters,
    /// Whether the operator reaches the storage account's blobs.
    ReachStorage,
    /// Whether the storage account takes keys, or identities alone.
    StorageMode,
}

/// The answer of a preflight.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PreflightStatus {
    /// It was seen.
    True,
    /// It was refused.
    False,
    /// Only a build or a run can show it, or it cannot be asked.
    Unknown,
}

/// The registry in force.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryStatus {
    /// ARM id of the registry.
    #[schemars(length(max = 512))]
    pub resource_id: String,
    /// Host name of the registry, such as `contoso.azurecr.io`.
    #[schemars(length(max = 255))]
    pub login_server: String,
    /// Azure region of the registry.
    #[schemars(length(max = 64))]
    pub location: String,
    /// How the registry grants rights.
    pub role_assignment_mode: RoleAssignmentMode,
}

/// How a registry grants rights: decides with whose rights a build pushes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum RoleAssignmentMode {
    /// Rights on the whole registry; a build pushes with the registry's own rights.
    LegacyRegistryPermissions,
    /// Rights by repository; a build pushes with the rights of its caller.
    AbacRepositoryPermissions,
}
