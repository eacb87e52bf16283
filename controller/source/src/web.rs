//! Files of an archive at an address, pinned by its SHA-256.
//!
//! In: an address, the hash that the archive must have. Out: its files; no byte of it is unpacked before the hash is right.

use crate::archive;
use crate::download;
use crate::draft::Draft;
use crate::error::Error;
use crate::kept::Kept;
use crate::login::Login;
use crate::net::Net;
use crate::store::Store;
use reqwest::StatusCode;
use url::Url;

/// An archive at an address.
pub struct Download {
    net: Net,
    url: Url,
    sha256: String,
    login: Login,
}

impl Download {
    /// An archive at an address. `sha256` is in hex; how it is written counts for nothing.
    ///
    /// # Errors
    /// When the address is none that may be asked, or the hash is none.
    pub fn new(net: Net, url: &str, sha256: &str, login: Login) -> Result<Self, Error> {
        let url = net.url(url)?;
        let sha256 = sha256.to_ascii_lowercase();
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash { Ok(Self { net, url, sha256, login }) } else { Err(Error::Hash) }
    }

    /// The hash that is wanted: what an archive is, without a question.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The files of a folder of the archive.
    ///
    /// # Errors
    /// When the archive or the folder is not there, it is another archive, an entry is refused, or the server does not answer.
    pub async fn fetch(&self, folder: &str, draft: Draft, store: &Store) -> Result<Kept, Error> {
        let answer = self.net.get(&self.url, "*/*", &self.login).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(Error::Denied(answer.status().as_u16()));
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Err(Error::Missing(format!("there is no archive at {}; correct url", self.shown())));
            }
            status => return Err(Error::Failed(status.as_u16())),
        }
        let came = download::to_disk(answer, self.net.most(), store.folder()).await?;
        if came.sha256 != self.sha256 {
            return Err(Error::Digest { wanted: self.sha256.clone(), found: came.sha256 });
        }
        let folder = folder.to_owned();
        let unpacked = tokio::task::spawn_blocking(move || archive::open(came.bytes, &folder, draft));
        unpacked.await.map_err(std::io::Error::other)?
    }

    /// The address without what may be a signature.
    fn shown(&self) -> Url {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url
    }
}
