//! Secrets of Key Vaults. In: `GET /secrets/<name>` to a vault's host, with a token for vaults. Out: the value that a test put there.
//! Source: Key Vault REST API, `GetSecret`. Everybody with a token may read.

use crate::entra::bearer_token;
use crate::wire::{Answer, Request};
use crate::world::World;
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// The end of a vault's host.
const HOST: &str = ".vault.azure.net";

/// The vault that a request is for.
fn vault(request: &Request) -> Option<&str> {
    request.host.split(':').next()?.strip_suffix(HOST)
}

/// Whether a request is for a vault.
pub fn is_for(request: &Request) -> bool {
    vault(request).is_some()
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": { "code": code, "message": message } }))
}

/// Answers a request for a vault.
pub fn answer(world: &World, request: &Request) -> Answer {
    let claims = request
        .header("authorization")
        .and_then(bearer_token)
        .and_then(|token| world.keys.claims(token).ok());
    let audience =
        claims.as_ref().and_then(|claims| claims.get("aud")).and_then(Value::as_str).unwrap_or_default();
    if audience.trim_end_matches('/') != "https://vault.azure.net" {
        return refuse(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "AKV10000: Request is missing a Bearer or PoP token.",
        );
    }
    let (Some(vault), (&Method::GET, ["secrets", name])) =
        (vault(request), (&request.method, &request.segments()[..]))
    else {
        return refuse(StatusCode::NOT_FOUND, "NotFound", "The simulator gives secrets by their name alone.");
    };
    let Some(value) = world.secrets.get(&(vault.to_owned(), (*name).to_owned())) else {
        let text = format!("A secret with (name/id) {name} was not found in this key vault.");
        return refuse(StatusCode::NOT_FOUND, "SecretNotFound", &text);
    };
    Answer::ok(&json!({ "value": value, "id": format!("https://{vault}{HOST}/secrets/{name}/1") }))
}
