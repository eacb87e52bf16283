//! Checks of what is in an image: lines of a Dockerfile that let the build fail.
//!
//! In: names. Out: `RUN` lines in the exec form, which no `SHELL` line changes and in which a name is one word, whatever is in it.

use crate::shell::quoted;
use azureml_crds::ml_environment::Verify;
use serde_json::json;

/// The checks that `verify` asks for.
#[must_use]
pub fn asked(Verify { r_packages, python_packages, command }: &Verify) -> Vec<String> {
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let command = (!command.is_empty()).then(|| run(&command));
    r_loads(r_packages).into_iter().chain(python_imports(python_packages)).chain(command).collect()
}

/// R packages load.
#[must_use]
pub fn r_loads(names: &[String]) -> Option<String> {
    let quoted = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let code = format!("for (p in c({quoted})) library(p, character.only = TRUE)");
    (!names.is_empty()).then(|| run(&["Rscript", "-e", &code]))
}

/// Some images have python, some only python3.
const PYTHON: &str = "exec \"$(command -v python || command -v python3)\" -c";

/// Python modules import.
fn python_imports(modules: &[String]) -> Option<String> {
    let code = format!("import {}", modules.join(", "));
    let find = format!("{PYTHON} {}", quoted(&code));
    (!modules.is_empty()).then(|| run(&["/bin/sh", "-c", &find]))
}

/// Python packages are installed, by the names that pip knows them by: those of their modules may be others.
#[must_use]
pub fn distributions(names: &[String]) -> Option<String> {
    let code = "import sys, importlib.metadata as m; [m.distribution(name) for name in sys.argv[1:]]";
    let find = format!("{PYTHON} {} \"$@\"", quoted(code));
    let words = ["/bin/sh", "-c", &find, "sh"].into_iter().chain(names.iter().map(String::as_str));
    (!names.is_empty()).then(|| run(&words.collect::<Vec<_>>()))
}

/// What a file of `conda-meta` is called: name, version and build, the last two without a hyphen.
const INSTALLED: &str = r#"missing=; for name in "$@"; do ls "$0/conda-meta" | sed 's/-[^-]*-[^-]*[.]json$//' | grep -qxF -e "$name" || missing="$missing $name"; done; test -z "$missing" || echo "conda did not install:$missing"; test -z "$missing""#;

/// Conda packages are in an environment, which need not have Python.
#[must_use]
pub fn conda_packages(prefix: &str, names: &[String]) -> Option<String> {
    let words = ["/bin/sh", "-c", INSTALLED, prefix].into_iter().chain(names.iter().map(String::as_str));
    (!names.is_empty()).then(|| run(&words.collect::<Vec<_>>()))
}

/// A program and its arguments, each a word whatever is in it.
#[must_use]
pub fn run(words: &[&str]) -> String {
    format!("RUN {}", json!(words))
}
