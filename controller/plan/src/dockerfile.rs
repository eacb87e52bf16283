//! The Dockerfile that is built: the user's, and after it a line for everything that must be in the image.

use crate::shell::quoted;
use azureml_crds::ml_environment::{Build, Verify};
use serde_json::json;

/// The user's text, untouched, and the checks that `verify` asks for.
#[must_use]
pub fn with_checks(build: &Build) -> String {
    let checks = build.verify.as_ref().map(checks).unwrap_or_default();
    if checks.is_empty() {
        return build.dockerfile.clone();
    }
    format!("{}\n\n# build.verify\n{}\n", build.dockerfile.trim_end(), checks.join("\n"))
}

fn checks(verify: &Verify) -> Vec<String> {
    let mut lines = Vec::new();
    if !verify.r_packages.is_empty() {
        let names = verify.r_packages.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let code = format!("for (p in c({names})) library(p, character.only = TRUE)");
        lines.push(run(&["Rscript", "-e", &code]));
    }
    if !verify.python_packages.is_empty() {
        // Some images have python, some only python3.
        let code = format!("import {}", verify.python_packages.join(", "));
        let find = format!("exec \"$(command -v python || command -v python3)\" -c {}", quoted(&code));
        lines.push(run(&["/bin/sh", "-c", &find]));
    }
    if !verify.command.is_empty() {
        lines.push(run(&verify.command.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    lines
}

/// The exec form, which no `SHELL` line changes.
fn run(words: &[&str]) -> String {
    format!("RUN {}", json!(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn build(verify: Option<Verify>) -> Build {
        Build {
            dockerfile: "FROM r-base\n".into(),
            args: BTreeMap::default(),
            platform: None,
            builder: None,
            verify,
        }
    }

    #[test]
    fn the_users_text_is_left_alone() {
        assert_eq!(with_checks(&build(None)), "FROM r-base\n");
    }

    #[test]
    fn what_must_be_there_is_loaded() {
        let verify = Verify {
            r_packages: vec!["caret".into(), "gbm".into()],
            python_packages: vec!["numpy".into()],
            command: vec!["Rscript".into(), "--version".into()],
        };
        insta::assert_snapshot!(with_checks(&build(Some(verify))));
    }
}
