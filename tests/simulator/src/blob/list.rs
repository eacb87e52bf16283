//! The list of a container's blobs, as clients look for logs. In: a prefix. Out: one page of XML with all that fits.
//! Source: Azure Storage REST API, "List Blobs". No delimiter and no marker: a simulated container is small.

use super::{Place, http_date};
use crate::wire::{Answer, Request};
use crate::world::World;
use http::StatusCode;

/// Answers `GET …?restype=container&comp=list`.
pub fn list(world: &World, container: &Place, request: &Request) -> Answer {
    let prefix = request.query("prefix").unwrap_or_default();
    let names = world.blobs.list(container).into_iter().filter(|name| name.starts_with(prefix));
    let blobs: String = names.filter_map(|name| entry(world, container, &name)).collect();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"{}\"><Prefix>{}</Prefix>\
         <Blobs>{blobs}</Blobs><NextMarker /></EnumerationResults>",
        escaped(&container.container),
        escaped(prefix),
    );
    Answer::bytes(StatusCode::OK, "application/xml", text.into())
}

fn entry(world: &World, container: &Place, name: &str) -> Option<String> {
    let meta = world.blobs.meta(&container.with(name)?)?;
    Some(format!(
        "<Blob><Name>{}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag>\
         <Content-Length>{}</Content-Length><Content-Type>application/octet-stream</Content-Type>\
         <BlobType>BlockBlob</BlobType></Properties></Blob>",
        escaped(name),
        http_date(meta.modified),
        escaped(meta.etag.trim_matches('"')),
        meta.size,
    ))
}

/// Text for XML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
