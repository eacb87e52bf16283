//! Downloads from servers on loopback: good ones, and each way in which one can be bad.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::*;

/// What a busy machine keeps.
const LONG: Limits =
    Limits { answer: Duration::from_mins(1), piece: Duration::from_mins(1), body: Duration::from_mins(5) };
const SHORT: Duration = Duration::from_millis(500);

/// A server that answers each connection in this way, and the address of a file on it.
fn server(answer: impl Fn(&mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).unwrap();
            answer(&mut stream);
        }
    });
    format!("http://{address}/file")
}

/// Sends this many bytes of a body.
fn send(stream: &mut TcpStream, body: &[u8], bytes: usize) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // Fails where the other side has given up, which is what it then says.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..bytes]));
}

/// Until the other side gives up.
fn keep_open(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0]);
}

fn whole(body: Vec<u8>) -> String {
    server(move |stream| send(stream, &body, body.len()))
}

fn sum(body: &[u8]) -> &'static str {
    Box::leak(crate::cache::hex(&Sha256::digest(body)).into_boxed_str())
}

fn archive(names: &[&str]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for name in names {
        let script = format!("#!/bin/sh\necho {name}\n");
        let mut header = tar::Header::new_gnu();
        header.set_size(script.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("controller-tools/envtest/{name}"), script.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

const IN_ARCHIVE: &[&str] = &["etcd", "kube-apiserver", "kubectl"];

fn of_archive(url: String, sha256: &'static str) -> Download {
    Download { url, sha256, holds: Holds::Archive(IN_ARCHIVE) }
}

fn of_program() -> Download {
    let script = b"#!/bin/sh\necho kube-controller-manager\n";
    let holds = Holds::Program("kube-controller-manager");
    Download { url: whole(script.to_vec()), sha256: sum(script), holds }
}

/// The error of a download, after which the cache holds nothing.
fn refused(download: Download) -> String {
    refused_within(download, LONG)
}

fn refused_within(download: Download, limits: Limits) -> String {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let downloads = [download, of_program()];
    let message = programs(&cache, &downloads, limits).unwrap_err().to_string();
    assert!(present(&cache, &downloads).is_none(), "{message}");
    let left = fs::read_dir(cache.root()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| name.to_string_lossy().ends_with(".lock")), "{message}");
    message
}

#[test]
fn an_archive_and_a_program_become_programs_that_run() {
    let body = archive(&["etcd", "kube-apiserver", "kubectl"]);
    let sha256 = sum(&body);
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let downloads = [of_archive(whole(body), sha256), of_program()];
    assert!(present(&cache, &downloads).is_none());
    let bin = programs(&cache, &downloads, LONG).unwrap();
    for name in PROGRAMS {
        let output = Command::new(bin.join(name)).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), name);
    }
    assert_eq!(present(&cache, &downloads), Some(bin));
}

#[test]
fn another_sum_than_the_pinned_one_is_refused() {
    let body = archive(IN_ARCHIVE);
    let (found, pinned) = (sum(&body), sum(b"another file"));
    let message = refused(of_archive(whole(body), pinned));
    assert!(message.contains(&format!("its SHA-256 is {found}, and {pinned} is pinned")), "{message}");
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let body = archive(IN_ARCHIVE);
    let sha256 = sum(&body);
    let half = body.len() / 2;
    let message = refused(of_archive(server(move |stream| send(stream, &body, half)), sha256));
    assert!(message.contains("after 1 of 1 MB"), "{message}");
}

#[test]
fn an_answer_that_stalls_is_not_waited_for() {
    let body = archive(IN_ARCHIVE);
    let sha256 = sum(&body);
    let url = server(move |stream| {
        send(stream, &body, 10);
        keep_open(stream);
    });
    let message = refused_within(of_archive(url, sha256), Limits { piece: SHORT, ..LONG });
    assert!(message.contains("nothing came for 0.5 s after 1 of 1 MB"), "{message}");
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let download = of_archive(server(keep_open), sum(b""));
    let message = refused_within(download, Limits { answer: SHORT, ..LONG });
    assert!(message.contains("no answer within 0.5 s"), "{message}");
}

#[test]
fn a_file_that_is_not_there_is_said_with_its_address() {
    let url = server(|stream| {
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let message = refused(of_archive(url.clone(), sum(b"")));
    assert!(message.contains(&url) && message.contains("404"), "{message}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let message = refused(of_archive(format!("http://{free}/file"), sum(b"")));
    assert!(message.contains("onnect"), "{message}");
}

#[test]
fn an_archive_that_lacks_a_program_is_refused() {
    let body = archive(&["etcd", "kubectl"]);
    let sha256 = sum(&body);
    let message = refused(of_archive(whole(body), sha256));
    assert!(message.contains("it holds 2 of etcd, kube-apiserver, kubectl"), "{message}");
}

#[test]
fn every_program_of_a_control_plane_is_in_one_download_of_the_pinned_release() {
    assert_eq!(crate::modules::KUBERNETES_VERSION, RELEASE, "pin the sums of the new release");
    let Some(downloads) = downloads(RELEASE) else { return };
    let mut names: Vec<_> = downloads
        .iter()
        .flat_map(|download| match download.holds {
            Holds::Program(name) => vec![name],
            Holds::Archive(names) => names.to_vec(),
        })
        .collect();
    names.sort_unstable();
    assert_eq!(names, PROGRAMS);
    for download in downloads {
        assert!(
            download.url.starts_with("https://") && download.url.contains("v1.36.2/"),
            "{}",
            download.url
        );
        assert!(download.sha256.len() == 64 && download.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
