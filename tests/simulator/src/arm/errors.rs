//! Refusals in the shapes Azure gives them: the short one of the resource manager, the nested one of Azure ML's assets.
//! In: what was wanted and what is in the way. Out: a whole answer. Shapes after `ErrorResponse` of the common types.

use super::Call;
use crate::clock::stamp;
use crate::contract::Violation;
use crate::entra::TokenError;
use crate::wire::Answer;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The header by which the resource manager says that an error is its own.
pub const FAILURE_CAUSE: &str = "x-ms-failure-cause";
/// The part of Azure ML that answers for assets, jobs, schedules and endpoints.
const MANAGEMENT: &str = "managementfrontend";

/// An answer that refuses.
#[derive(Debug)]
pub struct Refusal(Box<Answer>);

/// What a service answers.
pub type Reply = Result<Answer, Refusal>;

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        *refusal.0
    }
}

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self(Box::new(answer))
    }
}

impl Refusal {
    /// The same with one more header.
    fn header(self, name: &'static str, value: &str) -> Self {
        Answer::from(self).header(name, value).into()
    }
}

/// An error of a provider that is no asset's: `{"error": {"code", "message"}}`.
pub fn arm(status: StatusCode, code: &str, message: &str) -> Refusal {
    Answer::json(status, &json!({ "error": { "code": code, "message": message } })).into()
}

/// An error that the resource manager gives itself, before any provider sees the request.
pub fn gateway(status: StatusCode, code: &str, message: &str) -> Refusal {
    arm(status, code, message).header(FAILURE_CAUSE, "gateway")
}

/// An error of Azure ML's assets, jobs and schedules: `UserError` outside, what it means in the innermost code.
pub fn mfe(status: StatusCode, inner: &[&str], message: &str) -> Refusal {
    let nested =
        inner.iter().rev().fold(Value::Null, |inside, code| json!({ "code": code, "innerError": inside }));
    service(status, ("UserError", message), &json!([]), Some(nested))
}

/// An error as Azure ML writes it: there is no `target`, and `details` are mostly empty. What tells one answer from
/// another (correlation, place, time) is added where the answer leaves.
pub fn service(
    status: StatusCode,
    (code, message): (&str, &str),
    details: &Value,
    inner: Option<Value>,
) -> Refusal {
    let mut more = vec![json!({ "type": "ComponentName", "info": { "value": MANAGEMENT } })];
    more.extend(inner.map(|inner| json!({ "type": "InnerError", "info": { "value": inner } })));
    let error = json!({ "code": code, "message": message, "details": details, "additionalInfo": more });
    Answer::json(status, &json!({ "error": error })).into()
}

/// Adds to an error of Azure ML's assets what it says of the request: correlation, where it was handled, and when.
pub fn correlated(answer: Answer, request: &str, region: &str, now: Timestamp) -> Answer {
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else { return answer };
    let Some(more) = body.pointer_mut("/error/additionalInfo").and_then(Value::as_array_mut) else {
        return answer;
    };
    if more.first().and_then(|first| first.pointer("/info/value")) != Some(&json!(MANAGEMENT)) {
        return answer;
    }
    let hex = request.replace('-', "");
    let short: String = hex.chars().take(16).collect();
    let info = |kind: &str, value: Value| json!({ "type": kind, "info": { "value": value } });
    more.splice(
        1..1,
        [
            info("Correlation", json!({ "operation": hex, "request": short })),
            info("Environment", region.into()),
            info("Location", region.into()),
            info("Time", stamp(now).into()),
        ],
    );
    Answer { body: body.to_string().into(), ..answer }
}

/// What breaks the published definition of an operation: 404, 405 or 400 with each violation.
pub fn unpublished(violations: &[Violation]) -> Refusal {
    let code = violations.first().map_or("RequestInvalid", |violation| violation.code);
    let message = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let status = match code {
        "InvalidResourceType" => StatusCode::NOT_FOUND,
        "HttpMethodNotSupported" => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::BAD_REQUEST,
    };
    if code == "RequestInvalid" || code == "Immutable" {
        return mfe(
            status,
            &["BadArgument", code],
            &format!("Request is invalid and/or missing fields. {message}"),
        );
    }
    gateway(status, code, &message)
}

/// 400 of Azure ML's assets: the request breaks a rule.
pub fn invalid(message: &str) -> Refusal {
    mfe(StatusCode::BAD_REQUEST, &["BadArgument", "RequestInvalid"], message)
}

