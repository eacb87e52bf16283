//! What may differ, and why: rules for every file, under which files are equal, and differences that are left.
//!
//! In: `rules.yaml`, and differences of a file. Out: how far the file came, and what has no reason. A reason for what does not
//! differ is wrong too.

use super::compare::{Difference, Pattern, Reasons};
use super::table::Outcome;
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    same: Reasons,
    left: BTreeMap<String, BTreeMap<String, Reasons>>,
}

/// The rules for a set of files.
pub struct Rules {
    same: Vec<Pattern>,
    /// Patterns of files, each with its patterns of places.
    left: Vec<(Pattern, Vec<Pattern>)>,
    used: Mutex<BTreeSet<String>>,
}

impl Rules {
    /// Reads them.
    pub fn read(file: &Path, set: &str) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let mut written: Written = serde_saphyr::from_str(&text).context("rules.yaml")?;
        let read =
            |reasons: &Reasons| reasons.keys().map(|text| Pattern::read(text)).collect::<Result<Vec<_>>>();
        let left = written.left.remove(set).unwrap_or_default();
        let left = left
            .iter()
            .map(|(file, reasons)| Ok((Pattern::read(file)?, read(reasons)?)))
            .collect::<Result<_>>()?;
        Ok(Self { same: read(&written.same)?, left, used: Mutex::default() })
    }

    /// How far a file came, and what differs without a reason.
    pub fn judge(&self, file: &str, differences: &[Difference]) -> (Outcome, Vec<String>) {
        let (mut outcome, mut wrong) = (Outcome::Equal, Vec::new());
        for difference in differences {
            if self.same.iter().any(|pattern| pattern.means(&difference.place)) {
                continue;
            }
            outcome = Outcome::Different;
            if !self.is_listed(file, difference) {
                wrong.push(difference.to_string());
            }
        }
        (outcome, wrong)
    }

    fn is_listed(&self, file: &str, difference: &Difference) -> bool {
        let mut is_listed = false;
        for (of, patterns) in self.left.iter().filter(|(of, _)| of.means(file)) {
            for pattern in patterns.iter().filter(|pattern| pattern.means(&difference.place)) {
                let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
                used.insert(format!("{} {}", of.text, pattern.text));
                is_listed = true;
            }
        }
        is_listed
    }

    /// Differences that are listed, and of which there is none.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.left.iter().flat_map(|(of, patterns)| patterns.iter().map(move |one| (of, one)));
        let unused = all.filter(|(of, one)| !used.contains(&format!("{} {}", of.text, one.text)));
        unused.map(|(of, one)| format!("{}: {} is listed as left, and is not", of.text, one.text)).collect()
    }
}

/// What a file says it is: the last part of its schema, or its type.
pub fn kind(text: &str) -> String {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let schema = value("$schema:").and_then(|schema| schema.rsplit('/').next()?.split('.').next());
    let kind = schema.or_else(|| value("type:")).unwrap_or("(none)");
    kind.trim_matches(['"', '\'']).to_owned()
}
