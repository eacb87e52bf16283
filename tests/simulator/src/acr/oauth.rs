//! Tokens of registries: the exchange of Entra's token for a registry's, and anonymous tokens of other registries.
//! Source: github.com/Azure/acr, "Azure Container Registry integration with Azure Active Directory"; the Docker
//! Registry token specification for all others.

use super::manifests::{detailed, error, host, is_ours};
use crate::arm::errors::{Refusal, Reply};
use crate::entra::{Audience, bearer_token};
use crate::wire::{Answer, Request};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// How long a refresh token lasts.
const REFRESH: SignedDuration = SignedDuration::from_hours(3);
/// How long an access token lasts.
const ACCESS: SignedDuration = SignedDuration::from_mins(75);

/// The header that tells how many calls are left in this second.
pub const CALLS: &str = "x-ms-ratelimit-remaining-calls-per-second";

/// A refused exchange: 401 and nothing.
fn refused() -> Refusal {
    Answer::empty(StatusCode::UNAUTHORIZED).into()
}

/// Refuses a request that has no token of its registry for what it wants: (repository, action).
pub fn check(
    world: &World,
    request: &Request,
    host: &str,
    wanted: Option<(&str, &str)>,
) -> Result<(), Refusal> {
    let token = request.header("authorization").and_then(bearer_token);
    let claims = token.and_then(|token| world.keys.claims(token).ok());
    let text =
        |claims: &Value, key: &str| claims.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let good = claims.is_some_and(|claims| {
        let granted = text(&claims, "scope");
        let allowed = |(repository, action): (&str, &str)| {
            granted.split(' ').any(|scope| {
                let mut parts = scope.rsplitn(2, ':');
                let actions = parts.next().unwrap_or_default();
                parts.next() == Some(&format!("repository:{repository}"))
                    && actions.split(',').any(|one| one == action || one == "*")
            })
        };
        text(&claims, "aud") == host && text(&claims, "use") == "access" && wanted.is_none_or(allowed)
    });
    if good {
        return Ok(());
    }
    let scope = wanted
        .map(|(repository, action)| format!(",scope=\"repository:{repository}:{action}\""))
        .unwrap_or_default();
    let path = if is_ours(world, host) { "oauth2/token" } else { "token" };
    let challenge = format!("Bearer realm=\"{}/{path}\",service=\"{host}\"{scope}", world.settings.base);
    let challenge = if token.is_some() { format!("{challenge},error=\"invalid_token\"") } else { challenge };
    let detail = wanted.map_or(
        Value::Null,
        |(repository, action)| json!([{ "Type": "repository", "Name": repository, "Action": action }]),
    );
    let text = "authentication required, visit https://aka.ms/acr/authorization for more information.";
    let refusal = detailed(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", text, Some(&detail));
    Err(Answer::from(refusal).header("www-authenticate", &challenge).into())
}

/// Answers `POST /oauth2/exchange`, `POST|GET /oauth2/token` and `GET /token`.
pub fn answer(world: &World, request: &Request) -> Reply {
    let path = request.segments();
    let form = request.form();
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        found.or_else(|| request.query(name).map(str::to_owned)).unwrap_or_default()
    };
    match (&request.method, path.as_slice()) {
        (&Method::POST, ["oauth2", "exchange"]) => exchange(world, &field),
        (&Method::POST, ["oauth2", "token"]) => {
            access(world, &field("service"), &field("scope"), &field("refresh_token"))
        }
        (&Method::GET, ["oauth2", "token"]) => {
            access(world, &field("service"), &field("scope"), &basic_password(request).unwrap_or_default())
        }
        (&Method::GET, ["token"]) => anonymous(world, request, &field),
        (_, _) => Err(error(StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such token endpoint")),
    }
}

fn token(world: &World, audience: &str, kind: &str, scope: &str, lasts: SignedDuration) -> String {
    let now = Timestamp::now();
    world.keys.jwt(&json!({
        "iss": "Azure Container Registry", "aud": audience, "use": kind, "scope": scope, "jti": now.as_nanosecond().to_string(),
        "iat": now.as_second(), "nbf": now.as_second(), "exp": (now + lasts).as_second(), "grant_type": kind,
    }))
}

fn exchange(world: &World, field: &impl Fn(&str) -> String) -> Reply {
    if field("grant_type") != "access_token" {
        return Err(refused());
    }
    let service = field("service").to_ascii_lowercase();
    if !is_ours(world, &service) {
        return Err(error(
            StatusCode::NOT_FOUND,
            "NAME_UNKNOWN",
            &format!("the registry '{service}' does not exist"),
        ));
    }
    let header = format!("Bearer {}", field("access_token"));
    let audiences = [Audience::Registry, Audience::Arm];
    if world.keys.caller(Some(&header), &world.settings.base, &audiences).is_err() {
        return Err(refused());
    }
    Ok(Answer::ok(&json!({ "refresh_token": token(world, &service, "refresh", "", REFRESH) }))
        .header(CALLS, "166.65"))
}

fn access(world: &World, service: &str, scope: &str, refresh: &str) -> Reply {
    let service = service.to_ascii_lowercase();
    let claims = world.keys.claims(refresh).map_err(|_| refused())?;
    let text = |key: &str| claims.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("aud") != service || text("use") != "refresh" {
        return Err(refused());
    }
    Ok(Answer::ok(&json!({ "access_token": token(world, &service, "access", scope, ACCESS) }))
        .header(CALLS, "333.3"))
}

/// The password of a `Basic` header, which is where docker puts a refresh token.
fn basic_password(request: &Request) -> Option<String> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// A token that anybody gets, to pull from a registry that is not simulated.
fn anonymous(world: &World, request: &Request, field: &impl Fn(&str) -> String) -> Reply {
    let service = if field("service").is_empty() { host(request) } else { field("service") };
    if is_ours(world, &service) {
        return Err(refused());
    }
    let token = token(world, &service, "access", &field("scope"), SignedDuration::from_mins(5));
    Ok(Answer::ok(&json!({ "token": token, "access_token": token, "expires_in": 300 })))
}
