//! Programs beside a command, as the node names them.
//!
//! In: the services of a step. Out: a part of its node. Spelling: as the SDK 1.35.2 writes a node, which leaves the names of
//! properties as the REST API has them.

use super::node::said;
use azureml_crds::step::{Service, ServiceNodes, ServiceType};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The services of a node by their names.
pub(super) fn services(services: &BTreeMap<String, Service>) -> Value {
    let each: Map<String, Value> =
        services.iter().map(|(name, service)| (name.clone(), one(service))).collect();
    Value::Object(each)
}

fn one(Service { r#type, port, nodes, ssh_public_keys, log_dir }: &Service) -> Value {
    let properties = said(json!({"sshPublicKeys": ssh_public_keys, "logDir": log_dir}));
    let is_empty = properties.as_object().is_none_or(Map::is_empty);
    let nodes = nodes.map(|ServiceNodes::All| json!({"nodes_value_type": "All"}));
    said(json!({
        "job_service_type": word(*r#type), "port": port, "nodes": nodes,
        "properties": (!is_empty).then_some(properties),
    }))
}

fn word(r#type: ServiceType) -> &'static str {
    match r#type {
        ServiceType::JupyterLab => "JupyterLab",
        ServiceType::Ssh => "SSH",
        ServiceType::TensorBoard => "TensorBoard",
        ServiceType::VsCode => "VSCode",
    }
}
