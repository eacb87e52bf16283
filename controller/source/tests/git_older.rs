//! Servers that speak no version 2 of git's protocol, as Azure DevOps: what comes is the same.
//!
//! In: git's own server, which is not told of the newer version; answers byte by byte. Out: trees, or why there are none.

#![allow(clippy::unwrap_used, reason = "a test")]

mod server;

use anyhow::Result;
use axum::body::Body;
use axum::http::{Method, Response};
use azureml_plan::tree::Bounds;
use azureml_source::git::{Folder, Login, Reference, Remote};
use azureml_source::{Error, Store};
use server::Server;

#[tokio::test]
async fn refs_and_files_are_those_of_version_2() -> Result<()> {
    let server = Server::start().await?;
    let older = server.remote_at("older/work", Login::Anonymous)?;
    let branch = Reference::Branch("main".to_owned());
    let refused = older.look(&branch).await.unwrap_err().to_string();
    assert!(refused.contains("has no branch main"), "an empty repository: {refused}");
    server.write("src/a.py", "1")?;
    server.write("beside", vec![7; 300 << 10])?;
    let one = server.commit()?;
    server.git(&["tag", "v1.0.0"])?;
    server.write("src/a.py", "2")?;
    let two = server.commit()?;
    server.git(&["tag", "--annotate", "v1.1.0", "--message", "x"])?;
    for (reference, commit) in [
        (branch, &two),
        (Reference::Tag("v1.0.0".to_owned()), &one),
        (Reference::Tag("v1.1.0".to_owned()), &two),
        (Reference::semver("^1")?, &two),
    ] {
        assert_eq!(&older.look(&reference).await?, commit, "{}", reference.words());
    }
    let store = server.store(Bounds::default());
    for commit in [&one, &two] {
        let folder = Folder { commit: commit.clone(), path: "src".to_owned() };
        let (found, expected) =
            (older.fetch(&folder, None, &store).await?, server.remote()?.fetch(&folder, None, &store).await?);
        assert_eq!(found.tree, expected.tree);
        assert_eq!(found.files.unwrap().hash, expected.files.unwrap().hash);
    }
    let folder = Folder { commit: "1".repeat(40), path: String::new() };
    let refused = older.fetch(&folder, None, &store).await.unwrap_err().to_string();
    assert!(refused.contains("not our ref") && refused.contains("still there"), "{refused}");
    assert_eq!(std::fs::read_dir(store.folder())?.count(), 0);
    Ok(())
}

fn packet(data: &[u8]) -> Vec<u8> {
    [format!("{:04x}", data.len() + 4).as_bytes(), data].concat()
}

/// What is said of a server that lists this and answers that.
async fn fetched(hello: Vec<u8>, answer: Vec<u8>) -> Error {
    let router = axum::Router::new().fallback(move |method: Method| {
        let is_hello = method == Method::GET;
        let (kind, bytes) = if is_hello { ("advertisement", &hello) } else { ("result", &answer) };
        let kind = format!("application/x-git-upload-pack-{kind}");
        let response = Response::builder().header("content-type", kind);
        std::future::ready(response.body(Body::from(bytes.clone())).unwrap())
    });
    let (address, http) = server::serve(router).await.unwrap();
    let remote = Remote::new(http, &format!("{address}/a"), Login::Anonymous, true, 1 << 20).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().to_owned(), 1 << 20, Bounds::default());
    let place = Folder { commit: "1".repeat(40), path: String::new() };
    remote.fetch(&place, None, &store).await.unwrap_err()
}

#[tokio::test]
async fn answers_that_are_none_are_refused() {
    let head = |features: &str| {
        let line = format!("{} refs/heads/main\0{features}\n", "1".repeat(40));
        [packet(line.as_bytes()).as_slice(), b"0000"].concat()
    };
    let bands = "side-band-64k shallow multi_ack";
    let nak = [b"0000".as_slice(), &packet(b"NAK\n")].concat();
    for (hello, answer, word) in [
        (head("multi_ack"), vec![], "older than git 1.5.2"),
        (head("side-band-64k object-format=sha256"), vec![], "not SHA-1"),
        (head(bands), vec![], "ends early"),
        (head(bands), b"00000000".to_vec(), "no pack in it"),
        (
            head(bands),
            [b"0000".as_slice(), &packet(b"ERR TF401041: no\n")].concat(),
            "the server refuses: TF401041",
        ),
        (head(bands), [nak.as_slice(), &packet(b"\x01PACKnonsense"), b"0000"].concat(), "cannot be read"),
        (head(bands), [nak.as_slice(), &packet(b"\x03gone"), b"0000"].concat(), "the server refuses: gone"),
        (packet(b"version 1\n"), vec![], "neither version 2"),
        (packet(b"../../etc refs/heads/main\0side-band-64k\n"), vec![], "neither version 2"),
    ] {
        let refused = fetched(hello, answer).await.to_string();
        assert!(refused.contains(word), "{word}: {refused}");
    }
}
