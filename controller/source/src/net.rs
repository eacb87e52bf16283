//! The way to servers that others name.
//!
//! In: an HTTP client that follows no redirect, addresses. Out: answers. Credentials go to the host that is named, and to no other; a
//! private address is refused where it is written as one, and names are the client's to resolve.

use crate::dial::{self, Connection, Dial};
use crate::error::Error;
use crate::login::Login;
use azureml_client::address::{PrivateAddress, refuse_private_literal};
use azureml_client::send::Http;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, LOCATION};
use reqwest::{Method, Request, Response};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// So many redirects are followed, and no more.
const REDIRECTS: usize = 5;

/// How long an answer may take that holds files.
const LONG: Duration = Duration::from_mins(10);

/// The way to servers that others name.
#[derive(Clone)]
pub struct Net {
    http: Arc<dyn Http>,
    dial: Dial,
    allow_private: bool,
    allow_plain: bool,
    most: u64,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Net")
    }
}

/// Whether the answer is short, or holds files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// As long as the HTTP client gives an answer.
    Short,
    /// Longer.
    Files,
}

impl Net {
    /// Servers by an HTTP client that follows no redirect and resolves names to addresses that may be asked. `most` is the most
    /// bytes that one answer may have before it is unpacked.
    #[must_use]
    pub fn new(http: Arc<dyn Http>, allow_private: bool, most: u64) -> Self {
        Self { http, dial: dial::by_network(allow_private), allow_private, allow_plain: false, most }
    }

    /// Servers inside of the cluster, which speak plain HTTP, and whose every answer is compared with a hash.
    #[must_use]
    pub fn inside(http: Arc<dyn Http>, most: u64) -> Self {
        Self { allow_plain: true, ..Self::new(http, true, most) }
    }

    /// The same, where connections that are not of HTTP are opened otherwise.
    #[must_use]
    pub fn dialing(self, dial: Dial) -> Self {
        Self { dial, ..self }
    }

    /// Opens a connection that is not of HTTP.
    pub(crate) async fn dial(&self, host: &str, port: u16) -> Result<Box<dyn Connection>, Error> {
        (self.dial)(host.to_owned(), port).await.map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<PrivateAddress>());
            inner.map_or_else(|| Error::unreached(&error.to_string()), |private| private.clone().into())
        })
    }

    /// Whether private addresses may be asked.
    pub(crate) fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// The most bytes of an answer.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Reads an address that somebody wrote.
    pub(crate) fn url(&self, address: &str) -> Result<Url, Error> {
        let url = Url::parse(address).map_err(|_| Error::Address("it is no URL"))?;
        self.check(&url)?;
        Ok(url)
    }

    fn check(&self, url: &Url) -> Result<(), Error> {
        if url.scheme() != "https" && !(self.allow_plain && url.scheme() == "http") {
            return Err(Error::Address("it is not https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Address("it has a user name or a password"));
        }
        if !self.allow_private {
            refuse_private_literal(url)?;
        }
        Ok(())
    }

    /// A request. An address that a server names is checked as one that somebody wrote.
    pub(crate) fn request(
        &self,
        method: Method,
        url: &Url,
        accept: &str,
        login: &Login,
    ) -> Result<Request, Error> {
        self.check(url)?;
        let mut request = Request::new(method, url.clone());
        let accept = HeaderValue::try_from(accept).map_err(|_| Error::Token)?;
        request.headers_mut().insert(ACCEPT, accept);
        if let Some(value) = login.header()? {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    /// Sends a request; any status is an answer.
    pub(crate) async fn send(&self, mut request: Request, length: Length) -> Result<Response, Error> {
        if length == Length::Files {
            *request.timeout_mut() = Some(LONG);
        }
        Ok(self.http.carry(request).await?)
    }

    /// Asks for files and follows redirects, as forges and registries send to their storage: there without credentials.
    pub(crate) async fn get(&self, url: &Url, accept: &str, login: &Login) -> Result<Response, Error> {
        let mut at = url.clone();
        for _ in 0..=REDIRECTS {
            let is_named = at.origin() == url.origin();
            let login = if is_named { login } else { &Login::Anonymous };
            let answer = self.send(self.request(Method::GET, &at, accept, login)?, Length::Files).await?;
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            let place = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = place.and_then(|place| at.join(place).ok());
            at = next.ok_or_else(|| Error::unreadable("it redirects to no address"))?;
        }
        Err(Error::unreadable(&format!("it redirects more than {REDIRECTS} times")))
    }
}
