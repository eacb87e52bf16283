//! Blobs that are written part by part. Source: Azure Storage REST API, "Put Block", "Put Block List".
//!
//! In: parts, and the list that puts them together. Out: a blob. A part that is in no list is no blob.

use super::store::Place;
use super::{error, written};
use crate::arm::errors::{Refusal, Reply};
use crate::wire::{Answer, Request};
use crate::world::World;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;

/// The most bytes of a part: 4,000 MiB.
const LARGEST: usize = 4_000 << 20;

/// Keeps a part.
pub(super) fn put(world: &mut World, place: &Place, request: &Request) -> Reply {
    let id = request.query("blockid").filter(|id| !id.is_empty() && id.len() <= 88);
    let id = id.ok_or_else(|| {
        error(
            StatusCode::BAD_REQUEST,
            "InvalidQueryParameterValue",
            "Value for one of the query parameters specified in the request URI is invalid.",
        )
    })?;
    if request.body.is_empty() || request.body.len() > LARGEST {
        let text = "The value for one of the HTTP headers is not in the correct format.";
        return Err(error(StatusCode::BAD_REQUEST, "InvalidHeaderValue", text));
    }
    if !world.blobs.stage(place, id, request.body.clone()) {
        let text = "The specified blob or block content is invalid.";
        return Err(error(StatusCode::BAD_REQUEST, "InvalidBlobOrBlock", text));
    }
    Ok(Answer::empty(StatusCode::CREATED).header("x-ms-request-server-encrypted", "true"))
}

/// Makes a blob of parts.
pub(super) fn put_list(world: &mut World, place: &Place, request: &Request, now: Timestamp) -> Reply {
    if request.header("if-none-match") == Some("*") && world.blobs.meta(place).is_some() {
        return Err(error(StatusCode::CONFLICT, "BlobAlreadyExists", "The specified blob already exists."));
    }
    let text = String::from_utf8_lossy(&request.body);
    let ids: Option<Vec<String>> = listed(&text);
    let ids = ids.ok_or_else(|| {
        error(StatusCode::BAD_REQUEST, "InvalidXmlDocument", "XML specified is not syntactically valid.")
    })?;
    let whole: Option<Vec<Bytes>> = ids.iter().map(|id| world.blobs.staged(place, id)).collect();
    let whole = whole.ok_or_else(invalid)?.concat();
    world.blobs.unstage(place);
    written(world, place, (&whole, String::new()), request, now)
}

fn invalid() -> Refusal {
    error(StatusCode::BAD_REQUEST, "InvalidBlockList", "The specified block list is invalid.")
}

/// The ids in a list, in their order. What was put together before is not kept in parts, so `Committed` finds nothing.
fn listed(text: &str) -> Option<Vec<String>> {
    let inner = text.split_once("<BlockList>")?.1.split_once("</BlockList>")?.0;
    let mut ids = Vec::new();
    for item in inner.split("</").map(str::trim) {
        let Some(opened) = item.rfind('<') else { continue };
        let (name, id) = item.get(opened + 1..)?.split_once('>')?;
        if !matches!(name, "Latest" | "Uncommitted" | "Committed") {
            return None;
        }
        ids.push(id.trim().to_owned());
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_its_parts_in_order() {
        let text = "<?xml version=\"1.0\"?>\n<BlockList>\n <Latest>AA==</Latest> <Uncommitted>BB==</Uncommitted></BlockList>";
        assert_eq!(listed(text), Some(vec!["AA==".to_owned(), "BB==".to_owned()]));
        assert_eq!(listed("<BlockList></BlockList>"), Some(Vec::new()));
        assert_eq!(listed("<BlockList><Other>A</Other></BlockList>"), None);
        assert_eq!(listed("no list"), None);
    }
}
