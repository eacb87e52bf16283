//! The shape of the code: which crate may use which, what the pure ones may not pull in, and how files begin and end.

mod arrows;
mod circles;
mod features;
mod lists;
mod pages;
mod untested;
mod words;

use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output =
        Command::new(program).args(arguments).current_dir(root()).output().context(program.to_owned())?;
    ensure!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn cargo(arguments: &[&str]) -> Result<String> {
    output(env!("CARGO"), arguments)
}

/// Every file that is under version control, as text.
fn files(suffixes: &[&str]) -> Result<Vec<(String, String)>> {
    let listed = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let wanted = |path: &&str| suffixes.iter().any(|suffix| path.ends_with(suffix));
    let read = |path: &str| -> Result<(String, String)> {
        Ok((path.to_owned(), std::fs::read_to_string(root().join(path)).with_context(|| path.to_owned())?))
    };
    listed.lines().filter(wanted).filter(|path| root().join(path).exists()).map(read).collect()
}

#[test]
fn a_file_says_first_what_it_is_for_and_is_short() -> Result<()> {
    let files = files(&[".rs"])?;
    assert!(files.len() > 100, "the files are not found");
    let mut wrong = Vec::new();
    for (path, text) in files {
        if !text.starts_with("//! ") {
            wrong.push(format!("{path}: does not begin with what it is for (`//!`)"));
        }
        let lines = text.lines().count();
        if lines > 300 {
            wrong.push(format!("{path}: {lines} lines; split it by topic, 300 are the most"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn nothing_is_left_to_be_done_and_no_test_is_left_out() -> Result<()> {
    // In two parts, so that this file does not say them itself.
    let words = [
        ("TO", "DO"),
        ("FIX", "ME"),
        ("to", "do!("),
        ("unimple", "mented!("),
        ("db", "g!("),
        ("#[ig", "nore"),
    ];
    let words = words.map(|(first, second)| format!("{first}{second}"));
    let mut found = Vec::new();
    for (path, text) in files(&[".rs", ".md", ".yaml", ".toml", ".py", ".R", ".tpl"])? {
        found.extend(words.iter().filter(|word| text.contains(*word)).map(|word| format!("{path}: {word}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn tests_wait_for_what_happens_and_never_for_time_alone() -> Result<()> {
    let call = ["::sleep", "("].concat();
    let files = files(&[".rs"])?.into_iter();
    let sleeping = files.filter(|(path, text)| path.contains("/tests/") && text.contains(&call));
    let sleeping: Vec<String> = sleeping.map(|(path, _)| path).collect();
    assert_eq!(sleeping, [""; 0]);
    Ok(())
}

#[test]
fn the_toolchain_is_the_one_that_the_manifest_names() -> Result<()> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    let toolchain = std::fs::read_to_string(root().join("rust-toolchain.toml"))?;
    let value = |text: &str, key: &str| -> Result<String> {
        let line = text.lines().find(|line| line.starts_with(key)).with_context(|| format!("no {key}"))?;
        Ok(line.split('"').nth(1).context("no value")?.to_owned())
    };
    let (minimum, channel) = (value(&manifest, "rust-version")?, value(&toolchain, "channel")?);
    assert!(channel == minimum || channel.starts_with(&format!("{minimum}.")), "{channel} is not {minimum}");
    Ok(())
}

#[test]
fn a_hosted_workflow_runs_our_own_command_and_what_it_uses_of_others_is_pinned() -> Result<()> {
    let workflows = files(&[".github/workflows/ci.yaml", ".github/workflows/release.yaml"])?;
    assert_eq!(workflows.len(), 2, "the workflows are not found");
    for (path, text) in &workflows {
        for line in
            text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
        {
            // Our own, of the same commit.
            if let Some(own) = line.strip_prefix("./") {
                assert!(root().join(own).is_file(), "{path}: there is no {own}");
                continue;
            }
            let (commit, version) =
                line.split_once('@').and_then(|(_, pin)| pin.split_once(" # v")).context(line.to_owned())?;
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit && !version.is_empty(), "{path}: {line} is not pinned to a commit");
        }
    }
    let commands = [
        (".ci/run", &workflows[0]),
        ("uses: ./.github/workflows/ci.yaml", &workflows[1]),
        ("needs: gate", &workflows[1]),
        ("cargo xtask release --output dist", &workflows[1]),
    ];
    for (command, (path, text)) in commands {
        assert!(text.contains(command), "{path} does not run {command}");
    }
    Ok(())
}
