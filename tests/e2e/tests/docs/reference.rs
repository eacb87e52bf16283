//! Reference pages: every page is in the summary, and what is shown of other files is included, not copied.

use anyhow::{Context as _, Result, ensure};
use regex::Regex;
use std::collections::BTreeSet;

#[test]
fn every_page_is_in_the_summary() -> Result<()> {
    let summary = super::pages::text("docs/src/SUMMARY.md")?;
    let link = Regex::new(r"\]\(([^)]+\.md)\)")?;
    let linked: BTreeSet<String> =
        link.captures_iter(&summary).map(|found| format!("docs/src/{}", &found[1])).collect();
    let pages = super::pages::all()?.into_iter().filter(|page| page.starts_with(super::pages::BOOK));
    let left: Vec<String> =
        pages.filter(|page| !page.ends_with("SUMMARY.md") && !linked.contains(page)).collect();
    assert!(left.is_empty(), "not in the summary: {left:?}");
    Ok(())
}

#[test]
fn files_of_the_repository_are_included_and_not_copied() -> Result<()> {
    for (page, file) in [
        ("docs/src/reference/configuration.md", "../../configuration.yaml"),
        ("docs/src/reference/values.md", "../../../charts/azureml-operator/values.yaml"),
        ("docs/src/how-to/azure-role.md", "../../../examples/azure/role.json"),
        ("docs/src/how-to/azure-role.md", "../../../examples/azure/operations.json"),
        ("docs/src/how-to/azure-role.md", "../../../examples/azure/clusters.json"),
    ] {
        assert!(
            super::pages::text(page)?.contains(&format!("{{{{#include {file}}}}}")),
            "{page} does not include {file}"
        );
    }
    Ok(())
}

#[test]
fn every_threat_names_tests_that_exist() -> Result<()> {
    let page = super::pages::text("docs/src/reference/security.md")?;
    let threats =
        page.split("## Threats").nth(1).and_then(|rest| rest.split("\n## ").next()).context("no threats")?;
    let code = Regex::new("`([^`]+)`")?;
    let mut rows = 0;
    for row in threats.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let shown = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let mut test = None;
        for name in code.captures_iter(shown).map(|found| found[1].to_owned()) {
            let path = azureml_e2e::root().join(&name);
            if name.starts_with("cargo ") {
                continue;
            }
            if !name.contains('/') {
                test = Some(name);
                continue;
            }
            ensure!(path.exists(), "{row}: there is no {name}");
            if let Some(test) = test.take() {
                let code = std::fs::read_to_string(path)?;
                ensure!(code.contains(&format!("fn {test}(")), "{row}: there is no {test} in {name}");
            }
        }
        ensure!(test.is_none(), "{row}: a test without its file");
        rows += 1;
    }
    ensure!(rows > 10, "the threats are not found");
    Ok(())
}
