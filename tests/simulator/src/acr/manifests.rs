//! The data plane of registries: `GET|HEAD|DELETE /v2/{repository}/manifests/{reference}` for any host, which is in the
//! query parameter `ns` (as with containerd's mirrors) or else in the Host header.
//! Source: OCI distribution specification; error codes as in its table.

use super::images::{INDEX, Manifest, Reference, canonical_host, is_digest, is_repository};
use super::oauth;
use crate::arm::errors::{Refusal, Reply};
use crate::wire::{Answer, Request};
use crate::world::World;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// An error as registries write it, with what it is about.
pub fn detailed(status: StatusCode, code: &str, message: &str, detail: Option<&Value>) -> Refusal {
    let mut error = json!({ "code": code, "message": message });
    if let Some(detail) = detail {
        error["detail"] = detail.clone();
    }
    Answer::json(status, &json!({ "errors": [error] }))
        .header("docker-distribution-api-version", "registry/2.0")
        .into()
}

/// An error as registries write it.
pub fn error(status: StatusCode, code: &str, message: &str) -> Refusal {
    detailed(status, code, message, None)
}

/// What lies below no route: the page of the server itself.
fn no_page() -> Refusal {
    Answer::bytes(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n".into())
        .header("docker-distribution-api-version", "registry/2.0")
        .into()
}

/// The registry that a request is for.
pub fn host(request: &Request) -> String {
    let host = request.query("ns").unwrap_or(&request.host);
    canonical_host(host)
}

/// Whether a registry is simulated: it holds only what was pushed to it, and gives tokens for Entra's alone.
pub fn is_ours(world: &World, host: &str) -> bool {
    world.registries.values().any(|registry| registry.login_server() == host)
}

/// Answers a request below `/v2`.
pub fn answer(world: &mut World, request: &Request) -> Reply {
    let host = host(request);
    let path = request.segments();
    if path.len() > 1 && parts(&path).is_none() {
        return Err(no_page());
    }
    let Some((repository, reference)) = parts(&path) else {
        oauth::check(world, request, &host, None)?;
        return Ok(Answer::ok(&json!({})).header("docker-distribution-api-version", "registry/2.0"));
    };
    if !is_repository(&repository) && is_ours(world, &host) {
        return Err(no_page());
    }
    if !is_repository(&repository) {
        return Err(error(
            StatusCode::BAD_REQUEST,
            "NAME_INVALID",
            &format!("invalid repository name '{repository}'"),
        ));
    }
    let action = if request.method == Method::DELETE { "delete" } else { "pull" };
    oauth::check(world, request, &host, Some((&repository, action)))?;
    match request.method {
        Method::GET | Method::HEAD => show(world, request, &host, (&repository, reference)),
        Method::DELETE => {
            if world.images.purge(&host, &repository, reference) {
                let answer = Answer::empty(StatusCode::ACCEPTED);
                return Ok(answer.header(oauth::CALLS, "8.000000"));
            }
            Err(unknown(reference))
        }
        _ => Err(error(
            StatusCode::METHOD_NOT_ALLOWED,
            "UNSUPPORTED",
            "the simulator serves manifests that builds push",
        )),
    }
}

/// Repository and reference of `/v2/{repository}/manifests/{reference}`.
fn parts<'a>(path: &[&'a str]) -> Option<(String, &'a str)> {
    let (reference, before) = path.split_last()?;
    let (word, repository) = before.split_last()?;
    (*word == "manifests").then(|| (repository.get(1..).unwrap_or_default().join("/"), *reference))
}

fn unknown(reference: &str) -> Refusal {
    if is_digest(reference) {
        return error(
            StatusCode::NOT_FOUND,
            "MANIFEST_UNKNOWN",
            &format!("manifest {reference} is not found"),
        );
    }
    let text = format!("manifest tagged by \"{reference}\" is not found");
    detailed(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &text, Some(&json!({ "Tag": reference })))
}

fn show(world: &mut World, request: &Request, host: &str, (repository, reference): (&str, &str)) -> Reply {
    let (tag, digest) = if is_digest(reference) { (None, Some(reference)) } else { (Some(reference), None) };
    let wanted = Reference {
        host: host.to_owned(),
        repository: repository.to_owned(),
        tag: tag.map(str::to_owned),
        digest: digest.map(str::to_owned),
    };
    let ours = is_ours(world, host);
    let found = world.images.resolve(&wanted, ours).ok_or_else(|| unknown(reference))?;
    let found = match world
        .images
        .platform(&wanted, &found)
        .filter(|_| found.kind == INDEX && !accepts_index(request))
    {
        Some(image) => image,
        None => found,
    };
    Ok(served(request, &found))
}

/// Whether the client takes a list of images for platforms; one that names no type takes any.
fn accepts_index(request: &Request) -> bool {
    let values = request.headers.get_all(http::header::ACCEPT);
    let accepted: Vec<&str> = values.iter().filter_map(|value| value.to_str().ok()).collect();
    accepted.is_empty()
        || accepted
            .iter()
            .any(|types| types.contains(INDEX) || types.contains("manifest.list") || types.contains("*/*"))
}

fn served(request: &Request, manifest: &Manifest) -> Answer {
    let body = if request.method == Method::HEAD { Bytes::new() } else { manifest.bytes.clone() };
    Answer::bytes(StatusCode::OK, manifest.kind, body)
        .header("docker-content-digest", &manifest.digest)
        .header("etag", &format!("\"{}\"", manifest.digest))
        .header("content-length", &manifest.bytes.len().to_string())
        .header("docker-distribution-api-version", "registry/2.0")
}
