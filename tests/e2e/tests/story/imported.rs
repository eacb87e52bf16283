//! `kubectl azureml import` on a workspace that Microsoft's client filled: what it writes plans to no changes, and the operator that gets it
//! changes nothing in Azure.

use crate::differential::sdk;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::plugin::{run, said};
use azureml_e2e::scene::{GROUP, SUBSCRIPTION, WORKSPACE};
use azureml_e2e::{Scene, Setting};
use azureml_plan::report::is_ready;
use azureml_simulator::Entry;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;

/// Files below `tests/sdk/imported`, which Microsoft's client sends: those of a stage name what the stages before made.
const STAGES: [&[&str]; 5] = [
    &["cpu.yml", "low.yml", "image.yml", "conda.yml", "data.yml"],
    &["component.yml"],
    &["scores.yml"],
    &["deployment.yml", "nightly.yml", "weekly.yml"],
    &["endpoint.yml"],
];

/// Fills the workspace with Microsoft's client.
async fn fill(scene: &Scene, folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(azureml_e2e::root().join("tests/sdk/imported"))? {
        let path = entry?.path();
        std::fs::copy(&path, folder.join(path.file_name().context("no name")?))?;
    }
    for files in STAGES {
        let asked = files.iter().map(|file| ((*file).to_owned(), WORKSPACE.to_owned())).collect();
        let all = sdk::send(&scene.azure, folder, &asked).await?;
        for file in files {
            let said = all.get(*file).with_context(|| format!("{file} was not sent"))?;
            ensure!(said.sent.is_some(), "{file}: {:?}", said.refused);
        }
    }
    Ok(())
}

/// Every file below a folder.
fn content(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let (mut files, mut left) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(
                std::fs::read_dir(&path)?
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect::<Result<Vec<_>, _>>()?,
            );
        } else {
            files.insert(path.strip_prefix(folder)?.to_string_lossy().into_owned(), std::fs::read(&path)?);
        }
    }
    Ok(files)
}

/// What changed Azure since a moment.
fn writes(scene: &Scene, since: usize) -> Vec<Entry> {
    scene.azure.requests().into_iter().skip(since).filter(Entry::is_write).collect()
}

/// Imports into a folder.
async fn import(scene: &Scene, out: &str, more: &[&str]) -> Result<Output> {
    let place = ["--workspace", WORKSPACE, "--subscription", SUBSCRIPTION, "--resource-group", GROUP];
    run(scene, &[&["import", "--out", out], &place[..], more].concat()).await
}

/// Imports into a folder, twice, and plans what is there: nothing would change.
async fn imported(scene: &Scene, out: &str, more: &[&str]) -> Result<BTreeMap<String, Vec<u8>>> {
    let first = import(scene, out, more).await?;
    ensure!(first.status.success(), "{}", said(&first));
    let files = content(Path::new(out))?;
    let again = import(scene, out, more).await?;
    ensure!(again.status.success() && files == content(Path::new(out))?, "a second import differs");
    let plan =
        run(scene, &["plan", "-f", out, "--namespace", &scene.namespace, "--cluster-id", "test"]).await?;
    let text = said(&plan);
    ensure!(plan.status.code() == Some(0) && text.ends_with("No changes.\n"), "{}\n{text}", said(&first));
    Ok(files)
}

/// What a person changed is not written over.
async fn edited(scene: &Scene, out: &str) -> Result<()> {
    let file = Path::new(out).join("computes/cpu.yaml");
    let before = std::fs::read_to_string(&file)?;
    let after = before.replace("max: 3", "max: 4");
    std::fs::write(&file, &after)?;
    let again = import(scene, out, &[]).await?;
    let refused = again.status.code() == Some(1) && said(&again).contains("cpu.yaml is there and differs");
    ensure!(refused, "{}", said(&again));
    ensure!(std::fs::read_to_string(&file)? == after);
    Ok(std::fs::write(&file, before)?)
}

/// What a plan would do, by kind, and the fields that it would change of what is there.
fn changes(report: &Value) -> (BTreeMap<String, usize>, BTreeSet<String>) {
    let (mut kinds, mut fields) = (BTreeMap::new(), BTreeSet::new());
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for object in list(&report["objects"]) {
        let kind = object["kind"].as_str().unwrap_or_default();
        for change in list(&object["changes"]) {
            let does = change["does"].as_str().unwrap_or_default();
            *kinds.entry(format!("{kind} {does}")).or_insert(0) += 1;
            if does != "create" {
                let changed = list(&change["changed"]);
                fields.extend(changed.iter().map(|one| {
                    format!("{kind} {} {}", one["field"].as_str().unwrap_or_default(), one["from"])
                }));
            }
        }
    }
    (kinds, fields)
}

