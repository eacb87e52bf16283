//! MLCompute: an AmlCompute cluster.

use crate::shared::{Common, DeletionPolicy, DriftPolicy, has_common};
use crate::sharing::WorkspaceReference;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An AmlCompute cluster. Scale, tags and identity are changed in place; what else it is made of cannot be changed.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "azureml.dev",
    version = "v1alpha1",
    kind = "MLCompute",
    plural = "mlcomputes",
    namespaced,
    status = "MLComputeStatus",
    shortname = "mlcompute",
    category = "azureml",
    derive = "PartialEq",
    doc = "An AmlCompute cluster of an Azure Machine Learning workspace. A cluster with 0 nodes is ready.",
    selectable = ".spec.workspaceRef.name",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Size","type":"string","jsonPath":".spec.vmSize"}"#,
    printcolumn = r#"{"name":"Max","type":"integer","jsonPath":".spec.scale.max"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Azure-Id","type":"string","jsonPath":".status.azureId","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::immutable("MLCompute", "workspaceRef"),
    validation = crate::rules::immutable("MLCompute", "azureName"),
    validation = crate::rules::immutable("MLCompute", "vmSize"),
    validation = crate::rules::immutable("MLCompute", "priority"),
    validation = crate::rules::immutable("MLCompute", "subnetId"),
    validation = crate::rules::immutable("MLCompute", "publicIp"),
    validation = crate::rules::immutable("MLCompute", "location"),
    validation = crate::rules::immutable("MLCompute", "ssh"),
    validation = Rule::new("!has(self.ssh) || !has(self.ssh.publicAccess) || !self.ssh.publicAccess || !has(self.publicIp) || self.publicIp")
        .message("ssh.publicAccess: remove it, or publicIp: false; it opens a port on public addresses, which the nodes do not have")
        .field_path(".ssh.publicAccess"),
)]
pub struct MLComputeSpec {
    /// The MLWorkspace.
    pub workspace_ref: WorkspaceReference,
    /// The cluster's name in Azure, where the generated one is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    #[x_kube(validation = crate::rules::cluster_name("azureName", 3, 24), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// The size of a node, such as `Standard_DS3_v2`.
    #[schemars(length(max = 64))]
    #[x_kube(validation = crate::rules::vm_size("vmSize"))]
    pub vm_size: String,
    /// Whether Azure may take nodes away. Default: `Dedicated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// How many nodes.
    pub scale: Scale,
    /// The identity of the nodes: it pulls images and reads data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<ComputeIdentity>,
    /// ARM id of the subnet of the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("self.matches('(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft[.]Network/virtualNetworks/[^/]+/subnets/[^/]+$')")
        .message("subnetId: write /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Network/virtualNetworks/<network>/subnets/<subnet>"))]
    pub subnet_id: Option<String>,
    /// Whether nodes get a public address. Default: Azure's default, which is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<bool>,
    /// The Azure region of the nodes, such as `northeurope`. Default: the region of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z][a-z0-9]*$')")
        .message("location: write the name of a region in lower-case letters and digits, such as westeurope"))]
    pub location: Option<String>,
    /// An account for SSH on each node. Default: none; then nobody signs in to a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
    /// Tags of the cluster. Tags that Azure or others add are left alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// What happens in Azure when this object is deleted. Default: `Retain`. `Delete` waits while a pipeline or a run uses the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What happens when somebody changes the cluster in Azure. Default: `Correct`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
    /// Takes over a cluster of this name that nobody else's operator owns. Without it such a cluster is used, and never written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,
}

/// Bounds for a map of tags.
pub(crate) fn bound_tags(schema: &mut schemars::Schema) {
    schema.insert("maxProperties".into(), 40.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 256.into();
    }
}

/// Whether Azure may take nodes away.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum Priority {
    /// Nodes stay.
    Dedicated,
    /// Cheaper nodes that Azure may take away at any time.
    LowPriority,
}

/// How many nodes a cluster has.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.min) || self.min <= self.max")
    .message(Message::Expression("'scale: min (%d) is greater than max (%d); lower min or raise max'.format([self.min, self.max])".into()))
    .field_path(".min"))]
pub struct Scale {
    /// Nodes that are kept when idle. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65_000))]
    pub min: Option<i32>,
    /// The most nodes.
    #[schemars(range(min = 1, max = 65_000))]
    pub max: i32,
    /// How long a node may be idle before it is removed. Default: 2m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("scale.idle", "30s", "24h"))]
    pub idle: Option<String>,
}

/// An account for SSH on each node, which may do everything there. It signs in with a key alone.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ssh {
    /// The name of the account.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z_][a-z0-9_-]*$')")
        .message("ssh.adminUserName: use lower-case letters, digits, - and _, starting with a letter or _"))]
    pub admin_user_name: String,
    /// The public key that signs in, as `ssh-keygen` writes it into a file `.pub`.
    #[schemars(length(min = 1, max = 4096))]
    #[x_kube(validation = Rule::new("self.matches('^(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,3}( [^\\r\\n]*)?$')")
        .message("ssh.publicKey: write one line of a public key, as ssh-keygen writes it into a file .pub, such as ssh-rsa AAAA… name"))]
    pub public_key: String,
    /// Whether the port of SSH is open on the public addresses of the nodes. Default: false; then it is reached inside of their network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_access: Option<bool>,
}

/// The identity of a cluster's nodes.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.type == 'UserAssigned') == (has(self.userAssigned) && self.userAssigned.size() > 0)")
    .message("identity.userAssigned goes with type: UserAssigned, and only with it"))]
pub struct ComputeIdentity {
    /// Which kind of identity.
    pub r#type: ComputeIdentityType,
    /// ARM ids of user-assigned identities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 512)))]
    #[x_kube(merge_strategy = ListMerge::Atomic, validation = crate::rules::each(
        "identity.userAssigned",
        "(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft[.]ManagedIdentity/userAssignedIdentities/[^/]+$",
        "write /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ManagedIdentity/userAssignedIdentities/<name>",
    ))]
    pub user_assigned: Vec<String>,
}

/// Which kind of identity nodes have.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum ComputeIdentityType {
    /// One that Azure makes for the cluster.
    SystemAssigned,
    /// Identities that exist.
    UserAssigned,
    /// None.
    None,
}

/// What the controller found in Azure.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MLComputeStatus {
    /// The part that every kind has.
    #[serde(flatten)]
    pub common: Common,
    /// Azure's provisioning state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub provisioning_state: Option<String>,
    /// Whether nodes are being added or removed: `Steady` or `Resizing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub allocation_state: Option<String>,
    /// Nodes by state, as they were when `allocationState` changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Nodes>,
    /// The MLPipelines of this namespace that name this object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub used_by: Vec<String>,
}
has_common!(MLComputeStatus);

/// Nodes by state.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Nodes {
    /// All nodes.
    pub current: i32,
    /// How many Azure ML wants.
    pub target: i32,
    /// Waiting for work.
    pub idle: i32,
    /// At work.
    pub running: i32,
    /// Starting.
    pub preparing: i32,
    /// Broken, as Azure says.
    pub unusable: i32,
    /// Being removed.
    pub leaving: i32,
    /// Taken away by Azure.
    pub preempted: i32,
}
