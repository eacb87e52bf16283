//! MLCompute: an AmlCompute cluster.

use crate::shared::{Common, DeletionPolicy, DriftPolicy, has_common};
use crate::sharing::WorkspaceReference;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An AmlCompute cluster. `scale`, `tags` and `identity` are changed in place; the other settings of the cluster are immutable.
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
    /// The MLWorkspace of the cluster. Immutable.
    pub workspace_ref: WorkspaceReference,
    /// Name of the cluster in Azure, such as `gpu-large`. Default: `<namespace>-<name>-<8 hex digits>`, cut to 24 characters. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    #[x_kube(validation = crate::rules::cluster_name("azureName", 3, 24), validation = crate::rules::not_generated())]
    pub azure_name: Option<String>,
    /// VM size of the nodes, such as `Standard_DS3_v2`. Immutable.
    #[schemars(length(max = 64))]
    #[x_kube(validation = crate::rules::vm_size("vmSize"))]
    pub vm_size: String,
    /// Priority of the nodes. Default: `Dedicated`. `LowPriority` nodes are cheaper, and Azure may take them away at any time. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Number of nodes, and when idle nodes are removed.
    pub scale: Scale,
    /// Identity of the nodes, which pulls images and reads data. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<ComputeIdentity>,
    /// ARM id of the nodes' subnet: `/subscriptions/…/subnets/<subnet>`. Default: none. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("self.matches('(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft[.]Network/virtualNetworks/[^/]+/subnets/[^/]+$')")
        .message("subnetId: write /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Network/virtualNetworks/<network>/subnets/<subnet>"))]
    pub subnet_id: Option<String>,
    /// Whether nodes get a public IP address. Default: `true` (Azure's). Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<bool>,
    /// Azure region of the nodes, such as `northeurope`. Default: the region of the workspace. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z][a-z0-9]*$')")
        .message("location: write the name of a region in lower-case letters and digits, such as westeurope"))]
    pub location: Option<String>,
    /// Account for SSH on each node. Default: none, so nobody can sign in to a node. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
    /// Tags of the cluster: name to value. Tags that Azure or others add are left alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::ml_compute::bound_tags)]
    #[x_kube(validation = crate::rules::tags(), validation = crate::rules::distinct_tags(), validation = crate::rules::yaml_keys("tags"))]
    pub tags: BTreeMap<String, String>,
    /// What happens in Azure when this object is deleted. Default: `Retain`. `Delete` waits while a pipeline or a run uses the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What happens when somebody changes the cluster in Azure. Default: `Correct`, which restores the spec; `Report` only lists the change
    /// in `status.drift`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,
    /// Whether to take over an existing cluster of this name that no other operator owns. Default: `false`; then such a cluster is used and
    /// never changed.
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
    /// Minimum number of nodes, kept even when idle. Default: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65_000))]
    pub min: Option<i32>,
    /// Maximum number of nodes.
    #[schemars(range(min = 1, max = 65_000))]
    pub max: i32,
    /// Time that a node may be idle before it is removed, such as `30m`. Default: `2m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(validation = crate::rules::duration("scale.idle", "30s", "24h"))]
    pub idle: Option<String>,
}

/// An account for SSH on each node, which may do everything there. It signs in with a key alone.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ssh {
    /// Name of the account, such as `azureuser`.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z_][a-z0-9_-]*$')")
        .message("ssh.adminUserName: use lower-case letters, digits, - and _, starting with a letter or _"))]
    pub admin_user_name: String,
    /// Public key that may sign in: one line, as `ssh-keygen` writes it into its `.pub` file.
    #[schemars(length(min = 1, max = 4096))]
    #[x_kube(validation = Rule::new("self.matches('^(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,3}( [^\\r\\n]*)?$')")
        .message("ssh.publicKey: write one line of a public key, as ssh-keygen writes it into a file .pub, such as ssh-rsa AAAA… name"))]
    pub public_key: String,
    /// Whether the SSH port is open on the public addresses of the nodes. Default: `false`; then it is open only inside their network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_access: Option<bool>,
}

/// The identity of a cluster's nodes.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.type == 'UserAssigned') == (has(self.userAssigned) && self.userAssigned.size() > 0)")
    .message("identity.userAssigned goes with type: UserAssigned, and only with it"))]
pub struct ComputeIdentity {
    /// Kind of identity. `SystemAssigned` is one that Azure makes for the cluster.
    pub r#type: ComputeIdentityType,
    /// ARM ids of existing identities: `/subscriptions/…/userAssignedIdentities/<name>`. For type `UserAssigned` only.
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
    /// Provisioning state that Azure reports, such as `Succeeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub provisioning_state: Option<String>,
    /// State of the allocation: `Resizing` while nodes are added or removed, else `Steady`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub allocation_state: Option<String>,
    /// Number of nodes by state, as of the last change of `allocationState`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Nodes>,
    /// Names of the MLPipelines in this namespace that use the cluster.
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
    /// Number of all nodes.
    pub current: i32,
    /// Number of nodes that Azure ML scales to.
    pub target: i32,
    /// Number of nodes that wait for work.
    pub idle: i32,
    /// Number of nodes at work.
    pub running: i32,
    /// Number of nodes that start.
    pub preparing: i32,
    /// Number of nodes that Azure reports as broken.
    pub unusable: i32,
    /// Number of nodes that are being removed.
    pub leaving: i32,
    /// Number of nodes that Azure took away.
    pub preempted: i32,
}
