//! One request with its answer, as it was seen; secrets are still in it, so it is never printed or written.

use http::HeaderMap;
use serde_json::Value;
use std::fmt;

/// A body.
#[derive(Clone, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// Other bytes.
    Bytes(Vec<u8>),
}

impl Body {
    /// Reads one.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        serde_json::from_slice(bytes).map_or_else(|_| Self::Bytes(bytes.to_vec()), Self::Json)
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> &Value {
        match self {
            Self::Json(value) => value,
            Self::Empty | Self::Bytes(_) => &Value::Null,
        }
    }
}

/// One request with its answer.
#[derive(Clone)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The host, with its port where it is not 443.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The request's body.
    pub body: Body,
    /// The HTTP status of the answer; 0 when none came.
    pub status: u16,
    /// The answer's headers.
    pub answer_headers: HeaderMap,
    /// The answer's body.
    pub answer: Body,
}

impl Exchange {
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header of the request.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the operator sent it, and not the check itself.
    #[must_use]
    pub fn is_operators(&self) -> bool {
        self.header("user-agent") != crate::door::AGENT
    }

    /// Whether it is a change of something, by the type in the path.
    #[must_use]
    pub fn is_put(&self, kind: &str) -> bool {
        self.method == "PUT" && self.path().contains(kind)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.method, self.path(), self.status)
    }
}
