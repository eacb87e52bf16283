//! Without Kubernetes: objects from files, the same resolve, observe and plan, and statuses handed on from object to object.

pub mod folder;
pub mod hands;
