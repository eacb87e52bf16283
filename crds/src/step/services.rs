//! Programs beside a command that a person opens while it runs. Spelling: `services` of the Azure ML CLI v2, in camelCase.
//!
//! In: nothing. Out: a type of the schema. Where a service is reached is said by studio, not here.

use kube::KubeSchema;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

/// A program beside the command, while the step runs. The step's page in studio links to it.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.sshPublicKeys) || self.type == 'ssh'")
    .message("sshPublicKeys is for type ssh; remove it, or write type: ssh").field_path(".sshPublicKeys"),
    validation = Rule::new("!has(self.logDir) || self.type == 'tensor_board'")
    .message("logDir is for type tensor_board; remove it, or write type: tensor_board").field_path(".logDir"))]
pub struct Service {
    /// Program to start.
    pub r#type: ServiceType,
    /// Port on the node. Default: Azure ML chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<i32>,
    /// Nodes that run the program. Default: the first node only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<ServiceNodes>,
    /// Public keys that may sign in, as a line of `authorized_keys`. For `ssh` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub ssh_public_keys: Option<String>,
    /// Folder with the logs, relative to the command's working directory. For `tensor_board` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub log_dir: Option<String>,
}

/// Programs that Azure ML starts beside a command.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum ServiceType {
    /// `JupyterLab`.
    JupyterLab,
    /// A shell.
    Ssh,
    /// `TensorBoard`.
    TensorBoard,
    /// Visual Studio Code.
    VsCode,
}

/// On which nodes a service is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "")]
pub enum ServiceNodes {
    /// On every node.
    All,
}

/// Bounds for the services of a step.
pub(super) fn bound_services(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 10.into());
}
