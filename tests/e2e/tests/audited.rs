//! What the operator asks of Kubernetes, on a control plane that keeps an audit log.

mod gitops;
mod replicas;
