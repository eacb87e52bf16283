//! Servers that answer what git never would: the answer is refused, in one short line, and takes no more memory than it may.
//!
//! In: answers byte by byte. Out: errors.

#![allow(clippy::unwrap_used, reason = "a test")]

mod server;

use anyhow::Result;
use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use azureml_plan::tree::Bounds;
use azureml_source::git::{Folder, Login, Reference, Remote};
use azureml_source::{Error, Store};

/// What a server says first: that it speaks the protocol.
const HELLO: &str = "000eversion 2\n0011fetch=filter\n0000";

fn packet(data: &[u8]) -> Vec<u8> {
    [format!("{:04x}", data.len() + 4).as_bytes(), data].concat()
}

/// A repository at a server that says these two things.
async fn remote(hello: impl Into<Vec<u8>>, answer: impl Into<Vec<u8>>) -> Result<Remote> {
    let (hello, answer) = (hello.into(), answer.into());
    let router = axum::Router::new().fallback(move |method: Method| {
        let (kind, bytes) = match method {
            Method::GET => ("advertisement", hello.clone()),
            _ => ("result", answer.clone()),
        };
        let kind = format!("application/x-git-upload-pack-{kind}");
        std::future::ready(Response::builder().header("content-type", kind).body(Body::from(bytes)).unwrap())
    });
    let (address, http) = server::serve(router).await?;
    Ok(Remote::new(http, &format!("{address}/a"), Login::Anonymous, true, 1 << 20)?)
}

async fn looked(hello: impl Into<Vec<u8>>, answer: impl Into<Vec<u8>>) -> Error {
    remote(hello, answer).await.unwrap().look(&Reference::Branch("main".to_owned())).await.unwrap_err()
}

#[tokio::test]
async fn packets_that_are_none_are_refused() {
    for (answer, word) in [
        (b"zzzz".to_vec(), "no length"),
        (b"0003".to_vec(), "no length"),
        (b"+00a".to_vec(), "no length"),
        (b"ffffabc".to_vec(), "ends early"),
        (Vec::new(), "ends early"),
        (b"0000".to_vec(), "no branch main"),
        (packet(b"\xff\xfe refs/heads/main"), "ends early"),
        ([packet(b"short refs/heads/main").as_slice(), b"0000"].concat(), "no branch main"),
    ] {
        let refused = looked(HELLO, answer.clone()).await.to_string();
        assert!(refused.contains(word), "{}: {refused}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn words_of_a_server_are_one_short_line() {
    let words = format!("ERR no\n\x1b[31m{}", "x".repeat(60_000));
    let refused = looked(HELLO, packet(words.as_bytes())).await.to_string();
    assert!(refused.starts_with("the server refuses: no") && refused.len() < 500, "{}", refused.len());
    assert!(!refused.contains(|one: char| one.is_control()));
}

#[tokio::test]
async fn answers_that_are_too_long_end() {
    let line = packet(&vec![b'x'; 60_000]);
    let refused = looked(HELLO, line.repeat(300)).await;
    assert!(matches!(refused, Error::TooMuch(most) if most == 16 << 20), "{refused}");
}

#[tokio::test]
async fn servers_of_other_protocols_are_named_as_such() {
    for (hello, word) in [
        (b"000eversion 1\n0000".to_vec(), "version 2"),
        (b"000eversion 2\n0019object-format=sha256\n0000".to_vec(), "SHA-1"),
        (b"<html>".to_vec(), "is this a repository"),
    ] {
        let refused = looked(hello, "").await.to_string();
        assert!(refused.contains(word), "{refused}");
    }
    for (status, word) in [(StatusCode::OK, "address to clone from"), (StatusCode::BAD_GATEWAY, "status 502")]
    {
        let router = axum::Router::new().fallback(move || std::future::ready(status));
        let (address, http) = server::serve(router).await.unwrap();
        let remote = Remote::new(http, &address, Login::Anonymous, true, 1).unwrap();
        let refused = remote.look(&Reference::Tag("a".to_owned())).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{refused}");
    }
}

#[tokio::test]
async fn packs_that_are_none_are_refused_and_leave_nothing_on_disk() {
    let head = packet(b"packfile\n");
    let band = |band: u8, bytes: &[u8]| {
        [head.clone(), packet(&[&[band], bytes].concat()), b"0000".to_vec()].concat()
    };
    let zeros = packet(&[vec![1], vec![0; 60_000]].concat()).repeat(20);
    for (answer, word) in [
        (b"0000".to_vec(), "no pack in it"),
        (band(1, b"PACKnonsense"), "cannot be read"),
        (band(1, b""), "cannot be read"),
        // A pack that says it has four billion objects.
        (band(1, b"PACK\0\0\0\x02\xff\xff\xff\xff"), "too large"),
        (band(3, b"gone"), "the server refuses: gone"),
        (band(9, b"x"), "no band"),
        ([head.clone(), zeros].concat(), "more than 1048576 bytes"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned(), 1 << 20, Bounds::default());
        let place = Folder { commit: "1".repeat(40), path: String::new() };
        let refused = remote(HELLO, answer).await.unwrap().fetch(&place, None, &store).await.unwrap_err();
        assert!(refused.to_string().contains(word), "{word}: {refused}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{word}");
    }
}
