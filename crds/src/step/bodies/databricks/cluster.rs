//! Where a run on Databricks runs: a cluster that exists, or one that Databricks makes for the run and removes after it.

use crate::step::bounds::bound_texts;
use crate::values::Scalar;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The cluster of a run.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = crate::rules::exactly_one("databricks.cluster", &["existing", "new"]))]
pub struct DatabricksCluster {
    /// Id of an existing cluster of the Databricks workspace, such as `0923-164208-meows279`. Databricks starts it if it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub existing: Option<String>,
    /// Cluster for this run only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<NewCluster>,
}

/// A cluster for one run.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = crate::rules::exactly_one("databricks.cluster.new", &["numWorkers", "autoscale"]),
    validation = crate::rules::exactly_one("databricks.cluster.new", &["nodeTypeId", "instancePoolId"]),
)]
pub struct NewCluster {
    /// Version of the Databricks runtime, such as `15.4.x-scala2.12`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub spark_version: String,
    /// VM size of the nodes, such as `Standard_DS3_v2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_-]*$"))]
    pub node_type_id: Option<String>,
    /// VM size of the driver. Default: that of the other nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_-]*$"))]
    pub driver_node_type_id: Option<String>,
    /// Id of the pool that nodes are taken from, instead of `nodeTypeId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub instance_pool_id: Option<String>,
    /// Number of workers, beside the driver. `0` is a cluster of one node, with local Spark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub num_workers: Option<i32>,
    /// Number of workers by need, instead of `numWorkers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscale: Option<Autoscale>,
    /// Configuration of Spark: name to value. It takes no values of inputs, and studio shows it. Write a secret as
    /// `{{secrets/<scope>/<key>}}`, which Databricks fills in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = bound_conf)]
    pub spark_conf: BTreeMap<String, Scalar>,
    /// Environment variables of the cluster: name to value, with secrets as in `sparkConf`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = bound_variables)]
    pub spark_env_vars: BTreeMap<String, String>,
    /// Tags of the virtual machines: name to value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = bound_tags)]
    pub custom_tags: BTreeMap<String, String>,
    /// Id of the cluster policy. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub policy_id: Option<String>,
    /// Users of the cluster, which Unity Catalog asks for. Default: Databricks', without Unity Catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_security_mode: Option<SecurityMode>,
}

/// Workers by need.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.minWorkers <= self.maxWorkers")
    .message("databricks.cluster.new.autoscale: minWorkers is greater than maxWorkers; exchange them"))]
pub struct Autoscale {
    /// Minimum number of workers.
    #[schemars(range(min = 1, max = 10_000))]
    pub min_workers: i32,
    /// Maximum number of workers.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_workers: i32,
}

/// For whom a cluster is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(description = "")]
pub enum SecurityMode {
    /// The identity that runs the job, with Unity Catalog.
    SingleUser,
    /// Several users, kept apart, with Unity Catalog.
    UserIsolation,
    /// Everybody, without Unity Catalog.
    None,
}

/// Bounds for a configuration.
fn bound_conf(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 100.into());
}

/// Bounds for environment variables.
fn bound_variables(schema: &mut Schema) {
    bound_texts(schema, 100, 4096);
}

/// Bounds for tags. Source: the clusters API of Databricks takes 45.
fn bound_tags(schema: &mut Schema) {
    bound_texts(schema, 45, 256);
}
