//! The controller: reads Kubernetes and Azure, lets `azureml-plan` decide, and carries the decisions out.
//!
//! Two windows and no opinions: what is decided is decided in `azureml-plan`, how Azure is spoken to in `azureml-client`.

pub mod args;
pub mod check;
pub mod clock;
pub mod config;
pub mod connect;
pub mod credentials;
pub mod engine;
#[cfg(test)]
mod fake;
pub mod identity;
pub mod kinds;
pub mod lease;
mod login;
pub mod metrics;
pub mod outcome;
pub mod run;
pub mod secrets;
pub mod server;
pub mod stores;
pub mod telemetry;

/// The field manager of every write to Kubernetes.
pub const MANAGER: &str = "azureml-controller";
