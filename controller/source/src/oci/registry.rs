//! An image at its registry.
//!
//! In: the name of an image, credentials. Out: digests, manifests and blobs, each with the bytes that its digest names. Credentials go to
//! the registry and to the address that it names for tokens, as every client of registries sends them; to storage behind it goes none.
//! Sources: OCI Distribution Specification 1.1, "pull"; Distribution registry, "Token Authentication Specification".

use super::manifest::Descriptor;
use crate::download::{self, Download};
use crate::error::Error;
use crate::login::Login;
use crate::net::{Length, Net};
use azureml_client::challenge::Challenge;
use azureml_client::image::{ImageRef, is_digest, server};
use azureml_client::registry::MANIFESTS;
use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Method, Response, StatusCode};
use secrecy::SecretString;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// The most bytes of a manifest, as registries have it.
const MANIFEST: usize = 4 << 20;

/// The most bytes of the answer with a token.
const TOKEN: usize = 64 << 10;

/// The types of a blob: any.
const ANY: &str = "*/*";

/// An image at its registry.
pub(super) struct Registry {
    net: Net,
    image: ImageRef,
    login: Login,
    /// What the registry wants, once it has said so.
    granted: Mutex<Option<Login>>,
}

impl Registry {
    pub(super) fn new(net: Net, image: ImageRef, login: Login) -> Self {
        // A token needs no question; a password waits until the registry says for whom it is.
        let granted = matches!(login, Login::Bearer(_)).then(|| login.clone());
        Self { net, image, login, granted: Mutex::new(granted) }
    }

    /// The digest that the image has now.
    pub(super) async fn digest(&self) -> Result<String, Error> {
        let url = self.url("manifests", self.image.manifest())?;
        let answer = self.ask(Method::HEAD, &url, MANIFESTS).await?;
        let named = answer.headers().get("docker-content-digest").and_then(|value| value.to_str().ok());
        if let Some(digest) = named.filter(|digest| is_digest(digest)) {
            return Ok(digest.to_owned());
        }
        // The header is no must.
        let answer = self.ask(Method::GET, &url, MANIFESTS).await?;
        Ok(download::digest(&download::to_memory(answer, MANIFEST).await?))
    }

    /// The manifest with a digest.
    pub(super) async fn manifest(&self, digest: &str) -> Result<Vec<u8>, Error> {
        let answer = self.ask(Method::GET, &self.url("manifests", checked(digest)?)?, MANIFESTS).await?;
        let bytes = download::to_memory(answer, MANIFEST).await?;
        if download::digest(&bytes) == digest { Ok(bytes) } else { Err(Error::Mixed(digest.to_owned())) }
    }

    /// The bytes of a layer, on disk.
    pub(super) async fn blob(&self, layer: &Descriptor, folder: &Path) -> Result<Download, Error> {
        if layer.size > self.net.most() {
            return Err(Error::TooMuch(self.net.most()));
        }
        let url = self.url("blobs", checked(&layer.digest)?)?;
        let answer = self.ask(Method::GET, &url, ANY).await?;
        let download = download::to_disk(answer, layer.size, folder).await?;
        let is_it = layer.digest.strip_prefix("sha256:") == Some(download.sha256.as_str());
        if is_it { Ok(download) } else { Err(Error::Mixed(layer.digest.clone())) }
    }

    fn url(&self, what: &str, name: &str) -> Result<Url, Error> {
        let host = server(&self.image.registry);
        self.net.url(&format!("https://{host}/v2/{}/{what}/{name}", self.image.repository))
    }

    /// Asks, and once more with what the registry wants to see.
    async fn ask(&self, method: Method, url: &Url, accept: &str) -> Result<Response, Error> {
        let login = self.granted().unwrap_or(Login::Anonymous);
        let first = self.send(method.clone(), url, accept, &login).await?;
        if first.status() != StatusCode::UNAUTHORIZED || matches!(self.login, Login::Bearer(_)) {
            return self.answered(first);
        }
        let challenge = first.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let login = match (challenge.and_then(Challenge::parse), &self.login) {
            (Some(challenge), _) => Login::Bearer(self.token(&challenge).await?),
            (None, Login::Basic(..)) => self.login.clone(),
            (None, _) => return self.answered(first),
        };
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = Some(login.clone());
        self.answered(self.send(method, url, accept, &login).await?)
    }

    fn granted(&self) -> Option<Login> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn send(&self, method: Method, url: &Url, accept: &str, login: &Login) -> Result<Response, Error> {
        if method == Method::HEAD {
            return self.net.send(self.net.request(method, url, accept, login)?, Length::Short).await;
        }
        self.net.get(url, accept, login).await
    }

    /// A token of the address that the registry names, for this repository.
    async fn token(&self, challenge: &Challenge) -> Result<SecretString, Error> {
        let mut url = self.net.url(&challenge.realm)?;
        let own = format!("repository:{}:pull", self.image.repository);
        let scope = if challenge.scope.is_empty() { &own } else { &challenge.scope };
        url.query_pairs_mut().append_pair("service", &challenge.service).append_pair("scope", scope);
        let request = self.net.request(Method::GET, &url, "application/json", &self.login)?;
        let answer = self.answered(self.net.send(request, Length::Short).await?)?;
        let bytes = download::to_memory(answer, TOKEN).await?;
        let answer = serde_json::from_slice(&bytes).map_err(|_| Error::unreadable("it holds no token"))?;
        Ok(SecretString::from(Challenge::token(&answer)))
    }

    fn answered(&self, answer: Response) -> Result<Response, Error> {
        match answer.status() {
            StatusCode::OK => Ok(answer),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Denied(answer.status().as_u16())),
            StatusCode::NOT_FOUND => Err(Error::Missing(format!(
                "the registry has no image {}, or does not show it to this user; correct image, push it, or name a Secret in secretRef",
                self.image
            ))),
            status if status.is_redirection() => {
                let place = answer.headers().get("location").and_then(|value| value.to_str().ok());
                Err(Error::moved(place.unwrap_or_default()))
            }
            status => Err(Error::Failed(status.as_u16())),
        }
    }
}

/// A digest that a manifest names goes into an address.
fn checked(digest: &str) -> Result<&str, Error> {
    let refused = || Error::artifact(&format!("its digest {digest:?} is no sha256"));
    is_digest(digest).then_some(digest).ok_or_else(refused)
}
