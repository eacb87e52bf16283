//! What a registry asks for before it answers, and how long its tokens last.
//!
//! In: a 401, a token. Out: realm, service and scope; a time. Source: Distribution registry, "Token Authentication Specification".

use crate::error::Error;
use base64::Engine as _;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// What a registry asks for before it answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The address that gives tokens.
    pub realm: String,
    /// The name of the registry there; empty where the registry says none.
    pub service: String,
    /// What the token is for; empty where the registry says nothing.
    pub scope: String,
}

impl Challenge {
    /// Reads `Bearer realm="…",service="…",scope="…"`; nothing where another way to sign in is asked for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("bearer "))?;
        let value = |key: &str| {
            let (_, after) = rest.split_once(&format!("{key}=\""))?;
            after.split_once('"').map(|(value, _)| value.to_owned())
        };
        Some(Self {
            realm: value("realm")?,
            service: value("service").unwrap_or_default(),
            scope: value("scope").unwrap_or_default(),
        })
    }

    /// The token of the answer of a realm, under either of the two names that it may have there.
    #[must_use]
    pub fn token(answer: &Value) -> &str {
        answer["token"].as_str().or_else(|| answer["access_token"].as_str()).unwrap_or_default()
    }
}

/// What a 401 asks for; nothing where it asks for a user's name and password (`Basic`), which nobody gave us.
pub(crate) fn challenge<T>(answer: &Result<T, Error>) -> Option<Challenge> {
    let Err(Error::Refused { refusal, .. }) = answer else { return None };
    if refusal.status != 401 {
        return None;
    }
    Challenge::parse(refusal.challenge.as_deref().unwrap_or_default())
}

/// When a token ends: its own `exp` less a minute, else in five minutes.
pub(crate) fn expiry(token: &str) -> SystemTime {
    let claims =
        token.split('.').nth(1).and_then(|part| base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).ok());
    let exp = claims
        .and_then(|claims| serde_json::from_slice::<Value>(&claims).ok())
        .and_then(|claims| claims["exp"].as_u64());
    match exp {
        // Not longer than a day, whatever it says of itself.
        Some(exp) => {
            let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(exp.saturating_sub(60)));
            let longest = SystemTime::now() + Duration::from_hours(24);
            until.map_or(longest, |until| until.min(longest))
        }
        None => SystemTime::now() + Duration::from_mins(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read() {
        let text = r#"Bearer realm="https://r.azurecr.io/oauth2/token",service="r.azurecr.io",scope="repository:a/b:pull""#;
        let challenge = Challenge::parse(text).unwrap();
        assert_eq!(challenge.realm, "https://r.azurecr.io/oauth2/token");
        assert_eq!(challenge.scope, "repository:a/b:pull");
        assert_eq!(Challenge::parse("Basic realm=\"x\""), None);
    }

    #[test]
    fn a_token_that_never_ends_is_kept_for_a_day() {
        let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"exp": {}}}"#, u64::MAX));
        assert!(expiry(&format!("a.{claims}.c")) <= SystemTime::now() + Duration::from_hours(24));
    }

    #[test]
    fn an_opaque_token_is_kept_for_five_minutes() {
        assert!(expiry("opaque") <= SystemTime::now() + Duration::from_mins(5));
    }
}
