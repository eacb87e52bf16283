//! The alert rules: accepted by promtool, each with a test in which it fires and one in which it does not, and an entry in the book.

use super::{chart, page, printed, program};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The rules of the chart.
pub fn rules() -> Result<Vec<Value>> {
    let file: Value = serde_saphyr::from_str(&std::fs::read_to_string(chart("files/alerts.yaml"))?)?;
    let groups = file["groups"].as_array().context("no groups")?;
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
    let rules: Vec<Value> = rules.collect();
    ensure!(rules.len() > 10, "the rules are not found");
    Ok(rules)
}

pub fn name(rule: &Value) -> &str {
    rule["alert"].as_str().unwrap_or_default()
}

fn tests_file() -> std::path::PathBuf {
    azureml_e2e::root().join("tests/e2e/tests/observe/alerts.test.yaml")
}

#[test]
fn promtool_accepts_the_rules_and_their_tests_pass() -> Result<()> {
    let Some(promtool) = program("promtool")? else { return Ok(()) };
    let run = |arguments: &[&str], file: &Path| {
        let file = file.to_str().context("a path that is no text")?;
        printed(&promtool, &[arguments, &[file]].concat(), "")
    };
    for (arguments, file) in
        [(["check", "rules"], chart("files/alerts.yaml")), (["test", "rules"], tests_file())]
    {
        let (is_fine, said) = run(&arguments, &file)?;
        ensure!(is_fine && said.contains("SUCCESS"), "{arguments:?}: {said}");
    }
    Ok(())
}

#[test]
fn every_alert_is_tested_firing_and_not_firing() -> Result<()> {
    let file: Value = serde_saphyr::from_str(&std::fs::read_to_string(tests_file())?)?;
    let (mut firing, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for test in file["tests"].as_array().into_iter().flatten() {
        for case in test["alert_rule_test"].as_array().into_iter().flatten() {
            let alert = case["alertname"].as_str().unwrap_or_default().to_owned();
            let is_firing = case["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
            if is_firing {
                firing.insert(alert)
            } else {
                silent.insert(alert)
            };
        }
    }
    let all: BTreeSet<String> = rules()?.iter().map(|rule| name(rule).to_owned()).collect();
    assert_eq!((&firing, &silent), (&all, &all));
    Ok(())
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do_and_has_its_entry_in_the_book() -> Result<()> {
    let text = std::fs::read_to_string(page("alerts.md"))?;
    let entries: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("## AzureML")).collect();
    let mut wanted = BTreeSet::new();
    for rule in rules()? {
        let name = name(&rule);
        let severity = rule["labels"]["severity"].as_str().unwrap_or_default();
        ensure!(["critical", "warning"].contains(&severity), "{name}: {severity:?}");
        for key in ["summary", "description"] {
            let words = rule["annotations"][key].as_str().unwrap_or_default();
            ensure!(words.ends_with('.'), "{name}: {key} {words:?}");
        }
        let link = rule["annotations"]["runbook_url"].as_str().unwrap_or_default();
        ensure!(link.ends_with(&format!("operations/alerts.html#{}", name.to_lowercase())), "{name}: {link}");
        let short = name.trim_start_matches("AzureMLOperator");
        let waits = rule["for"].as_str().unwrap_or("at once");
        let row = format!("| [{short}](#{}) | {severity} | {waits} | ", name.to_lowercase());
        ensure!(text.contains(&row), "the table of the page has no row {row}");
        wanted.insert(name.trim_start_matches("AzureML").to_owned());
    }
    assert_eq!(entries, wanted.iter().map(String::as_str).collect());
    // An entry says what it means, how to look, and what to do.
    for entry in text.split("\n## ").skip(1) {
        let title = entry.lines().next().unwrap_or_default();
        ensure!(
            !title.starts_with("AzureML") || (entry.contains("**Look.**") && entry.contains("**Do.**")),
            "{title} does not say where to look and what to do"
        );
    }
    Ok(())
}
