//! An answer that says no: read once, classified once.
//!
//! In: a status and a body. Out: a [`Refusal`] with the innermost code, and its [`Class`].

use crate::error::Class;
use serde_json::Value;
use std::time::Duration;

/// Azure refused a request, or answered with something that is not an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The innermost code that the body holds; the status' own word when there is none.
    pub code: String,
    /// Azure's message.
    pub message: String,
    /// What Azure asks to wait.
    pub retry_after: Option<Duration>,
    /// `x-ms-request-id`, for a support case.
    pub request_id: Option<String>,
    /// `WWW-Authenticate` of a 401.
    pub challenge: Option<String>,
}

impl Refusal {
    /// Reads the body of an answer that is no success.
    ///
    /// Two shapes are known: ARM's `{"error": {…}}` and a bare `{"code": …, "message": …}`. The useful code is the
    /// innermost one of `InnerError` or `innerError`, where there is one.
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Self {
        let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = parsed.get("error").filter(|error| error.is_object()).unwrap_or(&parsed);
        let outer = text(error, "code").or_else(|| text(error, "Code"));
        let message = text(error, "message").or_else(|| text(error, "Message"));
        let code = innermost(error).or(outer).unwrap_or_else(|| word(status).to_owned());
        let message = message.unwrap_or_else(|| shorten(&String::from_utf8_lossy(body)));
        Self { status, code, message, retry_after: None, request_id: None, challenge: None }
    }

    /// What the refusal means.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.status {
            404 if self.says_gone() => Class::Gone,
            _ if self.says_quota() => Class::Quota,
            401 | 403 | 404 => Class::Forbidden,
            429 => Class::Throttled,
            409 | 412 | 423 => Class::Conflict,
            // A gateway lost patience; the request may have had its effect.
            408 | 425 => Class::Unavailable,
            400..=499 => Class::Invalid,
            _ => Class::Unavailable,
        }
    }

    fn says_gone(&self) -> bool {
        [
            "ResourceNotFound",
            "ResourceGroupNotFound",
            "ParentResourceNotFound",
            "NotFound",
            "MANIFEST_UNKNOWN",
            "NAME_UNKNOWN",
        ]
        .iter()
        .any(|code| self.code.eq_ignore_ascii_case(code))
    }

    fn says_quota(&self) -> bool {
        let by_code =
            self.code.contains("Quota") || (self.status == 429 && self.code == "OperationNotAllowed");
        let by_text =
            matches!(self.status, 400 | 403 | 409) && self.message.to_ascii_lowercase().contains("quota");
        by_code || by_text
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The code at the end of a chain of inner errors.
fn innermost(error: &Value) -> Option<String> {
    let listed = error["additionalInfo"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|info| info["type"] == "InnerError")
        .map(|info| &info["info"]["value"]);
    let mut inner = listed.or_else(|| error.get("innerError").or_else(|| error.get("innererror")))?;
    let mut code = None;
    while inner.is_object() {
        code = text(inner, "code").or(code);
        inner = match inner.get("innerError").or_else(|| inner.get("innererror")) {
            Some(deeper) => deeper,
            None => break,
        };
    }
    code
}

fn shorten(text: &str) -> String {
    text.trim().chars().take(500).collect()
}

/// A word for a status that came without a code.
fn word(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFoundWithoutCode",
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(status: u16, body: &Value) -> Refusal {
        Refusal::read(status, body.to_string().as_bytes())
    }

    #[test]
    fn the_innermost_code_counts() {
        let body = json!({"error": {"code": "UserError", "message": "no", "additionalInfo": [
            {"type": "InnerError", "info": {"value": {"code": "Immutable", "innerError": {"code": "JobPropertyImmutable", "innerError": null}}}}]}});
        assert_eq!(read(400, &body).code, "JobPropertyImmutable");
        let history =
            json!({"error": {"code": "UserError", "message": "no", "innerError": {"code": "NotFound"}}});
        assert_eq!(read(404, &history).class(), Class::Gone);
    }

    #[test]
    fn only_a_404_that_says_so_means_gone() {
        for code in ["ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "NotFound"] {
            assert_eq!(
                read(404, &json!({"error": {"code": code, "message": ""}})).class(),
                Class::Gone,
                "{code}"
            );
        }
        assert_eq!(
            read(404, &json!({"error": {"code": "InvalidResourceType", "message": ""}})).class(),
            Class::Forbidden
        );
        assert_eq!(Refusal::read(404, b"<html>").class(), Class::Forbidden);
    }

    #[test]
    fn a_quota_is_not_throttling() {
        let cases = [
            (429, "OperationNotAllowed", "cores", Class::Quota),
            (429, "TooManyRequests", "slow down", Class::Throttled),
            (400, "ClusterMinNodesExceedCoreQuota", "", Class::Quota),
            (400, "BadRequest", "The specified subscription has a total vCPU quota of 0", Class::Quota),
            (400, "BadRequest", "vmSize", Class::Invalid),
            (403, "AuthorizationFailed", "no", Class::Forbidden),
            (409, "Conflict", "busy", Class::Conflict),
            (408, "RequestTimeout", "", Class::Unavailable),
            (425, "TooEarly", "", Class::Unavailable),
            (500, "ServiceError", "oops", Class::Unavailable),
        ];
        for (status, code, message, class) in cases {
            assert_eq!(
                read(status, &json!({"error": {"code": code, "message": message}})).class(),
                class,
                "{code}"
            );
        }
    }

    #[test]
    fn a_bare_error_is_read_too() {
        let refusal = read(400, &json!({"code": "BadRequest", "message": "no such thing"}));
        assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("BadRequest", "no such thing"));
        assert_eq!(Refusal::read(502, b"").code, "ServerError");
        assert_eq!(Refusal::read(408, b"").code, "RequestTimeout");
    }
}
