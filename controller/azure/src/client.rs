//! Resource Manager, for one identity.
//!
//! In: ids and bodies. Out: answers. One token, one budget, one try; a 401 gets one more with a fresh token.

use crate::auth::Credential;
use crate::budget::{Bucket, Budget, Limits, Urgency};
use crate::class::Class;
use crate::cloud::{Audience, Cloud};
use crate::error::Error;
use crate::headers::{json_headers, set, set_secret};
use crate::id::{ArmId, CONTAINER_REGISTRY};
use crate::kept::Kept;
pub use crate::list::Asked;
use crate::request::Request;
use crate::send::{Answer, Transport, Verb};
use crate::tokens::Tokens;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

/// The api-versions in use.
#[derive(Clone, Debug)]
pub struct Versions {
    /// `Microsoft.MachineLearningServices`.
    pub machine_learning: String,
    /// Registries.
    pub registry: String,
    /// ACR Tasks.
    pub tasks: String,
}

impl Default for Versions {
    /// The newest stable version whose bodies are also valid under 2024-04-01; and for ACR Tasks the one that knows
    /// registries with rights by repository.
    fn default() -> Self {
        Self {
            machine_learning: "2025-12-01".into(),
            registry: "2025-11-01".into(),
            tasks: "2025-03-01-preview".into(),
        }
    }
}

impl Versions {
    fn of(&self, id: &ArmId, action: Option<&str>) -> &str {
        let is_registry =
            id.provider().is_some_and(|provider| provider.eq_ignore_ascii_case(CONTAINER_REGISTRY));
        match (is_registry, id.kind().as_str()) {
            (false, _) => &self.machine_learning,
            (true, "registries") if action.is_none() => &self.registry,
            (true, _) => &self.tasks,
        }
    }
}

/// How long the budget of a subscription is kept that nobody asks for: it is full again long before.
const UNUSED: Duration = Duration::from_hours(1);
/// The most subscriptions of one identity whose budgets are kept. Manifests name them.
const MOST_SUBSCRIPTIONS: usize = 256;

/// A client for one cloud and one identity. Cheap to share.
#[derive(Debug)]
pub struct Client {
    /// The cloud.
    pub cloud: Arc<Cloud>,
    pub(crate) transport: Transport,
    pub(crate) credential: Credential,
    versions: Arc<Versions>,
    pub(crate) limits: Limits,
    pub(crate) budgets: Mutex<Kept<String, Arc<Budget>>>,
    pub(crate) registry_tokens: Tokens,
    sends_job_token: bool,
    /// What no other client of this process has.
    pub number: u64,
}

/// How many clients were made.
static CLIENTS: AtomicU64 = AtomicU64::new(0);