/// What the operator would send once nothing is paused: its own versions and tags, and schedules that start its own pipelines.
async fn unpaused(scene: &Scene, folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let (out, paused) = (folder.join("unpaused.yaml"), "azureml.dev/paused: \"true\"");
    let manifests = files.values().map(|bytes| String::from_utf8_lossy(bytes));
    let manifests = manifests.filter(|text| text.contains("apiVersion: azureml.dev/"));
    let manifests: Vec<String> =
        manifests.map(|text| text.replace(paused, "example.org/paused: \"no\"")).collect();
    std::fs::write(&out, manifests.join("---\n"))?;
    let out = out.to_string_lossy().into_owned();
    let arguments =
        ["plan", "-f", &out, "--namespace", &scene.namespace, "--cluster-id", "test", "--output", "json"];
    let plan = run(scene, &arguments).await?;
    ensure!(plan.status.code() == Some(2), "{}", said(&plan));
    let (kinds, fields) = changes(&serde_json::from_slice(&plan.stdout)?);
    let is_own = |field: &&String| {
        field.contains("azureml-operator-") || field.contains(" properties.action.jobDefinition")
    };
    // A schedule without a name for people gets one; one that counts from no moment counts from one.
    let gains = ["MLSchedule properties.displayName null", "MLSchedule properties.trigger.startTime null"];
    ensure!(fields.iter().filter(|field| !is_own(field)).map(String::as_str).eq(gains), "{fields:?}");
    let wanted = [
        ("MLCompute change", 2),
        ("MLData create", 1),
        ("MLEnvironment create", 2),
        ("MLPipeline create", 3),
        ("MLSchedule change", 2),
    ];
    ensure!(kinds.iter().map(|(does, count)| (does.as_str(), *count)).eq(wanted), "{kinds:?}");
    Ok(())
}

/// The real operator, on the real API server, gets what was imported, and loses it again.
async fn applied(scene: &Scene, folders: &[String]) -> Result<()> {
    let operator = scene.operator().await?;
    scene.kubectl(&["apply", "-k", &folders[0]]).await?;
    let ready = |object: &MLCompute| is_ready(&object.status.clone().unwrap_or_default().common.conditions);
    scene.wait::<MLCompute>("cpu", "used as it is", ready).await?;
    scene.kubectl(&["apply", "-k", &folders[1]]).await?;
    let paused = "mlcomputes,mlenvironments,mldata,mlpipelines,mlschedules";
    scene.kubectl(&["wait", "--for=condition=Paused", paused, "--all", "--timeout=60s"]).await?;
    // What exists in Azure outlives the objects.
    scene.kubectl(&["delete", "-k", &folders[1], "--timeout=60s"]).await?;
    operator.stop()
}

/// What is there of what was made.
const WRITTEN: [&str; 13] = [
    "INVENTORY.md",
    "README.md",
    "computes/cpu.yaml",
    "computes/low.yaml",
    "data/prices.yaml",
    "environments/learn.yaml",
    "environments/py.yaml",
    "kustomization.yaml",
    "mlw-team-a.yaml",
    "pipelines/import-scores.yaml",
    "pipelines/nightly-scores.yaml",
    "pipelines/weekly.yaml",
    "schedules/nightly-scores.yaml",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_imported_plans_to_no_changes_and_the_operator_writes_nothing() -> Result<()> {
    // Microsoft's client sends what the published definitions do not have.
    let mut setting = Setting::default();
    setting.azure.strict = false;
    let scene = Scene::set("imported", setting).await?;
    let folder = tempfile::tempdir()?;
    fill(&scene, folder.path()).await?;
    let since = scene.azure.requests().len();
    let out = ["plain", "adopted"].map(|name| folder.path().join(name).to_string_lossy().into_owned());
    let files = imported(&scene, &out[0], &[]).await?;
    for name in WRITTEN {
        ensure!(files.contains_key(name), "there is no {name}: {:?}", files.keys());
    }
    edited(&scene, &out[0]).await?;
    let adopting = imported(&scene, &out[1], &["--adopt"]).await?;
    ensure!(adopting.keys().eq(files.keys()));
    unpaused(&scene, folder.path(), &adopting).await?;
    applied(&scene, &out).await?;
    let changed = writes(&scene, since);
    ensure!(changed.is_empty(), "something was changed in Azure: {changed:#?}");
    Ok(())
}