/// 404 of Azure ML's assets, jobs, schedules and endpoints; each kind has codes of its own.
pub fn missing(what: &str, name: &str) -> Refusal {
    let (inner, message): (&[&str], String) = match what {
        "Component" => {
            let text = match name.split_once(':') {
                Some((name, version)) => format!("Not found component {name} (version: {version})."),
                None => format!("Not found component {name}."),
            };
            (&["NotFound", "ComponentNotFound"], text)
        }
        "Environment" => {
            let (name, version) = name.split_once(':').unwrap_or((name, ""));
            (
                &["NotFoundError"],
                format!("No environment exists for name: {name}, version: {version}, label: "),
            )
        }
        "Data" | "Datastore" => (&["NotFoundError"], format!("{what} with name {name} was not found.")),
        "Job" => (&["NotFound", "JobNotFound"], format!("Job {name} not found.")),
        "Schedule" => (&["NotFound"], format!("Resource Trigger {name} not found")),
        "BatchEndpoint" => return no_endpoint("NoSuchEndpoint", "endpoint", name),
        "BatchDeployment" => return no_endpoint("NoSuchDeployment", "deployment", name),
        _ => (&["NotFound"], format!("{what} with name {name} could not be found.")),
    };
    mfe(StatusCode::NOT_FOUND, inner, &message)
}

/// 404 of endpoints: the outer code is `NotFound`, what is missing stands in the details.
fn no_endpoint(code: &str, noun: &str, name: &str) -> Refusal {
    let text = format!("There is no {noun} with name: {name}");
    let details = json!([{ "code": code, "message": text, "details": [], "additionalInfo": [] }]);
    let outer = ("NotFound", "The specified resource was not found.");
    service(StatusCode::NOT_FOUND, outer, &details, None)
}

/// 404 of a PUT whose body names a component that is not there: it says nothing about what is put.
pub fn no_component(id: &str, name: &str, version: &str) -> Refusal {
    let text = format!("key: {id}, Message: Not found component {name} (version: {version}).");
    service(StatusCode::NOT_FOUND, ("NotFound", &text), &json!([]), None)
}

/// 404 of the resource manager for one resource; `kind` is its full type with its name.
pub fn no_resource(kind: &str, group: &str) -> Refusal {
    gateway(
        StatusCode::NOT_FOUND,
        "ResourceNotFound",
        &format!(
            "The Resource '{kind}' under resource group '{group}' was not found. For more details please go to \
             https://aka.ms/ARMResourceNotFoundFix"
        ),
    )
}

/// 404 for something below a resource that does not exist, which is told by its name alone.
pub fn no_parent(parent: &str) -> Refusal {
    let parent = parent.rsplit('/').next().unwrap_or_default();
    let text = format!(
        "Can not perform requested operation on nested resource. Parent resource '{parent}' not found."
    );
    gateway(StatusCode::NOT_FOUND, "ParentResourceNotFound", &text)
}

/// 404 for a resource group.
pub fn no_group(group: &str) -> Refusal {
    gateway(
        StatusCode::NOT_FOUND,
        "ResourceGroupNotFound",
        &format!("Resource group '{group}' could not be found."),
    )
}

/// 404 for a subscription.
pub fn no_subscription(id: &str) -> Refusal {
    gateway(
        StatusCode::NOT_FOUND,
        "SubscriptionNotFound",
        &format!("The subscription '{id}' could not be found."),
    )
}

/// 404 for a provider that is not there.
pub fn no_provider(name: &str) -> Refusal {
    let text = format!("The resource namespace '{name}' is invalid.");
    gateway(StatusCode::NOT_FOUND, "InvalidResourceNamespace", &text)
}

/// 404 for a path that leads nowhere.
pub fn no_route(call: &Call<'_>) -> Refusal {
    let text =
        format!("No HTTP resource was found that matches the request URI '{}'.", call.request.raw_path());
    gateway(StatusCode::NOT_FOUND, "HttpResourceNotFound", &text)
}

/// 405 for a method that a path does not have.
pub fn no_method(call: &Call<'_>) -> Refusal {
    let text = format!("The requested resource does not support http method '{}'.", call.request.method);
    gateway(StatusCode::METHOD_NOT_ALLOWED, "HttpMethodNotAllowed", &text)
}

/// 409 while another operation is going on.
pub fn busy(name: &str, state: &str) -> Refusal {
    let text =
        format!("Another operation is in progress on '{name}', which is {state}. Retry when it has ended.");
    arm(StatusCode::CONFLICT, "AnotherOperationInProgress", &text)
}

/// 401 with what is wrong with the token.
pub fn unauthorized(base: &str, tenant: &str, error: TokenError) -> Refusal {
    let (code, text) = match error {
        TokenError::Missing => {
            ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        }
        TokenError::Invalid => ("InvalidAuthenticationToken", "The access token is invalid."),
        TokenError::Expired => {
            ("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than now.")
        }
        TokenError::Audience => (
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for the wrong audience.",
        ),
    };
    let challenge = format!("Bearer authorization_uri=\"{base}/{tenant}\", error=\"invalid_token\"");
    gateway(StatusCode::UNAUTHORIZED, code, text).header("www-authenticate", &challenge)
}

/// 429 with the seconds to wait.
pub fn throttled(kind: &str, principal: &str, wait: u64) -> Refusal {
    let text = format!(
        "Number of '{kind}' requests for actor '{principal}' exceeded. Please try again after '{wait}' seconds."
    );
    gateway(StatusCode::TOO_MANY_REQUESTS, "SubscriptionRequestsThrottled", &text)
        .header("retry-after", &wait.to_string())
}
