//! The check's own way to Azure, through the recorder: any request, and its answer whatever it says.
//!
//! In: paths below Resource Manager, or addresses that answers gave. Out: status, headers, body. A token goes to the
//! cloud's hosts alone, as the operator's, and to the hosts at which Azure ML serves batch endpoints.

pub use crate::answer::Answer;
use crate::setup::Setup;
use anyhow::{Context as _, Result, bail, ensure};
use azureml_access::credentials::{Who, credential};
use azureml_client::auth::Credential;
use azureml_client::cloud::{Audience, Cloud};
use azureml_client::send::Http;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How the check names itself; the recorder tells its requests from the operator's by it.
pub const AGENT: &str = concat!("azureml-live/", env!("CARGO_PKG_VERSION"));

/// Where Azure ML serves batch endpoints. Source: "Create jobs and input data for batch endpoints".
const INFERENCE: [&str; 3] = [".inference.ml.azure.com", ".inference.ml.azure.cn", ".inference.ml.azure.us"];

/// The way.
pub struct Door {
    cloud: Arc<Cloud>,
    http: reqwest::Client,
    credential: Credential,
    machine_learning: String,
    registry: String,
    tasks: String,
}

/// A request.
struct Call<'a> {
    method: Method,
    url: Url,
    body: Option<&'a Value>,
    audience: Audience,
    with_job_token: bool,
}

