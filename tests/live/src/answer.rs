//! An answer of Azure as the check reads it. In: a response. Out: status, headers, body, and what it says in short.

use anyhow::Result;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; null when it is none.
    pub body: Value,
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.map_err(reqwest::Error::without_url)?;
        Ok(Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(json!(null)) })
    }

    /// Whether it says that all is well.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Status and, of a refusal, Azure's code.
    #[must_use]
    pub fn said(&self) -> String {
        let error = &self.body["error"];
        let inner = error["additionalInfo"].as_array().into_iter().flatten();
        let inner = inner
            .filter(|info| info["type"] == "InnerError")
            .find_map(|info| innermost(&info["info"]["value"]));
        match (error["code"].as_str(), inner) {
            (Some(code), Some(inner)) => format!("{} {code}/{inner}", self.status),
            (Some(code), None) => format!("{} {code}", self.status),
            (None, _) => self.status.to_string(),
        }
    }
}

fn innermost(error: &Value) -> Option<String> {
    let code = error["code"].as_str().map(str::to_owned);
    if error["innerError"].is_object() { innermost(&error["innerError"]).or(code) } else { code }
}
