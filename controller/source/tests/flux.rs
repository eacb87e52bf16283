//! Artifacts of Flux over plain HTTP: the one that is named, and nothing else.
//!
//! In: artifacts made here. Out: trees, or why not.

#![allow(clippy::unwrap_used, reason = "a test")]

mod packed;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::http::{Response, Uri};
use azureml_plan::tree::Bounds;
use azureml_source::{Error, Kept, Login, Means, Net, Origin, Store, Wanted};
use packed::{gzip, link, tar};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use tokio::net::TcpListener;

const BOUNDS: Bounds = Bounds { bytes: 1 << 20, files: 10 };

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Serves an archive, and a redirect to it; the address.
async fn serve(archive: Vec<u8>) -> Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let answer = move |uri: Uri| {
        let response = match uri.path() {
            "/archive" => Response::builder().body(Body::from(archive.clone())),
            "/moved" => Response::builder().status(302).header("location", "/archive").body(Body::empty()),
            _ => Response::builder().status(404).body(Body::empty()),
        };
        std::future::ready(response.unwrap())
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    Ok(address)
}

async fn fetched(net: &Net, url: &str, sha256: &str) -> Result<Arc<Kept>, Error> {
    let origin = Origin::Flux { url: url.to_owned(), sha256: sha256.to_owned() };
    let wanted = Wanted { origin, path: "train".to_owned(), ignore: vec!["*.md".to_owned()] };
    let store = Store::new(std::env::temp_dir(), 1 << 20, BOUNDS);
    let login = Login::Anonymous;
    let revision = wanted.origin.revision(&login, net).await?;
    assert_eq!(revision, format!("sha256:{sha256}"));
    Ok(wanted.fetch(&revision, None, Means { login: &login, net, store: &store }).await?.files.unwrap())
}

fn http() -> Arc<reqwest::Client> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    Arc::new(client.build().unwrap())
}

#[tokio::test]
async fn an_artifact_is_the_one_that_its_digest_names_or_nothing_of_it_is_told() -> Result<()> {
    let archive = gzip(&tar(&[("train/a.py", b"1"), ("train/x.md", b"2"), ("b", b"3")]));
    let (hash, address, net) = (sha256(&archive), serve(archive).await?, Net::inside(http(), 64 << 20));
    let url = format!("{address}/archive");
    let kept = fetched(&net, &url, &hash).await?;
    assert_eq!(kept.tree.0.keys().collect::<Vec<_>>(), ["a.py"]);

    let other = fetched(&net, &url, &"0".repeat(64)).await.unwrap_err();
    assert!(matches!(other, Error::Other) && !other.is_lasting());
    assert!(!other.to_string().contains(&hash), "what came is nobody's to know: {other}");
    for (path, status) in [("moved", 302), ("gone", 404)] {
        let absent = fetched(&net, &format!("{address}/{path}"), &hash).await.unwrap_err();
        assert!(matches!(absent, Error::NotOffered(found) if found == status), "{path}: {absent}");
    }
    let public = Net::new(http(), true, 64 << 20);
    assert!(matches!(fetched(&public, &url, &hash).await, Err(Error::Address(_))), "plain HTTP");
    let small = Net::inside(http(), 10);
    assert!(matches!(fetched(&small, &url, &hash).await, Err(Error::TooMuch(10))));
    Ok(())
}

#[tokio::test]
async fn an_entry_that_leaves_the_folder_is_refused_and_a_server_that_is_closed_is_said() -> Result<()> {
    let archive = gzip(&link("train/a", "/etc/passwd"));
    let (hash, address) = (sha256(&archive), serve(archive).await?);
    let net = Net::inside(http(), 64 << 20);
    let refused = fetched(&net, &format!("{address}/archive"), &hash).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    let free = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
    let closed = fetched(&net, &format!("http://{free}/archive"), &hash).await.unwrap_err();
    assert!(closed.to_string().contains("let the operator's pods in by a NetworkPolicy"), "{closed}");
    Ok(())
}
