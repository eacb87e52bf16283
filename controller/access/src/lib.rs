//! Signing in to Azure: clouds, credentials, connections. Knows nothing of Kubernetes' API.
//!
//! In: clouds and timeouts of a configuration, by whose identity, whatever holds Secrets. Out: clients of Azure.
//! Decides nothing: whose identity may be used is decided by the grants in `azureml-plan`.

pub mod certificate;
pub mod clouds;
pub mod connect;
pub mod credentials;
pub mod identity;
pub mod login;
pub mod proof;
pub mod secrets;
