//! The table of manifests that the API server is tried with, read without one: the same rows are refused with the same words.

#[path = "../../../tests/e2e/tests/manifests/table.rs"]
mod manifests;

use anyhow::Result;
use azureml_check::Definitions;
use manifests::Trial;
use std::path::Path;

fn trials() -> Result<Vec<Trial>> {
    manifests::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/manifests"))
}

/// What is said about a row, one line for each fault.
fn said(definitions: &Definitions, trial: &Trial) -> String {
    let faults = definitions.check(&trial.kind, &trial.spec, trial.before.as_ref());
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The API server writes the key of a map as `inputs[raw]` in the path of a rule, and as `inputs.raw` in that of a bound.
fn as_path(part: &str) -> String {
    match part.rsplit_once("s[") {
        Some((map, key))
            if part.starts_with("spec.") && key.starts_with(|first: char| first.is_alphabetic()) =>
        {
            format!("{map}s.{}", key.replacen(']', "", 1))
        }
        _ => part.to_owned(),
    }
}

#[test]
fn what_the_api_server_refuses_is_found_with_its_words() -> Result<()> {
    let definitions = Definitions::read()?;
    let mut wrong = Vec::new();
    for trial in trials()?.iter().filter(|trial| !trial.says.is_empty()) {
        let said = said(&definitions, trial);
        let missing: Vec<String> =
            trial.says.iter().map(|part| as_path(part)).filter(|part| !said.contains(part)).collect();
        if !missing.is_empty() {
            wrong.push(format!("{}: {}: without {missing:?} in: {said}", trial.kind, trial.case));
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// Rows that an API server takes, and a plan refuses: what it says of them.
const REFUSED_BY_PLANS: [(&str, &str); 2] = [
    ("times of two kinds", "spec.endTime: 2026-01-31T05:30:00 is not after startTime"),
    ("the longest default", "is not one of v0"),
];

#[test]
fn what_the_api_server_takes_is_faultless_or_refused_by_a_plan() -> Result<()> {
    let definitions = Definitions::read()?;
    let (mut wrong, mut by_plans) = (Vec::new(), 0);
    for trial in trials()?.iter().filter(|trial| trial.says.is_empty()) {
        let said = said(&definitions, trial);
        match REFUSED_BY_PLANS.iter().find(|(case, _)| *case == trial.case) {
            Some((_, words)) if said.contains(words) => by_plans += 1,
            None if said.is_empty() => {}
            _ => wrong.push(format!("{}: {}: {said}", trial.kind, trial.case)),
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(by_plans, REFUSED_BY_PLANS.len());
    Ok(())
}
