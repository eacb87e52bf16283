//! Cuts secrets out of what the log keeps: tokens, shared access signatures, client secrets, passwords.
//! In: the request as it arrived. Out: the same with `***` in place of each secret; nothing else changes.

use crate::wire::Request;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

const CUT: &str = "***";
const HEADERS: [&str; 6] =
    ["authorization", "x-azureml-token", "x-identity-header", "secret", "cookie", "proxy-authorization"];
const QUERY: [&str; 2] = ["sig", "access_token"];
const FORM: [&str; 6] =
    ["client_secret", "client_assertion", "access_token", "refresh_token", "password", "assertion"];
const JSON: [&str; 5] = ["databricksaccesstoken", "adminuserpassword", "password", "clientsecret", "secrets"];

/// Path and query without signatures.
pub fn target(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if QUERY.iter().any(|secret| secret.eq_ignore_ascii_case(key)) => {
            format!("{key}={CUT}")
        }
        Some(_) | None => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// Header names and values without tokens.
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |name: &str, value: &[u8]| {
        if HEADERS.contains(&name) { CUT.to_owned() } else { String::from_utf8_lossy(value).into_owned() }
    };
    headers.iter().map(|(name, value)| (name.to_string(), shown(name.as_str(), value.as_bytes()))).collect()
}

/// The body without secrets; bodies that hold none are kept byte by byte.
pub fn body(request: &Request) -> Bytes {
    let kind = request.header("content-type").unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        return form(request);
    }
    let text = String::from_utf8_lossy(&request.body).to_ascii_lowercase();
    if kind.contains("json") && JSON.iter().any(|secret| text.contains(secret)) {
        return json(&request.body);
    }
    request.body.clone()
}

fn form(request: &Request) -> Bytes {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in request.form() {
        out.append_pair(&key, if FORM.contains(&key.as_str()) { CUT } else { &value });
    }
    out.finish().into()
}

fn json(body: &Bytes) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return Bytes::from_static(CUT.as_bytes());
    };
    cut(&mut value);
    value.to_string().into()
}

fn cut(value: &mut Value) {
    if let Some(map) = value.as_object_mut() {
        for (key, item) in map.iter_mut() {
            if JSON.contains(&key.to_ascii_lowercase().as_str()) {
                *item = Value::String(CUT.into());
            } else {
                cut(item);
            }
        }
    } else if let Some(items) = value.as_array_mut() {
        items.iter_mut().for_each(cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Method};

    fn request(target: &str, kind: &'static str, body: &str) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(kind));
        Request::new(Method::POST, "localhost", target, headers, body.to_owned().into())
    }

    #[test]
    fn a_signature_in_a_url_is_cut_and_the_rest_stays() {
        assert_eq!(target("/c/b?sv=1&sig=abc%2B&se=2"), "/c/b?sv=1&sig=***&se=2");
        assert_eq!(target("/c/b"), "/c/b");
    }

    #[test]
    fn secrets_of_forms_and_json_are_cut() {
        let form = request("/t", "application/x-www-form-urlencoded", "client_id=a&client_secret=b");
        assert_eq!(body(&form), "client_id=a&client_secret=***");
        let json = request("/t", "application/json", r#"{"a":{"password":{"value":"x"},"b":1}}"#);
        assert_eq!(body(&json), r#"{"a":{"b":1,"password":"***"}}"#);
    }

    #[test]
    fn a_body_without_secrets_is_kept_byte_by_byte() {
        let json = request("/t", "application/json", r#"{ "b":1,  "a":2 }"#);
        assert_eq!(body(&json), json.body);
    }
}
