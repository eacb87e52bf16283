//! Tokens: signed with a key of this simulator, so that a token from anywhere else is refused.
//! In: a client and an audience. Out: a JWT; and of a JWT, its client.

use crate::ids::uuid_of;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use ring::rand::SystemRandom;
use serde_json::{Value, json};

/// How long a token lasts.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The caller of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The application (client) id.
    pub app: String,
    /// The object id of the application's principal.
    pub object: String,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Azure Resource Manager; run history and registries take these tokens too.
    Arm,
    /// Azure Machine Learning's data plane.
    MachineLearning,
    /// Registries.
    Registry,
    /// Blobs.
    Storage,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// There is none.
    Missing,
    /// It was not issued here, or is no token at all.
    Invalid,
    /// It is too old.
    Expired,
    /// It is for somebody else.
    Audience,
}

/// The signing key of one simulator.
pub struct Keys {
    key: hmac::Key,
}

impl Keys {
    /// A new key; `None` when the system has no randomness to give.
    pub fn new() -> Option<Self> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok().map(|key| Self { key })
    }

    /// Base64 of the signature of a text.
    pub fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, text.as_bytes()))
    }

    /// Whether the signature belongs to the text.
    pub fn verify(&self, text: &str, signature: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(signature)
            .is_ok_and(|signature| hmac::verify(&self.key, text.as_bytes(), &signature).is_ok())
    }

    /// A signed token of any claims.
    pub fn jwt(&self, claims: &Value) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.sign(&signed);
        format!("{signed}.{signature}")
    }

    /// An access token for `client`.
    pub fn issue(&self, client: &str, audience: &str, tenant: &str, now: Timestamp) -> String {
        let object = uuid_of(&format!("{tenant}/{client}"));
        self.jwt(&json!({
            "aud": audience, "iss": format!("https://sts.windows.net/{tenant}/"), "tid": tenant, "ver": "1.0",
            "iat": now.as_second(), "nbf": now.as_second(), "exp": (now + LIFETIME).as_second(),
            "appid": client, "azp": client, "oid": object, "sub": object, "idtyp": "app",
        }))
    }

    /// The claims of a token that was signed here and is still good.
    pub fn claims(&self, token: &str) -> Result<Value, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        if !self.verify(signed, signature) {
            return Err(TokenError::Invalid);
        }
        let claims = payload(token).ok_or(TokenError::Invalid)?;
        if is_current(&claims) { Ok(claims) } else { Err(TokenError::Expired) }
    }

    /// The caller of a request, if its token is for one of these audiences.
    pub fn caller(
        &self,
        bearer: Option<&str>,
        base: &str,
        wanted: &[Audience],
    ) -> Result<Caller, TokenError> {
        let token = bearer.and_then(bearer_token).ok_or(TokenError::Missing)?;
        let claims = self.claims(token)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if !wanted.iter().any(|audience| serves(*audience, &text("aud"), base)) {
            return Err(TokenError::Audience);
        }
        Ok(Caller { app: text("appid"), object: text("oid") })
    }
}

/// The token of an `Authorization` header.
pub fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The claims of any token, unchecked.
pub fn payload(token: &str) -> Option<Value> {
    let middle = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle.trim_end_matches('=')).ok()?).ok()
}

/// Whether the claims have not expired; those without an end have not.
pub fn is_current(claims: &Value) -> bool {
    claims.get("exp").and_then(Value::as_i64).is_none_or(|exp| exp > Timestamp::now().as_second())
}

fn serves(audience: Audience, name: &str, base: &str) -> bool {
    let name = name.trim_end_matches('/');
    match audience {
        Audience::Arm => {
            [base, "https://management.azure.com", "https://management.core.windows.net"].contains(&name)
        }
        Audience::MachineLearning => {
            name.starts_with("https://ml.azure.")
                || name.strip_prefix(base).is_some_and(|rest| rest == "/aml")
        }
        Audience::Registry => name == "https://containerregistry.azure.net",
        Audience::Storage => name == "https://storage.azure.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://127.0.0.1:1";

    fn header(keys: &Keys, audience: &str, at: Timestamp) -> String {
        format!("Bearer {}", keys.issue("app", audience, "tenant", at))
    }

    #[test]
    fn a_token_names_its_client_and_serves_its_audience_alone() {
        let keys = Keys::new().unwrap();
        let bearer = header(&keys, BASE, Timestamp::now());
        let caller = keys.caller(Some(&bearer), BASE, &[Audience::Arm]).unwrap();
        assert_eq!(caller.app, "app");
        assert_eq!(keys.caller(Some(&bearer), BASE, &[Audience::Registry]), Err(TokenError::Audience));
    }

    #[test]
    fn a_missing_foreign_or_old_token_is_told_apart() {
        let keys = Keys::new().unwrap();
        let foreign = header(&Keys::new().unwrap(), BASE, Timestamp::now());
        let old = header(&keys, BASE, Timestamp::now() - LIFETIME - LIFETIME);
        let refusal = |bearer: Option<&str>| keys.caller(bearer, BASE, &[Audience::Arm]).unwrap_err();
        assert_eq!(refusal(None), TokenError::Missing);
        assert_eq!(refusal(Some(&foreign)), TokenError::Invalid);
        assert_eq!(refusal(Some(&old)), TokenError::Expired);
    }
}
