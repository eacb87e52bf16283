//! Builds that succeed, and builds that say why they do not.

use super::*;

fn build(dockerfile: &str, files: &[&str]) -> Result<String, String> {
    let mut all: Files = files.iter().map(|path| ((*path).to_owned(), path.as_bytes().to_vec())).collect();
    all.insert("Dockerfile".into(), dockerfile.as_bytes().to_vec());
    let plan = Plan {
        dockerfile: "Dockerfile".into(),
        arguments: [("V".to_owned(), "9".to_owned())].into(),
        ..Plan::default()
    };
    let mut resolve =
        |r: &Reference| (r.tag.as_deref() != Some("gone")).then(|| format!("digest of {}", r.repository));
    evaluate(&all, &plan, &mut resolve).result
}

#[test]
fn a_build_succeeds_when_everything_it_names_is_there() {
    let text =
        "ARG V=1\nFROM r:$V AS base\nCOPY src/*.R /app/\nFROM base\nCOPY --from=base /a /b\nRUN echo false\n";
    let content = build(text, &["src/a.R"]).unwrap();
    assert!(content.contains("arg V=9") && content.contains("file src/a.R"));
}

#[test]
fn a_build_fails_for_what_is_missing_or_says_so_itself() {
    for (text, cause) in [
        ("FROM r:gone\n", "not found"),
        ("FROM r\nCOPY nowhere /x\n", "file does not exist"),
        ("FROM r\nRUN set -e && false\n", "non-zero code: 1"),
        ("FROM r\nRUN exit 7\n", "non-zero code: 7"),
        ("FROM r\nRUN <<EOF\nexit 2\nEOF\n", "non-zero code: 2"),
        ("FROM r\nCOPY --from=other:gone /a /b\n", "not found"),
    ] {
        assert!(build(text, &[]).unwrap_err().contains(cause), "{text}");
    }
}

#[test]
fn an_archive_is_unpacked_or_refused() {
    assert!(unpack(b"no archive").is_err());
}
