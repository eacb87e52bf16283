//! Azure Resource Manager's front door: the caller, its rate, the version, and the provider that answers.
//! In: a request below `/subscriptions` (or another path of ARM's). Out: the provider's answer with ARM's headers.

pub mod errors;
mod headers;
pub mod ids;
pub mod operations;
pub mod paging;
mod published;
pub mod rights;
pub mod throttle;

use crate::entra::{self, Audience, Caller};
use crate::wire::{Answer, Request};
use crate::world::World;
use errors::{Refusal, Reply};
use http::{Method, StatusCode};
use ids::Target;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A request that has passed the front door.
pub struct Call<'a> {
    /// The request.
    pub request: &'a Request,
    /// The time it is answered at.
    pub now: Timestamp,
    /// The caller.
    pub caller: Caller,
}

impl Call<'_> {
    /// The body, which must be a JSON object.
    pub fn body(&self) -> Result<Map<String, Value>, Refusal> {
        let body = self.request.json().map_err(|error| {
            errors::gateway(
                StatusCode::BAD_REQUEST,
                "InvalidRequestContent",
                &format!("The request content was invalid and could not be deserialized: '{error}'."),
            )
        })?;
        if let Value::Object(body) = body {
            return Ok(body);
        }
        Err(errors::gateway(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContent",
            "The request content must be a JSON object.",
        ))
    }

    /// The api-version, which the front door has seen.
    pub fn api_version(&self) -> &str {
        self.request.query("api-version").unwrap_or_default()
    }

    /// Whether the method is this one.
    pub fn is(&self, method: &Method) -> bool {
        self.request.method == *method
    }
}

/// Answers a request of Azure Resource Manager's.
pub fn answer(world: &mut World, request: &Request, now: Timestamp) -> Answer {
    let first = request.path.first().map(|segment| segment.to_ascii_lowercase());
    if first.as_deref() == Some("metadata") {
        return Answer::ok(&entra::cloud(world, request.query("api-version").unwrap_or_default()));
    }
    let (answer, left) = match admitted(world, request, now) {
        Ok((caller, left)) => {
            let call = Call { request, now, caller };
            let answer = route(world, &call).unwrap_or_else(Answer::from);
            if request.target.contains("/providers/") {
                published::check_answer(world, request, &answer);
            }
            (answer, left)
        }
        Err(refusal) => (refusal.into(), None),
    };
    headers::finish(world, request, answer, left, now)
}

/// The caller, and what is left of the limits where there are any.
fn admitted(
    world: &mut World,
    request: &Request,
    now: Timestamp,
) -> Result<(Caller, Option<throttle::Left>), Refusal> {
    let caller = world.keys.caller(request.header("authorization"), &world.settings.base, &[Audience::Arm]);
    let caller =
        caller.map_err(|error| errors::unauthorized(&world.settings.base, &world.settings.tenant, error))?;
    if !world.settings.throttle {
        return Ok((caller, None));
    }
    let kind = throttle::Kind::of(&request.method);
    let subscription = request.path.get(1).map(|id| id.to_ascii_lowercase()).unwrap_or_default();
    let taken = world.throttle.take(&caller.object, &subscription, kind, now);
    let left = taken.map_err(|wait| errors::throttled(kind.name(), &caller.object, wait))?;
    Ok((caller, Some(left)))
}

fn version(call: &Call<'_>) -> Result<(), Refusal> {
    if call.request.query("api-version").is_some() {
        return Ok(());
    }
    let text = "The api-version query parameter (?api-version=) is required for all requests.";
    Err(errors::gateway(StatusCode::BAD_REQUEST, "MissingApiVersionParameter", text))
}

fn route(world: &mut World, call: &Call<'_>) -> Reply {
    version(call)?;
    let segments = call.request.segments();
    if let Some(answer) = account(world, call, &segments) {
        return Ok(answer);
    }
    let path = format!("/{}", segments.join("/"));
    world.rights.check(&call.caller, &call.request.method, &path)?;
    let target = Target::parse(&segments).ok_or_else(|| errors::no_route(call))?;
    if !world.has_subscription(target.subscription) {
        return Err(errors::no_subscription(target.subscription));
    }
    let (Some(provider), rest) = (target.provider, target.rest.as_slice()) else {
        return Err(errors::no_route(call));
    };
    let request = published::check_request(world, call)?;
    let request = request.as_ref().unwrap_or(call.request);
    let call = &Call { request, now: call.now, caller: call.caller.clone() };
    if provider.eq_ignore_ascii_case("Microsoft.MachineLearningServices") {
        crate::ml::answer(world, call, &target, rest)
    } else if provider.eq_ignore_ascii_case("Microsoft.ContainerRegistry") {
        crate::acr::answer(world, call, &target, rest)
    } else {
        Err(errors::no_provider(provider))
    }
}

/// What belongs to no provider: tenants and subscriptions.
fn account(world: &World, call: &Call<'_>, segments: &[&str]) -> Option<Answer> {
    let tenant = &world.settings.tenant;
    let show = |id: &str| {
        json!({
            "id": format!("/subscriptions/{id}"), "subscriptionId": id, "tenantId": tenant,
            "displayName": "Simulated", "state": "Enabled", "authorizationSource": "RoleBased",
            "subscriptionPolicies": { "locationPlacementId": "Public_2014-09-01", "quotaId": "Sim", "spendingLimit": "Off" },
        })
    };
    let first = segments.first()?.to_ascii_lowercase();
    match (call.is(&Method::GET), first.as_str(), segments.len()) {
        (true, "tenants", 1) => Some(Answer::ok(
            &json!({ "value": [{ "id": format!("/tenants/{tenant}"), "tenantId": tenant, "displayName": "Simulated" }] }),
        )),
        (true, "subscriptions", 1) => {
            let all: Vec<Value> = world.subscriptions().iter().map(|id| show(id)).collect();
            Some(Answer::ok(&json!({ "value": all, "count": { "type": "Total", "value": all.len() } })))
        }
        (true, "subscriptions", 2) => {
            let id = segments.get(1).filter(|id| world.has_subscription(id))?;
            Some(Answer::ok(&show(id)))
        }
        (_, _, _) => None,
    }
}
