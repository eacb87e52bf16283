//! The page of a kind: what it is, an example, its columns, every field, every rule.
//! In: a definition and the examples. Out: Markdown.

use std::fmt::Write as _;

use anyhow::Context as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion,
};
use serde_json::Value;

use super::fields::{Field, Found, Rule, read};

pub fn page(definition: &CustomResourceDefinition, examples: &[String]) -> anyhow::Result<String> {
    let kind = &definition.spec.names.kind;
    let version = definition.spec.versions.first().context("there is no version")?;
    let schema = serde_json::to_value(&version.schema)?["openAPIV3Schema"].take();
    let spec = read("", &schema["properties"]["spec"]);
    let mut page = format!("# {kind}\n\n{}\n\n", escape(text(&schema["description"])));
    page += &names(definition, version);
    page += &how_tos(kind)?;
    page += &example(kind, examples)?;
    page += &columns(version);
    let _ = write!(page, "\n## spec\n\n{}\n\n", escape(text(&schema["properties"]["spec"]["description"])));
    page += &table(&spec.fields);
    page += &rules(&spec);
    let status = read("", &schema["properties"]["status"]);
    let _ =
        write!(page, "\n## status\n\n{}\n\n", escape(text(&schema["properties"]["status"]["description"])));
    page += &table(&status.fields);
    Ok(page)
}

/// Where somebody learns to use a kind: its pages, with their titles.
const HOW_TOS: [(&str, &[(&str, &str)]); 7] = [
    ("MLWorkspace", &[("Use several workspaces", "workspaces"), ("Grant identities to teams", "grants")]),
    (
        "MLCompute",
        &[
            ("Change a cluster's size", "resize"),
            ("What the clusters may read", "cluster-identity"),
            ("Adopt what exists", "adopt"),
        ],
    ),
    ("MLEnvironment", &[("Write a Dockerfile", "dockerfiles"), ("R, Python and conda packages", "packages")]),
    ("MLData", &[("Data in, results out", "data"), ("Use what exists", "existing")]),
    (
        "MLPipeline",
        &[("Write steps", "steps"), ("Call a published pipeline", "call"), ("Roll back", "rollback")],
    ),
    ("MLSchedule", &[("Runs of a schedule", "run"), ("Schedule a pipeline", "schedules")]),
    ("MLRun", &[("Run, follow, cancel", "run"), ("Start a run from other tools", "triggers")]),
];

fn how_tos(kind: &str) -> anyhow::Result<String> {
    let (_, pages) =
        HOW_TOS.iter().find(|(of, _)| *of == kind).with_context(|| format!("no page is about {kind}"))?;
    let links: Vec<String> =
        pages.iter().map(|(title, page)| format!("[{title}](../../how-to/{page}.md)")).collect();
    let reasons = "The reasons of its conditions are in the [runbook](../../operations/runbook.md).";
    Ok(format!("\nHow to use it: {}. {reasons}\n", links.join(", ")))
}

fn names(definition: &CustomResourceDefinition, version: &CustomResourceDefinitionVersion) -> String {
    let names = &definition.spec.names;
    let mut text = format!("`apiVersion: {}/{}`, in a namespace. ", definition.spec.group, version.name);
    let all = [&names.plural].into_iter().chain(names.short_names.iter().flatten());
    let all: Vec<String> = all.map(|name| format!("`{name}`")).collect();
    let _ = write!(text, "kubectl knows it as {}", all.join(", "));
    for category in names.categories.iter().flatten() {
        let _ = write!(text, ", and with all other kinds as `{category}`");
    }
    text += ".";
    let fields: Vec<_> = version
        .selectable_fields
        .iter()
        .flatten()
        .map(|field| format!("`{}`", &field.json_path[1..]))
        .collect();
    if !fields.is_empty() {
        let _ = write!(text, " `--field-selector` takes {}.", fields.join(", "));
    }
    text + "\n"
}

fn example(kind: &str, examples: &[String]) -> anyhow::Result<String> {
    let is_it = |document: &&String| document.lines().any(|line| line == format!("kind: {kind}"));
    let found = examples.iter().find(is_it).with_context(|| format!("no example has a {kind}"))?;
    Ok(format!("\n## Example\n\n```yaml\n{found}\n```\n"))
}

fn columns(version: &CustomResourceDefinitionVersion) -> String {
    let mut text = "\n## Columns of `kubectl get`\n\n| column | shows | |\n|---|---|---|\n".to_owned();
    for column in version.additional_printer_columns.iter().flatten() {
        let wide = if column.priority.unwrap_or_default() > 0 { "with `-o wide`" } else { "" };
        let _ = writeln!(text, "| {} | `{}` | {wide} |", column.name, column.json_path.replace('|', "\\|"));
    }
    text
}

fn table(fields: &[Field]) -> String {
    let mut text = "| field | takes | meaning |\n|---|---|---|\n".to_owned();
    for Field { path, r#type, is_required, description } in fields {
        let required = if *is_required { ", required" } else { "" };
        let _ = writeln!(
            text,
            "| `{path}` | {}{required} | {} |",
            r#type.replace('|', "\\|"),
            escape(description).replace('\n', " ")
        );
    }
    text
}

fn rules(found: &Found) -> String {
    let (changes, shapes): (Vec<&Rule>, Vec<&Rule>) =
        found.rules.iter().partition(|rule| rule.is_about_changes);
    let mut text = String::new();
    for (title, lead, rules) in [
        ("What cannot be changed", "The API server refuses a change, and says:", changes),
        (
            "What is refused",
            "The API server refuses, when it is applied, what breaks one of these; `…` stands for what was written:",
            shapes,
        ),
    ] {
        if rules.is_empty() {
            continue;
        }
        let _ = write!(text, "\n### {title}\n\n{lead}\n\n| field | message |\n|---|---|\n");
        for Rule { path, message, .. } in rules {
            let path = if path.is_empty() { "spec" } else { path };
            let _ = writeln!(text, "| `{path}` | {} |", escape(message));
        }
    }
    text
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text of a description or a message as Markdown, outside and inside of a table.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    let mut is_code = false;
    for c in text.chars() {
        match c {
            '`' => is_code = !is_code,
            '|' => escaped.push('\\'),
            '<' | '*' | '_' if !is_code => escaped.push('\\'),
            _ => {}
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_shows_a_message_as_it_is() {
        assert_eq!(
            escape("write <registry>/<name>, `<not>` a|b*"),
            "write \\<registry>/\\<name>, `<not>` a\\|b\\*"
        );
    }
}
