//! Blocks that do not run: manifests are accepted by a real API server, configuration is read, JSON is JSON, shell is shell.
//! What can run nowhere here is counted, with the reason, so that nothing hides behind it.

use super::pages::{Block, every_block};
use anyhow::{Context as _, Result, bail, ensure};
use azureml_config::Config;
use azureml_e2e::cluster;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Why a block of commands is not run, and how many there are. A commit that adds one changes the number and says why.
const NOT_RUN: [(&str, &str, usize); 3] = [
    ("azure", "needs az and an Azure subscription", 13),
    ("gate", "builds, or is a step of the gate itself; its flags are parsed by a test of xtask", 2),
    ("tool", "needs a program that is not here, such as docker or cosign", 3),
];

#[test]
fn every_block_of_commands_runs_or_says_why_not() -> Result<()> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for block in every_block()?.iter().filter(|block| block.language == "sh") {
        let reason = block.value("not-run");
        let on_the_node = block.value("run").inspect(|place| assert_eq!(*place, "node", "{}", block.place()));
        let said = [block.is("run"), on_the_node.is_some(), reason.is_some()];
        ensure!(
            said.iter().filter(|is_said| **is_said).count() == 1,
            "{}: write ```sh run, ```sh run=node, or ```sh not-run=<reason> with one of {:?}",
            block.place(),
            NOT_RUN.map(|(reason, ..)| reason)
        );
        check(&mut Command::new("bash"), &["-n", "-c", &block.text], "", block)?;
        if let Some(reason) = reason {
            found.entry(reason.to_owned()).or_default().push(block.place());
        }
    }
    for (reason, why, count) in NOT_RUN {
        let places = found.remove(reason).unwrap_or_default();
        println!("not run, since it {why}: {}", places.join(", "));
        assert_eq!(places.len(), count, "the number of blocks with not-run={reason} changed: {places:?}");
    }
    assert!(found.is_empty(), "these are no reasons: {found:?}");
    Ok(())
}

#[test]
fn json_is_json() -> Result<()> {
    for block in every_block()?.iter().filter(|block| block.language == "json") {
        serde_json::from_str::<Value>(&block.text).with_context(|| block.place())?;
    }
    Ok(())
}

/// What the API server knows; objects of other groups (Flux, Argo CD, Prometheus) are read as YAML only.
const SERVED: [&str; 8] = [
    "admissionregistration.k8s.io/v1",
    "azureml.dev/v1alpha1",
    "v1",
    "apps/v1",
    "batch/v1",
    "rbac.authorization.k8s.io/v1",
    "networking.k8s.io/v1",
    "policy/v1",
];

#[test]
fn every_manifest_is_accepted_by_the_api_server() -> Result<()> {
    let mut all = Vec::new();
    let mut foreign = Vec::new();
    for block in every_block()?.into_iter().filter(|block| block.language == "yaml") {
        let objects: Vec<Value> = serde_saphyr::from_multiple(&block.text).with_context(|| block.place())?;
        if ["fragment", "config", "values"].iter().any(|mark| block.is(mark)) {
            continue;
        }
        for object in objects {
            let version = object["apiVersion"].as_str().with_context(|| {
                format!("{}: no manifest; mark it config, values or fragment", block.place())
            })?;
            if SERVED.contains(&version) {
                all.push((block.place(), object));
            } else {
                foreign.push(format!("{} ({version})", block.place()));
            }
        }
    }
    println!("{} manifests are accepted; only read as YAML: {}", all.len(), foreign.join(", "));
    ensure!(all.len() > 20, "the manifests are not found");
    let together: Vec<&Value> = all.iter().map(|(_, object)| object).collect();
    if create(&together)?.status.success() {
        return Ok(());
    }
    for (place, object) in &all {
        let output = create(&[object])?;
        ensure!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
    }
    bail!("the manifests are accepted one by one and not together")
}

/// Creates objects without effect. Whether their namespaces are there is not what is asked.
fn create(objects: &[&Value]) -> Result<Output> {
    let mut items: Vec<Value> = objects.iter().map(|object| (*object).clone()).collect();
    for item in &mut items {
        if let Some(metadata) = item["metadata"].as_object_mut() {
            metadata.remove("namespace");
        }
        // Of the whole cluster, and a page that is walked beside this test makes it too.
        if item["apiVersion"] == "admissionregistration.k8s.io/v1" {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            item["metadata"]["name"] = format!("{name}-shown").into();
        }
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let mut kubectl = cluster::shared().kubectl();
    kubectl.args(["create", "--dry-run=server", "--validate=strict", "-f", "-"]);
    feed(&mut kubectl, &list.to_string())
}

fn feed(command: &mut Command, input: &str) -> Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    Ok(child.wait_with_output()?)
}

fn check(command: &mut Command, arguments: &[&str], input: &str, block: &Block) -> Result<()> {
    let output = feed(command.args(arguments).current_dir(azureml_e2e::root()), input)?;
    ensure!(output.status.success(), "{}: {}", block.place(), String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn configuration_is_read_and_values_are_rendered() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for block in every_block()?.iter().filter(|block| block.language == "yaml") {
        let file = folder.path().join("file.yaml");
        std::fs::write(&file, &block.text)?;
        if block.is("config") {
            Config::read(Some(&file)).with_context(|| block.place())?;
        }
        if block.is("values") {
            let path = file.display().to_string();
            let chart = ["template", "x", "charts/azureml-operator", "--values", &path];
            check(&mut cluster::shared().helm()?, &chart, "", block)?;
            let values: Value = serde_saphyr::from_str(&block.text)?;
            std::fs::write(&file, serde_json::to_string(&values["config"])?)?;
            if values["config"].is_object() {
                Config::read(Some(&file)).with_context(|| block.place())?;
            }
        }
    }
    Ok(())
}
