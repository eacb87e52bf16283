//! The controller: watches Kubernetes, and does for each object what `azureml-plan` decides. And the program around it.
//!
//! Two windows and no opinions: what is decided is decided in `azureml-plan`, how Azure is spoken to in `azureml-client`.

pub mod args;
mod changes;
pub mod check;
pub mod clock;
pub mod engine;
#[cfg(test)]
mod fake;
pub mod kinds;
pub mod lease;
mod login;
pub mod metrics;
mod named;
pub mod outcome;
pub mod run;
pub mod server;
pub mod stores;
pub mod telemetry;

/// The field manager of every write to Kubernetes.
pub const MANAGER: &str = "azureml-controller";
