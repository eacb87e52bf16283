//! `kubectl azureml plan` on random manifests, and on the examples: what it says before is what the operator then sends, byte for byte.
//!
//! Images are named, not built, so that every name is known before. The gate draws some; `AZUREML_DRAWN` says how many.

mod draw;
mod steps;

use super::planned::{blurred, planned, said, sent};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLSchedule, MLWorkspace};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::{GRANTS, objects};
use azureml_e2e::{Scene, Setting};
use azureml_plan::report::is_ready;
use serde_json::Value;

/// As many as the gate has time for.
const USUAL: usize = 100;

/// Thousands of requests are not to wait for the minutes that Azure Resource Manager would take for them.
const WITHOUT_LIMITS: &str = "azure: {requestTimeout: 30s, budget: {reads: {burst: 5000, perSecond: 5000}, \
     writes: {burst: 5000, perSecond: 5000}, dataPlane: {burst: 5000, perSecond: 5000}}}\n";

fn config() -> String {
    let soon: Vec<&str> = SOON.lines().filter(|line| !line.starts_with("azure:")).collect();
    format!("{GRANTS}{}\n{WITHOUT_LIMITS}", soon.join("\n"))
}

/// Waits until each object is ready.
async fn ready(scene: &Scene, objects: &[Value]) -> Result<()> {
    for object in objects {
        let name = object["metadata"]["name"].as_str().context("no name")?;
        macro_rules! wait {
            ($($kind:ident),*) => {
                match object["kind"].as_str() {
                    $(Some(stringify!($kind)) => {
                        scene.wait::<$kind>(name, "ready", |object| {
                            let status = object.status.clone().unwrap_or_default();
                            is_ready(&status.common().conditions)
                        }).await?;
                    })*
                    other => anyhow::bail!("{other:?} is not drawn"),
                }
            };
        }
        wait!(MLWorkspace, MLCompute, MLEnvironment, MLData, MLPipeline, MLSchedule);
    }
    Ok(())
}

/// What is in one and not in the other.
fn without(one: &[String], other: &[String]) -> Vec<String> {
    one.iter().filter(|request| !other.contains(request)).cloned().collect()
}

/// Examples that hold all they need. Others take their files from a repository of yours, upload some, fire by the clock, or are runs.
const EXAMPLES: [&[&str]; 2] = [
    &[
        "r-gbm",
        "python-parallel",
        "data/houses.yaml",
        "context/in-place.yaml",
        "without-dockerfile",
        "databricks",
    ],
    &["first"],
];

/// Every manifest of these files and folders.
fn examples(places: &[&str]) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for place in places {
        let path = azureml_e2e::root().join("examples").join(place);
        let mut files = vec![path.clone()];
        if path.is_dir() {
            files = std::fs::read_dir(&path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        }
        for file in files.iter().filter(|file| file.extension().is_some_and(|one| one == "yaml")) {
            for object in objects(&std::fs::read_to_string(file)?)? {
                all.push(serde_json::to_value(object)?);
            }
        }
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_planned_as_they_are_sent() -> Result<()> {
    for places in EXAMPLES {
        // Which digests images have is known once they are built, and so are the names that come from them.
        let (wanted, found) = both("examples", &examples(places)?).await?;
        let (wanted, found) = (blurred(&wanted)?, blurred(&found)?);
        assert_eq!((without(&wanted, &found), without(&found, &wanted)), (Vec::new(), Vec::new()));
        assert_eq!(wanted.len(), found.len(), "some are sent twice");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn random_manifests_are_planned_as_they_are_sent() -> Result<()> {
    let count = std::env::var("AZUREML_DRAWN").ok().map(|text| text.parse()).transpose()?.unwrap_or(USUAL);
    let (wanted, found) = both("drawn", &draw::objects(count)?).await?;
    println!("{} requests planned, {} sent", wanted.len(), found.len());
    assert_eq!((without(&wanted, &found), without(&found, &wanted)), (Vec::new(), Vec::new()));
    assert_eq!(wanted.len(), found.len(), "some are sent twice");
    Ok(())
}

/// What a plan of objects says, and what the operator then sends for them. Afterwards a plan has nothing to say.
async fn both(name: &str, objects: &[Value]) -> Result<(Vec<String>, Vec<String>)> {
    let mut setting = Setting { config: config(), ..Setting::default() };
    setting.azure.throttle = false;
    let scene = Scene::set(name, setting).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("all.yaml");
    let documents: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let manifests = documents.join("\n---\n");
    std::fs::write(&file, &manifests)?;
    let file = file.to_string_lossy().into_owned();
    let (whole, code) = planned(&scene, &["-f", &file, "--output", "json"]).await?;
    assert_eq!(code, 2, "nothing is planned");

    let operator = scene.operator().await?;
    scene.apply_objects(&manifests).await?;
    ready(&scene, objects).await?;
    let requests = (said(&whole)?, sent(&scene.azure.requests()));
    let (after, code) = planned(&scene, &["-f", &file]).await?;
    ensure!(code == 0 && after.contains("No changes."), "{after}");
    operator.stop()?;
    Ok(requests)
}
