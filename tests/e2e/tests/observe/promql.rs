//! The names in a PromQL expression: its metrics with the labels that are asked of them, and the labels it groups by.
//!
//! In: an expression, which Prometheus itself has accepted. Out: names. Reads what these rules and panels are written with.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// The names in an expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Metrics, and the labels that are asked of each.
    pub metrics: BTreeMap<String, BTreeSet<String>>,
    /// Labels that are grouped or joined by.
    pub labels: BTreeSet<String>,
}

fn found<'a>(pattern: &str, text: &'a str) -> Vec<regex::Captures<'a>> {
    Regex::new(pattern).map(|pattern| pattern.captures_iter(text).collect()).unwrap_or_default()
}

/// The names in an expression.
pub fn names(expression: &str) -> Names {
    let mut names = Names::default();
    for grouped in found(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)", expression) {
        let labels = grouped[1].split(',').map(|label| label.trim().to_owned());
        names.labels.extend(labels.filter(|label| !label.is_empty()));
    }
    let prefixes = r"\b((?:azureml|workqueue|process)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?";
    for metric in found(prefixes, expression) {
        let labels = names.metrics.entry(metric[1].to_owned()).or_default();
        let asked = metric.get(2).map_or("", |matchers| matchers.as_str());
        labels.extend(
            found(r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*""#, asked).iter().map(|label| label[1].to_owned()),
        );
    }
    names
}

#[test]
fn names_are_found_wherever_they_stand() {
    let found = names(
        "sum by (job, kind) (rate(azureml_a_total{kind=~\"a|b\",status!=\"x\"}[5m])) \
         / on (job) group_left up > process_b",
    );
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let metrics = [("azureml_a_total", set(&["kind", "status"])), ("up", set(&[])), ("process_b", set(&[]))];
    let metrics = metrics.into_iter().map(|(name, labels)| (name.to_owned(), labels)).collect();
    assert_eq!(found, Names { metrics, labels: set(&["job", "kind"]) });
}
