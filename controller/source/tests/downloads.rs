//! Archives over HTTPS: every kind, and every attack.
//!
//! In: archives made here. Out: trees, or which entry is refused.

#![allow(clippy::unwrap_used, reason = "a test")]

mod packed;
mod server;

use anyhow::Result;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, Uri};
use azureml_plan::source::Purpose;
use azureml_plan::tree::Bounds;
use azureml_source::{Error, Fetcher, Kept, Login, Means, Net, Origin, Place, Store, Wanted};
use packed::{gzip, tar};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::sync::Arc;
use tokio::time::Instant;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const BOUNDS: Bounds = Bounds { bytes: 1 << 20, files: 10 };

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// An archive of zip: name, mode, content.
fn zip(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let options = options.unix_permissions(*mode);
        if mode & 0o170_000 == 0o120_000 {
            zip.add_symlink(*name, std::str::from_utf8(content).unwrap(), options).unwrap();
        } else {
            zip.start_file(*name, options).unwrap();
            zip.write_all(content).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

type Files = Arc<BTreeMap<&'static str, Vec<u8>>>;

async fn answer(State(files): State<Files>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let status = |status: u16| Response::builder().status(status);
    let is_signed = headers.contains_key("authorization");
    match uri.path() {
        "/moved" => status(302).header("location", "/archive").body(Body::empty()).unwrap(),
        "/private" if !is_signed => status(401).body(Body::empty()).unwrap(),
        "/private" | "/archive" => Response::new(Body::from(files["archive"].clone())),
        _ => status(404).body(Body::empty()).unwrap(),
    }
}

/// The address of an archive without its path, the way to it.
async fn served(archive: &[u8]) -> (String, Net) {
    let files: Files = Arc::new(BTreeMap::from([("archive", archive.to_vec())]));
    let (address, http) =
        server::serve(axum::Router::new().fallback(answer).with_state(files)).await.unwrap();
    (address, server::net(http))
}

async fn fetched(
    (url, sha256): (&str, &str),
    path: &str,
    login: &Login,
    net: &Net,
) -> Result<Arc<Kept>, Error> {
    let origin = Origin::Http { url: url.to_owned(), sha256: sha256.to_owned() };
    let wanted = Wanted { origin, path: path.to_owned(), ignore: vec!["*.md".to_owned()] };
    let store = Store::new(std::env::temp_dir(), 1 << 20, BOUNDS);
    let revision = wanted.origin.revision(login, net).await?;
    let means = Means { login, net, store: &store };
    Ok(wanted.fetch(&revision, None, means).await?.files.unwrap())
}

async fn unpacked(archive: &[u8], path: &str) -> Result<Arc<Kept>, Error> {
    let (address, net) = served(archive).await;
    fetched((&format!("{address}/archive"), &sha256(archive)), path, &Login::Anonymous, &net).await
}

async fn refused(archive: &[u8]) -> String {
    unpacked(archive, "").await.unwrap_err().to_string()
}

#[tokio::test]
async fn equal_files_have_one_hash_in_every_kind_of_archive() -> Result<()> {
    let plain =
        tar(&[("p-1/src/run.sh", b"1"), ("p-1/src/a", b"2"), ("p-1/src/x.md", b"3"), ("p-1/b", b"4")]);
    let zipped = zip(&[
        ("p-1/src/run.sh", 0o755, b"1"),
        ("p-1/src/a", 0o644, b"2"),
        ("p-1/src/x.md", 0o644, b"3"),
        ("p-1/b", 0o644, b"4"),
    ]);
    let expected = unpacked(&plain, "p-1/src").await?;
    assert_eq!(expected.tree.0.keys().collect::<Vec<_>>(), ["a", "run.sh"], "patterns leave x.md out");
    assert!(expected.tree.0["run.sh"].is_executable);
    for archive in [gzip(&plain), zipped] {
        assert_eq!(unpacked(&archive, "p-1/src").await?.hash, expected.hash);
        let refused = unpacked(&archive, "src").await.unwrap_err().to_string();
        assert!(refused.contains("no folder src"), "{refused}");
    }
    let linked = zip(&[("a", 0o644, b"1"), ("sub/b", 0o120_777, b"../a")]);
    let kept = unpacked(&linked, "").await?;
    assert_eq!(kept.tree.0["sub/b"], kept.tree.0["a"], "a link becomes a copy");
    Ok(())
}

#[tokio::test]
async fn one_text_is_known_by_its_bytes_whatever_lies_beside_it() -> Result<()> {
    let text = b"dependencies: [python]".as_slice();
    let purpose = Purpose::File { path: "envs/conda.yaml".to_owned() };
    let read = async |files: &[(&str, &[u8])]| {
        let archive = tar(files);
        let (address, net) = served(&archive).await;
        let origin = Origin::Http { url: format!("{address}/archive"), sha256: sha256(&archive) };
        let wanted = Wanted { origin, path: "p".to_owned(), ignore: Vec::new() };
        let fetcher = Fetcher::new(Store::new(std::env::temp_dir(), 1 << 20, BOUNDS));
        let place = Place { wanted, login: Login::Anonymous, net, purpose: purpose.clone() };
        fetcher.fetch("team-a", &place, Instant::now()).await.map(|fetched| fetched.held)
    };
    let first = read(&[("p/envs/conda.yaml", text), ("p/a.py", b"1")]).await?;
    // What others would leave out, or refuse, is not read.
    let ignore = b"envs/".as_slice();
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".as_slice();
    let other = [("p/envs/conda.yaml", text), ("p/.amlignore", ignore), ("p/m.bin", pointer)];
    let second = read(&other).await?;
    assert_eq!((&first.hash, first.hash.as_str()), (&second.hash, sha256(text).as_str()));
    let said = first.context.and_then(|context| context.text.clone());
    assert_eq!(said.as_deref(), std::str::from_utf8(text).ok());
    let changed = read(&[("p/envs/conda.yaml", b"dependencies: [r-base]")]).await?;
    assert_ne!(changed.hash, second.hash);
    let missing = read(&[("p/conda.yml", text), ("p/a.py", b"1")]).await.unwrap_err();
    assert!(missing.is_lasting(), "{missing}");
    assert_eq!(missing.to_string(), "there is no envs/conda.yaml; there is a.py, conda.yml; correct path");
    let long = vec![b'#'; (64 << 10) + 1];
    let long = read(&[("p/envs/conda.yaml", &long)]).await.unwrap_err().to_string();
    assert!(long.contains("envs/conda.yaml has 65537 bytes"), "{long}");
    let binary = read(&[("p/envs/conda.yaml", b"\xff\xfe")]).await?;
    assert_eq!(binary.context.and_then(|context| context.text.clone()), None);
    Ok(())
}

#[tokio::test]
async fn hostile_entries_of_a_zip_are_refused_by_name() {
    let zeros = vec![0; 2 << 20];
    let eleven: Vec<String> = (0..11).map(|number| format!("evil-{number:02}")).collect();
    for (entries, word) in [
        (vec![("../../evil", 0o644, b"1".as_slice())], "relative path"),
        (vec![("/evil", 0o644, b"1")], "relative path"),
        (vec![("a\\..\\evil", 0o644, b"1")], "relative path"),
        (vec![("evil", 0o120_777, b"/etc/passwd")], "leaves"),
        (vec![("evil", 0o120_777, b"../b")], "leaves"),
        (vec![("evil", 0o120_777, b"b")], "no file"),
        (vec![("evil", 0o644, b"1"), ("./evil", 0o644, b"2")], "two entries"),
        (vec![("evil", 0o644, &zeros)], "larger than 1048576 bytes"),
        (eleven.iter().map(|name| (name.as_str(), 0o644, b"".as_slice())).collect(), "more than 10 files"),
    ] {
        let refused = refused(&zip(&entries)).await;
        assert!(refused.contains("evil") && refused.contains(word), "{word}: {refused}");
    }
}

/// The list of a zip, where an entry's head has this offset and value of two bytes.
fn patched(archive: &[u8], entry: usize, offset: usize, value: u16) -> Vec<u8> {
    let mut archive = archive.to_vec();
    let mut heads = archive.windows(4).enumerate().filter(|(_, four)| four == b"PK\x01\x02");
    let at = heads.nth(entry).unwrap().0 + offset;
    archive[at..at + 2].copy_from_slice(&value.to_le_bytes());
    archive
}

#[tokio::test]
async fn zips_that_lie_are_refused() {
    let honest = zip(&[("a1", 0o644, b"11111111"), ("a2", 0o644, b"11111111")]);
    // The second entry's name is that of the first, or its bytes are.
    let twice = patched(&honest, 1, 46, u16::from_le_bytes(*b"a1"));
    assert!(refused(&twice).await.contains("one name"));
    let shared = patched(&honest, 1, 42, 0);
    assert!(refused(&shared).await.contains("share their bytes"));
    // A password, a method that is not read, a wrong checksum: the entry is named.
    for (offset, value) in [(8, 1), (10, 12), (16, 1)] {
        let refused = refused(&patched(&honest, 1, offset, value)).await;
        assert!(refused.starts_with("the entry a2 of the archive cannot be read"), "{offset}: {refused}");
    }
    // A device.
    let device = patched(&honest, 1, 40, 0o020_644);
    assert!(refused(&device).await.contains("a2 is no file, folder or link"));
    let names: Vec<String> = (0..20_000).map(|number| format!("{number}")).collect();
    let many: Vec<(&str, u32, &[u8])> =
        names.iter().map(|name| (name.as_str(), 0o644, [].as_slice())).collect();
    let many = refused(&zip(&many)).await;
    assert!(many.contains("its list of entries is longer"), "{many}");
    for broken in [&honest[..honest.len() - 4], &honest[..40], b"PK\x03\x04"] {
        assert!(refused(broken).await.contains("cannot be read"));
    }
}

#[tokio::test]
async fn what_is_packed_otherwise_is_named() {
    for (head, name) in [
        (b"\xfd7zXZ\0\0\0".as_slice(), "xz"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\x28\xb5\x2f\xfd\0", "zstd"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07", "rar"),
    ] {
        let refused = refused(head).await;
        assert!(refused.contains(&format!("packed by {name}")) && refused.contains("tar.gz"), "{refused}");
    }
    assert!(refused(b"<html>not found</html>").await.contains("cannot be read"));
    let bomb = gzip(&tar(&[("zeros", &vec![0; 8 << 20])]));
    assert!(refused(&bomb).await.contains("larger than 1048576 bytes"));
}

#[tokio::test]
async fn an_archive_is_the_one_of_its_hash_or_none() -> Result<()> {
    let archive = gzip(&tar(&[("a", b"1")]));
    let (address, net) = served(&archive).await;
    let (url, right) = (|path: &str| format!("{address}/{path}"), sha256(&archive));
    let anonymous = &Login::Anonymous;
    for path in ["archive", "moved", "archive?signature=s"] {
        let kept = fetched((&url(path), &right.to_uppercase()), "", anonymous, &net).await?;
        assert_eq!(kept.tree.0.len(), 1, "{path}");
    }
    let bearer = Login::Bearer(SecretString::from("t"));
    assert!(fetched((&url("private"), &right), "", &bearer, &net).await.is_ok());
    let wrong = "0".repeat(64);
    for (path, hash, word) in [
        ("archive", wrong.as_str(), format!("its sha256 is {right} instead of {wrong}")),
        ("archive", "1234", "64 hex digits".to_owned()),
        ("private", &right, "status 401".to_owned()),
        ("none?signature=s3cret", &right, "there is no archive at".to_owned()),
    ] {
        let refused = fetched((&url(path), hash), "", anonymous, &net).await.unwrap_err().to_string();
        assert!(refused.contains(&word) && !refused.contains("s3cret"), "{path}: {refused}");
    }
    let small = Net::new(Arc::new(reqwest::Client::new()), false, 1);
    for address in ["https://127.0.0.1/a", "http://example.com/a", "https://u:p@example.com/a", "nothing"] {
        let refused = fetched((address, &right), "", anonymous, &small).await.unwrap_err();
        assert!(matches!(refused, Error::Private(_) | Error::Address(_)), "{address}: {refused}");
    }
    Ok(())
}