impl Client {
    /// A client.
    #[must_use]
    pub fn new(
        cloud: Arc<Cloud>,
        transport: Transport,
        credential: Credential,
        versions: Arc<Versions>,
        limits: Limits,
    ) -> Self {
        Self {
            cloud,
            transport,
            credential,
            versions,
            limits,
            budgets: Mutex::new(Kept::new(UNUSED).at_most(MOST_SUBSCRIPTIONS)),
            registry_tokens: Tokens::default(),
            sends_job_token: false,
            number: CLIENTS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The same, which sends jobs with the caller's token for Azure ML (`x-azureml-token`), or without it. Microsoft's client
    /// always sends it, and Azure ML may act with it for the job; whether it has to be sent is not documented. Default: without
    /// it, because a tenant writes the job's steps.
    #[must_use]
    pub fn sending_job_token(self, sends_job_token: bool) -> Self {
        Self { sends_job_token, ..self }
    }

    /// Reads a resource; `None` when Azure says that it does not exist.
    ///
    /// # Errors
    /// Any but [`Class::Gone`].
    pub async fn get(&self, id: &ArmId, urgency: Urgency) -> Result<Option<Value>, Error> {
        let mut request = self.request(Verb::Get, id, None, None)?;
        gone_is_none(self.arm(&mut request, id, urgency).await.map(|answer| answer.body))
    }

    /// Makes or replaces a resource.
    ///
    /// # Errors
    /// When Azure refuses or does not answer; in the second case the request may have had its effect.
    pub async fn put(&self, id: &ArmId, body: &Value) -> Result<Answer, Error> {
        let mut request = self.request(Verb::Put, id, None, Some(body))?;
        if id.kind() == "workspaces/jobs" && self.sends_job_token {
            let token = self.credential.token(&self.cloud.scope(Audience::MachineLearning)).await?;
            set_secret(&mut request.headers, "x-azureml-token", &token);
        }
        self.arm(&mut request, id, Urgency::Change).await
    }

    /// Changes a part of a resource.
    ///
    /// # Errors
    /// As [`Client::put`].
    pub async fn patch(&self, id: &ArmId, body: &Value) -> Result<Answer, Error> {
        let mut request = self.request(Verb::Patch, id, None, Some(body))?;
        self.arm(&mut request, id, Urgency::Change).await
    }

    /// Calls an action of a resource, such as `cancel`.
    ///
    /// # Errors
    /// As [`Client::put`].
    pub async fn post(&self, id: &ArmId, action: &str, body: Option<&Value>) -> Result<Answer, Error> {
        let mut request = self.request(Verb::Post, id, Some(action), body)?;
        request.kind = format!("{}/{action}", id.kind());
        self.arm(&mut request, id, Urgency::Change).await
    }

    /// Removes a resource; one that is gone counts as removed.
    ///
    /// # Errors
    /// Any but [`Class::Gone`].
    pub async fn delete(&self, id: &ArmId, query: &[(&str, &str)]) -> Result<Option<Answer>, Error> {
        let mut request = self.request(Verb::Delete, id, None, None)?;
        request.url.query_pairs_mut().extend_pairs(query);
        gone_is_none(self.arm(&mut request, id, Urgency::Change).await)
    }

    pub(crate) fn request(
        &self,
        verb: Verb,
        id: &ArmId,
        tail: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Request, Error> {
        if !id.is_path() {
            return Err(Error::NotAPath { id: id.to_string() });
        }
        let path = tail.map_or_else(|| id.as_str().to_owned(), |tail| format!("{id}/{tail}"));
        let mut url = self.cloud.resource_manager.clone();
        url.set_path(&path);
        url.query_pairs_mut().append_pair("api-version", self.versions.of(id, tail));
        self.cloud.trust(&url)?;
        let mut headers = if body.is_some() { json_headers() } else { HeaderMap::new() };
        set(&mut headers, "accept", "application/json");
        let mut request = Request::new(verb, url, path, id.kind(), headers);
        request.body = body.map(|body| body.to_string().into_bytes());
        request.identify();
        Ok(request)
    }

    pub(crate) fn follow(&self, request: &Request, link: &str) -> Result<Url, Error> {
        let url =
            request.url.join(link).map_err(|error| crate::send::unreadable(request, error.to_string()))?;
        self.cloud.trust(&url)?;
        Ok(url)
    }

    pub(crate) async fn arm(
        &self,
        request: &mut Request,
        id: &ArmId,
        urgency: Urgency,
    ) -> Result<Answer, Error> {
        let bucket = request.verb.bucket();
        let subscription = id.segment("subscriptions").unwrap_or_default();
        let budget = self.spend(request, subscription, bucket, urgency).await;
        let sent = self.with_token(request).await;
        budget.hear(bucket, sent.as_ref().map(|(_, headers)| headers));
        sent.map(|(answer, _)| answer)
    }

    pub(crate) async fn arm_raw(
        &self,
        request: &mut Request,
        id: &ArmId,
        urgency: Urgency,
    ) -> Result<Vec<u8>, Error> {
        let subscription = id.segment("subscriptions").unwrap_or_default();
        let budget = self.spend(request, subscription, Bucket::Reads, urgency).await;
        let token = self.credential.token(&self.cloud.scope(Audience::ResourceManager)).await?;
        let mut sent = self.transport.send_raw(request, Some(&token)).await;
        if is_unauthorized(&sent) {
            self.credential.forget();
            let token = self.credential.token(&self.cloud.scope(Audience::ResourceManager)).await?;
            sent = self.transport.send_raw(request, Some(&token)).await;
        }
        budget.hear(Bucket::Reads, sent.as_ref().map(|(_, headers)| headers));
        sent.map(|(bytes, _)| bytes)
    }

    pub(crate) async fn with_token(&self, request: &Request) -> Result<(Answer, HeaderMap), Error> {
        let scope = self.cloud.scope(Audience::ResourceManager);
        let token = self.credential.token(&scope).await?;
        let sent = self.transport.send(request, Some(&token)).await;
        if !is_unauthorized(&sent) {
            return sent;
        }
        self.credential.forget();
        let token = self.credential.token(&scope).await?;
        self.transport.send(request, Some(&token)).await
    }
}

pub(crate) fn is_unauthorized<T>(sent: &Result<T, Error>) -> bool {
    matches!(sent, Err(Error::Refused { refusal, .. }) if refusal.status == 401)
}

pub(crate) fn gone_is_none<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(body) => Ok(Some(body)),
        Err(error) if error.class() == Class::Gone => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn parse(address: &str) -> Result<Url, Error> {
    Url::parse(address).map_err(|error| Error::Unreadable {
        verb: "GET",
        what: address.split('?').next().unwrap_or_default().to_owned(),
        cause: format!("not an address: {error}"),
    })
}
