//! Files like those of `az ml`, and what becomes of them: manifests, byte by byte, and every finding.

mod support;

use anyhow::{Error, Result};
use azureml_cli::convert::context::Options;
use azureml_cli::convert::findings::Weight;
use azureml_cli::convert::{Outcome, convert};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use support::{Memory, in_git, options};

fn files() -> Result<Memory> {
    Ok(Memory::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files"))?)
}

fn converted(paths: &[&str], options: &Options) -> Result<Outcome> {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    convert(&files()?, &paths, options).map_err(Error::msg)
}

/// The conversions whose outcomes are kept.
fn outcomes() -> Result<Vec<(&'static str, Outcome)>> {
    let shop = [
        "shop/pipeline.yml",
        "shop/environment.yml",
        "shop/cluster.yml",
        "shop/sales.yml",
        "shop/night/schedule.yml",
        "shop/night/cron.yml",
    ];
    Ok(vec![
        ("shop", converted(&shop, &options())?),
        ("bodies", converted(&["bodies/pipeline.yml"], &in_git())?),
        (
            "publish",
            converted(&["publish/endpoint.yml", "publish/deployment.yml", "publish/job.yml"], &options())?,
        ),
        ("component", converted(&["shop/train.yml"], &in_git())?),
    ])
}

/// All of an outcome as one text.
fn shown(outcome: &Outcome) -> String {
    let mut text = String::new();
    for finding in &outcome.findings {
        let _ = writeln!(text, "{finding}");
    }
    for (name, bytes) in &outcome.files {
        let content = String::from_utf8(bytes.clone()).unwrap_or_else(|_| format!("{} bytes\n", bytes.len()));
        let _ = write!(text, "\n=== {name}\n{content}");
    }
    text
}

#[test]
fn every_kind_of_file_becomes_manifests() -> Result<()> {
    for (name, outcome) in outcomes()? {
        insta::assert_snapshot!(name, shown(&outcome));
        assert!(!outcome.has_errors(), "{name}: {:#?}", outcome.findings);
    }
    Ok(())
}

#[test]
fn what_is_written_fits_the_kinds() -> Result<()> {
    let faults: Vec<String> = outcomes()?.into_iter().flat_map(|(_, outcome)| outcome.faults).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

const WRONG: [&str; 8] = [
    "wrong/pipeline.yml",
    "wrong/circle.yml",
    "wrong/tag.yml",
    "wrong/broken.yml",
    "wrong/datastore.yml",
    "wrong/schedule.yml",
    "wrong/cluster.yml",
    "wrong/absent.yml",
];

#[test]
fn all_that_is_not_carried_is_said_at_once_with_its_place_and_the_way_out() -> Result<()> {
    let outcome = converted(&WRONG, &options())?;
    insta::assert_snapshot!("wrong", shown(&outcome));
    assert!(outcome.has_errors());
    Ok(())
}

#[test]
fn lenient_makes_warnings_of_what_is_not_carried_and_leaves_errors_of_the_files() -> Result<()> {
    let (strict, lenient) =
        (converted(&WRONG, &options())?, converted(&WRONG, &Options { is_lenient: true, ..options() })?);
    let said = |outcome: &Outcome| -> BTreeMap<String, Weight> {
        outcome
            .findings
            .iter()
            .map(|found| (format!("{} {} {}", found.place, found.key, found.message), found.weight))
            .collect()
    };
    let (strict, lenient) = (said(&strict), said(&lenient));
    assert_eq!(strict.keys().collect::<Vec<_>>(), lenient.keys().collect::<Vec<_>>());
    let softer =
        lenient.iter().filter(|(key, weight)| **weight == Weight::Warning && strict[*key] == Weight::Error);
    assert!(softer.count() > 5);
    let missing = lenient.iter().find(|(key, _)| key.contains("absent.yml is not there"));
    assert_eq!(missing.map(|(_, weight)| *weight), Some(Weight::Error));
    Ok(())
}

#[test]
fn a_second_run_gives_the_same_bytes() -> Result<()> {
    for ((name, first), (_, second)) in outcomes()?.into_iter().zip(outcomes()?) {
        assert_eq!(first.files, second.files, "{name}");
        assert_eq!(first.stream, second.stream, "{name}");
    }
    Ok(())
}

#[test]
fn the_order_of_the_files_does_not_matter() -> Result<()> {
    let paths = ["shop/environment.yml", "shop/pipeline.yml", "shop/sales.yml"];
    let reversed: Vec<&str> = paths.into_iter().rev().collect();
    assert_eq!(converted(&paths, &options())?.files, converted(&reversed, &options())?.files);
    Ok(())
}

#[test]
fn a_namespace_is_in_the_kustomization_and_in_the_stream() -> Result<()> {
    let options = Options { namespace: Some("shops".to_owned()), ..options() };
    let outcome = converted(&["shop/cluster.yml"], &options)?;
    let kustomization = String::from_utf8_lossy(&outcome.files["kustomization.yaml"]).into_owned();
    assert!(kustomization.contains("namespace: shops"), "{kustomization}");
    assert!(outcome.stream.contains("  namespace: shops"), "{}", outcome.stream);
    Ok(())
}

#[test]
fn files_that_git_ignores_and_files_too_large_do_not_go_into_a_manifest() -> Result<()> {
    let mut files = files()?;
    for name in ["a", "b"] {
        files.0.insert(format!("large/src/{name}/part.py"), vec![b'x'; 70_000]);
    }
    let job = "command: python a/part.py\ncode: src\nenvironment: azureml:e:1\n";
    files.0.insert("large/job.yml".to_owned(), job.as_bytes().to_vec());
    let outcome = convert(&files, &["large/job.yml".to_owned()], &options()).map_err(Error::msg)?;
    let said: Vec<String> = outcome.findings.iter().map(ToString::to_string).collect();
    assert!(
        said.iter().any(|line| line.contains("large/job.yml:2:7") && line.contains("--source git=URL@REF")),
        "{said:#?}"
    );
    files.0.insert("large/src/.gitignore".to_owned(), b"b/\n.gitignore\na/\n!a/x.py\n".to_vec());
    files.0.insert("large/src/run.py".to_owned(), b"print(1)\n".to_vec());
    let outcome = convert(&files, &["large/job.yml".to_owned()], &options()).map_err(Error::msg)?;
    assert!(!outcome.has_errors(), "{:#?}", outcome.findings);
    assert!(outcome.stream.contains("run.py: |"), "{}", outcome.stream);
    assert!(!outcome.stream.contains("part.py:"), "{}", outcome.stream);
    Ok(())
}
