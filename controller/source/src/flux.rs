//! The artifact of a source of Flux, as its server gives it out.
//!
//! In: the address and the SHA-256 that the source's status names. Out: its files. Follows nobody to another address, signs in nowhere, and
//! says nothing of what came but that it was something else.

use crate::archive;
use crate::download;
use crate::draft::Draft;
use crate::error::Error;
use crate::kept::Kept;
use crate::login::Login;
use crate::net::{Length, Net};
use crate::store::Store;
use reqwest::{Method, StatusCode};
use url::Url;

/// An artifact of Flux.
pub(crate) struct Offered {
    net: Net,
    url: Url,
}

impl Offered {
    /// An artifact at an address.
    ///
    /// # Errors
    /// When the address is none that may be asked.
    pub(crate) fn new(net: Net, url: &str) -> Result<Self, Error> {
        let url = net.url(url)?;
        Ok(Self { net, url })
    }

    /// The files of a folder of the artifact that has this hash.
    ///
    /// # Errors
    /// When the server does not have it, it is another one, or an entry is refused.
    pub(crate) async fn fetch(
        &self,
        sha256: &str,
        folder: &str,
        (draft, store): (Draft, &Store),
    ) -> Result<Kept, Error> {
        let request = self.net.request(Method::GET, &self.url, "*/*", &Login::Anonymous)?;
        let answer = self.net.send(request, Length::Files).await.map_err(closed)?;
        if answer.status() != StatusCode::OK {
            return Err(Error::NotOffered(answer.status().as_u16()));
        }
        let came = download::to_disk(answer, self.net.most(), store.folder()).await?;
        if came.sha256 != sha256 {
            return Err(Error::Other);
        }
        let folder = folder.to_owned();
        let unpacked = tokio::task::spawn_blocking(move || archive::open(came.bytes, &folder, draft));
        unpacked.await.map_err(std::io::Error::other)?
    }
}

/// Flux's own NetworkPolicies let nobody in from other namespaces.
fn closed(error: Error) -> Error {
    if let Error::Unreached(words) = error { Error::Closed(words) } else { error }
}
