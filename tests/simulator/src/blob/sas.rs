//! Shared access signatures: who may do what with which blob, until when, signed with this simulator's key.
//! The fields are Azure's; the text that is signed is the simulator's own, since no client computes it. A token for
//! storage does as well; where an account takes no keys it is the only way, and needs a role.

use super::{Place, error};
use crate::arm::errors::Refusal;
use crate::entra::{Audience, Keys};
use crate::wire::{Answer, Request};
use crate::world::World;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};

/// What a signature is for.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// The permissions, as in `sp`.
    pub permissions: &'static str,
    /// Whether it is for the whole container, or for one blob.
    pub container: bool,
    /// For how long.
    pub lasts: SignedDuration,
}

fn text(resource: &str, place: &Place, permissions: &str, expiry: &str) -> String {
    let path = if resource == "c" { "" } else { place.path.as_str() };
    ["sas", resource, &place.account, &place.container, path, permissions, expiry].join("\n")
}

/// The query that grants something on a place.
pub fn signed(keys: &Keys, place: &Place, grant: Grant) -> String {
    let resource = if grant.container { "c" } else { "b" };
    let expiry = (Timestamp::now() + grant.lasts).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let signature = keys.sign(&text(resource, place, grant.permissions, &expiry));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("sv", "2023-01-03").append_pair("sr", resource).append_pair("sp", grant.permissions);
    query.append_pair("se", &expiry).append_pair("sig", &signature).finish()
}

/// Refuses a request whose signature, or token, does not allow it.
pub fn check(world: &World, request: &Request, place: &Place) -> Result<(), Refusal> {
    let keys = &world.keys;
    if request.header("authorization").is_some() {
        if request.query("sig").is_some() {
            let text = "Authentication information is not given in the correct format: a shared access signature and \
                        an Authorization header exclude each other.";
            return Err(error(StatusCode::UNAUTHORIZED, "InvalidAuthenticationInfo", text));
        }
        return token(world, request, place);
    }
    if !world.blobs.takes_keys(&place.account) {
        let text = "Key based authentication is not permitted on this storage account.";
        return Err(error(StatusCode::FORBIDDEN, "KeyBasedAuthenticationNotPermitted", text));
    }
    let field = |name: &str| request.query(name).unwrap_or_default();
    let (resource, permissions, expiry) = (field("sr"), field("sp"), field("se"));
    if !keys.verify(&text(resource, place, permissions, expiry), field("sig")) {
        let text = "Server failed to authenticate the request. Signature did not match.";
        return Err(error(StatusCode::FORBIDDEN, "AuthenticationFailed", text));
    }
    if expiry.parse::<Timestamp>().is_ok_and(|end| end < Timestamp::now()) {
        return Err(error(
            StatusCode::FORBIDDEN,
            "AuthenticationFailed",
            "Signature not valid in the specified time frame.",
        ));
    }
    let needed: &[char] = match (&request.method, request.query("comp")) {
        (&Method::PUT, _) => &['w', 'c'],
        (_, Some("list")) => &['l'],
        (_, _) => &['r'],
    };
    if !permissions.contains(needed) {
        let text = "This request is not authorized to perform this operation using this permission.";
        return Err(error(StatusCode::FORBIDDEN, "AuthorizationPermissionMismatch", text));
    }
    Ok(())
}

/// Refuses a token that is not for storage, and one of somebody who lacks the role.
fn token(world: &World, request: &Request, place: &Place) -> Result<(), Refusal> {
    let (base, tenant) = (&world.settings.base, &world.settings.tenant);
    let caller = world.keys.caller(request.header("authorization"), base, &[Audience::Storage]);
    let caller = caller.map_err(|_| {
        let text = "Server failed to authenticate the request. Please refer to the information in the www-authenticate \
                    header.";
        let challenge = format!(
            "Bearer authorization_uri={base}/{tenant}/oauth2/authorize resource_id=https://storage.azure.com"
        );
        let refusal = error(StatusCode::UNAUTHORIZED, "InvalidAuthenticationInfo", text);
        Refusal::from(Answer::from(refusal).header("www-authenticate", &challenge))
    })?;
    if world.blobs.may(&place.account, &caller.app) {
        return Ok(());
    }
    let text = "This request is not authorized to perform this operation using this permission.";
    Err(error(StatusCode::FORBIDDEN, "AuthorizationPermissionMismatch", text))
}
