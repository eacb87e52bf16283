//! Every release of Kubernetes that is supported: the table of manifests, and the example from nothing to a change to its end.
//!
//! In: the list of releases in the chart. An older release is a newer API server that behaves as it (`--emulated-version`).

use super::server::Server;
use super::table::Trial;
use super::{ALONE, accepts, answers, current, is_large, report, trials};
use anyhow::{Context as _, Result, ensure};
use azureml_control_plane::{ControlPlane, Options};
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLSchedule, MLWorkspace};
use azureml_e2e::{Scene, Setting, cluster};
use azureml_plan::report::is_ready;
use kube::Resource as _;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

/// The releases that the chart names, oldest first.
fn supported() -> Result<Vec<String>> {
    let chart = std::fs::read_to_string(azureml_e2e::root().join("charts/azureml-operator/Chart.yaml"))?;
    let chart: Value = serde_saphyr::from_str(&chart)?;
    let named = chart["annotations"]["azureml.dev/kubernetes"].as_str().context("the chart names none")?;
    Ok(named.split(' ').map(str::to_owned).collect())
}

#[tokio::test]
async fn the_chart_the_docs_the_control_plane_and_the_tests_name_the_same_releases() -> Result<()> {
    let supported = supported()?;
    assert_eq!(supported, ["1.33", "1.34", "1.35", "1.36"], "each needs a test in this file");
    let (oldest, newest) = (&supported[0], &supported[supported.len() - 1]);
    let version = current().await?.version().await?;
    assert_eq!(&version, newest, "the control plane for tests is of another release");
    let wanted = [
        ("charts/azureml-operator/Chart.yaml", format!("kubeVersion: \">={oldest}.0-0\"")),
        ("docs/src/operations/releases.md", format!("Kubernetes {oldest} to {newest}")),
    ];
    for (file, text) in wanted {
        let said = std::fs::read_to_string(azureml_e2e::root().join(file))?;
        ensure!(said.contains(&text), "{file} does not say {text:?}");
    }
    Ok(())
}

macro_rules! releases {
    ($($test:ident: $release:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() -> Result<()> {
            serves($release).await.context(concat!("as Kubernetes ", $release))
        }
    )*};
}

releases! {
    kubernetes_1_33_takes_the_manifests_and_serves_the_example: "1.33";
    kubernetes_1_34_takes_the_manifests_and_serves_the_example: "1.34";
    kubernetes_1_35_takes_the_manifests_and_serves_the_example: "1.35";
    kubernetes_1_36_takes_the_manifests_and_serves_the_example: "1.36";
}

async fn serves(release: &str) -> Result<()> {
    // What all share is the newest; it is there before the others begin.
    let shared = tokio::task::spawn_blocking(cluster::shared).await?;
    let together = ALONE.read().await;
    if shared_is(release).await? {
        return story(release, shared).await;
    }
    let options = Options {
        crds: azureml_crds::all()?,
        emulated_version: Some(release.to_owned()),
        ..Options::default()
    };
    let plane = ControlPlane::start(options).await?;
    let server = Server::new(plane.client().await?);
    ensure!(server.version().await? == release, "the API server is {}", server.version().await?);
    let (large, small): (Vec<_>, Vec<_>) = trials()?.into_iter().partition(is_large);
    manifests(small, &server).await?;
    story(release, &plane).await?;
    drop(together);
    // Rows that take seconds each are for the oldest release alone.
    if supported()?.first().is_some_and(|oldest| oldest == release) {
        let _alone = ALONE.write().await;
        manifests(large, &server).await?;
    }
    Ok(())
}

async fn manifests(trials: Vec<Trial>, server: &Server) -> Result<()> {
    let (wrong, right): (Vec<_>, Vec<_>) = trials.into_iter().partition(|trial| !trial.says.is_empty());
    report(&wrong, &answers(server, &wrong).await?);
    accepts(server, &right).await
}

/// The manifests have tests of their own on the control plane that all share.
async fn shared_is(release: &str) -> Result<bool> {
    Ok(current().await?.version().await? == release)
}

async fn story(release: &str, plane: &ControlPlane) -> Result<()> {
    let name = format!("minor-{}", release.replace('.', "-"));
    let scene = Scene::set_on(plane, &name, Setting::default()).await?;
    let operator = scene.operator().await?;
    let mut manifests = String::new();
    for file in ["computes", "environment", "pipeline", "schedule", "workspace"] {
        let path = azureml_e2e::root().join(format!("examples/r-gbm/{file}.yaml"));
        manifests += "---\n";
        manifests += &std::fs::read_to_string(path)?;
    }
    scene.apply_objects(&manifests).await?;
    ready(&scene).await?;
    let patch = Patch::Merge(json!({"spec": {"scale": {"max": 3}}}));
    scene.api::<MLCompute>().patch("cpu", &PatchParams::default(), &patch).await?;
    ready(&scene).await?;
    scene.delete_objects(&manifests).await?;
    scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
    scene.wait_gone::<MLPipeline>("r-gbm").await?;
    scene.wait_gone::<MLWorkspace>("team-a").await?;
    scene.check_contract()?;
    operator.stop()
}

/// Everything is ready in the generation that the API server has now.
async fn ready(scene: &Scene) -> Result<()> {
    macro_rules! wait {
        ($($kind:ty: $name:literal),*) => {$(
            let generation = scene.api::<$kind>().get($name).await?.meta().generation;
            scene.wait::<$kind>($name, "ready", |object| {
                let common = object.status.as_ref().map(|status| status.common().clone()).unwrap_or_default();
                common.observed_generation == generation && is_ready(&common.conditions)
            }).await?;
        )*};
    }
    wait!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm");
    wait!(MLSchedule: "r-gbm-weekdays");
    Ok(())
}
