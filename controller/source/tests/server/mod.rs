//! A server of git on loopback, as this crate sees it.
//!
//! In: what to commit. Out: a remote, and a store for what is fetched.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

#[path = "../../../../tests/e2e/src/git_server.rs"]
pub mod git_server;

use anyhow::Result;
use azureml_plan::tree::Bounds;
use azureml_source::git::{Login, Remote};
use azureml_source::{Net, Store};
use git_server::GitServer;
pub use git_server::{Key, PASSWORD};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

/// A repository and its server, which ends with the test.
pub struct Server {
    git: GitServer,
    http: reqwest::Client,
}

impl Deref for Server {
    type Target = GitServer;

    fn deref(&self) -> &GitServer {
        &self.git
    }
}

impl Server {
    /// Serves an empty repository. It asks for a password where the address begins with `/private`, and speaks an older protocol where it begins
    /// with `/older`.
    pub async fn start() -> Result<Self> {
        let git = GitServer::start().await?;
        std::fs::create_dir(git.folder().join("disk"))?;
        let http = client(git.certificate())?.build()?;
        Ok(Self { git, http })
    }

    /// The repository as a reader has it.
    pub fn remote(&self) -> Result<Remote> {
        self.remote_at("work", Login::Anonymous)
    }

    /// The same where a password is needed.
    pub fn private(&self, password: &str) -> Result<Remote> {
        self.remote_at("private/work", Login::Basic("reader".to_owned(), SecretString::from(password)))
    }

    /// The way to it.
    pub fn net(&self) -> Net {
        net(self.http.clone())
    }

    /// A repository at a path.
    pub fn remote_at(&self, path: &str, login: Login) -> Result<Remote> {
        Ok(Remote::new(self.http.clone(), &self.url(path), login, true, 64 << 20)?)
    }

    /// A store beside the repository.
    pub fn store(&self, bounds: Bounds) -> Store {
        Store::new(self.folder().join("disk"), 64 << 20, bounds)
    }
}

/// Serves on loopback; the address, and a client that knows its certificate.
pub async fn serve(router: axum::Router) -> Result<(String, reqwest::Client)> {
    let (address, certificate) = git_server::serve(router).await?;
    Ok((address, client(&certificate)?.build()?))
}

/// The same, where the client takes these names for loopback; the address without a scheme.
pub async fn serve_as(router: axum::Router, names: &[&str]) -> Result<(SocketAddr, reqwest::Client)> {
    let key = Key::new(names)?;
    let address = git_server::serve_by(router, &key).await?;
    let client = names.iter().fold(client(&key.pem().0)?, |client, name| client.resolve(name, address));
    Ok((address, client.build()?))
}

/// The way to servers on loopback.
pub fn net(http: reqwest::Client) -> Net {
    Net::new(Arc::new(http), true, 64 << 20)
}

/// A client that knows a certificate.
pub fn client(certificate: &str) -> Result<reqwest::ClientBuilder> {
    let certificate = reqwest::Certificate::from_pem(certificate.as_bytes())?;
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).https_only(true);
    Ok(builder.tls_certs_merge([certificate]))
}
