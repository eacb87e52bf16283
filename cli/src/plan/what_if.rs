//! Azure as it would be: reads go through, and what would change something is kept here and answered as if it had been done.
//!
//! In: requests of the client. Out: answers, and a journal of what would have been sent. No request that changes anything leaves this file.

use super::known_after;
use super::request::Request;
use azure_core::http::{AsyncRawResponse, HttpClient};
use azureml_client::send::Http;
use futures::future::BoxFuture;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use reqwest::{Body, Method, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a registry says of an image.
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What would be there: by path in small letters; null is deleted.
type World = BTreeMap<String, Value>;

/// What would have been sent, and what would be there.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    world: World,
    /// Images that would be built, as `repository:tag`.
    images: Vec<String>,
    requests: Vec<Request>,
}

impl Journal {
    /// The requests since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.kept().requests)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, path: &str) -> Option<Value> {
        self.kept().world.get(&path.to_ascii_lowercase()).cloned()
    }

    /// What would be directly below a path, by path.
    fn below(&self, path: &str) -> World {
        let begin = format!("{}/", path.to_ascii_lowercase());
        let kept = self.kept();
        let is_child = |key: &str| key.strip_prefix(&begin).is_some_and(|rest| !rest.contains('/'));
        kept.world
            .iter()
            .filter(|(key, _)| is_child(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// Whether a collection is directly below something that would be there.
    fn is_below(&self, path: &str) -> bool {
        path.rsplit_once('/').and_then(|(above, _)| self.known(above)).is_some_and(|above| !above.is_null())
    }

    /// Whether a manifest of an image is asked for that would be built.
    fn has_image(&self, path: &str) -> bool {
        let Some((repository, tag)) =
            path.strip_prefix("/v2/").and_then(|path| path.split_once("/manifests/"))
        else {
            return false;
        };
        let name = format!("{repository}:{tag}");
        tag == known_after::DIGEST || self.kept().images.contains(&name)
    }
}

/// The way to Azure that changes nothing.
#[derive(Debug)]
pub struct WhatIf {
    real: Arc<dyn Http>,
    journal: Journal,
}

impl WhatIf {
    /// Reads by a client, and keeps what would change something.
    #[must_use]
    pub fn new(real: Arc<dyn Http>, journal: Journal) -> Self {
        Self { real, journal }
    }

    async fn answer(&self, request: reqwest::Request) -> reqwest::Result<Response> {
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let is_azure = path.to_ascii_lowercase().starts_with("/subscriptions/");
        if method == Method::HEAD && self.journal.has_image(&path) {
            return Ok(built());
        }
        if method == Method::GET && is_azure {
            return self.read(request, &path).await;
        }
        let is_cancel = method == Method::POST && path.ends_with("/cancel");
        let is_change = method == Method::PUT || method == Method::PATCH || method == Method::DELETE;
        if is_azure && (is_change || is_cancel) {
            return self.keep(request, &path).await;
        }
        // What reads by POST is known by name; everything else is refused, whatever it would do.
        let is_read =
            method == Method::GET || method == Method::HEAD || method == Method::POST && is_question(&path);
        if is_read {
            self.real.carry(request).await
        } else {
            Ok(json_answer(StatusCode::FORBIDDEN, &refused()))
        }
    }

    async fn read(&self, request: reqwest::Request, path: &str) -> reqwest::Result<Response> {
        match self.journal.known(path) {
            Some(Value::Null) => return Ok(json_answer(StatusCode::NOT_FOUND, &missing())),
            Some(body) => return Ok(json_answer(StatusCode::OK, &body)),
            None => {}
        }
        let children = self.journal.below(path);
        let is_first = !request.url().query_pairs().any(|(key, _)| key.to_ascii_lowercase().contains("skip"));
        let real = self.real.carry(request).await?;
        // Nothing is below what would be made, unless it would be made as well.
        let is_empty =
            real.status() == StatusCode::NOT_FOUND && (!children.is_empty() || self.journal.is_below(path));
        if !is_empty && (children.is_empty() || !real.status().is_success()) {
            return Ok(real);
        }
        let found = if real.status().is_success() { whole(real).await? } else { json!({"value": []}) };
        Ok(json_answer(StatusCode::OK, &listed(found, children, is_first)))
    }

    async fn keep(&self, request: reqwest::Request, path: &str) -> reqwest::Result<Response> {
        let (method, url) = (request.method().clone(), request.url().clone());
        let body =
            request.body().and_then(Body::as_bytes).and_then(|bytes| serde_json::from_slice(bytes).ok());
        let body: Value = body.unwrap_or_default();
        let known = if method == Method::POST { Some(Value::Null) } else { self.journal.known(path) };
        let before = match known {
            Some(known) => Some(known).filter(|known| !known.is_null()),
            None => match self.before(request).await? {
                Ok(before) => before,
                // What is not known is said as it is: a change of something unknown would be a guess.
                Err(answer) => return Ok(answer),
            },
        };
        let status = if before.is_none() { StatusCode::CREATED } else { StatusCode::OK };
        let after = after(&method, path, &body, before.as_ref());
        let mut kept = self.journal.kept();
        kept.images.extend(images(&body));
        let answer = after.clone();
        if method != Method::POST {
            kept.world.insert(path.to_ascii_lowercase(), after);
        }
        let query = url.query().map(str::to_owned);
        kept.requests.push(Request {
            method: method.to_string(),
            path: path.to_owned(),
            query,
            body,
            before,
        });
        Ok(json_answer(status, &answer))
    }

    /// What is there now; or Azure's answer, where it does not say.
    async fn before(&self, request: reqwest::Request) -> reqwest::Result<Result<Option<Value>, Response>> {
        let mut look = reqwest::Request::new(Method::GET, request.url().clone());
        *look.headers_mut() = request.headers().clone();
        for name in [CONTENT_LENGTH, CONTENT_TYPE] {
            look.headers_mut().remove(name);
        }
        let real = self.real.carry(look).await?;
        match real.status() {
            StatusCode::NOT_FOUND => Ok(Ok(None)),
            status if status.is_success() => Ok(Ok(Some(whole(real).await?))),
            _ => Ok(Err(real)),
        }
    }
}

impl Http for WhatIf {
    fn carry(&self, request: reqwest::Request) -> BoxFuture<'_, reqwest::Result<Response>> {
        Box::pin(self.answer(request))
    }
}

/// Credentials ask for tokens, which changes nothing.
#[async_trait::async_trait]
impl HttpClient for WhatIf {
    async fn execute_request(
        &self,
        request: &azure_core::http::Request,
    ) -> azure_core::Result<AsyncRawResponse> {
        self.real.execute_request(request).await
    }
}

/// Whether a POST only asks: for a token of a registry, or where the log of a build is.
fn is_question(path: &str) -> bool {
    ["/oauth2/exchange", "/oauth2/token"].contains(&path) || path.ends_with("/listLogSasUrl")
}

async fn whole(answer: Response) -> reqwest::Result<Value> {
    let bytes = answer.bytes().await?;
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    let mut answer =
        http::Response::new(Body::from(if body.is_null() { String::new() } else { body.to_string() }));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer.into()
}

fn built() -> Response {
    let mut answer = http::Response::new(Body::from(String::new()));
    answer.headers_mut().insert(DIGEST, http::HeaderValue::from_static(known_after::DIGEST));
    answer.into()
}

fn missing() -> Value {
    json!({"error": {"code": "ResourceNotFound", "message": "the plan deletes it"}})
}

fn refused() -> Value {
    json!({"error": {"code": "PlanWritesNothing", "message": "a plan sends nothing that may change something"}})
}

/// A list with what would be in it. What is new stands on the first page.
fn listed(mut found: Value, children: World, is_first: bool) -> Value {
    let Some(items) = found["value"].as_array_mut() else { return found };
    let key = |item: &Value| item["id"].as_str().map(str::to_ascii_lowercase);
    items.retain(|item| key(item).is_none_or(|key| !children.contains_key(&key)));
    if is_first {
        items.extend(children.into_values().filter(|child| !child.is_null()));
    }
    found
}

/// The images that a build makes.
fn images(body: &Value) -> Vec<String> {
    let names = body.pointer("/properties/runRequest/imageNames").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A resource after a request; null where it is deleted.
fn after(method: &Method, path: &str, body: &Value, before: Option<&Value>) -> Value {
    if *method == Method::DELETE {
        return Value::Null;
    }
    let mut after = before.cloned().unwrap_or_else(|| json!({}));
    if *method == Method::PATCH {
        json_patch::merge(&mut after, body);
        return after;
    }
    for (key, value) in body.as_object().into_iter().flatten() {
        // What Azure adds to the properties stays, as addresses do.
        match (after[key.as_str()].as_object_mut().filter(|_| key == "properties"), value) {
            (Some(old), Value::Object(new)) => old.extend(new.clone()),
            _ => after[key.as_str()] = value.clone(),
        }
    }
    after["id"] = path.into();
    after["name"] = path.rsplit('/').next().unwrap_or_default().into();
    after["properties"]["provisioningState"] = "Succeeded".into();
    if path.to_ascii_lowercase().contains("/taskruns/") {
        after["properties"]["runResult"] = json!({"properties": {"status": "Succeeded", "runId": "planned"}});
    }
    after
}

#[cfg(test)]
mod tests;
