//! References, tags and digests.

use super::*;

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

#[test]
fn references_are_read_as_docker_reads_them() {
    let hub = reference("ubuntu:22.04");
    assert_eq!(
        (hub.host.as_str(), hub.repository.as_str(), hub.tag.as_deref()),
        ("docker.io", "library/ubuntu", Some("22.04"))
    );
    let local = reference("localhost:5000/a/b");
    assert_eq!((local.host.as_str(), local.tag.as_deref()), ("localhost:5000", Some("latest")));
    let pinned = reference(&format!("ghcr.io/o/i:1@sha256:{}", "a".repeat(64)));
    assert!(pinned.digest.is_some() && pinned.tag.is_some());
    assert!(Reference::parse("UPPER/case").is_none());
    assert!(Reference::parse("a:b@sha256:short").is_none());
}

#[test]
fn a_foreign_tag_resolves_to_the_digest_of_its_bytes_until_it_is_moved_or_lost() {
    let mut images = Images::default();
    let r = reference("rocker/r-ver:4.4");
    let first = images.resolve(&r, false).unwrap();
    assert_eq!(first.digest, format!("sha256:{}", sha256(&first.bytes)));
    assert_eq!(images.resolve(&r, false).unwrap(), first, "always the same");
    let moved = images.move_on(&r);
    assert_ne!(moved, first.digest);
    assert_eq!(images.resolve(&r, false).unwrap().digest, moved);
    images.lose(&r);
    assert!(images.resolve(&r, false).is_none());
}

#[test]
fn a_registry_of_ours_holds_only_what_was_pushed_and_purged_is_gone() {
    let mut images = Images::default();
    let r = reference("acr.azurecr.io/a/b:1");
    assert!(images.resolve(&r, true).is_none());
    let manifest = Manifest::image("content");
    images.push("acr.azurecr.io", "a/b", "1", manifest.clone());
    assert_eq!(images.resolve(&r, true), Some(manifest.clone()));
    assert!(images.purge("acr.azurecr.io", "a/b", &manifest.digest));
    assert!(images.resolve(&r, true).is_none());
}
