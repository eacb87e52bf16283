//! Permissions: role assignments of applications, and the action that a request needs.
//!
//! In: assignments, a request. Out: nothing, or the refusal that Resource Manager gives. An application without any assignment may do
//! everything, as the owner of a subscription: most tests are about other things. Source: "Azure role-based access control", and the
//! rule by which actions are named (no recording shows a refusal, so the text is Resource Manager's well-known one): GET `T` needs `T/read`, PUT and PATCH `T/write`, DELETE `T/delete`, POST `T/x` `T/x/action`.

use super::errors::{self, Refusal};
use crate::entra::Caller;
use http::{Method, StatusCode};
use std::collections::BTreeMap;

/// A role at a scope.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The subscription, group or resource.
    pub scope: String,
    /// The actions of the role.
    pub actions: Vec<String>,
}

/// The assignments of applications, by their ids.
#[derive(Debug, Default)]
pub struct Rights(BTreeMap<String, Vec<Assignment>>);

impl Rights {
    /// Gives an application exactly these roles.
    pub fn assign(&mut self, client: &str, assignments: Vec<Assignment>) {
        self.0.insert(client.to_owned(), assignments);
    }

    /// Refuses a request for which an application has no role.
    pub fn check(&self, caller: &Caller, method: &Method, path: &str) -> Result<(), Refusal> {
        let Some(roles) = self.0.get(&caller.app) else { return Ok(()) };
        let Some(action) = action(method, path) else { return Ok(()) };
        let is_below = |scope: &str| {
            let (scope, path) = (scope.to_ascii_lowercase(), path.to_ascii_lowercase());
            path.strip_prefix(scope.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let gives = |role: &Assignment| {
            is_below(&role.scope) && role.actions.iter().any(|given| given.eq_ignore_ascii_case(&action))
        };
        if roles.iter().any(gives) {
            return Ok(());
        }
        let text = format!(
            "The client '{}' with object id '{}' does not have authorization to perform action '{action}' over scope '{path}' or \
             the scope is invalid. If access was recently granted, please refresh your credentials.",
            caller.app, caller.object
        );
        Err(errors::gateway(StatusCode::FORBIDDEN, "AuthorizationFailed", &text))
    }
}

/// The action that a request needs; none where it is for no provider.
#[must_use]
pub fn action(method: &Method, path: &str) -> Option<String> {
    let (_, resource) = path.rsplit_once("/providers/")?;
    let mut parts = resource.split('/');
    let mut name = parts.next()?.to_owned();
    let rest: Vec<&str> = parts.collect();
    let is_call = *method == Method::POST && rest.len() % 2 == 1;
    let types = if is_call { &rest[..rest.len() - 1] } else { &rest[..] };
    for part in types.iter().step_by(2) {
        name = format!("{name}/{part}");
    }
    Some(match *method {
        Method::GET | Method::HEAD => format!("{name}/read"),
        Method::PUT | Method::PATCH => format!("{name}/write"),
        Method::DELETE => format!("{name}/delete"),
        _ => format!("{name}/{}/action", rest.last()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";

    #[test]
    fn an_action_follows_from_a_request() {
        let ml = "Microsoft.MachineLearningServices/workspaces";
        for (method, path, expected) in [
            (Method::GET, "/computes", "/computes/read"),
            (Method::PUT, "/codes/c/versions/1", "/codes/versions/write"),
            (Method::POST, "/jobs/j/cancel", "/jobs/cancel/action"),
            (Method::DELETE, "/schedules/s", "/schedules/delete"),
        ] {
            assert_eq!(action(&method, &format!("{WORKSPACE}{path}")), Some(format!("{ml}{expected}")));
        }
        assert_eq!(action(&Method::GET, "/subscriptions"), None);
    }

    #[test]
    fn a_role_counts_at_and_below_its_scope() {
        let mut rights = Rights::default();
        let actions = vec!["Microsoft.MachineLearningServices/workspaces/computes/read".to_owned()];
        rights.assign("a", vec![Assignment { scope: WORKSPACE.to_uppercase(), actions }]);
        let caller = |client: &str| Caller { app: client.into(), object: "o".into() };
        let may =
            |client: &str, method: Method, path: &str| rights.check(&caller(client), &method, path).is_ok();
        assert!(may("a", Method::GET, &format!("{WORKSPACE}/computes/cpu")));
        assert!(!may("a", Method::PUT, &format!("{WORKSPACE}/computes/cpu")));
        assert!(!may("a", Method::GET, &format!("{WORKSPACE}2/computes/cpu")), "another workspace");
        assert!(may("owner", Method::PUT, &format!("{WORKSPACE}/computes/cpu")), "it has no list");
    }
}
