//! Tokens: one credential, its tokens by scope, and a fresh one when Azure does not take the old.
//!
//! In: a way to make a credential. Out: bearer tokens. Never logs or prints a token.

use crate::error::Error;
use crate::send::{Observer, Told};
use azure_core::credentials::{AccessToken, TokenCredential};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tracing::Instrument as _;

/// Makes a credential with an empty cache.
pub type Make = Arc<dyn Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync>;

/// A token is renewed when it has less than this left.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// A credential and the tokens that it gave.
pub struct Credential {
    make: Make,
    state: Mutex<State>,
    observer: Option<Observer>,
}

#[derive(Default)]
struct State {
    credential: Option<Arc<dyn TokenCredential>>,
    tokens: HashMap<String, AccessToken>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

impl Credential {
    /// A credential that is made when it is first needed.
    #[must_use]
    pub fn new(make: Make) -> Self {
        Self { make, state: Mutex::default(), observer: None }
    }

    /// The same, with a function that is told of every token that is asked for.
    #[must_use]
    pub fn observed(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// A token for a scope: the one in hand while it is good for five minutes more, else a new one. When no new one can
    /// be had, the old one serves until it expires.
    ///
    /// # Errors
    /// [`Error::Token`] with Entra's words.
    pub async fn token(&self, scope: &str) -> Result<String, Error> {
        let now = SystemTime::now();
        if let Some(token) = self.in_hand(scope, now + RENEW_BEFORE) {
            return Ok(token);
        }
        let span = tracing::debug_span!("azure.token", otel.kind = "client", scope);
        let renewed = self.renew(scope).instrument(span).await;
        if let Some(observer) = &self.observer {
            observer(&Told::Token { is_given: renewed.is_ok() });
        }
        match renewed {
            Ok(token) => Ok(token),
            Err(error) => self.in_hand(scope, now).ok_or(error),
        }
    }

    /// Forgets every token and the credential's own cache, after a token was refused.
    pub fn forget(&self) {
        *self.locked() = State::default();
    }

    fn in_hand(&self, scope: &str, until: SystemTime) -> Option<String> {
        let state = self.locked();
        let token = state.tokens.get(scope)?;
        (SystemTime::from(token.expires_on) > until).then(|| token.token.secret().to_owned())
    }

    async fn renew(&self, scope: &str) -> Result<String, Error> {
        let refused =
            |error: azure_core::Error| Error::Token { scope: scope.to_owned(), cause: chain(&error) };
        let credential = self.credential().map_err(refused)?;
        let token = credential.get_token(&[scope], None).await.map_err(refused)?;
        let secret = token.token.secret().to_owned();
        self.locked().tokens.insert(scope.to_owned(), token);
        Ok(secret)
    }

    fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let mut state = self.locked();
        if let Some(credential) = &state.credential {
            return Ok(credential.clone());
        }
        let credential = (self.make)()?;
        state.credential = Some(credential.clone());
        Ok(credential)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error with all its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
