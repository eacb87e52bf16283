//! What a step runs on, and as whom.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The compute of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("compute", &["ref", "name", "serverless"]))]
pub struct Compute {
    /// Name of an MLCompute in this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("compute.ref"))]
    pub r#ref: Option<String>,
    /// Name of an existing compute of the workspace, such as `gpu-large`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 32))]
    #[x_kube(validation = crate::rules::cluster_name("compute.name", 2, 32))]
    pub name: Option<String>,
    /// Serverless compute of Azure ML; `{}` lets Azure ML choose the size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serverless: Option<Serverless>,
}

/// Azure ML's serverless compute.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Serverless {
    /// VM size of the nodes, such as `Standard_DS3_v2`. Default: Azure ML chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = crate::rules::vm_size("serverless.instanceType"))]
    pub instance_type: Option<String>,
}

/// How much of the compute a step takes.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// Number of nodes. Default: `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub instance_count: Option<i32>,
    /// Shared memory of the container, such as `2g` or `512m`. Default: Azure ML's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10))]
    #[x_kube(validation = Rule::new("self.matches('^[1-9][0-9]*[bkmg]$')")
        .message("resources.shmSize: write a size such as 2g or 512m"))]
    pub shm_size: Option<String>,
}

/// How a command is started on several nodes, or several times on each.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("distribution", &["pytorch", "mpi", "tensorflow", "ray"]))]
pub struct Distribution {
    /// PyTorch, which sets the variables that `torch.distributed` reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pytorch: Option<Processes>,
    /// MPI, which starts the command by `mpirun`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mpi: Option<Processes>,
    /// TensorFlow, which sets `TF_CONFIG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensorflow: Option<TensorFlow>,
    /// Ray, which starts a Ray cluster on the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ray: Option<Ray>,
}

/// Processes on each node.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Processes {
    /// Number of processes on each node. Default: `1` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 256))]
    pub processes_per_instance: Option<i32>,
}

/// Parts of a distributed TensorFlow.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TensorFlow {
    /// Number of workers. Default: the number of nodes (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub workers: Option<i32>,
    /// Number of parameter servers. Default: `0` (Azure ML's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub parameter_servers: Option<i32>,
}

/// A cluster of Ray.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ray {
    /// Port of the head node. Default: Ray's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<i32>,
    /// Whether to start Ray's dashboard. Default: Ray's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_dashboard: Option<bool>,
    /// Port of the dashboard. Default: Ray's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub dashboard_port: Option<i32>,
}

/// As whom a step reaches data.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.clientId) || self.type == 'Managed'")
    .message("identity.clientId is for type Managed; remove it, or write type: Managed").field_path(".clientId"))]
pub struct Identity {
    /// Kind of identity: `Managed` is one of the compute's, `AMLToken` the token of Azure ML.
    pub r#type: IdentityType,
    /// Client id, a GUID, of one of the compute's user-assigned identities. Default: its only user-assigned identity, or its
    /// system-assigned one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = crate::rules::guid("identity.clientId"))]
    pub client_id: Option<String>,
}

/// Kinds of identities.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum IdentityType {
    /// A managed identity of the compute.
    Managed,
    /// The token of Azure ML.
    #[serde(rename = "AMLToken")]
    AmlToken,
}
