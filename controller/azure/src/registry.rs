//! The data plane of container registries: which digest a tag has.
//!
//! In: image references. Out: digests. A token of Entra is exchanged with the workspace's own registry only; every other
//! registry is asked anonymously. Sources: OCI Distribution Specification, "pull"; Azure Container Registry authentication (`oauth2/exchange`).

use crate::auth::Credential;
use crate::challenge::{Challenge, challenge};
use crate::class::Class;
use crate::client::Client;
use crate::cloud::Audience;
use crate::error::Error;
use crate::headers::{header, set};
use crate::image::{ImageRef, is_digest, server};
use crate::request::{REGISTRY, Request};
use crate::send::{Transport, Verb};
use crate::tokens::Tokens;
use crate::words::cut;
use reqwest::header::HeaderMap;
use serde_json::Value;
use url::Url;

/// Manifests and indexes, in the formats of OCI and Docker: what is asked for by a tag or a digest.
pub const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// Where registries are reached instead of at their own host: for private mirrors. The registry's host is sent as `ns`,
/// which is the convention of containerd.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// The registries, by host; `*` for every one.
    pub hosts: Vec<String>,
    /// The mirror's address.
    pub endpoint: Url,
}

/// All registries, seen from one controller.
#[derive(Debug)]
pub struct Registries {
    public: Transport,
    direct: Transport,
    mirrors: Vec<Mirror>,
    anonymous: Tokens,
}

/// With whose rights a registry is read.
#[derive(Clone, Copy, Debug)]
pub enum Access<'a> {
    /// The workspace's own registry: a token of this client is exchanged.
    Own(&'a Client),
    /// Anonymously.
    Anonymous,
}

impl Registries {
    /// Registries reached by `public`, a transport that refuses private addresses, and mirrors by `direct`, which does not:
    /// the platform team configured them.
    #[must_use]
    pub fn new(public: Transport, direct: Transport, mirrors: Vec<Mirror>) -> Self {
        Self { public, direct, mirrors, anonymous: Tokens::default() }
    }

    /// The digest of an image's manifest; `None` when the registry says that there is none.
    ///
    /// # Errors
    /// When the registry refuses, cannot be reached, or asks for a token at an address that it may not name.
    pub async fn digest(&self, image: &ImageRef, access: Access<'_>) -> Result<Option<String>, Error> {
        match (self.look_up(image, access).await, access) {
            (Err(Error::Refused { refusal, .. }), Access::Anonymous)
                if refusal.class() == Class::Forbidden =>
            {
                let (image, registry) = (image.to_string(), image.registry.clone());
                Err(Error::RegistryUnauthorized {
                    image,
                    registry,
                    status: refusal.status,
                    by: "without credentials",
                })
            }
            (found, _) => found,
        }
    }

