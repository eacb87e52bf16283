//! The client of Azure: Resource Manager, the Azure ML data plane, container registries and blobs.
//!
//! In: ids, bodies, credentials, budgets. Out: answers and classified errors. It never retries (but for one 401 with a
//! fresh token), never waits for a long-running operation, and knows nothing of Kubernetes.

pub mod class;
pub mod error;
pub mod id;
pub mod image;
pub mod refusal;
pub mod verb;
pub mod words;

#[cfg(feature = "http")]
pub mod address;
#[cfg(feature = "http")]
pub mod auth;
#[cfg(feature = "http")]
pub mod blob;
#[cfg(feature = "http")]
pub mod budget;
#[cfg(feature = "http")]
pub mod challenge;
#[cfg(feature = "http")]
pub mod client;
#[cfg(feature = "http")]
pub mod cloud;
#[cfg(feature = "http")]
mod codes;
#[cfg(feature = "http")]
mod data;
#[cfg(feature = "http")]
mod headers;
#[cfg(feature = "http")]
pub mod kept;
#[cfg(feature = "http")]
mod lane;
#[cfg(feature = "http")]
pub mod limits;
#[cfg(feature = "http")]
pub mod list;
#[cfg(feature = "http")]
pub mod operation;
#[cfg(feature = "http")]
pub mod places;
#[cfg(feature = "http")]
pub mod registry;
#[cfg(feature = "http")]
mod reply;
#[cfg(feature = "http")]
mod request;
#[cfg(feature = "http")]
pub mod rooms;
#[cfg(feature = "http")]
pub mod send;
#[cfg(feature = "http")]
mod spend;
#[cfg(feature = "http")]
mod tokens;
#[cfg(feature = "http")]
pub mod told;
#[cfg(feature = "http")]
pub mod turns;

pub use class::Class;
pub use error::Error;
pub use id::ArmId;
pub use refusal::Refusal;
pub use verb::Verb;
