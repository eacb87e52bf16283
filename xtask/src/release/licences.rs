//! The licences of everything that is linked into the program, as a table for people.
//! In: the SBOM. Out: Markdown. A part without a licence is an error.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// The table.
pub fn table(sbom: &Value) -> anyhow::Result<String> {
    let components = sbom["components"].as_array().context("the SBOM has no components")?;
    let mut rows =
        components.iter().filter(|part| !is_ours(part)).map(row).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(!rows.is_empty(), "the SBOM names nothing of others");
    rows.sort();
    let mut text =
        "# Licences of what is linked into azureml-operator\n\n| part | version | licence |\n|---|---|---|\n"
            .to_owned();
    for [name, version, licence] in rows {
        writeln!(text, "| {name} | {version} | {licence} |")?;
    }
    Ok(text)
}

fn is_ours(part: &Value) -> bool {
    part["name"].as_str().is_some_and(|name| name.starts_with("azureml-"))
}

fn row(part: &Value) -> anyhow::Result<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let named = |licence: &Value| {
        let expression = licence["expression"].as_str();
        expression
            .or(licence["license"]["id"].as_str())
            .or(licence["license"]["name"].as_str())
            .map(str::to_owned)
    };
    let licences: Vec<String> = part["licenses"].as_array().into_iter().flatten().filter_map(named).collect();
    ensure!(!licences.is_empty(), "{} has no licence in the SBOM", part["name"]);
    Ok([text(&part["name"]), text(&part["version"]), licences.join(", ")])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_part_of_others_is_a_row_and_one_without_a_licence_an_error() {
        let part =
            json!({"name": "b", "version": "1.0.0", "licenses": [{"expression": "MIT OR Apache-2.0"}]});
        let other = json!({"name": "a", "version": "2.0.0", "licenses": [{"license": {"id": "ISC"}}]});
        let ours = json!({"name": "azureml-plan", "version": "0.1.0"});
        let text = table(&json!({"components": [part, other, ours]})).unwrap();
        assert!(
            text.ends_with("|---|---|---|\n| a | 2.0.0 | ISC |\n| b | 1.0.0 | MIT OR Apache-2.0 |\n"),
            "{text}"
        );
        assert!(table(&json!({"components": [{"name": "c", "version": "1.0.0"}]})).is_err());
    }
}
