//! What is decided for an MLEnvironment in every situation.

use super::{Table, failure, with};
use crate::support::{ask, object, owner, plan, workspace};
use anyhow::{Context as _, Result, bail};
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{BuildStatus, MLEnvironmentStatus};
use azureml_crds::shared::Common;
use azureml_plan::{Action, Ask, Decide as _, Leave as _, environment};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BUILT: &str =
    "{workspaceRef: {name: prod}, deletionPolicy: Delete, build: {dockerfile: \"FROM r-base:4.4\\n\"}}";
const DIGEST: &str = "sha256:9f2c1a7b0000000000000000000000000000000000000000000000000000abcd";
const MOVED: &str = "sha256:11111a7b0000000000000000000000000000000000000000000000000000abcd";

#[test]
fn decided() -> Result<()> {
    insta::assert_snapshot!(table()?.text);
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "one row after the other")]
pub fn table() -> Result<Table> {
    let refs = environment::Refs::new(workspace(), owner("r"));
    let built: MLEnvironment = object("r", BUILT)?;
    let given: MLEnvironment = object("r", "{workspaceRef: {name: prod}, image: 'ghcr.io/org/r:4.4'}")?;
    let mut table = Table::default();
    let mut row =
        |situation: &str, environment: &MLEnvironment, seen: environment::Seen, ask: &Ask| -> Result<()> {
            table.row(situation, &plan(environment, &refs, &seen, ask).map_err(anyhow::Error::msg)?);
            Ok(())
        };
    let asked = Ask { requested: Some("2026-01-05T06:00:00Z".into()), ..ask() };
    let nothing = environment::Seen::default;
    let run = |status: &str| {
        let result = json!({"status": status, "runId": "ca1", "runErrorMessage": (status == "Failed").then_some("step 2 failed")});
        let run =
            json!({"properties": {"provisioningState": "Succeeded", "runResult": {"properties": result}}});
        environment::Seen { task_run: Some(run), ..nothing() }
    };
    row("nothing is there", &built, nothing(), &ask())?;
    let rules = json!({"name": "acr", "properties": {"networkRuleSet": {"defaultAction": "Deny"}, "networkRuleBypassAllowedForTasks": false}});
    let restricted = environment::Seen { registry: Some(rules), ..nothing() };
    row("the registry's network rules keep its builds out", &built, restricted, &ask())?;
    for status in ["Queued", "Running", "Failed", "Canceled", "Timeout", "Succeeded"] {
        row(&format!("the build is {status}"), &built, run(status), &ask())?;
    }
    row("the build failed, and another try is asked for", &built, run("Failed"), &asked)?;
    let mut again = built.clone();
    let common = Common { last_failure: Some(failure("BuildCanceled", 1)), ..Common::default() };
    again.status = Some(MLEnvironmentStatus { common, ..Default::default() });
    row("the build was cancelled two minutes ago", &again, run("Canceled"), &ask())?;
    let mut vanished = run("Succeeded");
    if let Some(run) = &mut vanished.task_run {
        run["properties"]["runResult"]["properties"]["finishTime"] = json!("2026-01-05T05:50:00Z");
    }
    let wanted_build = built.wanted(&refs).map_err(anyhow::Error::msg)?;
    let forced = |tag: &str| {
        let environment::Source::Built { task_run, .. } = &wanted_build.source else { return built.clone() };
        let forced = BuildStatus {
            name: task_run.name().to_owned(),
            force_update_tag: Some(tag.to_owned()),
            ..BuildStatus::default()
        };
        let status = MLEnvironmentStatus { build: Some(forced), ..MLEnvironmentStatus::default() };
        MLEnvironment { status: Some(status), ..built.clone() }
    };
    row(
        "it was built anew ten minutes ago, and vanished again",
        &forced("purged-ca0"),
        vanished.clone(),
        &ask(),
    )?;
    row("the same, and another try is asked for", &forced("purged-ca0"), vanished, &asked)?;
    let tried = plan(&built, &refs, &run("Failed"), &asked).map_err(anyhow::Error::msg)?;
    let [Action::Upload { body, .. }] = tried.actions.as_slice() else { bail!("no other try: {tried:?}") };
    let tag = body["properties"]["forceUpdateTag"].as_str().context("no tag")?;
    row("it failed again after the try that was asked for", &forced(tag), run("Failed"), &asked)?;
    row(
        "the image is there",
        &built,
        environment::Seen { digest: Some(DIGEST.into()), ..nothing() },
        &ask(),
    )?;
    row(
        "the given image is there",
        &given,
        environment::Seen { digest: Some(DIGEST.into()), ..nothing() },
        &ask(),
    )?;
    row("the given image is nowhere", &given, nothing(), &ask())?;
    let wanted = given.wanted(&refs).map_err(anyhow::Error::msg)?;
    let properties = json!({"image": wanted.source.image().pinned(DIGEST), "isArchived": false, "tags": owner("r").tags(&BTreeMap::new())});
    let version = |properties: &Value| {
        let name = environment::version_name(&wanted.content, DIGEST);
        Some(environment::Version { name, body: json!({"properties": properties}) })
    };
    row("registered", &given, environment::Seen { version: version(&properties), ..nothing() }, &ask())?;
    let moved = environment::Seen { version: version(&properties), digest: Some(MOVED.into()), ..nothing() };
    row("the tag moved", &given, moved.clone(), &ask())?;
    row("the tag moved, and a look is asked for", &given, moved, &asked)?;
    let archived = with(&properties, "/isArchived", json!(true));
    row(
        "archived by somebody",
        &given,
        environment::Seen { version: version(&archived), ..nothing() },
        &ask(),
    )?;
    let others = with(&properties, "/tags", json!(owner("x").tags(&BTreeMap::new())));
    row("another's", &given, environment::Seen { version: version(&others), ..nothing() }, &ask())?;
    Ok(table)
}

