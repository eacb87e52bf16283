//! A report in the words of its reader: lines for people, JSON for programs, SARIF for code scanning, commands for a workflow of GitHub.
//!
//! In: findings. Out: text. The form of the JSON only grows.

use super::Report;
use super::found::Found;
use crate::convert::findings::Weight;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// How a report is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Lines: file, line, column, what is wrong, what to do.
    Text,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub, which show findings beside the lines of a pull request.
    Github,
}

/// A report as text.
#[must_use]
pub fn write(report: &Report, format: Format) -> String {
    match format {
        Format::Text => lines(report),
        Format::Json => pretty(&whole(report)),
        Format::Sarif => pretty(&sarif(report)),
        Format::Github => report.findings.iter().map(command).collect(),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn word(weight: Weight) -> &'static str {
    match weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Note => "note",
    }
}

fn lines(report: &Report) -> String {
    let mut text = String::new();
    for Found { finding, object, .. } in &report.findings {
        let colon = if finding.key.is_empty() { "" } else { ": " };
        let object = if object.is_empty() { String::new() } else { format!("{object}: ") };
        let _ = writeln!(
            text,
            "{}: {}: {object}{}{colon}{}",
            finding.place,
            word(finding.weight),
            finding.key,
            finding.message
        );
    }
    text
}

fn whole(report: &Report) -> Value {
    let findings = report.findings.iter().map(|Found { finding, object, reason }| {
        json!({
            "file": *finding.place.file, "line": finding.place.line, "column": finding.place.column,
            "severity": word(finding.weight), "object": object, "field": finding.key, "reason": reason,
            "message": finding.message,
        })
    });
    let findings: Vec<Value> = findings.collect();
    json!({"objects": report.objects, "others": report.others, "findings": findings})
}

fn sarif(report: &Report) -> Value {
    let result = |Found { finding, object, reason }: &Found| {
        let text = format!("{object}: {}: {}", finding.key, finding.message);
        json!({
            "ruleId": reason,
            "level": word(finding.weight),
            "message": {"text": text.trim_start_matches([':', ' '])},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": *finding.place.file},
                "region": {"startLine": finding.place.line, "startColumn": finding.place.column},
            }}],
        })
    };
    let mut rules: Vec<&str> = report.findings.iter().map(|found| found.reason).collect();
    rules.sort_unstable();
    rules.dedup();
    let rules: Vec<Value> = rules.iter().map(|rule| json!({"id": rule})).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "kubectl-azureml", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

/// A finding as a workflow command; what would end it is escaped as GitHub's toolkit does.
fn command(Found { finding, object, .. }: &Found) -> String {
    let weight = match finding.weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Note => "notice",
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::{weight} file={},line={},col={},title={}::{}\n",
        property(&finding.place.file),
        finding.place.line,
        finding.place.column,
        property(&format!("{object} {}", finding.key)),
        data(&finding.message)
    )
}
