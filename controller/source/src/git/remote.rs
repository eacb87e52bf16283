//! A repository at its server.
//!
//! In: an address, credentials, the way to servers. Out: the commit that a reference means, and a conversation. Credentials go to the
//! host that is named, and to no other.

use super::https::Https;
use super::reference::Reference;
use super::session::{Session, Wire};
use super::ssh::{self, Ssh};
use crate::error::Error;
use crate::login::Login;
use crate::net::Net;
use reqwest::Client;
use std::sync::Arc;

/// A repository at its server.
#[derive(Clone, Debug)]
pub struct Remote {
    place: Place,
    most: u64,
}

#[derive(Clone, Debug)]
enum Place {
    Https(Https),
    Ssh(Ssh),
}

impl Remote {
    /// A repository. Whether names may lead to private addresses is the client's to decide, which resolves them.
    ///
    /// # Errors
    /// When the address is none that may be asked.
    pub fn new(
        http: Client,
        address: &str,
        login: Login,
        allow_private: bool,
        most: u64,
    ) -> Result<Self, Error> {
        Self::over(Net::new(Arc::new(http), allow_private, most), address, login)
    }

    /// A repository over HTTPS or SSH: `https://…`, `ssh://…`, or `git@host:path`.
    ///
    /// # Errors
    /// When the address is none that may be asked, or the credentials are not of its kind.
    pub fn over(net: Net, address: &str, login: Login) -> Result<Self, Error> {
        let most = net.most();
        let place = if ssh::is_address(address) {
            Place::Ssh(Ssh::new(net, address, login)?)
        } else {
            Place::Https(Https::new(net, address, login)?)
        };
        Ok(Self { place, most })
    }

    /// The commit that a reference means now.
    ///
    /// # Errors
    /// When there is none, or the server does not answer.
    pub async fn look(&self, reference: &Reference) -> Result<String, Error> {
        let refs = match reference.prefix() {
            Some(prefix) => self.session().await?.refs(&prefix).await?,
            None => Vec::new(),
        };
        let missing = || {
            Error::Missing(format!("the repository has no {}; correct ref, or push it", reference.words()))
        };
        reference.choose(&refs).ok_or_else(missing)
    }

    /// Begins a conversation.
    pub(super) async fn session(&self) -> Result<Session<'_>, Error> {
        let wire = match &self.place {
            Place::Https(https) => Wire::Https(https),
            Place::Ssh(ssh) => Wire::Ssh(Box::new(ssh.connect().await?)),
        };
        Session::begin(wire, self.most).await
    }
}