    async fn look_up(&self, image: &ImageRef, access: Access<'_>) -> Result<Option<String>, Error> {
        let base = self.base(&image.registry, access)?;
        let transport = self.transport(access, &base);
        if let Access::Own(client) = access {
            client.cloud.trust(&base)?;
        }
        let request = manifest(image, &base);
        let key = format!("{}/{}", image.registry, image.repository);
        let tokens = match access {
            Access::Own(client) => &client.registry_tokens,
            Access::Anonymous => &self.anonymous,
        };
        let mut first = self.ask(transport, &request, tokens.get(&key)).await;
        if let Some(challenge) = challenge(&first) {
            let token = self.authorize(image, access, &base, &challenge).await?;
            tokens.keep(key, &token);
            first = self.ask(transport, &request, Some(token)).await;
        }
        match first {
            Ok(digest) => Ok(digest),
            // Registries answer 404 with their own codes, or with an empty body to a HEAD.
            Err(error) if error.class() == Class::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn ask(
        &self,
        transport: &Transport,
        request: &Request,
        token: Option<String>,
    ) -> Result<Option<String>, Error> {
        let (_, headers) = transport.send_raw(request, token.as_deref()).await?;
        match header(&headers, "docker-content-digest").filter(|digest| is_digest(digest)) {
            Some(digest) => Ok(Some(digest)),
            None => Err(crate::send::unreadable(request, "the answer has no Docker-Content-Digest".into())),
        }
    }

    async fn authorize(
        &self,
        image: &ImageRef,
        access: Access<'_>,
        base: &Url,
        challenge: &Challenge,
    ) -> Result<String, Error> {
        match access {
            Access::Own(client) => self.exchange(client, image, base, challenge).await,
            Access::Anonymous => self.anonymous(image, base, challenge).await,
        }
    }

    /// Entra's token for a refresh token of the registry, and that for an access token: only ever at the registry itself.
    async fn exchange(
        &self,
        client: &Client,
        image: &ImageRef,
        base: &Url,
        challenge: &Challenge,
    ) -> Result<String, Error> {
        let refresh = self.refresh_token(client, image, base, challenge).await?;
        let form = [
            ("grant_type", "refresh_token"),
            ("service", challenge.service.as_str()),
            ("scope", challenge.scope.as_str()),
            ("refresh_token", &refresh),
        ];
        let answer = post_form(&client.transport, base, "/oauth2/token", image, &form).await?;
        Ok(text(&answer, "access_token"))
    }

    async fn refresh_token(
        &self,
        client: &Client,
        image: &ImageRef,
        base: &Url,
        challenge: &Challenge,
    ) -> Result<String, Error> {
        let key = format!("{}#refresh", image.registry);
        if let Some(refresh) = client.registry_tokens.get(&key) {
            return Ok(refresh);
        }
        let token = entra(client).await?;
        let form = [
            ("grant_type", "access_token"),
            ("service", challenge.service.as_str()),
            ("access_token", &token),
        ];
        let answer = post_form(&client.transport, base, "/oauth2/exchange", image, &form).await?;
        let refresh = text(&answer, "refresh_token");
        client.registry_tokens.keep(key, &refresh);
        Ok(refresh)
    }

    async fn anonymous(&self, image: &ImageRef, base: &Url, challenge: &Challenge) -> Result<String, Error> {
        let mut url = crate::client::parse(&challenge.realm)?;
        if url.scheme() != "https" {
            url.set_query(None);
            let cause =
                format!("the registry asks for a token at {}, which is not https", cut(url.as_str(), 200));
            return Err(Error::Unreadable { verb: "GET", what: image.to_string(), cause });
        }
        url.query_pairs_mut()
            .append_pair("service", &challenge.service)
            .append_pair("scope", &challenge.scope);
        let transport = if url.host_str() == base.host_str() && url.port() == base.port() {
            self.transport(Access::Anonymous, base)
        } else {
            &self.public
        };
        let request = Request::new(Verb::Get, url, image.to_string(), REGISTRY, HeaderMap::new());
        let (answer, _) = transport.send(&request, None).await?;
        Ok(Challenge::token(&answer.body).to_owned())
    }

    fn base(&self, host: &str, access: Access<'_>) -> Result<Url, Error> {
        // A token goes to a mirror only where that is a host of the cloud.
        let may_serve = |mirror: &&Mirror| match access {
            Access::Own(client) => client.cloud.trust(&mirror.endpoint).is_ok(),
            Access::Anonymous => true,
        };
        let mirror = self
            .mirrors
            .iter()
            .filter(may_serve)
            .find(|mirror| mirror.hosts.iter().any(|pattern| pattern == "*" || pattern == host));
        let Some(mirror) = mirror else {
            return crate::client::parse(&format!("https://{}/", server(host)));
        };
        let mut url = mirror.endpoint.clone();
        url.query_pairs_mut().append_pair("ns", host);
        Ok(url)
    }

    /// The workspace's own registry is reached as the cloud is; a mirror was configured by the platform team.
    fn transport<'a>(&'a self, access: Access<'a>, base: &Url) -> &'a Transport {
        match access {
            Access::Own(client) => &client.transport,
            Access::Anonymous if base.query().is_some() => &self.direct,
            Access::Anonymous => &self.public,
        }
    }
}

async fn entra(client: &Client) -> Result<String, Error> {
    let credential: &Credential = &client.credential;
    credential.token(&client.cloud.scope(Audience::Registry)).await
}

fn manifest(image: &ImageRef, base: &Url) -> Request {
    let mut url = base.clone();
    url.set_path(&format!("/v2/{}/manifests/{}", image.repository, image.manifest()));
    let mut headers = HeaderMap::new();
    set(&mut headers, "accept", MANIFESTS);
    Request::new(Verb::Head, url, image.to_string(), REGISTRY, headers)
}

async fn post_form(
    transport: &Transport,
    base: &Url,
    path: &str,
    image: &ImageRef,
    form: &[(&str, &str)],
) -> Result<Value, Error> {
    let mut url = base.clone();
    url.set_path(path);
    let mut headers = HeaderMap::new();
    set(&mut headers, "content-type", "application/x-www-form-urlencoded");
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let what = format!("{} of registry {}", path, image.registry);
    let request =
        Request { body: Some(body.into_bytes()), ..Request::new(Verb::Post, url, what, REGISTRY, headers) };
    transport.send(&request, None).await.map(|(answer, _)| answer.body)
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
