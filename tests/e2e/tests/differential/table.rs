//! The table of results, by kind of file: kept in the project, and never worse than it is there.
//!
//! In: outcomes of files. Out: counts, as text and as a file. Decides only whether they became fewer.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Writes the results that are kept anew, where it is set.
const KEEP: &str = "AZUREML_KEEP_RESULTS";

/// How far a file came.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The converter says that it cannot carry all of it.
    NotCarried(String),
    /// The kinds refuse what the converter wrote.
    NotAccepted(String),
    /// Microsoft's client refuses the file.
    TheirsRefused(String),
    /// The manifests do not come to the requests.
    NotSent(String),
    /// Some differences are left.
    Different,
    /// Both sides ask for the same.
    Equal,
}

/// Counts of one kind of file.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    files: usize,
    converted: usize,
    accepted: usize,
    compared: usize,
    equal: usize,
    different: usize,
}

/// Counts by kind of file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Table(BTreeMap<String, Row>);

impl Table {
    /// Counts one file.
    pub fn count(&mut self, kind: &str, outcome: &Outcome) {
        let row = self.0.entry(kind.to_owned()).or_default();
        row.files += 1;
        let (converted, accepted, compared) = match outcome {
            Outcome::NotCarried(_) => (0, 0, 0),
            Outcome::NotAccepted(_) => (1, 0, 0),
            Outcome::TheirsRefused(_) | Outcome::NotSent(_) => (1, 1, 0),
            Outcome::Different | Outcome::Equal => (1, 1, 1),
        };
        row.converted += converted;
        row.accepted += accepted;
        row.compared += compared;
        row.equal += usize::from(matches!(outcome, Outcome::Equal));
        row.different += usize::from(matches!(outcome, Outcome::Different));
    }

    /// The table as people read it.
    pub fn shown(&self) -> String {
        let mut text = format!(
            "{:<34}{:>7}{:>11}{:>10}{:>10}{:>7}{:>11}\n",
            "kind of file", "files", "converted", "accepted", "compared", "equal", "different"
        );
        let mut all = Row::default();
        for (kind, row) in &self.0 {
            let _ = writeln!(text, "{}", line(kind, row));
            all = all.plus(row);
        }
        text + &line("all", &all) + "\n"
    }

    /// What became less than in the file of results, or all of it where that has no such table. With the variable set, the file
    /// is written instead.
    pub fn judge(&self, file: &Path, set: &str) -> Result<Vec<String>> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let mut kept: BTreeMap<String, Self> =
            serde_saphyr::from_str(&text).context("the kept results cannot be read")?;
        if std::env::var_os(KEEP).is_some() {
            kept.insert(set.to_owned(), self.clone());
            let head: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
            std::fs::write(file, format!("{}\n{}", head.join("\n"), serde_saphyr::to_string(&kept)?))?;
            return Ok(Vec::new());
        }
        let before =
            kept.remove(set).with_context(|| format!("{} has no table {set}; set {KEEP}", file.display()))?;
        Ok(before.0.iter().filter_map(|(kind, row)| self.worse(kind, row)).collect())
    }

    fn worse(&self, kind: &str, before: &Row) -> Option<String> {
        let now = self.0.get(kind).copied().unwrap_or_default();
        let is_worse = now.converted < before.converted
            || now.accepted < before.accepted
            || now.compared < before.compared
            || now.equal < before.equal;
        is_worse.then(|| format!("was {}\nis  {}", line(kind, before), line(kind, &now)))
    }
}

impl Row {
    fn plus(self, other: &Self) -> Self {
        Self {
            files: self.files + other.files,
            converted: self.converted + other.converted,
            accepted: self.accepted + other.accepted,
            compared: self.compared + other.compared,
            equal: self.equal + other.equal,
            different: self.different + other.different,
        }
    }
}

fn line(kind: &str, row: &Row) -> String {
    let Row { files, converted, accepted, compared, equal, different } = row;
    format!("{kind:<34}{files:>7}{converted:>11}{accepted:>10}{compared:>10}{equal:>7}{different:>11}")
}
