//! What an API server says about a manifest, asked as kubectl asks: with strict fields, and nothing is stored by the trial itself.
//!
//! In: objects. Out: nothing when they are taken, else the server's refusal.

use super::table::Trial;
use anyhow::{Context as _, Result, anyhow};
use azureml_crds::GROUP;
use http::{Method, Request};
use kube::core::{DynamicObject, Status};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

const NAMESPACE: &str = "default";

/// The object as it was taken, or the refusal.
pub type Answer = std::result::Result<DynamicObject, Box<Status>>;

/// An API server.
#[derive(Clone)]
pub struct Server {
    client: Client,
}

/// How often a server is asked that has no time.
const TRIES: usize = 5;

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Server {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The release that it behaves as, `1.36`; `minor` alone is that of the program.
    pub async fn version(&self) -> Result<String> {
        let request = Request::get("/version").body(Vec::new())?;
        let info: Value = self.client.request(request).await?;
        let minor = info["emulationMinor"].as_str().or(info["minor"].as_str()).unwrap_or_default();
        Ok(format!("{}.{minor}", info["major"].as_str().unwrap_or_default()))
    }

    /// Tries a row: a creation, or a change of an object that is stored first.
    pub async fn attempt(&self, trial: &Trial) -> Result<Option<Box<Status>>> {
        let name = format!("trial-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut object = object(&trial.kind, &name, &trial.spec);
        let Some(before) = &trial.before else { return Ok(self.create(object, true).await?.err()) };
        let stored = self.store_spec(&trial.kind, &name, before).await?;
        object["metadata"]["resourceVersion"] = json!(stored.resource_version());
        let path = format!("{}/{name}", path(&trial.kind));
        Ok(self.send(Method::PUT, &path, &object, true).await?.err())
    }

    /// Creates an object, or asks what would be said.
    pub async fn create(&self, object: Value, dry: bool) -> Result<Answer> {
        let path = path(object["kind"].as_str().context("the object has no kind")?);
        self.send(Method::POST, &path, &object, dry).await
    }

    /// Stores what a row sends.
    pub async fn store(&self, name: &str, trial: &Trial) -> Result<DynamicObject> {
        self.store_spec(&trial.kind, name, &trial.spec).await
    }

    async fn store_spec(&self, kind: &str, name: &str, spec: &Value) -> Result<DynamicObject> {
        let stored = self.create(object(kind, name, spec), false).await?;
        stored.map_err(|refusal| anyhow!("not stored: {}", refusal.message))
    }

    /// Writes a status.
    pub async fn write_status(&self, stored: &DynamicObject, status: Value) -> Result<DynamicObject> {
        let mut object = serde_json::to_value(stored)?;
        object["status"] = status;
        let kind = stored.types.as_ref().map(|types| types.kind.as_str()).unwrap_or_default();
        let path = format!("{}/{}/status", path(kind), stored.name_any());
        let written = self.send(Method::PUT, &path, &object, false).await?;
        written.map_err(|refusal| anyhow!("the status is refused: {}", refusal.message))
    }

    /// A server that had no time has judged nothing: what is only tried is tried again.
    async fn send(&self, method: Method, path: &str, object: &Value, dry: bool) -> Result<Answer> {
        let mut answer = self.once(method.clone(), path, object, dry).await?;
        for _ in 1..TRIES {
            let is_busy = answer.as_ref().is_err_and(|refusal| refusal.code == 504);
            if !(is_busy && dry) {
                break;
            }
            answer = self.once(method.clone(), path, object, dry).await?;
        }
        Ok(answer)
    }

    async fn once(&self, method: Method, path: &str, object: &Value, dry: bool) -> Result<Answer> {
        let dry = if dry { "&dryRun=All" } else { "" };
        let request = Request::builder().method(method).uri(format!("{path}?fieldValidation=Strict{dry}"));
        let request = request.header("content-type", "application/json").body(serde_json::to_vec(object)?)?;
        match self.client.request(request).await {
            Ok(object) => Ok(Ok(object)),
            Err(kube::Error::Api(refusal)) => Ok(Err(refusal)),
            Err(error) => Err(error.into()),
        }
    }
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": format!("{GROUP}/v1alpha1"), "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// The path of a kind: its plural is the kind in lower case, and an s.
fn path(kind: &str) -> String {
    let plural = azureml_crds::plural(kind).unwrap_or_default();
    format!("/apis/{GROUP}/v1alpha1/namespaces/{NAMESPACE}/{plural}")
}
