//! Reads the files of an object again when they are uploaded, because the stores keep only their hash (ADR 25).
//!
//! In: namespace, name and hash. Out: the files with that hash. Reads Kubernetes; keeps nothing.

use super::Kind;
use azureml_client::Error;
use azureml_client::places::{Permit, Places};
use azureml_crds::files;
use azureml_observe::act::Texts;
use kube::api::GetParams;
use kube::core::Request;
use kube::{Client, ResourceExt as _};
use serde::Deserialize;

/// Where the files of one object are read.
pub struct Sources<'a> {
    kube: &'a Client,
    /// So many are in memory at once.
    uploads: &'a Places,
    namespace: String,
    path: String,
    name: String,
}

/// The parts of an object that hold files.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Whole {
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    defaults: Holder,
    steps: Vec<Holder>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Holder {
    code: Held,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Held {
    files: Texts,
}

impl<'a> Sources<'a> {
    /// The files of an object.
    pub fn of<K: Kind>(object: &K, kube: &'a Client, uploads: &'a Places) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        let path = K::url_path(&(), Some(&namespace));
        Self { kube, uploads, namespace, path, name: object.name_any() }
    }

    fn unreadable(&self, cause: &impl ToString) -> Error {
        Error::Unreadable {
            verb: "GET",
            what: format!("the files of {}", self.name),
            cause: cause.to_string(),
        }
    }
}

impl azureml_observe::act::Sources for Sources<'_> {
    type Place = Option<Permit>;

    async fn place(&self) -> Option<Permit> {
        self.uploads.permit(&self.namespace).await
    }

    async fn read(&self, hash: &str) -> Result<Texts, Error> {
        let request = Request::new(self.path.as_str()).get(&self.name, &GetParams::default());
        let request = request.map_err(|error| self.unreadable(&error))?;
        let text = self.kube.request_text(request).await.map_err(|error| self.unreadable(&error))?;
        let whole: Whole = serde_json::from_str(&text).map_err(|error| self.unreadable(&error))?;
        drop(text);
        let Spec { defaults, steps } = whole.spec;
        let all = steps.into_iter().chain([defaults]).map(|holder| holder.code.files);
        let found = all.into_iter().find(|texts| files::hash(texts) == hash);
        found.ok_or_else(|| self.unreadable(&"its files were changed meanwhile"))
    }
}
