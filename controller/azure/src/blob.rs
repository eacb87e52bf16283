//! Blobs by an address that carries its own signature (SAS): no token is ever sent here.
//!
//! In: addresses that ARM gave, bytes. Out: done, or the tail of a blob. Source: Azure Blob Storage REST API, `Put Blob`, `Get Blob`.

use crate::client::{Client, parse};
use crate::error::{Class, Error};
use crate::headers::{header, set};
use crate::request::Request;
use crate::send::Verb;
use reqwest::header::HeaderMap;
use url::Url;

const STORAGE_VERSION: &str = "2023-11-03";

impl Client {
    /// Writes a block blob. With `keep`, a blob that exists already is left alone and counts as written: content is
    /// named by its hash.
    ///
    /// # Errors
    /// When the signature is refused or no answer comes.
    pub async fn put_blob(&self, address: &str, bytes: Vec<u8>, keep: bool) -> Result<(), Error> {
        let mut request = blob(Verb::Put, address)?;
        set(&mut request.headers, "x-ms-blob-type", "BlockBlob");
        set(&mut request.headers, "content-type", "application/octet-stream");
        if keep {
            set(&mut request.headers, "if-none-match", "*");
        }
        request.body = Some(bytes);
        match self.transport.send_raw(&request, None).await {
            Ok(_) => Ok(()),
            Err(error) if keep && error.class() == Class::Conflict => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The last bytes of a blob, at most `most`; `None` when there is no such blob (yet).
    ///
    /// # Errors
    /// When the signature is refused or no answer comes.
    pub async fn blob_tail(&self, address: &str, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let head = blob(Verb::Head, address)?;
        let length = match self.transport.send_raw(&head, None).await {
            Ok((_, headers)) => {
                header(&headers, "content-length").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
            }
            Err(Error::Refused { refusal, .. }) if refusal.status == 404 => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut get = blob(Verb::Get, address)?;
        if length > most {
            set(&mut get.headers, "x-ms-range", &format!("bytes={}-", length - most));
        }
        self.transport.send_raw(&get, None).await.map(|(bytes, _)| Some(bytes))
    }
}

fn blob(verb: Verb, address: &str) -> Result<Request, Error> {
    let url = parse(address)?;
    let what = without_signature(&url);
    if url.scheme() != "https" {
        return Err(Error::Unreadable {
            verb: verb.name(),
            what,
            cause: "a blob is only reached by https".into(),
        });
    }
    let mut headers = HeaderMap::new();
    set(&mut headers, "x-ms-version", STORAGE_VERSION);
    let mut request = Request::new(verb, url, what, "blob", headers);
    request.identify();
    Ok(request)
}

fn without_signature(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}
