//! Tokens of registries: kept while they last, and not more than there is room for.
//!
//! In: a key, a token. Out: the token. Never printed.

use crate::challenge::expiry;
use crate::kept::Kept;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Tokens of registries, by registry and repository. Every client has its own: what one may read is nobody else's.
#[derive(Debug)]
pub struct Tokens(Mutex<Kept<String, Token>>);

impl Default for Tokens {
    fn default() -> Self {
        Self(Mutex::new(Kept::new(UNUSED).at_most(MOST_TOKENS)))
    }
}

#[derive(Clone)]
struct Token {
    secret: String,
    until: SystemTime,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// How long a token is kept that nobody asks for; the most that are kept, and the longest. Others are asked for again.
const UNUSED: Duration = Duration::from_hours(1);
const MOST_TOKENS: usize = 1000;
const LONGEST_TOKEN: usize = 16 << 10;

impl Tokens {
    pub fn get(&self, key: &str) -> Option<String> {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(key).filter(|token| token.until > SystemTime::now()).map(|token| token.secret.clone())
    }

    pub fn keep(&self, key: String, secret: &str) {
        let token = Token { secret: secret.to_owned(), until: expiry(secret) };
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.len() <= LONGEST_TOKEN {
            tokens.insert(key, token);
        }
    }
}
