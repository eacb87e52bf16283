//! Refusals that Azure gives for reasons outside of what is simulated, ready to be ordered by name. In: a name, and the
//! request. Out: the whole answer. Those of Azure ML and of its front door are as recorded; those of policies, locks and
//! registries as documented, since no recording shows them.

use crate::arm::errors;
use crate::wire::{Answer, Request};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One of these refusals.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub enum Recorded {
    /// Azure ML's own 429: no `Retry-After`, the wait is in the text alone, and the code speaks of quota.
    TooManyRequests,
    /// 502 of the front door: HTML, and nothing that says Azure.
    BadGatewayPage,
    /// 504 of the front door, likewise.
    GatewayTimeoutPage,
    /// 502 of the resource manager.
    BadGatewayConnection,
    /// 504 of Azure ML: what was asked for may have happened.
    TransientError,
    /// 500 of Azure ML that wraps a 503.
    ServiceError,
    /// 404 of something in between, not of Azure: HTML, none of its headers.
    NotFoundPage,
    /// 403 of a policy, with 35 kB of what it evaluated.
    RequestDisallowedByPolicy,
    /// 400 of a registry whose subscription may not use ACR Tasks.
    TasksOperationsNotAllowed,
    /// 409 of a lock.
    ScopeLocked,
    /// 409 of a name that another workspace of the region has.
    EndpointNameTaken,
}

impl Recorded {
    /// The answer to this request.
    pub fn answer(self, request: &Request) -> Answer {
        match self {
            Self::TooManyRequests => errors::mfe(
                StatusCode::TOO_MANY_REQUESTS,
                &["QuotaExceeded", "TooManyRequests"],
                "Received too many requests in a short amount of time. Retry again after 20 seconds.",
            )
            .into(),
            Self::BadGatewayPage => page(StatusCode::BAD_GATEWAY, "502 Bad Gateway"),
            Self::GatewayTimeoutPage => page(StatusCode::GATEWAY_TIMEOUT, "504 Gateway Time-out"),
            Self::NotFoundPage => page(StatusCode::NOT_FOUND, "404 Not Found"),
            Self::BadGatewayConnection => service(errors::arm(
                StatusCode::BAD_GATEWAY,
                "BadGatewayConnection",
                "The network connectivity issue encountered for 'Microsoft.MachineLearningServices'; cannot fulfill \
                 the request.",
            )),
            Self::TransientError => {
                let text = "Service invocation timed out. \r\nRequest: POST \r\n Message:  Time waited: 00:00:30.0035662";
                let error = ("TransientError", text);
                service(errors::service(StatusCode::GATEWAY_TIMEOUT, error, &json!([]), None))
            }
            Self::ServiceError => {
                let error = ("ServiceError", "Received 503 from a service request");
                service(errors::service(StatusCode::INTERNAL_SERVER_ERROR, error, &json!([]), None))
            }
            Self::RequestDisallowedByPolicy => policy(request),
            Self::TasksOperationsNotAllowed => tasks(request),
            Self::ScopeLocked => locked(request),
            Self::EndpointNameTaken => errors::mfe(
                StatusCode::CONFLICT,
                &["Conflict", "EndpointNameTaken"],
                &format!("The endpoint name '{}' is taken in this region.", name(request)),
            )
            .into(),
        }
    }

    /// Whether it came from Azure, whose answers have request ids.
    pub fn is_azures(self) -> bool {
        !matches!(self, Self::BadGatewayPage | Self::GatewayTimeoutPage | Self::NotFoundPage)
    }
}

fn name(request: &Request) -> &str {
    request.path.last().map(String::as_str).unwrap_or_default()
}

/// The page of nginx, which Azure's front door is made of.
fn page(status: StatusCode, title: &str) -> Answer {
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Answer::bytes(status, "text/html", body.into())
}

fn service(refusal: errors::Refusal) -> Answer {
    Answer::from(refusal).header(errors::FAILURE_CAUSE, "service")
}

/// Source: learn.microsoft.com, "Troubleshoot errors with using Azure Policy"; the size is that of a user's report.
fn policy(request: &Request) -> Answer {
    let assignment = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/\
                      policyAssignments/only-small-machines";
    let expression = |number: usize| {
        json!({ "result": "True", "expressionKind": "Field", "expression": "type", "path": format!("type[{number}]"),
                "expressionValue": "Microsoft.MachineLearningServices/workspaces/computes",
                "targetValue": "Microsoft.MachineLearningServices/workspaces/computes", "operator": "Equals" })
    };
    let evaluated: Vec<Value> = (0..130).map(expression).collect();
    let name = name(request);
    let info = json!({
        "evaluationDetails": { "evaluatedExpressions": evaluated },
        "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/small",
        "policyDefinitionName": "small", "policyDefinitionDisplayName": "Small machines alone",
        "policyDefinitionEffect": "deny", "policyAssignmentId": assignment,
        "policyAssignmentName": "only-small-machines", "policyAssignmentDisplayName": "Only small machines",
        "policyAssignmentScope": "/subscriptions/00000000-0000-0000-0000-000000000000",
    });
    let body = json!({ "error": {
        "code": "RequestDisallowedByPolicy", "target": name,
        "message": format!(
            "Resource '{name}' was disallowed by policy. Policy identifiers: '[{{\"policyAssignment\":{{\"name\":\"Only \
             small machines\",\"id\":\"{assignment}\"}},\"policyDefinition\":{{\"name\":\"Small machines \
             alone\"}}}}]'."
        ),
        "additionalInfo": [{ "type": "PolicyViolation", "info": info }],
    } });
    Answer::json(StatusCode::FORBIDDEN, &body).header(errors::FAILURE_CAUSE, "gateway")
}

/// Source: the text that users quote, and Learn, "What is ACR Tasks?".
fn tasks(request: &Request) -> Answer {
    let after = |word: &str| {
        let place = request.path.iter().position(|segment| segment.eq_ignore_ascii_case(word));
        place.and_then(|place| request.path.get(place + 1)).map(String::as_str).unwrap_or_default()
    };
    let text = format!(
        "ACR Tasks requests for the registry {} and {} are not permitted. Please file an Azure support request at \
         http://aka.ms/azuresupport for assistance.",
        after("registries"),
        after("subscriptions")
    );
    let error = json!({ "code": "TasksOperationsNotAllowed", "message": text, "target": "request" });
    Answer::json(StatusCode::BAD_REQUEST, &json!({ "error": error }))
}

/// Source: learn.microsoft.com, "Lock your Azure resources to protect your infrastructure".
fn locked(request: &Request) -> Answer {
    let verb = if request.method == http::Method::DELETE { "delete" } else { "write" };
    let group = request.path.iter().take(4).map(String::as_str).collect::<Vec<_>>().join("/");
    let text = format!(
        "The scope '{}' cannot perform {verb} operation because following scope(s) are locked: '/{group}'. Please \
         remove the lock and try again.",
        request.raw_path()
    );
    errors::gateway(StatusCode::CONFLICT, "ScopeLocked", &text).into()
}
