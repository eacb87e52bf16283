//! Texts of the log that others match on: tests and benches use the same constants. It uses no other file.

/// A pass over an object has ended.
pub const PASS: &str = "pass";
/// This process leads now.
pub const LEADING: &str = "leading";
/// Another process leads.
pub const WAITING: &str = "waiting for the lease";
/// This process is no longer the leader.
pub const LEASE_LOST: &str = "the lease is lost, so this process ends";
/// The start of a line; the cause follows.
pub const RENEWAL_FAILED: &str = "failed to renew the lease";
/// The listener is open; the line has its address.
pub const SERVING: &str = "serving metrics and health";
/// The start of a line; the answer of the API server follows.
pub const KUBERNETES_REFUSED: &str = "Kubernetes refused";
/// A part of the cause why an object is not kept: its namespace has as much as one may have.
pub const NO_ROOM: &str = "no room";
/// The start of a line; the answer of the API server follows.
pub const MAPS_NOT_WATCHED: &str = "ConfigMaps may not be watched, so each is read every five minutes; grant list and watch of configmaps \
    (the chart's rbac.readConfigMaps)";
/// The start of a line; the answer of the API server follows.
pub const FLUX_NOT_WATCHED: &str = "sources of Flux may not be watched, so each is read every five minutes; grant get, list and watch of \
    them (the chart's rbac.readFluxSources)";
/// The start of a line; the answer of the API server follows.
pub const NAMESPACES_NOT_WATCHED: &str = "namespaces may not be watched, so an MLWorkspace that is shared by labels knows of each its name alone; \
    grant list and watch of namespaces (the chart's ClusterRole)";
/// What `check` prints where all is well; the leader follows.
pub const ALL_READABLE: &str = "every kind is served and may be read";
