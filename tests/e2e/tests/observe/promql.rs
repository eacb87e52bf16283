//! The names in a PromQL expression: its metrics with what is asked of their labels, and the labels it groups by.
//!
//! In: an expression, which Prometheus itself has accepted. Out: names. A word that is no function and no keyword is a metric.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// The names in an expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Metrics, and what is asked of the labels of each.
    pub metrics: BTreeMap<String, BTreeSet<Asked>>,
    /// Labels that are grouped or joined by.
    pub labels: BTreeSet<String>,
}

/// One matcher.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The label.
    pub label: String,
    /// The values that it is compared with, each as a regular expression.
    pub values: Vec<String>,
}

/// What stands where a metric could, and is none.
const KEYWORDS: [&str; 10] =
    ["and", "or", "unless", "bool", "offset", "group_left", "group_right", "atan2", "inf", "nan"];

fn found<'a>(pattern: &str, text: &'a str) -> Vec<regex::Captures<'a>> {
    Regex::new(pattern).map(|pattern| pattern.captures_iter(text).collect()).unwrap_or_default()
}

fn without(pattern: &str, text: &str) -> String {
    Regex::new(pattern).map(|pattern| pattern.replace_all(text, " ").into_owned()).unwrap_or_default()
}

/// The names in an expression.
pub fn names(expression: &str) -> Names {
    let mut names = Names::default();
    let grouping = r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)";
    for grouped in found(grouping, expression) {
        let labels = grouped[1].split(',').map(|label| label.trim().to_owned());
        names.labels.extend(labels.filter(|label| !label.is_empty()));
    }
    let rest = without(grouping, expression);
    let selector = r#"([A-Za-z_:][\w:]*)?\s*\{((?:[^"}]|"[^"]*")*)\}"#;
    for selected in found(selector, &rest) {
        let name = selected.get(1).map(|name| name.as_str()).filter(|name| !is_keyword(name));
        // What selects without a name is told as a name that nobody exports.
        let metric = name.unwrap_or("{}");
        names.metrics.entry(metric.to_owned()).or_default().extend(asked(&selected[2]));
    }
    let rest = without(selector, &rest);
    // Texts, ranges, numbers and durations.
    let rest = without(r#""[^"]*"|\[[^\]]*\]|\b\d[\w.]*"#, &rest);
    for word in found(r"([A-Za-z_:][\w:]*)\s*(\()?", &rest) {
        let is_function = word.get(2).is_some();
        if !is_function && !is_keyword(&word[1]) {
            names.metrics.entry(word[1].to_owned()).or_default();
        }
    }
    names
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn asked(matchers: &str) -> impl Iterator<Item = Asked> {
    found(r#"(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)""#, matchers).into_iter().map(|matcher| {
        let values = match &matcher[2] {
            "=~" | "!~" => matcher[3].split('|').map(str::to_owned).collect(),
            _ => vec![regex::escape(&matcher[3])],
        };
        Asked { label: matcher[1].to_owned(), values }
    })
}

#[test]
fn names_are_found_wherever_they_stand() {
    let found = names(
        "sum by (job, kind) (rate(azureml_a_total{kind=~\"a|b\",status!=\"x.y\"}[5m])) \
         / on (job) group_left up > process_b offset 15m or vector(0) and 2e3 * other:name and {job=\"z\"}",
    );
    let asked = |label: &str, values: &[&str]| Asked {
        label: label.to_owned(),
        values: values.iter().map(ToString::to_string).collect(),
    };
    let metrics = [
        ("azureml_a_total", vec![asked("kind", &["a", "b"]), asked("status", &["x\\.y"])]),
        ("up", vec![]),
        ("process_b", vec![]),
        ("other:name", vec![]),
        ("{}", vec![asked("job", &["z"])]),
    ];
    let metrics = metrics.into_iter().map(|(name, asked)| (name.to_owned(), asked.into_iter().collect()));
    let labels = ["job", "kind"].map(str::to_owned).into();
    assert_eq!(found, Names { metrics: metrics.collect(), labels });
}
