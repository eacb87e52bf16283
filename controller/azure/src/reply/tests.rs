//! What each kind of refusal means: the forms are those of the recordings, the words are shortened.

use super::*;
use crate::headers::set;
use serde_json::json;
use std::time::Duration;

const VERBS: [Verb; 6] = [Verb::Get, Verb::Head, Verb::Delete, Verb::Put, Verb::Patch, Verb::Post];

fn of_azure() -> HeaderMap {
    let mut headers = HeaderMap::new();
    set(&mut headers, "x-ms-request-id", "r");
    headers
}

fn refused(verb: Verb, status: u16, headers: &HeaderMap, body: &[u8]) -> Refusal {
    Reply { verb, status, headers, body, names: &[], is_strange: false }.read()
}

fn read(verb: Verb, status: u16, body: &Value) -> Refusal {
    refused(verb, status, &of_azure(), body.to_string().as_bytes())
}

fn ml(outer: &str, inner: &[&str]) -> Value {
    let chain =
        inner.iter().rev().fold(Value::Null, |inner, code| json!({"code": code, "innerError": inner}));
    json!({"error": {"code": outer, "message": "why", "details": [],
        "additionalInfo": [{"type": "InnerError", "info": {"value": chain}}]}})
}

#[test]
fn the_innermost_code_counts() {
    assert_eq!(
        read(Verb::Put, 400, &ml("UserError", &["Immutable", "JobPropertyImmutable"])).code,
        "JobPropertyImmutable"
    );
    let history =
        json!({"error": {"code": "UserError", "message": "no", "innerError": {"code": "NotFound"}}});
    assert_eq!(read(Verb::Get, 404, &history).code, "NotFound");
}

#[test]
fn every_404_of_azure_means_that_the_target_is_gone_and_of_a_write_that_it_names_something_else() {
    let endpoint =
        json!({"error": {"code": "NotFound", "message": "", "details": [{"code": "NoSuchEndpoint"}]}});
    let bodies = [
        Vec::new(),
        ml("UserError", &["NotFound", "ComponentNotFound"]).to_string().into_bytes(),
        ml("UserError", &["NotFoundError"]).to_string().into_bytes(),
        ml("UserError", &["NotFound", "JobNotFound"]).to_string().into_bytes(),
        ml("UserError", &["NotFound"]).to_string().into_bytes(),
        endpoint.to_string().into_bytes(),
        json!({"error": {"code": "ResourceNotFound", "message": ""}}).to_string().into_bytes(),
        json!({"error": {"code": "ParentResourceNotFound", "message": ""}}).to_string().into_bytes(),
        json!({"errors": [{"code": "TAG_UNKNOWN", "message": ""}]}).to_string().into_bytes(),
        json!({"error": {"code": "EntityNotFound", "message": "", "target": "x"}}).to_string().into_bytes(),
        b"404 page not found\n".to_vec(),
    ];
    for body in bodies {
        for verb in VERBS {
            let expected = if verb.speaks_of_target() { Class::Gone } else { Class::Missing };
            let refusal = refused(verb, 404, &of_azure(), &body);
            assert_eq!(refusal.class(), expected, "{verb:?} {}", String::from_utf8_lossy(&body));
        }
    }
}

#[test]
fn each_header_of_azure_alone_makes_a_404_azures() {
    let names = [
        "x-ms-request-id",
        "x-ms-correlation-request-id",
        "x-ms-failure-cause",
        "x-ms-error-code",
        "x-ms-response-type",
        "docker-distribution-api-version",
    ];
    for name in names {
        let mut headers = HeaderMap::new();
        set(&mut headers, name, "x");
        assert_eq!(refused(Verb::Get, 404, &headers, b"").class(), Class::Gone, "{name}");
    }
}

#[test]
fn a_429_is_resource_managers_own_by_its_cause_and_by_nothing_else() {
    let body =
        json!({"error": {"code": "TooManyRequests", "message": "Retry again after 20 seconds."}}).to_string();
    for (cause, expected) in [(Some("gateway"), true), (Some("service"), false), (None, false)] {
        let mut headers = of_azure();
        if let Some(cause) = cause {
            set(&mut headers, "x-ms-failure-cause", cause);
        }
        let refusal = refused(Verb::Put, 429, &headers, body.as_bytes());
        assert_eq!((refusal.class(), refusal.is_gateways), (Class::Throttled, expected), "{cause:?}");
    }
}

