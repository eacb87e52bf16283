//! Images of every registry: manifests by digest, tags that lead to them. A registry that is not simulated holds whatever
//! it is asked for, so that bases resolve without a network; a control can make a tag missing or move it.
//! In: references. Out: manifests. Digests are those of the manifests' bytes.

use crate::ids::sha256;
use bytes::Bytes;
use serde_json::json;
use std::collections::BTreeMap;

/// The type of the manifest of one image.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The type of a manifest that lists the images of several platforms.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A reference to an image, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The registry's host.
    pub host: String,
    /// The repository.
    pub repository: String,
    /// The tag, when it names one or neither tag nor digest.
    pub tag: Option<String>,
    /// The digest, when it names one.
    pub digest: Option<String>,
}

/// One name for the several hosts of Docker Hub.
pub fn canonical_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let hub = ["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];
    if hub.contains(&host.as_str()) { "docker.io".into() } else { host }
}

/// Whether a text can be a digest.
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether a text can be a tag.
fn is_tag(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    first && text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Whether a text can be a repository.
pub fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(part.chars().next())
            && edge(part.chars().last())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    !text.is_empty() && text.split('/').all(part)
}

impl Reference {
    /// Reads `host/repository:tag@digest`; a name without a host is Docker Hub's.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        let (name, tag) = match name.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') => (before, Some(tag)),
            Some(_) | None => (name, None),
        };
        let is_host = |part: &str| part.contains('.') || part.contains(':') || part == "localhost";
        let (host, repository) = match name.split_once('/') {
            Some((first, rest)) if is_host(first) => (canonical_host(first), rest.to_owned()),
            Some(_) => ("docker.io".into(), name.to_owned()),
            None => ("docker.io".into(), format!("library/{name}")),
        };
        let valid = is_repository(&repository) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
        let tag = tag.or(if digest.is_none() { Some("latest") } else { None }).map(str::to_owned);
        valid.then(|| Self { host, repository, tag, digest: digest.map(str::to_owned) })
    }
}

/// A manifest as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `sha256:` of the bytes.
    pub digest: String,
    /// The media type.
    pub kind: &'static str,
    /// The JSON text.
    pub bytes: Bytes,
}

impl Manifest {
    fn new(kind: &'static str, body: &serde_json::Value) -> Self {
        let bytes = Bytes::from(body.to_string());
        Self { digest: format!("sha256:{}", sha256(&bytes)), kind, bytes }
    }

    /// The manifest of one image, made of a text that stands for its content.
    pub fn image(content: &str) -> Self {
        let layer = |kind: &str, of: &str| {
            json!({ "mediaType": format!("application/vnd.oci.image.{kind}"), "size": of.len(),
                    "digest": format!("sha256:{}", sha256(of.as_bytes())) })
        };
        let config = layer("config.v1+json", &format!("config of {content}"));
        let layers = [layer("layer.v1.tar+gzip", content)];
        Self::new(
            MANIFEST,
            &json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers }),
        )
    }

    /// The index over an image for two platforms, with both manifests.
    fn index(content: &str) -> (Self, [Self; 2]) {
        let images = ["amd64", "arm64"].map(|platform| Self::image(&format!("{content} for {platform}")));
        let entries: Vec<_> = images
            .iter()
            .zip(["amd64", "arm64"])
            .map(|(image, architecture)| {
                json!({ "mediaType": MANIFEST, "digest": image.digest, "size": image.bytes.len(),
                        "platform": { "os": "linux", "architecture": architecture } })
            })
            .collect();
        (Self::new(INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries })), images)
    }
}

type Repository = (String, String);

/// All images.
#[derive(Debug, Default)]
pub struct Images {
    manifests: BTreeMap<Repository, BTreeMap<String, Manifest>>,
    /// Where tags lead; `None` for one that a control has made missing.
    tags: BTreeMap<Repository, BTreeMap<String, Option<String>>>,
    moved: u64,
}

impl Images {
    /// Adds an image under its tags.
    pub fn push(&mut self, host: &str, repository: &str, tag: &str, manifest: Manifest) {
        let key = (host.to_owned(), repository.to_owned());
        self.tags.entry(key.clone()).or_default().insert(tag.to_owned(), Some(manifest.digest.clone()));
        self.manifests.entry(key).or_default().insert(manifest.digest.clone(), manifest);
    }

    /// The manifest that a reference leads to. `ours` says that the registry is simulated and holds only what was pushed.
    pub fn resolve(&mut self, reference: &Reference, ours: bool) -> Option<Manifest> {
        let key = (reference.host.clone(), reference.repository.clone());
        let known = |images: &Self, digest: &str| images.manifests.get(&key)?.get(digest).cloned();
        if let Some(digest) = &reference.digest {
            let stand_in = || (!ours).then(|| Manifest { digest: digest.clone(), ..Manifest::image(digest) });
            return known(self, digest).or_else(stand_in);
        }
        let tag = reference.tag.as_deref().unwrap_or("latest");
        match self.tags.get(&key).and_then(|tags| tags.get(tag)) {
            Some(Some(digest)) => known(self, &digest.clone()),
            Some(None) => None,
            None if ours => None,
            None => Some(self.derive(reference, tag, "")),
        }
    }

    fn derive(&mut self, reference: &Reference, tag: &str, salt: &str) -> Manifest {
        let content = format!("{}/{}:{tag}{salt}", reference.host, reference.repository);
        let (index, images) = Manifest::index(&content);
        let key = (reference.host.clone(), reference.repository.clone());
        let all = self.manifests.entry(key).or_default();
        all.extend(images.into_iter().map(|image| (image.digest.clone(), image)));
        self.push(&reference.host, &reference.repository, tag, index.clone());
        index
    }

    /// The manifest for one platform of an index.
    pub fn platform(&self, reference: &Reference, index: &Manifest) -> Option<Manifest> {
        let body: serde_json::Value = serde_json::from_slice(&index.bytes).ok()?;
        let digest = crate::json::text(&body, "/manifests/0/digest").to_owned();
        self.manifests.get(&(reference.host.clone(), reference.repository.clone()))?.get(&digest).cloned()
    }

    /// Makes a tag lead nowhere.
    pub fn lose(&mut self, reference: &Reference) {
        let key = (reference.host.clone(), reference.repository.clone());
        let tag = reference.tag.clone().unwrap_or_else(|| "latest".into());
        self.tags.entry(key).or_default().insert(tag, None);
    }

    /// Moves a tag to a new image, and returns its digest.
    pub fn move_on(&mut self, reference: &Reference) -> String {
        self.moved += 1;
        let tag = reference.tag.clone().unwrap_or_else(|| "latest".into());
        let salt = format!(" moved {}", self.moved);
        self.derive(reference, &tag, &salt).digest
    }

    /// Removes a manifest and every tag that leads to it; false when there is none.
    pub fn purge(&mut self, host: &str, repository: &str, digest: &str) -> bool {
        let key = (host.to_owned(), repository.to_owned());
        let gone = self.manifests.get_mut(&key).is_some_and(|all| all.remove(digest).is_some());
        if let Some(tags) = self.tags.get_mut(&key) {
            tags.retain(|_, to| to.as_deref() != Some(digest));
        }
        gone
    }

    /// Repositories and tags of one registry, with their digests.
    pub fn of_host(&self, host: &str) -> BTreeMap<String, BTreeMap<String, Option<String>>> {
        let here = self.tags.iter().filter(|((of, _), _)| of == host);
        here.map(|((_, repository), tags)| (repository.clone(), tags.clone())).collect()
    }
}

#[cfg(test)]
mod tests;
