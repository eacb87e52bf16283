//! References to container images, as people write them.
//!
//! In: text such as `python:3.12` or `ghcr.io/org/image@sha256:…`. Out: registry, repository, tag and digest. Resolves nothing.

use std::fmt;

/// Where an image is, completed by the rules of the Docker reference grammar (`docker.io/library/…`, `:latest`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageRef {
    /// The registry's host, with its port where one was written.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The tag; `latest` when neither a tag nor a digest was written.
    pub tag: Option<String>,
    /// The digest, `sha256:…`.
    pub digest: Option<String>,
}

/// Text that names no image.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} names no image; write <registry>/<name>:<tag> or <registry>/<name>@sha256:<digest>")]
pub struct NotAnImage(String);

impl ImageRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// When the text is empty, has an empty part or a digest that is not SHA-256, or its registry is no host.
    pub fn parse(text: &str) -> Result<Self, NotAnImage> {
        let refuse = || NotAnImage(text.to_owned());
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(refuse());
        }
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest.to_owned()),
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        if !registry.bytes().all(is_host)
            || repository.split('/').any(str::is_empty)
            || tag.is_some_and(str::is_empty)
        {
            return Err(refuse());
        }
        let tag = tag.map(str::to_owned).or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { registry: registry.to_owned(), repository, tag, digest: digest.map(str::to_owned) })
    }

    /// The image pinned to a digest.
    #[must_use]
    pub fn pinned(&self, digest: &str) -> String {
        format!("{}/{}@{digest}", self.registry, self.repository)
    }

    /// What a manifest is asked by: the digest, else the tag.
    #[must_use]
    pub fn manifest(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }
}

/// The host that serves a registry: Docker Hub's has another name than its images.
#[must_use]
pub fn server(registry: &str) -> &str {
    if registry == "docker.io" { "registry-1.docker.io" } else { registry }
}

/// Whether text is a SHA-256 digest, `sha256:` and 64 hex digits.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed() {
        let cases = [
            ("python", "docker.io/library/python:latest"),
            ("rocker/r-ver:4.4", "docker.io/rocker/r-ver:4.4"),
            ("ghcr.io/org/image:1.2", "ghcr.io/org/image:1.2"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
        ];
        for (text, whole) in cases {
            assert_eq!(ImageRef::parse(text).unwrap().to_string(), whole);
        }
    }

    #[test]
    fn a_digest_needs_no_tag() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let image = ImageRef::parse(&format!("ghcr.io/o/i@{digest}")).unwrap();
        assert_eq!((image.tag.as_deref(), image.manifest()), (None, digest.as_str()));
    }

    #[test]
    fn what_names_no_image_is_refused() {
        for text in [
            "",
            "a//b",
            "a:",
            "a@sha256:12",
            "ghcr.io/",
            "user@ghcr.io/a",
            "ghcr.io?x/a",
            "ghcr.io#/a",
            "g\\.io/a",
        ] {
            assert!(ImageRef::parse(text).is_err(), "{text}");
        }
    }
}
