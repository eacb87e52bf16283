//! The runbook has an entry for every reason that the code gives, and none for a reason that it does not give.
//! Reasons are words in PascalCase; every such word in the code that makes them is one, or is named here as something else.

use anyhow::{Result, ensure};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Where reasons are made.
const PLACES: [&str; 8] = [
    "controller/plan/src",
    "controller/src/engine",
    "controller/src/kinds",
    "controller/src/login.rs",
    "controller/observe/src",
    "controller/azure/src/error.rs",
    "controller/azure/src/refusal.rs",
    "controller/azure/src/reply.rs",
];

/// Words that are not reasons: names of kinds and conditions, and words of Azure's and Kubernetes' own requests.
const OTHERS: &[&str] = &[
    "AADToken",
    "ADD",
    "ARG",
    "COPY",
    "FROM",
    "ENV",
    "ONBUILD",
    "AccountKey",
    "Sas",
    "RUN",
    "AbacRepositoryPermissions",
    "All",
    "AmlCompute",
    "AzureBlob",
    "Build",
    "CancelPipelineRunInTerminalStatus",
    "UpdateComponentFailed",
    "CancelRequested",
    "Code",
    "Command",
    "CreateJob",
    "Cron",
    "Day",
    "Dedicated",
    "DELETE",
    "Default",
    "Delete",
    "Deny",
    "Disabled",
    "DockerBuildRequest",
    "Dockerfile",
    "Error",
    "False",
    "Finalizing",
    "Finished",
    "Friday",
    "GET",
    "Hour",
    "Id",
    "InnerError",
    "Linux",
    "LowPriority",
    "MLCompute",
    "MLEnvironment",
    "MLPipeline",
    "MLRun",
    "MLSchedule",
    "MLWorkspace",
    "Message",
    "Minute",
    "Monday",
    "Month",
    "None",
    "Normal",
    "NotStarted",
    "POST",
    "PUT",
    "PascalCase",
    "Paused",
    "Pipeline",
    "PipelineComponent",
    "PolicyViolation",
    "Preparing",
    "Provisioning",
    "Queued",
    "Quota",
    "Ready",
    "Reconcile",
    "Reconciling",
    "Recurrence",
    "Rscript",
    "Running",
    "Saturday",
    "Stalled",
    "Starting",
    "Studio",
    "Sunday",
    "SystemAssigned",
    "TemporaryBlobReference",
    "Thursday",
    "Timeout",
    "True",
    "Tuesday",
    "UTC",
    "Unknown",
    "UserAssigned",
    "Warning",
    "Wednesday",
    "Week",
    // Makes an object that goes; never written to one.
    "Deleted",
    // A code of Azure that means a quota: told as QuotaExceeded.
    "OperationNotAllowed",
];

/// Codes of Azure that have an entry because they are frequent; they are passed through and stand nowhere in the code.
const PASSED_THROUGH: [&str; 4] =
    ["AuthorizationFailed", "LinkedAuthorizationFailed", "Resizing", "ResourceNotFound"];

fn words() -> Result<BTreeMap<String, String>> {
    let word = Regex::new(r#""([A-Z][A-Za-z]+)""#)?;
    let mut found = BTreeMap::new();
    for place in PLACES {
        read(&azureml_e2e::root().join(place), &word, &mut found)?;
    }
    Ok(found)
}

fn read(path: &Path, word: &Regex, found: &mut BTreeMap<String, String>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            read(&entry?.path(), word, found)?;
        }
        return Ok(());
    }
    if path.ends_with("tests.rs") {
        return Ok(());
    }
    let text = std::fs::read_to_string(path)?;
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for capture in word.captures_iter(line) {
            found
                .entry(capture[1].to_owned())
                .or_insert_with(|| format!("{}: {}", path.display(), line.trim()));
        }
    }
    Ok(())
}

fn entries() -> Result<BTreeSet<String>> {
    let text = super::pages::text("docs/src/operations/runbook.md")?;
    let heading = Regex::new(r"(?m)^### `([A-Za-z]+)`$")?;
    Ok(heading.captures_iter(&text).map(|capture| capture[1].to_owned()).collect())
}

#[test]
fn every_reason_has_an_entry_in_the_runbook_and_every_entry_a_reason() -> Result<()> {
    let words = words()?;
    ensure!(words.len() > 80, "the code is not found");
    let unused: Vec<_> = OTHERS.iter().filter(|other| !words.contains_key(**other)).collect();
    assert!(unused.is_empty(), "no words of the code: {unused:?}");
    let reasons = words.keys().map(String::as_str).filter(|word| !OTHERS.contains(word));
    let reasons: BTreeSet<&str> = reasons.chain(PASSED_THROUGH).collect();
    let entries = entries()?;
    let missing: Vec<_> = reasons.iter().filter(|reason| !entries.contains(**reason)).collect();
    let told: Vec<_> = missing.iter().map(|reason| words.get(**reason)).collect();
    assert!(missing.is_empty(), "no entry in the runbook for {missing:?} ({told:?})");
    let superfluous: Vec<_> = entries.iter().filter(|entry| !reasons.contains(entry.as_str())).collect();
    assert!(superfluous.is_empty(), "entries of the runbook for what nothing says: {superfluous:?}");
    Ok(())
}

#[test]
fn an_entry_says_what_it_means_what_to_look_at_and_what_to_do() -> Result<()> {
    let text = super::pages::text("docs/src/operations/runbook.md")?;
    for entry in text.split("\n### `").skip(1) {
        let (name, rest) = entry.split_once('`').unwrap_or((entry, ""));
        let rest = rest.split("\n## ").next().unwrap_or_default();
        for part in ["**Means**", "**Look**", "**Do**"] {
            assert!(rest.contains(part), "the entry {name} of the runbook has no {part}");
        }
    }
    Ok(())
}
