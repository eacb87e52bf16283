//! What can go wrong between us and Azure, each answer classified once.
//!
//! In: what happened. Out: an [`Error`] and its [`Class`]. Nothing here decides when to try again.

use crate::class::Class;
use crate::refusal::Refusal;
use std::time::Duration;

/// A request that did not end in an answer that can be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Azure answered, and said no.
    #[error("{verb} {what}: {}: {}", .refusal.said(), .refusal.message)]
    Refused {
        /// The HTTP method.
        verb: &'static str,
        /// The resource or address.
        what: String,
        /// The answer.
        refusal: Box<Refusal>,
    },
    /// No answer came: the connection failed or the time was up. The request may have had its effect.
    #[error("{verb} {what}: no answer: {cause}")]
    NoAnswer {
        /// The HTTP method.
        verb: &'static str,
        /// The resource or address.
        what: String,
        /// Why.
        cause: String,
    },
    /// No token could be had.
    #[error("no token for {scope}: {cause}")]
    Token {
        /// What the token was for.
        scope: String,
        /// Why, with Entra's own words.
        cause: String,
    },
    /// An answer pointed to a host that does not belong to the configured cloud; nothing was sent there.
    #[error(
        "refused to send a token to {host:?}, which is not a host of cloud {cloud:?}; add it to the cloud's hosts in the controller's configuration if it is yours"
    )]
    ForeignHost {
        /// The host.
        host: String,
        /// The cloud's name.
        cloud: String,
    },
    /// An id has a part that would lead to another resource; nothing was sent.
    #[error("{id:?} is not the id of a resource: a part of it is no name; nothing was sent")]
    NotAPath {
        /// The id.
        id: String,
    },
    /// A host of somebody's choosing has an address inside of the platform; nothing was sent there.
    #[error(
        "{verb} {what}: {host} has a private address; set registries.allowPrivateAddresses to allow that"
    )]
    PrivateAddress {
        /// The HTTP method.
        verb: &'static str,
        /// The resource or address.
        what: String,
        /// The host.
        host: String,
    },
    /// A registry wants credentials that nobody gave us.
    #[error("image {image}: the registry {registry} is private: it answered {status} to a request {by}")]
    RegistryUnauthorized {
        /// The image.
        image: String,
        /// The registry's host.
        registry: String,
        /// The HTTP status.
        status: u16,
        /// With which credentials it was asked.
        by: &'static str,
    },
    /// An answer that cannot be read.
    #[error("{verb} {what}: failed to read the answer: {cause}")]
    Unreadable {
        /// The HTTP method.
        verb: &'static str,
        /// The resource or address.
        what: String,
        /// Why.
        cause: String,
    },
    /// This process does not lead any more, so it may not write.
    #[error("{verb} {what}: not sent, since this process no longer holds the lease")]
    NotLeading {
        /// The HTTP method.
        verb: &'static str,
        /// The resource.
        what: String,
    },
}

impl Error {
    /// What the error means.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Refused { refusal, .. } => refusal.class(),
            Self::RegistryUnauthorized { .. } => Class::Denied,
            Self::Token { cause, .. } if is_refused_client(cause) => Class::Forbidden,
            Self::NoAnswer { .. } | Self::Unreadable { .. } | Self::Token { .. } => Class::Unavailable,
            Self::ForeignHost { .. } | Self::NotAPath { .. } | Self::PrivateAddress { .. } => Class::Invalid,
            Self::NotLeading { .. } => Class::NotLeading,
        }
    }

    /// Whether a write that ended so may have had its effect: its answer was lost on the way, or a gateway gave up waiting.
    #[must_use]
    pub fn may_have_had_its_effect(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::Unreadable { .. } => true,
            Self::Refused { refusal, .. } => refusal.status >= 500 || refusal.status == 408,
            Self::RegistryUnauthorized { .. }
            | Self::Token { .. }
            | Self::ForeignHost { .. }
            | Self::NotAPath { .. }
            | Self::PrivateAddress { .. }
            | Self::NotLeading { .. } => false,
        }
    }

    /// Azure's innermost code, where Azure answered; a word for the status where it gave none.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.refusal().map(|refusal| refusal.code.as_str())
    }

    /// What was asked and how it failed, without Azure's own words.
    #[must_use]
    pub fn happened(&self) -> String {
        match self {
            Self::Refused { verb, what, refusal } => format!("{verb} {what}: {}", refusal.said()),
            Self::NoAnswer { .. }
            | Self::Token { .. }
            | Self::ForeignHost { .. }
            | Self::NotAPath { .. }
            | Self::PrivateAddress { .. }
            | Self::RegistryUnauthorized { .. }
            | Self::Unreadable { .. }
            | Self::NotLeading { .. } => self.to_string(),
        }
    }

    /// Azure's own words, where it has any.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        self.refusal().map(|refusal| refusal.message.as_str()).filter(|words| !words.is_empty())
    }

    /// The refusal, where Azure answered.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            Self::NoAnswer { .. }
            | Self::Token { .. }
            | Self::ForeignHost { .. }
            | Self::NotAPath { .. }
            | Self::PrivateAddress { .. }
            | Self::RegistryUnauthorized { .. }
            | Self::Unreadable { .. }
            | Self::NotLeading { .. } => None,
        }
    }

    /// The HTTP method of the request that Azure refused.
    #[must_use]
    pub fn refused_verb(&self) -> Option<&'static str> {
        if let Self::Refused { verb, .. } = self { Some(verb) } else { None }
    }

    /// Whether Azure refused with this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.code().is_some_and(|had| had.eq_ignore_ascii_case(code))
    }

    /// What Azure asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }
}

/// Entra's codes for a client that is unknown, disabled or has a wrong credential
/// (Microsoft Entra authentication and authorization error codes).
fn is_refused_client(cause: &str) -> bool {
    ["invalid_client", "unauthorized_client", "AADSTS700016", "AADSTS7000215", "AADSTS70021", "AADSTS90002"]
        .iter()
        .any(|word| cause.contains(word))
}
