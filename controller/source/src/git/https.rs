//! A repository over HTTPS.
//!
//! In: an address, credentials. Out: answers of git's two requests. A redirect is refused with its target, so that credentials go to
//! the host that is named. Source: git's `gitprotocol-http`.

use crate::error::Error;
use crate::login::Login;
use crate::net::{Length, Net};
use reqwest::header::{self, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use url::Url;

/// A repository over HTTPS.
#[derive(Clone, Debug)]
pub(super) struct Https {
    net: Net,
    address: Url,
    login: Login,
}

impl Https {
    pub(super) fn new(net: Net, address: &str, login: Login) -> Result<Self, Error> {
        let mut url = net.url(address)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::Address("it has ? or #"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { net, address: url, login })
    }

    /// What the server can do.
    pub(super) async fn hello(&self) -> Result<Response, Error> {
        let mut url = self.below("info/refs");
        url.set_query(Some("service=git-upload-pack"));
        self.send((Method::GET, url), "advertisement", None).await
    }

    /// The answer to a command.
    pub(super) async fn ask(&self, body: Vec<u8>) -> Result<Response, Error> {
        self.send((Method::POST, self.below("git-upload-pack")), "result", Some(body)).await
    }

    fn below(&self, path: &str) -> Url {
        let mut url = self.address.clone();
        url.set_path(&format!("{}/{path}", self.address.path().trim_end_matches('/')));
        url
    }

    async fn send(
        &self,
        (method, url): (Method, Url),
        kind: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response, Error> {
        let expected = format!("application/x-git-upload-pack-{kind}");
        let mut request = self.net.request(method, &url, &expected, &self.login)?;
        request.headers_mut().insert("git-protocol", HeaderValue::from_static("version=2"));
        let mut length = Length::Short;
        if let Some(body) = body {
            let kind = HeaderValue::from_static("application/x-git-upload-pack-request");
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            *request.body_mut() = Some(body.into());
            length = Length::Files;
        }
        let answer = self.net.send(request, length).await?;
        let text =
            |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match answer.status() {
            StatusCode::OK if text(header::CONTENT_TYPE).starts_with(&expected) => Ok(answer),
            StatusCode::OK => {
                Err(Error::unreadable("it is no answer of git; is this the address to clone from?"))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Denied(answer.status().as_u16())),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Error::Missing(format!(
                "there is no repository {}, or it is not shown to this user; correct url, or name a Secret in secretRef",
                self.address
            ))),
            status if status.is_redirection() => Err(Error::moved(text(header::LOCATION))),
            status => Err(Error::Failed(status.as_u16())),
        }
    }
}
