//! What a scene shows: what Azure received, what Kubernetes holds, and how often an object was written.

use crate::PATIENCE;
use crate::scene::{GROUP, Scene, kinds};
use anyhow::{Context as _, Result, bail};
use azureml_simulator::Entry;
use futures::StreamExt as _;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use kube::core::DynamicObject;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// How the client ids of scenes begin.
pub(crate) const CLIENT: &str = "aaaaaaaa-0000-4000-8000-";

impl Scene {
    /// Somebody changes a thing in the portal: `kind` is `computes` or `schedules`.
    ///
    /// # Errors
    /// When there is no such thing.
    pub async fn portal(&self, kind: &str, name: &str, patch: &Value) -> Result<()> {
        let (http, _) = self.azure_client().await?;
        let url = format!("{}/_simulator/{kind}/{GROUP}/{}/{name}", self.azure.endpoint(), self.workspace);
        let answer = http.post(url).json(patch).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if status.is_success() { Ok(()) } else { bail!("the simulator answered {status}: {text}") }
    }

    /// An HTTP client that trusts the simulator, and a token of its own: for what neither the operator nor kubectl reads.
    ///
    /// # Errors
    /// When no token is given.
    pub async fn azure_client(&self) -> Result<(reqwest::Client, String)> {
        let ca = reqwest::Certificate::from_pem(self.azure.ca_pem().as_bytes())?;
        let endpoint = self.azure.endpoint();
        let mut http = reqwest::Client::builder().tls_certs_only([ca]);
        if let Some((host, port)) = endpoint.trim_start_matches("https://").rsplit_once(':') {
            // Where pods are to reach it, it has a name that only they know.
            http = http.resolve(host, ([127, 0, 0, 1], port.parse()?).into());
        }
        let http = http.build()?;
        let token = self.azure_token(&http, endpoint).await?;
        Ok((http, token))
    }

    /// A token for an audience, of one who only looks on.
    ///
    /// # Errors
    /// When none is given.
    pub async fn azure_token(&self, http: &reqwest::Client, audience: &str) -> Result<String> {
        let scope = format!("{audience}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "onlooker"),
            ("client_secret", "s"),
            ("scope", &scope),
        ];
        let answer = http
            .post(format!("{}/{}/oauth2/v2.0/token", self.azure.endpoint(), self.azure.tenant_id()))
            .form(&form)
            .send()
            .await?;
        let token: Value = answer.error_for_status()?.json().await?;
        Ok(token["access_token"].as_str().unwrap_or_default().to_owned())
    }

    /// The steps of a job as run history tells them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn children(&self, job: &str) -> Result<Vec<Value>> {
        let (http, token) = self.azure_client().await?;
        let workspace = format!(
            "/subscriptions/{}/resourceGroups/{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{}",
            self.azure.subscription_id(),
            self.workspace
        );
        let url =
            format!("{}/history/v1.0{workspace}/runs/{job}/children?api-version=v1.0", self.azure.endpoint());
        let mut page: Value =
            http.get(url).bearer_auth(token).send().await?.error_for_status()?.json().await?;
        Ok(page["value"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// The end of Azure's request log without what another scene's operator sent, for messages.
    #[must_use]
    pub fn requests_shown(&self, count: usize) -> String {
        let mut requests = self.azure.requests();
        let is_others = |client: &str| client.starts_with(CLIENT) && client != self.start.client;
        requests.retain(|entry| !entry.client.as_deref().is_some_and(is_others));
        let skip = requests.len().saturating_sub(count);
        let line = |entry: &Entry| {
            format!(
                "\n  {:?} {} {} {}",
                entry.status,
                entry.method,
                entry.url,
                entry.error.as_deref().unwrap_or("")
            )
        };
        requests[skip..].iter().map(line).collect()
    }

    /// What changed Azure, since a place in the log.
    #[must_use]
    pub fn writes(&self, since: usize) -> Vec<Entry> {
        self.azure.requests().into_iter().skip(since).filter(Entry::is_write).collect()
    }

    /// The versions of all objects of the operator's kinds: equal means that nothing was written.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn versions(&self) -> Result<BTreeMap<String, String>> {
        let mut versions = BTreeMap::new();
        for resource in kinds() {
            let api: Api<DynamicObject> = Api::namespaced_with(self.kube.clone(), &self.namespace, &resource);
            for object in api.list(&ListParams::default()).await? {
                let version = object.resource_version().unwrap_or_default();
                versions.insert(format!("{}/{}", resource.kind, object.name_any()), version);
            }
        }
        Ok(versions)
    }

    /// How many events there are.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn events(&self) -> Result<Vec<(String, String)>> {
        let api: Api<k8s_openapi::api::events::v1::Event> = self.api();
        let events = api.list(&ListParams::default()).await?;
        let told = |event: k8s_openapi::api::events::v1::Event| {
            let object = event.regarding.unwrap_or_default();
            let who = format!("{}/{}", object.kind.unwrap_or_default(), object.name.unwrap_or_default());
            (who, format!("{}: {}", event.reason.unwrap_or_default(), event.note.unwrap_or_default()))
        };
        Ok(events.into_iter().map(told).collect())
    }

