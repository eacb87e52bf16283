//! Which hosts a namespace may fetch files from.
//!
//! In: the grants of the configuration, a namespace, a host. Out: how the host may be reached, or the line that the platform team has to
//! add. Resolves no name: whether an address is public is seen when it is connected to.

use crate::pattern::any_matches;
use serde::Deserialize;

/// The hosts that some namespaces may fetch files from. Both lists take names with `*` for any text.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HostGrant {
    /// The namespaces.
    pub namespaces: Vec<String>,
    /// The hosts, with a port where it is not the scheme's own. They may have private addresses.
    pub hosts: Vec<String>,
}

/// How a host may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// At public addresses alone.
    Public,
    /// Wherever it is.
    Anywhere,
}

/// How a namespace may reach a host.
///
/// # Errors
/// When other hosts are named for the namespace.
pub fn reach(grants: &[HostGrant], namespace: &str, host: &str) -> Result<Reach, String> {
    let host = host.to_ascii_lowercase();
    let mut own = grants.iter().filter(|grant| any_matches(&grant.namespaces, namespace)).peekable();
    if own.peek().is_none() {
        return Ok(Reach::Public);
    }
    if own.any(|grant| any_matches(&grant.hosts, &host)) {
        return Ok(Reach::Anywhere);
    }
    Err(format!(
        "this namespace may not fetch files from {host}; the platform team adds to the controller's configuration: sources: {{hosts: \
         [{{namespaces: [{namespace}], hosts: [{host}]}}]}}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_named_reaches_its_hosts_alone() {
        let strings = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        let grants = [
            HostGrant { namespaces: strings(&["team-*"]), hosts: strings(&["git.corp.example"]) },
            HostGrant { namespaces: strings(&["team-b"]), hosts: strings(&["*.github.com", "github.com"]) },
        ];
        assert_eq!(reach(&grants, "other", "git.corp.example"), Ok(Reach::Public));
        assert_eq!(reach(&grants, "team-a", "GIT.corp.example"), Ok(Reach::Anywhere));
        assert_eq!(reach(&grants, "team-b", "github.com"), Ok(Reach::Anywhere));
        let refused = reach(&grants, "team-a", "github.com").unwrap_err();
        assert!(refused.contains("hosts: [{namespaces: [team-a], hosts: [github.com]}]"), "{refused}");
    }
}
