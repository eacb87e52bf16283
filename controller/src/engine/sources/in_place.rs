//! Files in a manifest: read again when they are uploaded, because the stores keep only their hash (ADR 25).
//!
//! In: an object, a hash. Out: the files with that hash. Reads Kubernetes; keeps nothing.

use crate::engine::Kind;
use azureml_client::Error;
use azureml_crds::files;
use azureml_observe::folder::{Folder, Texts};
use azureml_source::Entries;
use kube::api::GetParams;
use kube::core::Request;
use kube::{Client, ResourceExt as _};
use serde::Deserialize;

/// Where the files of one object are read.
pub(super) struct InPlace<'a> {
    kube: &'a Client,
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
    build: Build,
    /// Of an MLData.
    source: Held,
}

/// `build` of an MLEnvironment.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Build {
    files: Texts,
    context: Held,
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

impl<'a> InPlace<'a> {
    /// The files of an object.
    pub(super) fn of<K: Kind>(object: &K, kube: &'a Client) -> Self {
        let path = K::url_path(&(), Some(&object.namespace().unwrap_or_default()));
        Self { kube, path, name: object.name_any() }
    }

    pub(super) fn unreadable(&self, cause: &impl ToString) -> Error {
        Error::Unreadable {
            verb: "GET",
            what: format!("the files of {}", self.name),
            cause: cause.to_string(),
        }
    }

    /// The files that have this hash, in memory.
    pub(super) async fn read(&self, hash: &str) -> Result<Folder, Error> {
        self.texts(hash).await.map(Folder::texts)
    }

    /// The same as entries of a folder on disk.
    pub(super) async fn entries(&self, hash: &str) -> Result<Entries, Error> {
        let texts = self.texts(hash).await?;
        Ok(texts.into_iter().map(|(path, text)| (path, text.into_bytes())).collect())
    }

    async fn texts(&self, hash: &str) -> Result<Texts, Error> {
        let request = Request::new(self.path.as_str()).get(&self.name, &GetParams::default());
        let request = request.map_err(|error| self.unreadable(&error))?;
        let text = self.kube.request_text(request).await.map_err(|error| self.unreadable(&error))?;
        let whole: Whole = serde_json::from_str(&text).map_err(|error| self.unreadable(&error))?;
        drop(text);
        let Spec { defaults, steps, build, source } = whole.spec;
        let all = steps.into_iter().chain([defaults]).map(|holder| holder.code.files);
        let found = all
            .chain([build.files, build.context.files, source.files])
            .into_iter()
            .find(|texts| files::hash(texts) == hash);
        found.ok_or_else(|| self.unreadable(&"its files were changed meanwhile"))
    }
}
