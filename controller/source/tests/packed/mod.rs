//! Archives of a few files, made here.
//!
//! In: names and contents. Out: bytes.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test")]

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use tar::{Builder, EntryType, Header};

/// A tar of files; those whose name has `run` may be run.
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = head(name);
        header.set_size(content.len() as u64);
        header.set_mode(if name.contains("run") { 0o755 } else { 0o644 });
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A tar of one link.
pub fn link(name: &str, target: &str) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    let mut header = head(name);
    header.as_ustar_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_entry_type(EntryType::Symlink);
    header.set_size(0);
    header.set_cksum();
    tar.append(&header, [].as_slice()).unwrap();
    tar.into_inner().unwrap()
}

fn head(name: &str) -> Header {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header
}

/// The bytes, compressed.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}
