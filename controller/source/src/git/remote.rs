//! A repository at its server.
//!
//! In: an address, credentials, an HTTP client that follows no redirect. Out: refs and packs. Credentials go to the host that is
//! named, and to no other.

use super::packet::{self, DELIMITER, FLUSH, Packet, Packets};
use super::reference::{Listed, Reference};
use crate::error::Error;
use crate::login::Login;
use crate::net::{Length, Net};
use azureml_plan::hash;
use reqwest::header::{self, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use url::Url;

/// A repository at its server.
#[derive(Clone, Debug)]
pub struct Remote {
    net: Net,
    address: Url,
    login: Login,
}

const AGENT: &str = concat!("agent=azureml-operator/", env!("CARGO_PKG_VERSION"));

/// The most bytes of a list of refs.
const REFS: u64 = 16 << 20;

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

    /// A repository.
    ///
    /// # Errors
    /// When the address is none that may be asked.
    pub fn over(net: Net, address: &str, login: Login) -> Result<Self, Error> {
        let mut url = net.url(address)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::Address("it has ? or #"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { net, address: url, login })
    }

    /// Tells it from others: by its address and by whose name it is asked.
    #[must_use]
    pub fn key(&self) -> String {
        let (name, secret) = match &self.login {
            Login::Anonymous => ("", ""),
            Login::Basic(name, password) => (name.as_str(), password.expose_secret()),
            Login::Bearer(token) => ("\0", token.expose_secret()),
        };
        hash::content("remote", &json!([self.address.as_str(), name, secret]))
    }

    /// The commit that a reference means now.
    ///
    /// # Errors
    /// When there is none, or the server does not answer.
    pub async fn look(&self, reference: &Reference) -> Result<String, Error> {
        let refs = match reference.prefix() {
            Some(prefix) => self.refs(&prefix).await?,
            None => Vec::new(),
        };
        let missing = || {
            Error::Missing(format!("the repository has no {}; correct ref, or push it", reference.words()))
        };
        reference.choose(&refs).ok_or_else(missing)
    }

    async fn refs(&self, prefix: &str) -> Result<Vec<Listed>, Error> {
        self.capabilities().await?;
        let mut packets =
            self.ask("ls-refs", &["peel".to_owned(), format!("ref-prefix {prefix}")], REFS).await?;
        let mut refs = Vec::new();
        while let Some(line) = packets.line().await? {
            refs.extend(listed(&line));
        }
        Ok(refs)
    }

    /// Whether the server can leave the contents of files out.
    pub(super) async fn can_filter(&self) -> Result<bool, Error> {
        let capabilities = self.capabilities().await?;
        let fetch = capabilities.iter().find_map(|line| line.strip_prefix("fetch="));
        Ok(fetch.is_some_and(|features| features.split(' ').any(|feature| feature == "filter")))
    }

    /// What the server can do.
    async fn capabilities(&self) -> Result<Vec<String>, Error> {
        let mut url = self.below("info/refs");
        url.set_query(Some("service=git-upload-pack"));
        let answer = self.send((Method::GET, url), "advertisement", None).await?;
        let mut packets = Packets::of(answer, REFS);
        let mut first = packets.line().await?;
        if first.as_deref() == Some("# service=git-upload-pack") {
            // An empty section follows, as with older versions.
            packets.line().await?;
            first = packets.line().await?;
        }
        if first.as_deref() != Some("version 2") {
            return Err(Error::unreadable("the server does not speak version 2 of git's protocol"));
        }
        let mut lines = Vec::new();
        while let Some(line) = packets.line().await? {
            lines.push(line);
        }
        let is_sha1 =
            |line: &String| line.strip_prefix("object-format=").is_none_or(|format| format == "sha1");
        if !lines.iter().all(is_sha1) {
            return Err(Error::unreadable("the repository's ids are not SHA-1; use one with SHA-1"));
        }
        Ok(lines)
    }

    /// Fetches objects into a file: commits without their past, and without the contents of files where that is asked.
    pub(super) async fn pack(&self, ids: &[String], is_bare: bool, folder: &Path) -> Result<PathBuf, Error> {
        let mut arguments: Vec<String> = ["no-progress", "ofs-delta", "deepen 1"].map(str::to_owned).to_vec();
        arguments.extend(is_bare.then(|| "filter blob:none".to_owned()));
        arguments.extend(ids.iter().map(|id| format!("want {id}")));
        arguments.push("done".to_owned());
        let mut packets = self.ask("fetch", &arguments, self.net.most()).await?;
        loop {
            match packets.line().await?.as_deref() {
                Some("packfile") => break,
                Some(_) => {}
                None => return Err(Error::unreadable("there is no pack in it")),
            }
        }
        let path = folder.join(if is_bare { "trees" } else { "files" });
        let mut file = tokio::fs::File::create(&path).await?;
        while let Packet::Data(data) = packets.next().await? {
            match data.split_first() {
                Some((1, bytes)) => file.write_all(bytes).await?,
                Some((2, _)) => {}
                Some((3, words)) => return Err(Error::said(&String::from_utf8_lossy(words))),
                Some(_) | None => return Err(Error::unreadable("a packet belongs to no band")),
            }
        }
        file.flush().await?;
        Ok(path)
    }

    async fn ask(&self, command: &str, arguments: &[String], most: u64) -> Result<Packets, Error> {
        let mut body = Vec::new();
        packet::line(&mut body, &format!("command={command}"))?;
        packet::line(&mut body, AGENT)?;
        body.extend(DELIMITER);
        for argument in arguments {
            packet::line(&mut body, argument)?;
        }
        body.extend(FLUSH);
        let answer = self.send((Method::POST, self.below("git-upload-pack")), "result", Some(body)).await?;
        Ok(Packets::of(answer, most))
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

/// A line of `ls-refs`: the id, the name, and for an annotated tag what it is put on.
fn listed(line: &str) -> Option<Listed> {
    let mut words = line.split(' ');
    let (id, name) = (words.next()?, words.next()?);
    let peeled = words.find_map(|word| word.strip_prefix("peeled:"));
    let commit = peeled.unwrap_or(id).to_owned();
    Reference::commit(&commit).is_ok().then(|| Listed { name: name.to_owned(), commit })
}