#[test]
fn a_404_of_a_proxy_is_trouble_and_says_so() {
    let none = HeaderMap::new();
    let mut echoed = HeaderMap::new();
    set(&mut echoed, "x-ms-client-request-id", "ours");
    let page = b"<!DOCTYPE html>\n<html><head><title>Blocked</title></head></html>".as_slice();
    let bare = json!({"error": {"code": "NotFound", "message": "no route"}}).to_string();
    let cases = [
        (&none, b"".as_slice()),
        (&none, bare.as_bytes()),
        (&echoed, b""),
        (&none, page),
        (&of_azure(), page),
    ];
    for (headers, body) in cases {
        let refusal = refused(Verb::Get, 404, headers, body);
        assert_eq!((refusal.class(), refusal.code.as_str()), (Class::Unavailable, FOREIGN), "{body:?}");
        assert!(refusal.said().contains("in place of Azure"), "{}", refusal.said());
    }
    assert_eq!(refused(Verb::Put, 403, &none, page).code, FOREIGN, "no permission is missing");
    assert_eq!(refused(Verb::Get, 404, &none, page).message, "Blocked");
    assert_eq!(refused(Verb::Get, 502, &none, b"<html>").code, "ServerError", "the front door's own page");
}

#[test]
fn a_registry_of_anybodys_needs_no_header_of_azure() {
    let headers = HeaderMap::new();
    let absent = |body| {
        Reply { verb: Verb::Head, status: 404, headers: &headers, body, names: &[], is_strange: true }
            .read()
            .class()
    };
    assert_eq!(absent(b"".as_slice()), Class::Gone);
    assert_eq!(absent(b"<html>"), Class::Unavailable);
}

#[test]
fn a_404_of_a_subscription_a_type_or_a_version_is_not_gone() {
    for code in [
        "SubscriptionNotFound",
        "InvalidResourceType",
        "NoRegisteredProviderFound",
        "invalidapiversionparameter",
    ] {
        for verb in VERBS {
            let refusal = read(verb, 404, &json!({"error": {"code": code, "message": ""}}));
            assert_eq!(refusal.class(), Class::Forbidden, "{code}");
        }
    }
}

#[test]
fn a_quota_is_not_throttling() {
    let cases = [
        (429, "OperationNotAllowed", "cores", Class::Quota),
        (429, "OperationNotAllowed", "too many requests have been received", Class::Throttled),
        (429, "TooManyRequests", "slow down", Class::Throttled),
        (429, "QuotaExceeded", "Retry again after 20 seconds.", Class::Throttled),
        (400, "ClusterMinNodesExceedCoreQuota", "", Class::Quota),
        (400, "BadRequest", "The specified subscription has a total vCPU quota of 0", Class::Quota),
        (400, "BadRequest", "vmSize", Class::Invalid),
        (403, "AuthorizationFailed", "no", Class::Forbidden),
        (409, "Conflict", "busy", Class::Conflict),
        (408, "RequestTimeout", "", Class::Unavailable),
        (425, "TooEarly", "", Class::Unavailable),
        (500, "ServiceError", "oops", Class::Unavailable),
    ];
    for (status, code, message, class) in cases {
        let refusal = read(Verb::Put, status, &json!({"error": {"code": code, "message": message}}));
        assert_eq!(refusal.class(), class, "{status} {code}");
    }
}

#[test]
fn azure_mls_throttling_asks_for_a_wait_in_its_words() {
    let mut body = ml("UserError", &["QuotaExceeded", "TooManyRequests"]);
    body["error"]["message"] =
        json!("Received too many requests in a short amount of time. Retry again after 20 seconds.");
    let refusal = read(Verb::Put, 429, &body);
    assert_eq!((refusal.class(), refusal.retry_after), (Class::Throttled, Some(Duration::from_secs(20))));
    let mut headers = of_azure();
    set(&mut headers, "retry-after", "7");
    let refusal = refused(Verb::Put, 429, &headers, body.to_string().as_bytes());
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)), "the header counts first");
}

