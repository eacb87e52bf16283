//! Flux without Flux: definitions of its sources that take any status, and a server that gives artifacts out. Real controllers are in the
//! tests `gitops`.
//!
//! In: files. Out: artifacts at an address of loopback, and what was asked. May not listen anywhere but on 127.0.0.1.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, Uri};
use azureml_crds::source::{FLUX_API, FluxKind};
use flate2::Compression;
use flate2::write::GzEncoder;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Installs the definitions of Flux's sources, and waits until they are served.
///
/// # Errors
/// When one is refused.
pub async fn install(kube: &Client) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(kube.clone());
    for kind in FluxKind::ALL {
        let (name, definition) = definition(kind);
        api.patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&definition)).await?;
        let served = await_condition(api.clone(), &name, conditions::is_crd_established());
        tokio::time::timeout(crate::PATIENCE, served).await.with_context(|| name.clone())??;
    }
    Ok(())
}

fn definition(kind: FluxKind) -> (String, Value) {
    let (group, version) = FLUX_API;
    let name = format!("{}.{group}", kind.plural());
    let names = json!({"kind": kind.name(), "plural": kind.plural(), "singular": kind.name().to_lowercase()});
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let served =
        json!({"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [served]},
    });
    (name, definition)
}

/// Answers by path, each a status and bytes.
type Given = Arc<Mutex<(BTreeMap<String, (u16, Vec<u8>)>, Vec<String>)>>;

/// A server of artifacts.
pub struct Artifacts {
    host: String,
    given: Given,
    server: JoinHandle<()>,
}

impl Drop for Artifacts {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Artifacts {
    /// Serves nothing yet.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn serve() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (host, given) = (listener.local_addr()?.to_string(), Given::default());
        let router = Router::new().fallback(answer).with_state(given.clone());
        // Ends with the test, and says nothing until then.
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { host, given, server })
    }

    /// Answers a path from now on; a redirect goes to what the bytes say.
    pub fn give(&self, path: &str, status: u16, bytes: &[u8]) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.0.insert(path.to_owned(), (status, bytes.to_vec()));
    }

    /// The paths that were asked for.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// The status of a source whose artifact is at a path and has these bytes.
    #[must_use]
    pub fn status(&self, path: &str, bytes: &[u8]) -> Value {
        let artifact =
            json!({"url": format!("http://{}{path}", self.host), "digest": digest(bytes), "revision": path});
        let ready = json!({"type": "Ready", "status": "True", "reason": "Succeeded", "message": ""});
        json!({"artifact": artifact, "conditions": [ready]})
    }
}

/// An archive of files, as Flux makes it.
///
/// # Errors
/// When it cannot be made.
pub fn archive(files: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, name, text.as_bytes())?;
    }
    Ok(tar.into_inner()?.finish()?)
}

/// The digest of bytes as Flux writes it.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

async fn answer(State(given): State<Given>, uri: Uri) -> Response<Body> {
    let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
    given.1.push(uri.path().to_owned());
    let (status, bytes) = given.0.get(uri.path()).cloned().unwrap_or((404, Vec::new()));
    let place = String::from_utf8_lossy(&bytes).into_owned();
    let response = Response::builder().status(status);
    let response = if (300..400).contains(&status) { response.header("location", place) } else { response };
    response.body(Body::from(bytes)).unwrap_or_default()
}
