//! What cargo is told to build no tests of has none: a program of a hundred megabytes without a test in it is not linked, and documentation
//! without an example is not compiled.

use super::{cargo, files};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The targets of the workspace.
fn targets() -> Result<Vec<Value>> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps", "--offline"])?)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().into_iter().flatten());
    Ok(targets.cloned().collect())
}

/// A file, and the files of the modules that it and they declare.
fn with_modules(path: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    found.push(path.to_owned());
    let declared = text.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    for name in declared.filter_map(|line| line.strip_suffix(';')) {
        let file = folder.join(format!("{name}.rs"));
        let file = if file.exists() { file } else { folder.join(name).join("mod.rs") };
        with_modules(&file, &folder.join(name), found)?;
    }
    Ok(())
}

#[test]
fn a_program_of_which_no_tests_are_built_has_none() -> Result<()> {
    let (mut programs, mut found) = (0, Vec::new());
    for target in targets()?.into_iter().filter(|target| target["test"] == false) {
        let main = PathBuf::from(target["src_path"].as_str().context("no path")?);
        let mut all = Vec::new();
        with_modules(&main, main.parent().context("no folder")?, &mut all)?;
        programs += 1;
        for path in all {
            let text = std::fs::read_to_string(&path)?;
            if text.contains("#[test]") || text.contains("#[tokio::test") {
                found.push(format!("{}: take `test = false` of {} away", path.display(), target["name"]));
            }
        }
    }
    assert!(programs > 4 && found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// Whether documentation has a block that would be compiled: one that names no language, or Rust.
fn has_example(text: &str) -> bool {
    let mut is_open = false;
    text.lines().filter_map(|line| line.trim_start().strip_prefix("//")).any(|line| {
        let fence = line.strip_prefix(['/', '!']).and_then(|line| line.trim_start().strip_prefix("```"));
        let Some(language) = fence else { return false };
        is_open = !is_open;
        is_open && ["", "rust", "no_run", "should_panic", "compile_fail"].contains(&language.trim())
    })
}

#[test]
fn documentation_of_which_no_examples_are_compiled_has_none() -> Result<()> {
    assert!(
        has_example("/// So:\n/// ```\n/// one();\n/// ```") && !has_example("//! ```text\n//! a\n//! ```")
    );
    let all = files(&[".rs"])?;
    let found: Vec<&String> =
        all.iter().filter(|(_, text)| has_example(text)).map(|(path, _)| path).collect();
    assert!(
        found.is_empty(),
        "take `doctest = false` of these crates away, and run `cargo test --doc` in the step `unit`: {found:?}"
    );
    Ok(())
}
