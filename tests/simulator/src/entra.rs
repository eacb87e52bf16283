//! Microsoft Entra ID as far as a confidential client needs it: discovery, client credentials, managed identity.
//! In: requests below `/{tenant}/…`. Out: tokens and metadata. It knows no users, no consent and no roles.

mod certificate;
mod metadata;
mod tokens;

use crate::wire::{Answer, Request};
use crate::world::World;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

pub use metadata::cloud;
pub use tokens::{Audience, Caller, Keys, TokenError, bearer_token, payload};

/// Answers a request for Entra ID.
pub fn answer(world: &World, request: &Request) -> Answer {
    let path = request.segments();
    match (&request.method, path.as_slice()) {
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            known(world, tenant, || Answer::ok(&metadata::openid(&world.settings.base, tenant)))
        }
        (&Method::GET, [_, "discovery", "instance"]) => Answer::ok(&metadata::instance(world)),
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => {
            known(world, tenant, || token(world, request))
        }
        (&Method::GET, ["msi", "token"]) => managed_identity(world, request),
        (_, _) => Answer::json(StatusCode::NOT_FOUND, &json!({ "error": "not_found" })),
    }
}

fn known(world: &World, tenant: &str, then: impl FnOnce() -> Answer) -> Answer {
    let ours = [world.settings.tenant.as_str(), "organizations", "common"];
    if ours.iter().any(|name| name.eq_ignore_ascii_case(tenant)) {
        return then();
    }
    let text =
        format!("AADSTS90002: Tenant '{tenant}' not found. Check that you have the correct tenant ID.");
    refuse(StatusCode::BAD_REQUEST, "invalid_request", 90002, &text)
}

fn refuse(status: StatusCode, error: &str, number: u32, description: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "error": error, "error_description": description, "error_codes": [number], "error_uri": "" }),
    )
}

/// The client credentials flow, by secret or by federated assertion.
fn token(world: &World, request: &Request) -> Answer {
    let form = request.form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if field("grant_type") != Some("client_credentials") {
        let text =
            "AADSTS70003: The app requested an unsupported grant type; only client_credentials is served.";
        return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", 70003, text);
    }
    let Some(client) = field("client_id").filter(|client| !client.is_empty()) else {
        let text = "AADSTS900144: The request body must contain the following parameter: 'client_id'.";
        return refuse(StatusCode::BAD_REQUEST, "invalid_request", 900_144, text);
    };
    let Some(audience) =
        field("scope").and_then(|scope| scope.split(' ').find_map(|s| s.strip_suffix("/.default")))
    else {
        let text = "AADSTS1002012: The provided value for scope is not valid. Client credential flows must have a \
                    scope value with /.default suffixed to the resource identifier.";
        return refuse(StatusCode::BAD_REQUEST, "invalid_scope", 1_002_012, text);
    };
    if let Err(answer) = credential(world, client, field("client_secret"), field("client_assertion")) {
        return *answer;
    }
    issue(world, client, audience)
}

fn credential(
    world: &World,
    client: &str,
    secret: Option<&str>,
    assertion: Option<&str>,
) -> Result<(), Box<Answer>> {
    let no = |error, number, text: &str| Err(Box::new(refuse(StatusCode::UNAUTHORIZED, error, number, text)));
    if let Some(assertion) = assertion {
        if let Some(pem) = world.settings.certificates.get(client) {
            let audience = format!("{}/{}/oauth2/v2.0/token", world.settings.base, world.settings.tenant);
            return certificate::check(assertion, pem, client, &audience)
                .or_else(|(number, text)| no("invalid_client", number, text));
        }
        return match tokens::payload(assertion).as_ref().map(tokens::is_current) {
            Some(true) => Ok(()),
            Some(false) => no(
                "invalid_client",
                700_024,
                "AADSTS700024: Client assertion is not within its valid time range.",
            ),
            None => no("invalid_client", 50027, "AADSTS50027: JWT token is invalid or malformed."),
        };
    }
    let wanted = world.settings.apps.get(client);
    match secret {
        Some(secret) if !secret.is_empty() && wanted.is_none_or(|wanted| wanted == secret) => Ok(()),
        Some(_) => no("invalid_client", 7_000_215, "AADSTS7000215: Invalid client secret provided."),
        None => no(
            "invalid_client",
            7_000_218,
            "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ),
    }
}

fn issue(world: &World, client: &str, audience: &str) -> Answer {
    let token = world.keys.issue(client, audience, &world.settings.tenant, Timestamp::now());
    let life = tokens::LIFETIME.as_secs() - 1;
    Answer::ok(
        &json!({ "token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token }),
    )
}

/// The endpoint of App Service's kind of managed identity; or of Azure ML's (`secret`, `clientid`).
fn managed_identity(world: &World, request: &Request) -> Answer {
    let is_sure = ["x-identity-header", "secret"].iter().any(|name| request.header(name).is_some());
    let Some(resource) = request.query("resource").filter(|_| is_sure) else {
        return Answer::json(
            StatusCode::BAD_REQUEST,
            &json!({ "statusCode": 400, "message": "resource and the header X-IDENTITY-HEADER, or secret, are needed" }),
        );
    };
    let client = request
        .query("client_id")
        .or_else(|| request.query("clientid"))
        .unwrap_or("system-assigned-identity");
    let now = Timestamp::now();
    let token = world.keys.issue(client, resource, &world.settings.tenant, now);
    let expires: Value = (now + tokens::LIFETIME).as_second().to_string().into();
    Answer::ok(&json!({
        "access_token": token, "expires_on": expires, "resource": resource, "token_type": "Bearer", "client_id": client,
    }))
}
