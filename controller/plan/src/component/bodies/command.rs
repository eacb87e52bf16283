//! A command, a script or a component that exists: the component of a step's own, and the node.

use crate::component::node::{begin, identity, said};
use crate::component::registered::prefixed;
use crate::component::resolved::Resolved;
use crate::component::services::services;
use crate::invalid::InvalidSpec;
use crate::time;
use azureml_crds::MLPipeline;
use azureml_crds::step::{Distribution, Processes, Ray, Step, TensorFlow};
use serde_json::{Value, json};

const SCHEMA: &str = "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json";

/// What the component of a command says beside what all say.
pub(crate) fn component(command: &str, environment: Option<&str>) -> Value {
    said(
        json!({"$schema": SCHEMA, "type": "command", "command": command, "environment": prefixed(environment)}),
    )
}

/// The node that runs a component.
pub(crate) fn node(
    pipeline: &MLPipeline,
    step: &Step,
    resolved: &Resolved,
    id: &str,
) -> Result<Value, InvalidSpec> {
    let mut node = begin(pipeline, step, resolved, "command")?;
    node["componentId"] = json!(id);
    if !step.environment_variables.is_empty() {
        node["environment_variables"] = json!(step.environment_variables);
    }
    if let Some(distribution) = &step.distribution {
        node["distribution"] = self::distribution(distribution);
    }
    if let Some(identity) = &step.identity {
        node["identity"] = self::identity(identity);
    }
    if !step.services.is_empty() {
        node["services"] = services(&step.services);
    }
    if let Some(timeout) = &step.timeout {
        let timeout = time::iso(time::duration("timeout", timeout)?);
        node["limits"] = json!({"job_limits_type": "Command", "timeout": timeout});
    }
    Ok(node)
}

/// Spelling: as the SDK 1.35.2 writes a node, which leaves the names of Ray's parts as the REST API has them.
fn distribution(distribution: &Distribution) -> Value {
    let Distribution { pytorch, mpi, tensorflow, ray } = distribution;
    let of_processes = |word: &str, Processes { processes_per_instance }: &Processes| {
        said(json!({"distribution_type": word, "process_count_per_instance": processes_per_instance}))
    };
    match (pytorch, mpi, tensorflow, ray) {
        (Some(processes), ..) => of_processes("PyTorch", processes),
        (_, Some(processes), ..) => of_processes("Mpi", processes),
        (_, _, Some(TensorFlow { workers, parameter_servers }), _) => said(json!({
            "distribution_type": "TensorFlow", "worker_count": workers, "parameter_server_count": parameter_servers,
        })),
        (.., Some(Ray { port, include_dashboard, dashboard_port })) => said(json!({
            "distribution_type": "Ray", "port": port, "includeDashboard": include_dashboard,
            "dashboardPort": dashboard_port,
        })),
        (None, None, None, None) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_spelled_as_the_sdk_spells_it() {
        for (said, sent) in [
            (
                json!({"pytorch": {"processesPerInstance": 2}}),
                json!({"process_count_per_instance": 2, "distribution_type": "PyTorch"}),
            ),
            (json!({"pytorch": {}}), json!({"distribution_type": "PyTorch"})),
            (
                json!({"mpi": {"processesPerInstance": 1}}),
                json!({"process_count_per_instance": 1, "distribution_type": "Mpi"}),
            ),
            (
                json!({"tensorflow": {"workers": 2, "parameterServers": 1}}),
                json!({"parameter_server_count": 1, "worker_count": 2, "distribution_type": "TensorFlow"}),
            ),
            (
                json!({"ray": {"port": 1, "includeDashboard": true, "dashboardPort": 3}}),
                json!({"distribution_type": "Ray", "port": 1, "includeDashboard": true, "dashboardPort": 3}),
            ),
        ] {
            assert_eq!(distribution(&serde_json::from_value(said).unwrap()), sent);
        }
    }
}