    /// No request of the operator broke Azure's published contract, and the simulator kept to it too.
    ///
    /// # Errors
    /// With every violation.
    pub fn check_contract(&self) -> Result<()> {
        let violations: Vec<String> = self
            .azure
            .requests()
            .iter()
            .filter(|entry| !entry.violations.is_empty() || !entry.answer_violations.is_empty())
            .map(|entry| {
                format!(
                    "{} {}: {:?} {:?}",
                    entry.method, entry.url, entry.violations, entry.answer_violations
                )
            })
            .collect();
        if violations.is_empty() {
            Ok(())
        } else {
            bail!("Azure's contract is broken:\n{}", violations.join("\n"))
        }
    }

    /// Follows every write to the objects of the operator's kinds, from now on.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn follow(&self) -> Result<Following> {
        let (sender, seen) = unbounded_channel();
        let from = self.versions().await?;
        let mut watches = JoinSet::new();
        for resource in kinds() {
            let api: Api<DynamicObject> = Api::namespaced_with(self.kube.clone(), &self.namespace, &resource);
            let listed = api.list(&ListParams::default()).await?;
            let version = listed.metadata.resource_version.context("a list without a version")?;
            watches.spawn(follow(api, resource.kind, version, sender.clone()));
        }
        Ok(Following { from, seen, _watches: watches })
    }
}

/// The writes that are followed.
pub struct Following {
    from: BTreeMap<String, String>,
    seen: UnboundedReceiver<(String, String)>,
    _watches: JoinSet<Result<()>>,
}

async fn follow(
    api: Api<DynamicObject>,
    kind: String,
    from: String,
    seen: UnboundedSender<(String, String)>,
) -> Result<()> {
    let mut events = api.watch(&WatchParams::default(), &from).await?.boxed();
    while let Some(event) = events.next().await {
        if let WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object) = event?
        {
            let version = object.resource_version().unwrap_or_default();
            seen.send((format!("{kind}/{}", object.name_any()), version))?;
        }
    }
    Ok(())
}

impl Following {
    /// How often each object was written, up to the versions that it has now.
    ///
    /// # Errors
    /// When the watches do not come so far in time.
    pub async fn writes(&mut self, scene: &Scene) -> Result<BTreeMap<String, usize>> {
        let mut ahead = scene.versions().await?;
        ahead.retain(|name, version| self.from.get(name) != Some(version));
        let mut writes: BTreeMap<String, usize> = BTreeMap::new();
        while !ahead.is_empty() {
            let next = tokio::time::timeout(PATIENCE, self.seen.recv()).await.ok().flatten();
            let (name, version) = next.with_context(|| format!("the watch does not show {ahead:?}"))?;
            if ahead.get(&name) == Some(&version) {
                ahead.remove(&name);
            }
            *writes.entry(name).or_default() += 1;
        }
        Ok(writes)
    }
}
