//! The page about other tools that start runs: its account may create MLRuns and nothing else, and each MLRun that a tool would
//! create is taken by a real API server from that account.

use super::pages::{Block, blocks};
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::cluster;
use serde_json::Value;
use std::io::Write as _;
use std::process::{Output, Stdio};

const PAGE: &str = "docs/src/how-to/triggers.md";
const NAMESPACE: &str = "triggers";
const ACCOUNT: &str = "--as=system:serviceaccount:triggers:starts-runs";

fn kubectl(words: &[&str], input: &str) -> Result<Output> {
    let mut command = cluster::shared().kubectl();
    command.args(["--namespace", NAMESPACE]).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    Ok(child.wait_with_output()?)
}

fn done(words: &[&str], input: &str) -> Result<()> {
    let output = kubectl(words, input)?;
    ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The MLRuns in a value, also those that stand there as text.
fn runs(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) if fields.get("kind").is_some_and(|kind| kind == "MLRun") => {
            found.push(value.clone());
        }
        Value::Object(fields) => fields.values().for_each(|field| runs(field, found)),
        Value::Array(items) => items.iter().for_each(|item| runs(item, found)),
        Value::String(text) if text.contains("kind: MLRun") => {
            found.extend(serde_saphyr::from_str::<Value>(text).ok());
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn objects(block: &Block) -> Result<Vec<Value>> {
    serde_saphyr::from_multiple(&block.text).with_context(|| block.place())
}

#[test]
fn each_run_that_a_tool_would_create_is_taken_from_the_account_of_the_page() -> Result<()> {
    let blocks = blocks(PAGE)?;
    let blocks: Vec<&Block> = blocks.iter().filter(|block| block.language == "yaml").collect();
    done(&["create", "namespace", NAMESPACE], "")?;
    for block in blocks.iter().filter(|block| !block.is("fragment")) {
        done(&["apply", "--filename", "-"], &block.text)?;
    }
    let mut found = Vec::new();
    for block in &blocks {
        objects(block)?.iter().for_each(|object| runs(object, &mut found));
    }
    ensure!(
        found.len() >= 3,
        "the MLRuns of the CronJob, of Argo Events and of Tekton are not found: {found:?}"
    );
    for run in &found {
        let create = ["create", ACCOUNT, "--dry-run=server", "--validate=strict", "--filename", "-"];
        done(&create, &run.to_string()).with_context(|| run.to_string())?;
    }
    for (verb, resource, is_allowed) in [
        ("create", "mlruns", true),
        ("delete", "mlruns", false),
        ("create", "mlpipelines", false),
        ("get", "secrets", false),
    ] {
        let asked = kubectl(&["auth", "can-i", verb, resource, ACCOUNT], "")?;
        ensure!(asked.status.success() == is_allowed, "{verb} {resource}: {asked:?}");
    }
    Ok(())
}
