//! What a manifest of a registry lists, and which of it holds files.
//!
//! In: the bytes of a manifest. Out: layers, and what each is: an archive, one file, or nothing. Asks nothing. Sources: OCI Image
//! Format Specification 1.1, "manifest", "image-index", "annotations"; Flux, `pkg/oci`; ORAS, `content/file`.

use crate::error::Error;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most layers of one artifact.
const LAYERS: usize = 127;

/// The name of a file, where a layer is one.
const TITLE: &str = "org.opencontainers.image.title";

/// Says that the layer is a folder, packed by ORAS.
const UNPACK: &str = "io.deis.oras.content.unpack";

/// Stands where there is nothing.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Where something lies in the registry.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub media_type: String,
    /// The hash of its bytes.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    platform: Option<Platform>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Platform {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
}

/// What a manifest is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Manifest {
    /// A list of manifests, one for each kind of machine: the digest of the one to take.
    Index(String),
    /// The layers, the lowest first.
    Layers(Vec<Descriptor>),
}

/// What a layer is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// An archive of tar.
    Archive,
    /// A file of this name.
    File(String),
    /// Nothing.
    Nothing,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    media_type: String,
    manifests: Option<Vec<Descriptor>>,
    layers: Option<Vec<Descriptor>>,
}

/// Reads a manifest.
pub(crate) fn read(bytes: &[u8]) -> Result<Manifest, Error> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| Error::unreadable(&error.to_string()))?;
    match (document.manifests, document.layers) {
        (Some(manifests), None) => choose(&manifests).map(Manifest::Index),
        (None, Some(layers)) if layers.len() > LAYERS => {
            Err(Error::artifact(&format!("it has more than {LAYERS} layers")))
        }
        (None, Some(layers)) => Ok(Manifest::Layers(layers)),
        // Of both, one reader would take the one and another reader the other.
        (Some(_), Some(_)) => Err(Error::unreadable("a manifest has both layers and manifests")),
        (None, None) => {
            Err(Error::artifact(&format!("its manifest of type {:?} has no layers", document.media_type)))
        }
    }
}

/// The manifest for Linux on x86-64, on which jobs run, or the only one that is for no machine.
fn choose(manifests: &[Descriptor]) -> Result<String, Error> {
    let is = |one: &&Descriptor, os: &str, architecture: &str| {
        one.platform.as_ref().is_some_and(|it| it.os == os && it.architecture == architecture)
    };
    let wanted = manifests.iter().find(|one| is(one, "linux", "amd64"));
    let mut free = manifests.iter().filter(|one| one.platform.is_none());
    let only = free.next().filter(|_| free.next().is_none());
    let found = wanted.or(only).map(|one| one.digest.clone());
    found.ok_or_else(|| Error::artifact("its index has no manifest for linux/amd64"))
}

impl Descriptor {
    /// What the layer is. Its title makes it a file, whatever its type: ORAS gives every file the type of a tar.
    pub(crate) fn content(&self) -> Result<Content, Error> {
        let is_folder = self.annotations.get(UNPACK).is_some_and(|value| value == "true");
        if let Some(title) = self.annotations.get(TITLE).filter(|_| !is_folder) {
            return Ok(Content::File(title.clone()));
        }
        let kind = self.media_type.as_str();
        let is_archive = ["tar", "tar+gzip", "tar.gzip"].iter().any(|end| kind.ends_with(&format!(".{end}")));
        match kind {
            EMPTY => Ok(Content::Nothing),
            _ if is_archive || is_folder => Ok(Content::Archive),
            _ => Err(Error::artifact(&format!("its layer of type {kind:?} is no tar, tar.gz or file"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(kind: &str, annotations: &str) -> Result<Content, String> {
        let text = format!(
            r#"{{"layers": [{{"mediaType": "{kind}", "digest": "sha256:1", "size": 1, "annotations": {annotations}}}]}}"#
        );
        let Manifest::Layers(layers) = read(text.as_bytes()).unwrap() else { return Err("an index".into()) };
        layers[0].content().map_err(|error| error.to_string())
    }

    #[test]
    fn a_layer_is_an_archive_or_the_file_that_it_names() {
        let title = r#"{"org.opencontainers.image.title": "src/a.py"}"#;
        let folder = r#"{"org.opencontainers.image.title": "src", "io.deis.oras.content.unpack": "true"}"#;
        for (kind, annotations, content) in [
            ("application/vnd.cncf.flux.content.v1.tar+gzip", "{}", Content::Archive),
            ("application/vnd.oci.image.layer.v1.tar+gzip", "{}", Content::Archive),
            ("application/vnd.oci.image.layer.v1.tar", "{}", Content::Archive),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", "{}", Content::Archive),
            ("application/vnd.oci.image.layer.v1.tar", title, Content::File("src/a.py".to_owned())),
            ("text/x-python", title, Content::File("src/a.py".to_owned())),
            ("application/vnd.oci.image.layer.v1.tar+gzip", folder, Content::Archive),
            ("application/vnd.oci.empty.v1+json", "{}", Content::Nothing),
        ] {
            assert_eq!(layer(kind, annotations), Ok(content), "{kind} {annotations}");
        }
        for kind in ["application/vnd.oci.image.layer.v1.tar+zstd", "text/plain", ""] {
            let refused = layer(kind, "{}").unwrap_err();
            assert!(refused.contains(kind) && refused.contains("flux push artifact"), "{refused}");
        }
    }

    #[test]
    fn of_an_index_the_manifest_for_the_machines_of_jobs_is_taken() {
        let one = |digest: &str, platform: &str| {
            format!(r#"{{"mediaType": "m", "digest": "{digest}", "size": 1{platform}}}"#)
        };
        let platform = |os: &str, architecture: &str| {
            format!(r#", "platform": {{"os": "{os}", "architecture": "{architecture}"}}"#)
        };
        let (arm, amd) = (one("arm", &platform("linux", "arm64")), one("amd", &platform("linux", "amd64")));
        let (none, free) = (one("none", &platform("unknown", "unknown")), one("free", ""));
        for (manifests, chosen) in [
            (vec![&arm, &amd, &none], Some("amd")),
            (vec![&free, &none], Some("free")),
            (vec![&free, &amd], Some("amd")),
            (vec![&arm, &none], None),
            (vec![&free, &free], None),
            (vec![], None),
        ] {
            let manifests: Vec<&str> = manifests.into_iter().map(String::as_str).collect();
            let read = read(format!(r#"{{"manifests": [{}]}}"#, manifests.join(",")).as_bytes());
            match chosen {
                Some(chosen) => assert_eq!(read.unwrap(), Manifest::Index(chosen.to_owned())),
                None => assert!(read.unwrap_err().to_string().contains("linux/amd64")),
            }
        }
        for (text, word) in [
            (r#"{"manifests": [], "layers": []}"#, "both"),
            (r#"{"mediaType": "x", "schemaVersion": 1}"#, "no layers"),
            ("<html>", "cannot be read"),
        ] {
            assert!(read(text.as_bytes()).unwrap_err().to_string().contains(word), "{text}");
        }
    }
}
