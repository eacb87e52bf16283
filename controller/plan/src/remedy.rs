//! The way out of a refusal, by its reason first and by its class only where that has no way out of its own.
//!
//! In: a word of a condition, a class, the method of the request. Out: an imperative.

use crate::reasons::{Reason, Word};
use azureml_client::Class;

/// What to do about a refusal; `None` where it passes by itself.
#[must_use]
pub fn remedy(word: &Word, class: Class, verb: &str) -> Option<&'static str> {
    by_reason(word).or_else(|| by_class(class, verb))
}

/// Reasons that call for the same whatever their class; each has its remedy in the table.
const OWN: [Reason; 19] = [
    Reason::REQUEST_DISALLOWED_BY_POLICY,
    Reason::SCOPE_LOCKED,
    Reason::TASKS_OPERATIONS_NOT_ALLOWED,
    Reason::ENDPOINT_NAME_TAKEN,
    Reason::ALREADY_IN_USE,
    Reason::MISSING_SUBSCRIPTION_REGISTRATION,
    Reason::NO_REGISTERED_PROVIDER_FOUND,
    Reason::SUBSCRIPTION_NOT_FOUND,
    Reason::INVALID_RESOURCE_TYPE,
    Reason::READ_ONLY_DISABLED_SUBSCRIPTION,
    Reason::USER_ASSIGNED_IDENTITY_NOT_FOUND,
    Reason::REGISTRY_UNAUTHORIZED,
    Reason::PARENT_RESOURCE_NOT_FOUND,
    Reason::RESOURCE_GROUP_NOT_FOUND,
    Reason::FOREIGN_ANSWER,
    // Codes of storage accounts and of the data plane of registries.
    Reason::KEY_BASED_AUTHENTICATION_NOT_PERMITTED,
    Reason::AUTHORIZATION_PERMISSION_MISMATCH,
    Reason::AUTHORIZATION_FAILURE,
    Reason::DENIED,
];

fn by_reason(word: &Word) -> Option<&'static str> {
    OWN.into_iter().find(|reason| word == reason).map(Reason::remedy)
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
    fn a_reason_has_its_own_way_out_whatever_its_class() {
        for class in [Class::Invalid, Class::Denied, Class::Forbidden, Class::Conflict] {
            let told = remedy(&Reason::SCOPE_LOCKED.into(), class, "PUT");
            assert_eq!(told, Some(Reason::SCOPE_LOCKED.remedy()));
        }
        let permission = remedy(&Word::passed_on("AuthorizationFailed"), Class::Forbidden, "PUT");
        assert!(permission.is_some_and(|text| text.contains("permission")));
        let locked = remedy(&Word::passed_on("ScopeLocked"), Class::Denied, "DELETE").unwrap_or_default();
        assert!(!locked.contains("permission") && !locked.contains("spec"), "{locked}");
    }

    #[test]
    fn what_passes_by_itself_asks_for_nothing() {
        for class in [Class::Throttled, Class::Unavailable, Class::NotLeading, Class::Gone] {
            assert_eq!(remedy(&Reason::SERVER_ERROR.into(), class, "GET"), None);
        }
    }
}
