//! Real files of `az ml`, from Microsoft's public examples, which are beside the project and no part of it.
//!
//! Each file is converted alone, as if it were in Git, since its code is not there. Where the files are absent, the test says so.

mod support;

use anyhow::{Error, Result};
use azureml_cli::convert::convert;
use azureml_cli::convert::findings::Weight;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use support::{Memory, in_git};

/// Files that are converted without an error. This number may only rise.
const CONVERTED: usize = 154;

/// What a file says it is: the last part of its schema, or its type.
fn kind(text: &str) -> String {
    let value =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned());
    let schema =
        value("$schema:").and_then(|schema| Some(schema.rsplit('/').next()?.split('.').next()?.to_owned()));
    schema.or_else(|| value("type:")).unwrap_or_else(|| "(none)".to_owned())
}

#[test]
fn real_files_are_converted() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let Ok(files) = Memory::of(&folder) else {
        println!("{} is not there: real files were not converted", folder.display());
        return Ok(());
    };
    let mut kinds: BTreeMap<String, (usize, usize, BTreeMap<String, usize>)> = BTreeMap::new();
    let mut faults: BTreeMap<String, usize> = BTreeMap::new();
    let is_yaml = |path: &&String| [".yml", ".yaml"].iter().any(|end| path.ends_with(end));
    for path in files.0.keys().filter(is_yaml) {
        let outcome = convert(&files, std::slice::from_ref(path), &in_git()).map_err(Error::msg)?;
        let (good, bad, reasons) = kinds.entry(kind(&String::from_utf8_lossy(&files.0[path]))).or_default();
        let errors = outcome.findings.iter().filter(|finding| finding.weight == Weight::Error);
        for error in errors {
            *reasons.entry(error.message.chars().take(90).collect()).or_default() += 1;
        }
        *(if outcome.has_errors() { bad } else { good }) += 1;
        for fault in outcome.faults {
            let field: String = fault.split_once(": ").map_or(fault.as_str(), |(_, field)| field).to_owned();
            *faults.entry(field).or_default() += 1;
        }
    }
    let mut table = format!("{:<36}{:>10}{:>9}  why\n", "kind of file", "converted", "refused");
    let mut all = 0;
    for (kind, (good, bad, reasons)) in &kinds {
        let mut reasons: Vec<_> = reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let why: Vec<&str> = reasons.iter().take(2).map(|(reason, _)| reason.as_str()).collect();
        let _ = writeln!(table, "{kind:<36}{good:>10}{bad:>9}  {}", why.join(" | "));
        all += good;
    }
    println!("{table}{all} converted\nwhat does not fit the kinds: {faults:#?}");
    assert!(all >= CONVERTED, "only {all} of {CONVERTED}:\n{table}");
    let wrong: Vec<&String> = faults.keys().filter(|fault| fault.contains("means something else")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
