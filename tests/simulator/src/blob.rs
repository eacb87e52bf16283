//! Blob storage as far as uploads and downloads of block blobs need it: HEAD, GET with a range, PUT, whole or in parts, PUT of metadata, and
//! the list of a container. Addressed as `/blob/{account}/{container}/…` or by a host `{account}.blob.…`. A request needs
//! a shared access signature made here, or a token for storage. Source: Azure Storage REST API, "Put Blob", "Get Blob",
//! "Set Blob Metadata", "List Blobs".

mod list;
mod parts;
mod sas;
mod store;

use crate::arm::errors::{Refusal, Reply};
use crate::wire::{Answer, Request};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use md5::{Digest, Md5};

use list::escaped;
pub use sas::{Grant, signed};
pub use store::{Blobs, Meta, Place};

/// Whether a request is for a blob or a container.
pub fn is_for(request: &Request) -> bool {
    request.host.contains(".blob.") || request.path.first().is_some_and(|first| first == "blob")
}

/// An error as blob storage writes it: XML behind a byte order mark, and its code in a header.
pub fn error(status: StatusCode, code: &str, message: &str) -> Refusal {
    let (code_text, message) = (escaped(code), escaped(message));
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code_text}</Code><Message>{message}\n\
         {ID}</Message></Error>"
    );
    Answer::bytes(status, "application/xml", body.into()).header("x-ms-error-code", code).into()
}

/// Where the id of the request and the time go in the text of an error.
const ID: &str = "RequestId:{id}\nTime:{time}";

/// Answers a request for a blob.
pub fn answer(world: &mut World, request: &Request, now: Timestamp) -> Answer {
    let mut answer: Answer = respond(world, request, now).unwrap_or_else(Answer::from);
    let id = world.ids.uuid();
    if answer.headers.contains_key("x-ms-error-code") {
        let text = String::from_utf8_lossy(&answer.body);
        let told = text.replace("{id}", &id).replace("{time}", &format!("{now:.7}"));
        let is_head = request.method == Method::HEAD;
        answer.body = if is_head { Bytes::new() } else { told.into() };
    }
    answer
        .header("x-ms-request-id", &id)
        .header("x-ms-version", request.header("x-ms-version").unwrap_or("2023-01-03"))
}

