//! Azure's codes that mean something else than their status: which class each has.
//!
//! In: a chain of codes. Out: a [`Class`], or nothing where the status decides. Sources: the recordings, "Troubleshoot common
//! Azure deployment errors", "Azure Blob Storage error codes", "Troubleshoot ACR Tasks".

use crate::class::Class;

/// Rules of somebody else: no permission, no other try and no wait helps. The last is of storage accounts without keys.
const DENIED: [&str; 8] = [
    "RequestDisallowedByPolicy",
    "RequestDisallowedByAzure",
    "ScopeLocked",
    "TasksOperationsNotAllowed",
    "ReadOnlyDisabledSubscription",
    "DisallowedOperation",
    "DisallowedProvider",
    "KeyBasedAuthenticationNotPermitted",
];

/// A subscription, resource type or API version that the identity cannot see or that is not registered: never "gone".
/// A registration and a role assignment take minutes to spread.
const NOT_SEEN: [&str; 11] = [
    "SubscriptionNotFound",
    "InvalidSubscriptionId",
    "SubscriptionNotRegistered",
    "MissingSubscriptionRegistration",
    "NoRegisteredProviderFound",
    "InvalidResourceNamespace",
    "InvalidResourceType",
    "ResourceTypeNotFound",
    "InvalidApiVersionParameter",
    "UnsupportedApiVersion",
    "ApiVersionNotSupported",
];

/// Names that somebody else has: only another name can succeed.
const TAKEN: [&str; 4] = ["EndpointNameTaken", "AlreadyInUse", "NameNotAvailable", "NameUnavailable"];

/// The class that a chain of codes has by itself.
pub(crate) fn class<'a>(mut chain: impl Iterator<Item = &'a str>) -> Option<Class> {
    let has = |list: &[&str], code: &str| list.iter().any(|one| one.eq_ignore_ascii_case(code));
    chain.find_map(|code| {
        if has(&DENIED, code) {
            Some(Class::Denied)
        } else if has(&NOT_SEEN, code) {
            Some(Class::Forbidden)
        } else if has(&TAKEN, code) {
            Some(Class::Invalid)
        } else {
            None
        }
    })
}

/// Whether codes speak of a quota. `QuotaExceeded` > `TooManyRequests` is Azure ML's way to say that it is throttling.
pub(crate) fn is_quota<'a>(chain: impl Iterator<Item = &'a str>) -> bool {
    let mut quota = false;
    for code in chain {
        if code.eq_ignore_ascii_case("TooManyRequests") {
            return false;
        }
        quota |= code.contains("Quota");
    }
    quota
}