impl Door {
    /// Opens it: through the recorder, which is trusted for this.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub fn new(setup: &Setup, proxy: &str, recorder: &str) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(true)
            .timeout(Duration::from_mins(1))
            .proxy(reqwest::Proxy::all(proxy)?)
            .tls_certs_merge(reqwest::Certificate::from_pem_bundle(recorder.as_bytes())?);
        if let Some(pem) = &setup.ca {
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
        }
        let http = builder.build()?;
        let versions = &setup.config.azure.api_versions;
        let shared: Arc<dyn Http> = Arc::new(http.clone());
        Ok(Self {
            credential: credential(&setup.cloud, &shared, &shared, &Who::Controller),
            cloud: setup.cloud.clone(),
            http,
            machine_learning: versions.machine_learning.clone(),
            registry: versions.registry.clone(),
            tasks: versions.tasks.clone(),
        })
    }

    /// An address below Resource Manager, with the api-version of its provider.
    fn arm(&self, path: &str) -> Result<Url> {
        let mut url = self.cloud.resource_manager.join(path)?;
        let lower = url.path().to_ascii_lowercase();
        let version = match lower.split_once("/microsoft.containerregistry/registries/") {
            None => &self.machine_learning,
            Some((_, rest)) if rest.contains('/') => &self.tasks,
            Some(_) => &self.registry,
        };
        let version = version.clone();
        url.query_pairs_mut().append_pair("api-version", &version);
        Ok(url)
    }

    /// Reads.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.call(Method::GET, path, None, true).await
    }

    /// Makes or replaces.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.call(Method::PUT, path, Some(body), true).await
    }

    /// Changes a part.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        self.call(Method::PATCH, path, Some(body), true).await
    }

    /// Reads without saying who asks.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn get_unsigned(&self, path: &str) -> Result<Answer> {
        let url = self.arm(path)?;
        let shown = || format!("GET {}", url.path());
        let response = self.http.get(url.clone()).send().await;
        Answer::read(response.map_err(reqwest::Error::without_url).with_context(shown)?)
            .await
            .with_context(shown)
    }

    /// Makes a job without the header that carries the caller's token to it.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn put_without_token(&self, path: &str, body: &Value) -> Result<Answer> {
        self.call(Method::PUT, path, Some(body), false).await
    }

    /// Acts.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn post(&self, path: &str) -> Result<Answer> {
        self.call(Method::POST, path, None, true).await
    }

    /// Removes.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.call(Method::DELETE, path, None, true).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        with_job_token: bool,
    ) -> Result<Answer> {
        let with_job_token = with_job_token && method == Method::PUT && path.contains("/jobs/");
        let call =
            Call { method, url: self.arm(path)?, body, audience: Audience::ResourceManager, with_job_token };
        self.cloud.trust(&call.url)?;
        self.send(&call).await
    }

    /// Reads at an address that an answer gave.
    ///
    /// # Errors
    /// When the address is none of the cloud, or no answer comes.
    pub async fn at(&self, address: &str) -> Result<Answer> {
        let url = Url::parse(address).context("it is no address")?;
        self.cloud.trust(&url)?;
        let (method, audience) = (Method::GET, Audience::ResourceManager);
        self.send(&Call { method, url, body: None, audience, with_job_token: false }).await
    }

    /// Every item of a list.
    ///
    /// # Errors
    /// When a page is refused.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut call = Call {
            method: Method::GET,
            url: self.arm(path)?,
            body: None,
            audience: Audience::ResourceManager,
            with_job_token: false,
        };
        let mut items = Vec::new();
        loop {
            self.cloud.trust(&call.url)?;
            let answer = self.send(&call).await?;
            // What is below something that is gone is nothing.
            if answer.status == 404 {
                return Ok(items);
            }
            ensure!(answer.is_success(), "GET {}: {}", call.url.path(), answer.said());
            items.extend(answer.body["value"].as_array().into_iter().flatten().cloned());
            match answer.body["nextLink"].as_str().filter(|link| !link.is_empty()) {
                Some(link) => call.url = Url::parse(link).context("nextLink is no address")?,
                None => return Ok(items),
            }
        }
    }

    /// Invokes a batch endpoint at the address that it gave.
    ///
    /// # Errors
    /// When the address is not one at which Azure ML serves endpoints, or no answer comes.
    pub async fn invoke(&self, scoring_uri: &str, body: &Value) -> Result<Answer> {
        let url = Url::parse(scoring_uri).context("the scoring URI is no address")?;
        self.trust_inference(&url)?;
        let call = Call {
            method: Method::POST,
            url,
            body: Some(body),
            audience: Audience::MachineLearning,
            with_job_token: false,
        };
        self.send(&call).await
    }

    fn trust_inference(&self, url: &Url) -> Result<()> {
        if self.cloud.trust(url).is_ok() {
            return Ok(());
        }
        let host = url.host_str().unwrap_or_default();
        let is_azure = url.scheme() == "https" && url.port().is_none() && url.username().is_empty();
        if is_azure && INFERENCE.iter().any(|suffix| host.ends_with(suffix)) {
            return Ok(());
        }
        bail!("the endpoint is served at {host}, which is no host of Azure ML: no token is sent there")
    }

    /// A token for the registry's data plane.
    ///
    /// # Errors
    /// When none is given.
    pub async fn registry_token(&self) -> Result<String> {
        Ok(self.credential.token(&self.cloud.scope(Audience::Registry)).await?)
    }

    /// The client, and whether a token may go to an address.
    pub(crate) fn http_for(&self, url: &Url) -> Result<&reqwest::Client> {
        self.cloud.trust(url)?;
        Ok(&self.http)
    }

    /// Sends, and tries again what Azure asks to send later.
    async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.once(call).await;
            let delay = match &answer {
                Ok(answer) if !matches!(answer.status, 429 | 500 | 502 | 503 | 504) => {
                    return Ok(answer.clone());
                }
                Ok(answer) => retry_after(&answer.headers).unwrap_or(tries),
                Err(_) => tries,
            };
            if tries == 4 {
                return answer;
            }
            tokio::time::sleep(Duration::from_secs(delay.min(30))).await;
        }
    }

    async fn once(&self, call: &Call<'_>) -> Result<Answer> {
        let token = self.credential.token(&self.cloud.scope(call.audience)).await?;
        let mut request = self.http.request(call.method.clone(), call.url.clone()).bearer_auth(token);
        if call.with_job_token {
            let token = self.credential.token(&self.cloud.scope(Audience::MachineLearning)).await?;
            request = request.header("x-azureml-token", token);
        }
        request = match call.body {
            Some(body) => request.json(body),
            // Without a length Azure answers 411 over HTTP/1.1, which a proxy speaks.
            None if call.method == Method::POST => request.header(CONTENT_LENGTH, "0").body(Vec::new()),
            None => request,
        };
        let shown = || format!("{} {}", call.method, call.url.path());
        let response = request.send().await.map_err(reqwest::Error::without_url).with_context(shown)?;
        Answer::read(response).await.with_context(shown)
    }
}

fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get("retry-after")?.to_str().ok()?.parse().ok()
}