fn respond(world: &mut World, request: &Request, now: Timestamp) -> Reply {
    let listed = request.query("restype") == Some("container") && request.query("comp") == Some("list");
    let place = place(request, listed)?;
    sas::check(world, request, &place)?;
    if !world.blobs.has_container(&place) {
        return Err(error(
            StatusCode::NOT_FOUND,
            "ContainerNotFound",
            "The specified container does not exist.",
        ));
    }
    match (&request.method, request.query("comp")) {
        (&Method::GET, Some("list")) if listed => Ok(list::list(world, &place, request)),
        (&Method::HEAD, None) => head(world, &place),
        (&Method::GET, None) => get(world, &place, request),
        (&Method::PUT, None) => put(world, &place, request, now),
        (&Method::PUT, Some("block")) => parts::put(world, &place, request),
        (&Method::PUT, Some("blocklist")) => parts::put_list(world, &place, request, now),
        (&Method::PUT, Some("metadata")) => put_metadata(world, &place, request, now),
        (_, _) => {
            let text = "The simulator serves HEAD, GET, PUT and PUT with comp=metadata, block or blocklist of block blobs, and GET with \
                        comp=list of a container.";
            Err(error(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", text))
        }
    }
}

/// Which blob, or which container, a request is for.
fn place(request: &Request, container: bool) -> Result<Place, Refusal> {
    let path = request.segments();
    let (account, rest) = match request.host.split_once(".blob.") {
        Some((account, _)) => (account, path.as_slice()),
        None => (*path.get(1).unwrap_or(&""), path.get(2..).unwrap_or_default()),
    };
    let (name, blob) = rest.split_first().unwrap_or((&"", &[]));
    let fits = |place: &Place| place.path.is_empty() == container;
    Place::new(account, name, &blob.join("/")).filter(fits).ok_or_else(|| {
        error(StatusCode::BAD_REQUEST, "InvalidUri", "The requested URI does not represent any blob.")
    })
}

fn not_found() -> Refusal {
    error(StatusCode::NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
}

fn http_date(time: Timestamp) -> String {
    rfc2822::to_string(&time.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

fn described(answer: Answer, meta: &Meta) -> Answer {
    let answer = answer
        .header("etag", &meta.etag)
        .header("x-ms-blob-type", "BlockBlob")
        .header("accept-ranges", "bytes")
        .header("last-modified", &http_date(meta.modified));
    let answer = meta.metadata.iter().fold(answer, |mut answer, (name, value)| {
        let name = HeaderName::from_bytes(format!("x-ms-meta-{name}").as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            answer.headers.insert(name, value);
        }
        answer
    });
    if meta.md5.is_empty() { answer } else { answer.header("content-md5", &meta.md5) }
}

fn head(world: &World, place: &Place) -> Reply {
    let meta = world.blobs.meta(place).ok_or_else(not_found)?;
    let answer = Answer::bytes(StatusCode::OK, "application/octet-stream", Bytes::new());
    Ok(described(answer, &meta).header("content-length", &meta.size.to_string()))
}

fn get(world: &World, place: &Place, request: &Request) -> Reply {
    let meta = world.blobs.meta(place).ok_or_else(not_found)?;
    let bytes = world.blobs.read(place).ok_or_else(not_found)?;
    let Some(range) = request.header("x-ms-range").or_else(|| request.header("range")) else {
        return Ok(described(Answer::bytes(StatusCode::OK, "application/octet-stream", bytes), &meta));
    };
    let Some((from, to)) = span(range, bytes.len()) else {
        let text = "The range specified is invalid for the current size of the resource.";
        return Err(error(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", text));
    };
    let part = bytes.slice(from..to);
    let shown = format!("bytes {from}-{}/{}", to - 1, bytes.len());
    let answer = Answer::bytes(StatusCode::PARTIAL_CONTENT, "application/octet-stream", part);
    Ok(described(answer, &meta).header("content-range", &shown))
}

/// The part of `length` bytes that `bytes=a-b` stands for: from, and one past the end.
fn span(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from: usize = from.parse().ok()?;
    let to = if to.is_empty() { length } else { to.parse::<usize>().ok()?.saturating_add(1).min(length) };
    (from < to).then_some((from, to))
}

fn metadata(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        let name = name.as_str().strip_prefix("x-ms-meta-")?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(pair).collect()
}

fn put(world: &mut World, place: &Place, request: &Request, now: Timestamp) -> Reply {
    if request.header("x-ms-blob-type") != Some("BlockBlob") {
        let text =
            "An HTTP header that's mandatory for this request is not specified: x-ms-blob-type: BlockBlob.";
        return Err(error(StatusCode::BAD_REQUEST, "MissingRequiredHeader", text));
    }
    if request.header("if-none-match") == Some("*") && world.blobs.meta(place).is_some() {
        return Err(error(StatusCode::CONFLICT, "BlobAlreadyExists", "The specified blob already exists."));
    }
    let md5 = STANDARD.encode(Md5::digest(&request.body));
    if request.header("content-md5").is_some_and(|said| said != md5) {
        let text = "The MD5 value specified in the request did not match with the MD5 value calculated by the server.";
        return Err(error(StatusCode::BAD_REQUEST, "Md5Mismatch", text));
    }
    written(world, place, (&request.body, md5), request, now)
}

/// Writes what came for a blob.
fn written(
    world: &mut World,
    place: &Place,
    (content, md5): (&[u8], String),
    request: &Request,
    now: Timestamp,
) -> Reply {
    let etag = format!("\"0x{}\"", world.ids.uuid().replace('-', "").to_uppercase());
    let meta =
        Meta { size: content.len() as u64, md5, etag, modified: now, metadata: metadata(&request.headers) };
    world.blobs.write(place, content, meta.clone()).map_err(|cause| {
        let text = format!("The simulator cannot write the blob to its folder: {cause}.");
        error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &text)
    })?;
    Ok(described(Answer::empty(StatusCode::CREATED), &meta).header("x-ms-request-server-encrypted", "true"))
}

fn put_metadata(world: &mut World, place: &Place, request: &Request, now: Timestamp) -> Reply {
    let mut meta = world.blobs.meta(place).ok_or_else(not_found)?;
    meta.metadata = metadata(&request.headers);
    meta.modified = now;
    world.blobs.describe(place, meta.clone());
    Ok(Answer::empty(StatusCode::OK).header("etag", &meta.etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_to_what_is_there() {
        assert_eq!(span("bytes=2-4", 10), Some((2, 5)));
        assert_eq!(span("bytes=2-", 10), Some((2, 10)));
        assert_eq!(span("bytes=0-99", 10), Some((0, 10)));
        assert_eq!(span("bytes=10-12", 10), None);
    }
}
