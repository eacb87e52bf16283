//! Blobs: by an address that carries its own signature (SAS), or by a token for storage at a host of the cloud.
//!
//! In: addresses that ARM gave, bytes. Out: done, or the tail of a blob. A signed address never sees a token. Source: Azure Blob Storage REST API, `Put Blob`, `Put Block`, `Put Block List`, `Get Blob`.

use crate::class::Class;
use crate::client::{Client, is_unauthorized, parse};
use crate::cloud::Audience;
use crate::error::Error;
use crate::headers::{header, set};
use crate::request::Request;
use crate::send::Verb;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use url::Url;

const STORAGE_VERSION: &str = "2023-11-03";

impl Client {
    /// Writes a block blob: by its signature where the address has one, else with a token for storage, for accounts that take no keys
    /// (`allowSharedKeyAccess: false`). With `keep`, a blob that exists already is left alone and counts as written: content is named by
    /// its hash.
    ///
    /// # Errors
    /// When the signature is refused, the host is not the cloud's, the identity has no role for the blobs, or no answer comes.
    pub async fn put_blob(&self, address: &str, bytes: Vec<u8>, keep: bool) -> Result<(), Error> {
        self.send_blob(&put(address, bytes, keep)?, keep).await
    }

    /// Writes a part of a blob, by its signature where the address has one, else with a token. The parts of a blob are numbered from 0, and are
    /// no blob until they are put together.
    ///
    /// # Errors
    /// As for a whole blob.
    pub async fn put_block(&self, address: &str, number: usize, bytes: Vec<u8>) -> Result<(), Error> {
        let mut request = blob(Verb::Put, address)?;
        let id = block_id(number);
        request.url.query_pairs_mut().append_pair("comp", "block").append_pair("blockid", &id);
        request.body = Some(bytes);
        self.send_blob(&request, false).await
    }

    /// Makes a block blob of its parts.
    ///
    /// # Errors
    /// As for a whole blob.
    pub async fn put_block_list(&self, address: &str, parts: usize, keep: bool) -> Result<(), Error> {
        let mut request = blob(Verb::Put, address)?;
        request.url.query_pairs_mut().append_pair("comp", "blocklist");
        if keep {
            set(&mut request.headers, "if-none-match", "*");
        }
        let parts: Vec<String> =
            (0..parts).map(|number| format!("<Latest>{}</Latest>", block_id(number))).collect();
        let parts = parts.concat();
        let list = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{parts}</BlockList>");
        request.body = Some(list.into_bytes());
        self.send_blob(&request, keep).await
    }

    async fn send_blob(&self, request: &Request, keep: bool) -> Result<(), Error> {
        let is_signed = request.url.query_pairs().any(|(name, _)| name == "sig");
        if is_signed {
            return written(self.transport.send_raw(request, None).await, keep);
        }
        written(self.send_by_role(request).await, keep)
    }

    async fn send_by_role(&self, request: &Request) -> Result<(Vec<u8>, HeaderMap), Error> {
        self.cloud.trust_storage(&request.url)?;
        let scope = self.cloud.scope(Audience::Storage);
        let token = self.credential.token(&scope).await?;
        let sent = self.transport.send_raw(request, Some(&token)).await;
        if !is_unauthorized(&sent) {
            return sent;
        }
        self.credential.forget();
        let token = self.credential.token(&scope).await?;
        self.transport.send_raw(request, Some(&token)).await
    }

    /// Whether the host of blobs answers, whatever it says to somebody who brings neither a token nor a signature.
    ///
    /// # Errors
    /// When the host is not the cloud's, or no answer comes.
    pub async fn reach_blobs(&self, address: &str) -> Result<(), Error> {
        let request = blob(Verb::Head, address)?;
        self.cloud.trust_storage(&request.url)?;
        match self.transport.send_raw(&request, None).await {
            Ok(_) | Err(Error::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// At most `most` bytes of a blob, from one on; empty where it has none yet, `None` when there is no such blob (yet).
    ///
    /// # Errors
    /// When the signature is refused or no answer comes.
    pub async fn blob_from(&self, address: &str, from: u64, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let mut get = blob(Verb::Get, address)?;
        set(&mut get.headers, "x-ms-range", &format!("bytes={from}-{}", from + most.max(1) - 1));
        match self.transport.send_raw(&get, None).await {
            Ok((bytes, _)) => Ok(Some(bytes)),
            // Recorded: a range behind the end is refused with 416.
            Err(error) if error.refusal().is_some_and(|refusal| refusal.status == 416) => {
                Ok(Some(Vec::new()))
            }
            Err(error) if error.class() == Class::Gone => Ok(None),
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
            Err(error) if error.class() == Class::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut get = blob(Verb::Get, address)?;
        if length > most {
            set(&mut get.headers, "x-ms-range", &format!("bytes={}-", length - most));
        }
        self.transport.send_raw(&get, None).await.map(|(bytes, _)| Some(bytes))
    }
}

/// The name of a part: all of a blob are equally long.
fn block_id(number: usize) -> String {
    STANDARD.encode(format!("{number:08}"))
}

fn put(address: &str, bytes: Vec<u8>, keep: bool) -> Result<Request, Error> {
    let mut request = blob(Verb::Put, address)?;
    set(&mut request.headers, "x-ms-blob-type", "BlockBlob");
    set(&mut request.headers, "content-type", "application/octet-stream");
    if keep {
        set(&mut request.headers, "if-none-match", "*");
    }
    request.body = Some(bytes);
    Ok(request)
}

/// Done, also where a blob of this name is to be kept and is there ("Specifying conditional headers", Blob Storage).
fn written<T>(sent: Result<T, Error>, keep: bool) -> Result<(), Error> {
    let is_there = |error: &Error| {
        let status = error.refusal().map(|refusal| refusal.status);
        status == Some(412) || error.has_code("BlobAlreadyExists")
    };
    match sent {
        Ok(_) => Ok(()),
        Err(error) if keep && is_there(&error) => Ok(()),
        Err(error) => Err(error),
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