const CONDA: &str = "{workspaceRef: {name: prod}, conda: {image: 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20260714.v1', BUILDER
    file: 'dependencies: [python=3.11, {pip: [scikit-learn==1.5.2]}]'}}";

#[test]
fn generated() -> Result<()> {
    insta::assert_snapshot!(dockerless()?.text);
    Ok(())
}

/// Environments that have no Dockerfile of their own.
pub fn dockerless() -> Result<Table> {
    let refs = environment::Refs::new(workspace(), owner("r"));
    let mut table = Table::default();
    let mut row = |situation: &str, spec: &str, seen: &environment::Seen| -> Result<()> {
        table.row(
            situation,
            &plan(&object::<MLEnvironment>("r", spec)?, &refs, seen, &ask()).map_err(anyhow::Error::msg)?,
        );
        Ok(())
    };
    let nothing = environment::Seen::default();
    let there = environment::Seen { digest: Some(DIGEST.into()), ..nothing.clone() };
    let (built, left) = (CONDA.replace("BUILDER", ""), CONDA.replace("BUILDER", "builder: {azureml: {}},"));
    row("a conda environment is built", &built, &nothing)?;
    row("a conda environment is there", &built, &there)?;
    row("a conda environment is left to Azure ML", &left, &there)?;
    row("a conda environment is left to Azure ML, and its image is nowhere", &left, &nothing)?;
    let packages =
        "{workspaceRef: {name: prod}, packages: {base: r, r: [caret, dplyr@1.1.4], snapshot: '2026-11-01'}}";
    row("packages are built", packages, &nothing)?;
    row("packages are there", packages, &there)?;
    let object: MLEnvironment = object("r", &left)?;
    let wanted = object.wanted(&refs).map_err(anyhow::Error::msg)?;
    let version = |file: &str| {
        let properties = json!({"image": wanted.source.image().pinned(DIGEST), "condaFile": file, "isArchived": false,
            "tags": owner("r").tags(&BTreeMap::new())});
        let name = environment::version_name(&wanted.content, DIGEST);
        let version = Some(environment::Version { name, body: json!({"properties": properties}) });
        environment::Seen { version, ..nothing.clone() }
    };
    let answered = "{\n  \"dependencies\": [\"python=3.11\", {\"pip\": [\"scikit-learn==1.5.2\"]}]\n}";
    row("registered with the conda file", &left, &version(answered))?;
    row("registered with another conda file", &left, &version("dependencies: [python=3.8]"))?;
    Ok(table)
}

#[test]
fn deleted() -> Result<()> {
    insta::assert_snapshot!(left()?.text);
    Ok(())
}

pub fn left() -> Result<Table> {
    let built: MLEnvironment = object("r", BUILT)?;
    let given: MLEnvironment = object("r", "{workspaceRef: {name: prod}, image: 'ghcr.io/org/r:4.4'}")?;
    let address = environment::Address { id: environment::id(&built, &workspace().id), owner: owner("r") };
    let version = |archived: bool| {
        let properties = json!({"isArchived": archived, "tags": owner("r").tags(&BTreeMap::new())});
        vec![environment::Version { name: "v1".to_owned(), body: json!({"properties": properties}) }]
    };
    let mut table = Table::default();
    table.leaves("kept", &given.farewell(&address, &version(false), &ask()));
    table.leaves("to be deleted", &built.farewell(&address, &version(false), &ask()));
    table.leaves("to be deleted, archived already", &built.farewell(&address, &version(true), &ask()));
    Ok(table)
}
