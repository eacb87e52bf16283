//! A failure, reduced to what decisions need: its class, its reason, its words.
//!
//! In: an error of the client. Out: a [`Trouble`]. `failure` says what follows from it.

use crate::reasons::{Reason, Word};
use crate::remedy::remedy;
use azureml_client::{Class, Error};
use std::time::Duration;

/// A failure, reduced to what decisions need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What kind.
    pub class: Class,
    /// Azure's innermost code, or a reason of ours.
    pub reason: Word,
    /// What was done to which thing, and how it failed.
    pub message: String,
    /// Azure's own words; empty where it has none.
    pub words: String,
    /// The method of the request that Azure refused; empty where it refused none.
    pub verb: &'static str,
    /// What Azure asks to wait.
    pub retry_after: Option<Duration>,
}

impl Trouble {
    /// An error of the client.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        Self {
            class: error.class(),
            reason: Word::from(error),
            message: error.happened(),
            words: error.words().unwrap_or_default().to_owned(),
            verb: error.refused_verb().unwrap_or_default(),
            retry_after: error.retry_after(),
        }
    }

    /// The whole message: what happened, what to do, and last Azure's own words, which may be long.
    #[must_use]
    pub fn told(&self, remedy: &str) -> String {
        let Self { message, words, .. } = self;
        let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
        let words = if words.is_empty() { String::new() } else { format!("; Azure says: {words}") };
        format!("{message}{remedy}{words}")
    }

    /// The way out, where there is one.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        remedy(&self.reason, self.class, self.verb).unwrap_or_default()
    }

    /// Whether Azure said no, and not only that it could not.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self.class {
            Class::Forbidden
            | Class::Denied
            | Class::Invalid
            | Class::Missing
            | Class::Conflict
            | Class::Quota => true,
            Class::Gone | Class::Throttled | Class::Unavailable | Class::NotLeading => false,
        }
    }
}

impl From<&Error> for Word {
    /// Azure's innermost code where Azure answered, but for a quota, which has many codes.
    fn from(error: &Error) -> Self {
        let reason = match error {
            Error::Refused { refusal, .. } if refusal.class() == Class::Quota => Reason::QUOTA_EXCEEDED,
            Error::Refused { refusal, .. } => return Self::passed_on(&refusal.code),
            Error::NoAnswer { .. } => Reason::AZURE_UNREACHABLE,
            Error::Token { .. } => Reason::TOKEN_UNAVAILABLE,
            Error::ForeignHost { .. } => Reason::FOREIGN_HOST,
            Error::NotAPath { .. } => Reason::STATUS_NOT_BELIEVED,
            Error::PrivateAddress { .. } => Reason::PRIVATE_ADDRESS,
            Error::RegistryUnauthorized { .. } => Reason::REGISTRY_UNAUTHORIZED,
            Error::Unreadable { .. } => Reason::UNREADABLE_ANSWER,
            Error::NotLeading { .. } => Reason::NOT_LEADING,
        };
        reason.into()
    }
}
