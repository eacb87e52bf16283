//! An answer that says no, read once and classified once.
//!
//! In: what `reply` read of an answer. Out: a [`Refusal`] with the innermost code, and its [`Class`]. Reads nothing itself.

use crate::class::Class;
use std::time::Duration;

/// Azure refused a request, or answered with something that is not an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The innermost code that the body holds; the status' own word when there is none.
    pub code: String,
    /// Azure's message: at most 1,000 characters, addresses without their queries.
    pub message: String,
    /// What the refusal means.
    pub class: Class,
    /// The policy assignments that forbid the request, by name.
    pub policies: Vec<String>,
    /// What Azure asks to wait, in a header or in its message.
    pub retry_after: Option<Duration>,
    /// Whether Resource Manager itself refused (`x-ms-failure-cause: gateway`), and not a provider behind it.
    pub is_gateways: bool,
    /// `x-ms-request-id`, for a support case.
    pub request_id: Option<String>,
    /// `WWW-Authenticate` of a 401.
    pub challenge: Option<String>,
}

/// The code of an answer that a proxy or gateway gave in Azure's place.
pub const FOREIGN: &str = "ForeignAnswer";

/// The code of an answer that came without one: a word for its status.
#[must_use]
pub fn word(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        408 => "RequestTimeout",
        409 => "Conflict",
        412 => "PreconditionFailed",
        425 => "TooEarly",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        500..=599 => "ServerError",
        _ => "UnexpectedAnswer",
    }
}

impl Refusal {
    /// What the refusal means.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// Whether Azure or a proxy answered, and what, without the answer's own words.
    #[must_use]
    pub fn said(&self) -> String {
        let Self { status, code, .. } = self;
        if code == FOREIGN {
            return format!("a proxy or gateway answered {status} in place of Azure");
        }
        match self.policies.as_slice() {
            [] => format!("Azure answered {status} {code}"),
            names => format!("Azure answered {status} {code}, by the policy assignment {}", names.join(", ")),
        }
    }
}
