//! The API server's audit log: who asked for what, and which role allowed it.
//! In: the log of a control plane that keeps one. Out: requests, in order. Changes nothing.

use crate::chart::full;
use crate::cluster;
use anyhow::{Context as _, Result};
use serde_json::Value;

/// One request of somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The verb.
    pub verb: String,
    /// The resource with its group, and its subresource; the path, where it is none.
    pub resource: String,
    /// The object's name.
    pub name: String,
    /// Which role allowed it, `ClusterRole view`; nothing where it was not allowed.
    pub role: Option<String>,
    /// The HTTP status.
    pub status: u64,
}

impl Asked {
    /// Whether it was to change something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        ["create", "update", "patch", "delete", "deletecollection"].contains(&self.verb.as_str())
    }
}

/// What a user was to change since a number of its requests, but for the leader's lease.
///
/// # Errors
/// When the control plane keeps no audit log.
pub fn writes(user: &str, since: usize) -> Result<Vec<Asked>> {
    let is_it = |asked: &Asked| asked.is_write() && asked.resource != "leases.coordination.k8s.io";
    Ok(of(user)?.into_iter().skip(since).filter(is_it).collect())
}

/// Every request of a user so far.
///
/// # Errors
/// When the control plane keeps no audit log.
pub fn of(user: &str) -> Result<Vec<Asked>> {
    let file = cluster::shared().audit_log();
    let text = std::fs::read_to_string(&file).with_context(|| format!("no audit log {}", file.display()))?;
    // The last line may be half written.
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(lines.filter(|event| event["user"]["username"] == user).map(|event| asked(&event)).collect())
}

fn asked(event: &Value) -> Asked {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (object, why) = (&event["objectRef"], &event["annotations"]["authorization.k8s.io/reason"]);
    let resource = if object.is_object() {
        let sub = object["subresource"].as_str().map(|sub| format!("/{sub}")).unwrap_or_default();
        full(&text(&object["apiGroup"]), &(text(&object["resource"]) + &sub))
    } else {
        text(&event["requestURI"])
    };
    let is_allowed = event["annotations"]["authorization.k8s.io/decision"] == "allow";
    Asked {
        verb: text(&event["verb"]),
        resource,
        name: text(&object["name"]),
        role: is_allowed.then(|| role(&text(why)).unwrap_or_default()),
        status: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
    }
}

/// The role in `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to ServiceAccount "z/a"`.
fn role(why: &str) -> Option<String> {
    let (_, of) = why.split_once(" of ")?;
    let (kind, rest) = of.split_once(" \"")?;
    Some(format!("{kind} {}", rest.split_once('"')?.0))
}
