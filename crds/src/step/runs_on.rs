//! What a step runs on, and as whom.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The compute of a step.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("compute", &["ref", "name", "serverless"]))]
pub struct Compute {
    /// An MLCompute of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("compute.ref"))]
    pub r#ref: Option<String>,
    /// A compute of the workspace that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 32))]
    #[x_kube(validation = crate::rules::cluster_name("compute.name", 2, 32))]
    pub name: Option<String>,
    /// Azure ML's serverless compute; `{}` leaves the size to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serverless: Option<Serverless>,
}

/// Azure ML's serverless compute.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Serverless {
    /// The size of a node, such as `Standard_DS3_v2`. Default: Azure ML chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = crate::rules::vm_size("serverless.instanceType"))]
    pub instance_type: Option<String>,
}

/// How much of the compute a step takes.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// How many nodes. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub instance_count: Option<i32>,
    /// Shared memory of the container, such as `2g`.
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
    /// PyTorch: the variables that `torch.distributed` reads are set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pytorch: Option<Processes>,
    /// MPI: `mpirun` starts the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mpi: Option<Processes>,
    /// TensorFlow: `TF_CONFIG` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tensorflow: Option<TensorFlow>,
    /// Ray: a cluster of Ray is started on the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ray: Option<Ray>,
}

/// Processes on each node.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Processes {
    /// How many. Default: Azure ML's, which is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 256))]
    pub processes_per_instance: Option<i32>,
}

/// Parts of a distributed TensorFlow.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TensorFlow {
    /// Workers. Default: Azure ML's, which is the number of nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub workers: Option<i32>,
    /// Parameter servers. Default: Azure ML's, which is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub parameter_servers: Option<i32>,
}

/// A cluster of Ray.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ray {
    /// The port of the head. Default: Ray's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<i32>,
    /// Whether Ray's dashboard is started. Default: Ray's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_dashboard: Option<bool>,
    /// The port of the dashboard. Default: Ray's.
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
    /// Which kind of identity.
    pub r#type: IdentityType,
    /// The client id of one of the compute's user-assigned identities. Default: its only one, or its own.
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
