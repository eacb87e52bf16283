//! Files that are wanted from elsewhere, whatever kind of place that is.
//!
//! In: a place, a folder of it, patterns; how to sign in. Out: the revision of the place, then the files. The two are apart: a look is
//! cheap and may be shared, files are fetched once for each revision. Knows nothing of Kubernetes.

use crate::download;
use crate::error::Error;
use crate::flux::Offered;
use crate::git::{Folder, Reference, Remote, ssh};
use crate::kept::Kept;
use crate::login::Login;
use crate::net::Net;
use crate::oci::Artifact;
use crate::store::Store;
use crate::web::Download;
use azureml_client::image::ImageRef;
use std::sync::Arc;
use url::Url;

/// Where files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a repository of git.
    Git {
        /// The address to clone from.
        url: String,
        /// What of it.
        reference: Reference,
    },
    /// In a registry.
    Oci {
        /// The name of an image, with a tag or a digest.
        image: String,
    },
    /// In the artifact of a source of Flux.
    Flux {
        /// The address that the status of the source names.
        url: String,
        /// The hash that it names, in hex.
        sha256: String,
    },
    /// In an archive at an address.
    Http {
        /// The address.
        url: String,
        /// The hash that the archive must have, in hex.
        sha256: String,
    },
}

/// Files that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where they are.
    pub origin: Origin,
    /// The folder of it; empty for the whole.
    pub path: String,
    /// Patterns of `.gitignore` that leave files out, beside those that the folder brings.
    pub ignore: Vec<String>,
}

/// What a fetch needs.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// How to sign in.
    pub login: &'a Login,
    /// The way to servers.
    pub net: &'a Net,
    /// Where files are kept.
    pub store: &'a Store,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Stands for the content of the folder: a fetch that is told of it fetches no file that it knows. For git that is the tree, which
    /// stays when a branch moves beside it; elsewhere it is the revision.
    pub content: String,
    /// The files; none where the content is the one that is known.
    pub files: Option<Arc<Kept>>,
}

impl Origin {
    /// The host that is asked, with its port where that is not the one of its protocol.
    ///
    /// # Errors
    /// When there is none.
    pub fn host(&self) -> Result<String, Error> {
        match self {
            Self::Git { url, .. } if ssh::is_address(url) => ssh::host(url),
            Self::Git { url, .. } | Self::Http { url, .. } | Self::Flux { url, .. } => {
                let url = Url::parse(url).map_err(|_| Error::Address("it is no URL"))?;
                let host = url.host_str().ok_or(Error::Address("it has no host"))?;
                Ok(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
            }
            Self::Oci { image } => Ok(ImageRef::parse(image)?.registry),
        }
    }

    /// What the place holds now: a commit, the digest of an artifact, the hash of an archive. Costs a request or three, and none where
    /// what is written is a revision already.
    ///
    /// # Errors
    /// When what is named is not there, or the server does not answer.
    pub async fn revision(&self, login: &Login, net: &Net) -> Result<String, Error> {
        match self {
            Self::Git { url, reference } => {
                Remote::over(net.clone(), url, login.clone())?.look(reference).await
            }
            Self::Oci { image } => Artifact::new(net.clone(), image, login.clone())?.look().await,
            Self::Http { url, sha256 } => {
                Ok(Download::new(net.clone(), url, sha256, login.clone())?.sha256().to_owned())
            }
            Self::Flux { url: _, sha256 } => Ok(format!("sha256:{sha256}")),
        }
    }
}

impl Wanted {
    /// The files of a revision, unless their content is known. They are in the store then, until others need the room.
    ///
    /// # Errors
    /// When the revision or the folder is not there, an entry is refused, or the server does not answer.
    pub async fn fetch(&self, revision: &str, known: Option<&str>, means: Means<'_>) -> Result<Found, Error> {
        let Self { origin, path, ignore } = self;
        let Means { login, net, store } = means;
        let content = format!("{revision}/{path}{}", self.patterns());
        let draft = || Ok::<_, Error>(store.draft()?.ignoring(ignore));
        let kept = match origin {
            Origin::Git { url, .. } => {
                let remote = Remote::over(net.clone(), url, login.clone())?;
                return self.fetch_git(&remote, revision, known, store).await;
            }
            _ if known == Some(content.as_str()) => return Ok(Found { content, files: None }),
            Origin::Oci { image } => {
                let artifact = Artifact::new(net.clone(), image, login.clone())?;
                artifact.fetch(revision, path, draft()?, store).await?
            }
            Origin::Flux { url, sha256 } => {
                let offered = Offered::new(net.clone(), url)?;
                offered.fetch(sha256, path, (draft()?, store)).await?
            }
            Origin::Http { url, .. } => {
                let archive = Download::new(net.clone(), url, revision, login.clone())?;
                archive.fetch(path, draft()?, store).await?
            }
        };
        Ok(Found { content, files: Some(store.keep(kept)) })
    }

    async fn fetch_git(
        &self,
        remote: &Remote,
        commit: &str,
        known: Option<&str>,
        store: &Store,
    ) -> Result<Found, Error> {
        let folder = Folder { commit: commit.to_owned(), path: self.path.clone() };
        let patterns = self.patterns();
        let known = known.and_then(|known| known.strip_suffix(patterns.as_str()));
        let found = remote.fetch_ignoring(&folder, known, &self.ignore, store).await?;
        Ok(Found { content: format!("{}{patterns}", found.tree), files: found.files })
    }

    /// Other patterns are other content.
    fn patterns(&self) -> String {
        if self.ignore.is_empty() {
            return String::new();
        }
        format!("#{}", download::digest(self.ignore.join("\n").as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_with_a_port_that_is_not_the_one_of_the_protocol() {
        let git =
            |url: &str| Origin::Git { url: url.to_owned(), reference: Reference::Branch("main".into()) };
        for (origin, expected) in [
            (git("https://GitHub.com/a/b"), "github.com"),
            (git("https://git.example:443/a"), "git.example"),
            (git("https://git.example:8443/a"), "git.example:8443"),
            (git("ssh://git@git.example/a"), "git.example"),
            (git("ssh://git@git.example:2222/a"), "git.example:2222"),
            (git("git@git.example:a/b"), "git.example"),
            (Origin::Oci { image: "ghcr.io/a/b:1".into() }, "ghcr.io"),
            (Origin::Http { url: "https://e.example/a.zip".into(), sha256: String::new() }, "e.example"),
        ] {
            assert_eq!(origin.host().unwrap(), expected);
        }
        assert!(git("https://").host().is_err());
    }
}
