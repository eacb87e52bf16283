//! The way out of a refusal, by Azure's code first and by its class only where no code is known.
//!
//! In: a code or reason, a class, the method of the request. Out: an imperative. Each code here has an entry in the runbook.

use azureml_client::Class;

/// What to do about a refusal; `None` where it passes by itself.
#[must_use]
pub fn remedy(code: &str, class: Class, verb: &str) -> Option<&'static str> {
    by_code(code).or_else(|| of_storage(code)).or_else(|| by_class(class, verb))
}

/// Whether a refused action has nothing left to do: a cancel after a pipeline job's end (recorded). A command job and a run of
/// ACR answer 200 then. After any other refusal the job goes on, and costs money.
#[must_use]
pub fn is_over(action: &str, status: u16, code: &str) -> bool {
    action == "cancel" && status == 400 && code == "CancelPipelineRunInTerminalStatus"
}

/// Whether a refused PUT may mean that the version is there. Versions are named by their content, so one that is there is as good.
/// A component is refused if its code has another name (recorded: 400); of codes no refusal is recorded.
#[must_use]
pub fn may_be_there(kind: &str, status: u16, code: &str) -> bool {
    match kind {
        "workspaces/components/versions" => status == 400 && code == "UpdateComponentFailed",
        "workspaces/codes/versions" => matches!(status, 400 | 409),
        _ => false,
    }
}

fn by_code(code: &str) -> Option<&'static str> {
    Some(match code {
        "RequestDisallowedByPolicy" => {
            "change the spec so that the policy allows it, or ask the owner of the policy for an exemption"
        }
        "ScopeLocked" => "remove the lock from the scope that Azure names",
        "TasksOperationsNotAllowed" => {
            "build the image elsewhere and name it in spec.image, or move the registry to a subscription with ACR Tasks: free and trial subscriptions have none"
        }
        "EndpointNameTaken" => {
            "choose another name in publish.endpoint: endpoints have unique names in a region, also in other subscriptions"
        }
        "AlreadyInUse" => "choose another name: somebody else has this one",
        "MissingSubscriptionRegistration" | "NoRegisteredProviderFound" => {
            "register the provider: az provider register --namespace Microsoft.MachineLearningServices"
        }
        "SubscriptionNotFound" => {
            "correct the subscription of the MLWorkspace, or give the identity a role in it"
        }
        "InvalidResourceType" => "set azure.apiVersions to versions that this cloud has",
        "ReadOnlyDisabledSubscription" => "enable the subscription again",
        "UserAssignedIdentityNotFound" => "attach the identity to the workspace, or name another",
        "RegistryUnauthorized" => {
            "write the image with its digest, which is not looked up, or import it into the workspace's registry with az acr import"
        }
        "ParentResourceNotFound" => {
            "make the workspace or registry that Azure names again, or correct the ids of the MLWorkspace"
        }
        "ResourceGroupNotFound" => "make the resource group again, or correct the ids of the MLWorkspace",
        "ForeignAnswer" => "let the proxy or firewall pass requests to this host",
        _ => return None,
    })
}

/// Codes of storage accounts and of the data plane of registries.
fn of_storage(code: &str) -> Option<&'static str> {
    Some(match code {
        "KeyBasedAuthenticationNotPermitted" => {
            "give the identity the role Storage Blob Data Contributor on the storage account: it takes no keys"
        }
        "AuthorizationPermissionMismatch" => {
            "give the identity the role Storage Blob Data Contributor on the storage account"
        }
        "AuthorizationFailure" => "let the operator through the network rules of the storage account",
        "DENIED" => {
            "let the operator through the network rules of the registry, and give the identity the role AcrPull"
        }
        _ => return None,
    })
}

fn by_class(class: Class, verb: &str) -> Option<&'static str> {
    match class {
        Class::Invalid if verb == "DELETE" => Some("remove what Azure names, or delete it in Azure yourself"),
        // A job that could not be cancelled goes on.
        Class::Invalid if verb == "POST" => Some("carry it out in Azure ML studio, or by az"),
        Class::Invalid => Some("change the spec"),
        Class::Quota => Some("ask Azure for more quota, or lower what the spec asks for"),
        Class::Forbidden => Some("grant the missing permission to the workspace's identity"),
        Class::Denied => Some("ask the owner of this rule for an exception, or change the spec"),
        Class::Missing => Some("make what Azure misses again, or name another in the spec"),
        Class::Conflict => Some(
            "look in the activity log for what else changes it, and end that, or give this object another name",
        ),
        Class::Gone | Class::Throttled | Class::Unavailable | Class::NotLeading => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_own_way_out_whatever_its_class() {
        for class in [Class::Invalid, Class::Denied, Class::Forbidden, Class::Conflict] {
            assert_eq!(remedy("ScopeLocked", class, "PUT"), by_code("ScopeLocked"));
        }
        let permission = remedy("AuthorizationFailed", Class::Forbidden, "PUT");
        assert!(permission.is_some_and(|text| text.contains("permission")));
        let locked = remedy("ScopeLocked", Class::Denied, "DELETE").unwrap_or_default();
        assert!(!locked.contains("permission") && !locked.contains("spec"), "{locked}");
    }

    #[test]
    fn a_version_may_be_there_only_where_azure_says_that_it_cannot_change() {
        let component = "workspaces/components/versions";
        assert!(may_be_there(component, 400, "UpdateComponentFailed"));
        for (status, code) in [(400, "InvalidArgument"), (404, "CodeNotFound"), (409, "Conflict")] {
            assert!(!may_be_there(component, status, code), "{status} {code}");
        }
        assert!(may_be_there("workspaces/codes/versions", 409, "Conflict"));
        assert!(!may_be_there("workspaces/environments/versions", 400, "UpdateComponentFailed"));
    }

    #[test]
    fn only_the_recorded_code_says_that_a_job_needs_no_cancelling() {
        assert!(is_over("cancel", 400, "CancelPipelineRunInTerminalStatus"));
        assert!(!is_over("delete", 400, "CancelPipelineRunInTerminalStatus"));
        for (status, code) in [
            (400, "BadRequest"),
            (400, "JobNotCancelable"),
            (404, "JobNotFound"),
            (409, "Conflict"),
            (403, "AuthorizationFailed"),
            (411, "LengthRequired"),
        ] {
            assert!(!is_over("cancel", status, code), "{code}: the job goes on");
        }
    }

    #[test]
    fn what_passes_by_itself_asks_for_nothing() {
        for class in [Class::Throttled, Class::Unavailable, Class::NotLeading, Class::Gone] {
            assert_eq!(remedy("ServerError", class, "GET"), None);
        }
    }
}
