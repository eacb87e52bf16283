//! Archives of tar, good and hostile.
//!
//! In: archives made here, entry by entry. Out: trees, or which entry is refused.

#![allow(clippy::unwrap_used, reason = "a test")]

use azureml_plan::tree::Bounds;
use azureml_source::{Error, Kept, Store, archive};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use tar::{Builder, EntryType, Header};

const BOUNDS: Bounds = Bounds { bytes: 1 << 20, files: 10 };

/// An entry: kind, name, where a link leads, content.
type Entry<'a> = (EntryType, &'a str, &'a str, &'a [u8]);

fn file<'a>(name: &'a str, content: &'a [u8]) -> Entry<'a> {
    (EntryType::Regular, name, "", content)
}

/// A tar of entries, whatever their names.
fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (kind, name, link, content) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_ustar_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(if name.contains("run") { 0o755 } else { 0o644 });
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn unpack(archive: &[u8], folder: &str) -> Result<Kept, Error> {
    let store = Store::new(std::env::temp_dir(), 1 << 20, BOUNDS);
    archive::unpack(archive, folder, store.draft().unwrap())
}

#[test]
fn files_of_a_folder_are_equal_however_they_are_packed() {
    let long = format!("src/{}", "a".repeat(90));
    let entries = [
        (EntryType::Directory, "./src/", "", b"".as_slice()),
        file("./src/run.sh", b"1"),
        file(&long, b"2"),
        (EntryType::Symlink, "src/sub/link", "../run.sh", b""),
        (EntryType::Link, "src/same", "src/run.sh", b""),
        file("src/__pycache__/run.pyc", b"4"),
        file("other", b"3"),
    ];
    let kept = unpack(&tar(&entries), "src").unwrap();
    let names: Vec<&str> = kept.tree.0.keys().map(String::as_str).collect();
    assert_eq!(names, [&long[4..], "run.sh", "same", "sub/link"]);
    assert!(kept.tree.0["run.sh"].is_executable && !kept.tree.0[names[0]].is_executable);
    assert_eq!(kept.tree.0["same"], kept.tree.0["run.sh"]);
    let turned: Vec<Entry<'_>> = entries.into_iter().rev().collect();
    assert_eq!(unpack(&gzip(&tar(&turned)), "src/").unwrap().hash, kept.hash);
    let refused = unpack(&tar(&[file("a", b"")]), "src").unwrap_err().to_string();
    assert!(refused.contains("no folder src"), "{refused}");
}

#[test]
fn hostile_entries_are_refused_by_name() {
    let link = |kind, target| (kind, "src/evil", target, b"".as_slice());
    let zeros = vec![0; 2 << 20];
    let eleven: Vec<String> = (0..11).map(|number| format!("src/evil-{number:02}")).collect();
    for (entries, word) in [
        (vec![file("/src/evil", b"")], "relative path"),
        (vec![file("src/../../evil", b"")], "relative path"),
        (vec![file("src/evil\n", b"")], "relative path"),
        (vec![link(EntryType::Symlink, "/etc/passwd")], "leaves"),
        (vec![link(EntryType::Symlink, "../beside"), file("beside", b"")], "leaves"),
        (vec![link(EntryType::Link, "/etc/passwd")], "leaves"),
        (vec![link(EntryType::Link, "beside"), file("beside", b"")], "leaves"),
        (vec![link(EntryType::Symlink, "evil")], "no file"),
        (vec![link(EntryType::Char, "")], "no file, folder or link"),
        (vec![link(EntryType::Fifo, "")], "no file, folder or link"),
        (vec![file("src/evil", b"1"), file("./src//evil", b"2")], "two entries"),
        (vec![file("src/evil", &zeros)], "larger than 1048576 bytes"),
        (eleven.iter().map(|name| file(name, b"")).collect(), "more than 10 files"),
    ] {
        for archive in [tar(&entries), gzip(&tar(&entries))] {
            let refused = unpack(&archive, "src").unwrap_err().to_string();
            assert!(refused.contains("evil") && refused.contains(word), "{word}: {refused}");
        }
    }
}

#[test]
fn links_cannot_multiply_a_file_and_bombs_end() {
    let half = vec![0; 600 << 10];
    let twice = tar(&[file("a", &half), (EntryType::Symlink, "b", "a", b"")]);
    assert!(unpack(&twice, "").unwrap_err().to_string().contains("with b the files are larger"));
    // What is beside the folder counts for nothing, but is unpacked to be passed over.
    let bomb = gzip(&tar(&[file("beside", &vec![0; 8 << 20]), file("src/a", b"1")]));
    assert!(bomb.len() < 100 << 10);
    let ended = unpack(&bomb, "src").unwrap_err().to_string();
    assert!(ended.contains("larger than its files may be") && !ended.contains("disk"), "{ended}");
    let whole = tar(&[file("a", &half)]);
    for broken in [&whole[..whole.len() / 2], &gzip(&whole)[..300], b"no archive at all".as_slice()] {
        assert!(unpack(broken, "").is_err());
    }
}

#[test]
fn a_name_that_is_longer_than_any_is_refused_before_it_is_read_and_a_long_one_is_taken() {
    let long = format!("{}/a.py", "d".repeat(120));
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let said = |name: &str| {
            if kind == EntryType::GNULongName {
                return format!("{name}\0").into_bytes();
            }
            let record = |length: usize| format!("{length} path={name}\n");
            let most = name.len() + 7;
            let length = (most..most + 12).find(|length| record(*length).len() == *length).unwrap();
            record(length).into_bytes()
        };
        let taken = said(&long);
        let kept = unpack(&tar(&[(kind, "head", "", &taken), file("short", b"1")]), "").unwrap();
        assert_eq!(kept.tree.0.keys().collect::<Vec<_>>(), [&long]);
        let bomb = said(&"x".repeat(100_000));
        let refused = unpack(&tar(&[(kind, "head", "", &bomb), file("short", b"1")]), "").unwrap_err();
        assert!(refused.to_string().contains("more than 65536 bytes"), "{refused}");
    }
}
