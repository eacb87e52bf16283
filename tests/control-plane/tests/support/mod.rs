//! What the tests of this crate share: its files, and commands whose output is read.
#![expect(clippy::expect_used, reason = "a helper of tests fails by panicking")]

use std::path::PathBuf;
use std::process::Command;

/// The standard output of a command that succeeds, else its standard error.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().expect("the program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A file of this crate.
pub fn crate_file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}