#[test]
fn a_users_name_is_no_quota() {
    let names = ["quota-planning".to_owned()];
    let body =
        json!({"error": {"code": "UserError", "message": "Environment quota-planning is used."}}).to_string();
    for (status, class) in [(400, Class::Invalid), (403, Class::Forbidden), (409, Class::Conflict)] {
        let headers = of_azure();
        let reply = Reply {
            verb: Verb::Put,
            status,
            headers: &headers,
            body: body.as_bytes(),
            names: &names,
            is_strange: false,
        };
        assert_eq!(reply.read().class(), class, "{status}");
    }
}

#[test]
fn a_policy_is_named_also_where_its_text_has_35_kilobytes() {
    let list = json!([{"policyAssignment": {"name": "Deny public clusters",
        "id": "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/deny"},
        "policyDefinition": {"name": "x".repeat(35_000)}}]);
    let message = format!("Resource 'cpu' was disallowed by policy. Policy identifiers: '{list}'.");
    let refusal =
        read(Verb::Put, 403, &json!({"error": {"code": "RequestDisallowedByPolicy", "message": message}}));
    assert_eq!(refusal.class(), Class::Denied);
    assert!(refusal.said().contains("\"Deny public clusters\" (/subscriptions/s/"), "{}", refusal.said());
    assert!(refusal.message.chars().count() <= 1001);
    let listed = json!({"error": {"code": "RequestDisallowedByPolicy", "message": "no", "additionalInfo": [
        {"type": "PolicyViolation", "info": {"policyAssignmentName": "deny", "policyAssignmentId": "/p"}}]}});
    assert_eq!(read(Verb::Put, 403, &listed).policies, ["\"deny\" (/p)"]);
}

#[test]
fn codes_decide_before_the_status() {
    let cases = [
        (409, "ScopeLocked", Class::Denied),
        (400, "TasksOperationsNotAllowed", Class::Denied),
        (409, "EndpointNameTaken", Class::Invalid),
        (409, "AlreadyInUse", Class::Invalid),
        (409, "MissingSubscriptionRegistration", Class::Forbidden),
        (403, "KeyBasedAuthenticationNotPermitted", Class::Denied),
    ];
    for (status, code, class) in cases {
        assert_eq!(
            read(Verb::Put, status, &json!({"error": {"code": code, "message": ""}})).class(),
            class,
            "{code}"
        );
        assert_eq!(read(Verb::Put, status, &ml("UserError", &[code])).class(), class, "{code} inside");
    }
}

#[test]
fn storage_answers_in_xml_and_in_a_header() {
    let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>KeyBasedAuthenticationNotPermitted</Code>\
                <Message>Key based authentication is not permitted on this storage account.\nRequestId:1\nTime:2</Message></Error>";
    let refusal = refused(Verb::Put, 403, &of_azure(), body.as_bytes());
    assert_eq!(refusal.code, "KeyBasedAuthenticationNotPermitted");
    assert_eq!(refusal.message, "Key based authentication is not permitted on this storage account.");
    let mut headers = of_azure();
    set(&mut headers, "x-ms-error-code", "BlobNotFound");
    let refusal = refused(Verb::Head, 404, &headers, b"");
    assert_eq!((refusal.code.as_str(), refusal.class()), ("BlobNotFound", Class::Gone));
}

#[test]
fn a_bare_error_is_read_too() {
    let refusal = read(Verb::Put, 400, &json!({"code": "BadRequest", "message": "no such thing"}));
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("BadRequest", "no such thing"));
    let refusal = read(Verb::Post, 400, &json!({"error": "invalid_grant", "error_description": "expired"}));
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("invalid_grant", "expired"));
    assert_eq!(refused(Verb::Get, 502, &of_azure(), b"").code, "ServerError");
    assert_eq!(refused(Verb::Get, 408, &of_azure(), b"").code, "RequestTimeout");
}
