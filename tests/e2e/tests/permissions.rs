//! The role of the documentation in force: with it the story is told to its end, and with one action taken away the object that needs
//! it says which.
//!
//! One control plane and one simulated Azure; every case has its own namespace, workspace and operator.

use crate::docs::role::actions as role;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::{MLCompute, MLData, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::{GRANTS, GROUP, Object, SUBSCRIPTION};
use azureml_e2e::{PATIENCE, Scene};
use azureml_plan::report::is_ready;
use azureml_simulator::{Assignment, Options, Simulator, WorkspaceSpec};
use futures::StreamExt as _;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::time::timeout;

/// Cases side by side.
const SIDE_BY_SIDE: usize = 6;

/// Actions that no condition tells of, each with its reason.
const SILENT: [(&str, &str); 8] = [
    ("Microsoft.ContainerRegistry/registries/pull/read", "of the registry's data plane"),
    (
        "Microsoft.ContainerRegistry/registries/runs/listLogSasUrl/action",
        "without it a failed build shows no log",
    ),
    (
        "Microsoft.MachineLearningServices/locations/computeOperationsStatus/read",
        "a cluster shows its own state",
    ),
    (
        "Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read",
        "a schedule shows when it is made; told only where it is not",
    ),
    ("Microsoft.MachineLearningServices/workspaces/experiments/read", "of Azure ML's data plane"),
    ("Microsoft.MachineLearningServices/workspaces/experiments/runs/read", "of Azure ML's data plane"),
    (
        "Microsoft.MachineLearningServices/workspaces/experiments/runs/submit/action",
        "of Azure ML's data plane",
    ),
    ("Microsoft.MachineLearningServices/workspaces/experiments/runs/write", "of Azure ML's data plane"),
];

/// A scene whose operator has the documented roles, but for some action.
async fn scene(azure: &Arc<Simulator>, number: usize, without: Option<&str>) -> Result<Scene> {
    let workspace = format!("perm-w{number}");
    let id = azure.add_workspace(&WorkspaceSpec {
        registry: Some(registry(number)),
        ..WorkspaceSpec::new(GROUP, &workspace)
    });
    let scene = Scene::set_in("perm", azure.clone(), &workspace, &format!("{GRANTS}{SOON}")).await?;
    let having = |mut actions: Vec<String>| {
        actions.retain(|action| Some(action.as_str()) != without);
        actions
    };
    let registry = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.ContainerRegistry/registries/{}",
        registry(number)
    );
    let own = having(role("role.json")?);
    azure.assign(
        &scene.start.client,
        vec![
            Assignment { scope: id, actions: own.clone() },
            Assignment { scope: registry, actions: own },
            Assignment {
                scope: format!("/subscriptions/{SUBSCRIPTION}"),
                actions: having(role("operations.json")?),
            },
        ],
    );
    Ok(scene)
}

fn registry(number: usize) -> String {
    format!("permregistry{number}")
}

/// The example, to be removed whole.
fn manifests(scene: &Scene) -> Result<String> {
    let mut all = String::new();
    for file in ["schedule", "pipeline", "environment", "computes", "workspace"] {
        let text = std::fs::read_to_string(azureml_e2e::root().join(format!("examples/r-gbm/{file}.yaml")))?;
        let text = text
            .replace("mlw-team-a", &scene.workspace)
            .replace("r-gbm-team-a", &format!("ep-{}", scene.workspace));
        let text = text.replace("  vmSize:", "  deletionPolicy: Delete\n  vmSize:");
        let text = text.replace("  description: R 4.4", "  deletionPolicy: Delete\n  description: R 4.4");
        all = all + "---\n" + &text;
    }
    Ok(all + "---\n" + DATA + "\n")
}

const DATA: &str = "{apiVersion: azureml.dev/v1alpha1, kind: MLData, metadata: {name: prices}, spec: {workspaceRef: {name: team-a}, type: uri_file, \
                    path: 'azureml://datastores/workspaceblobstore/paths/prices.csv', deletionPolicy: Delete}}";

const RUN: &str = "{apiVersion: azureml.dev/v1alpha1, kind: MLRun, metadata: {name: one}, spec: {pipelineRef: {name: r-gbm}}}";

/// Plays the story: apply, change, scale, cancel a run, delete. It ends where a right is missing.
async fn story(scene: &Scene) -> Result<()> {
    let manifests = manifests(scene)?;
    scene.apply_objects(&manifests).await?;
    let ready = |schedule: &MLSchedule| {
        schedule.status.as_ref().is_some_and(|status| is_ready(&status.common.conditions))
    };
    scene.wait::<MLSchedule>("r-gbm-weekdays", "ready", ready).await?;
    let ready =
        |data: &MLData| data.status.as_ref().is_some_and(|status| is_ready(&status.common.conditions));
    scene.wait::<MLData>("prices", "ready", ready).await?;
    merge::<MLCompute>(scene, "cpu", json!({"spec": {"scale": {"max": 5}}})).await?;
    change(scene).await?;
    cancel(scene).await?;
    scene.delete_objects(&manifests).await?;
    scene.wait_gone::<MLPipeline>("r-gbm").await?;
    scene.wait_gone::<MLWorkspace>("team-a").await
}

/// Changes an object; by a client, since a hundred programs of kubectl keep the machine busy.
async fn merge<K: Object>(scene: &Scene, name: &str, patch: Value) -> Result<()> {
    scene.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}

/// Another file and no old versions: files are searched for, and a deployment is removed.
async fn change(scene: &Scene) -> Result<()> {
    let pipeline = scene.api::<MLPipeline>().get("r-gbm").await?;
    let mut steps = serde_json::to_value(&pipeline.spec.steps)?;
    steps[0]["code"]["files"]["more.txt"] = json!("more");
    merge::<MLPipeline>(scene, "r-gbm", json!({"spec": {"steps": steps, "publish": {"keep": 0}}})).await?;
    let before = pipeline.status.and_then(|status| status.version);
    let is_alone = |pipeline: &MLPipeline| {
        pipeline.status.as_ref().is_some_and(|status| {
            let endpoint = status.endpoint.as_ref();
            status.version != before
                && is_ready(&status.common.conditions)
                && endpoint.is_some_and(|endpoint| endpoint.deployments.len() == 1)
        })
    };
    scene.wait::<MLPipeline>("r-gbm", "of another version, alone", is_alone).await.map(drop)
}

/// A run that would go on.
async fn cancel(scene: &Scene) -> Result<()> {
    let path = format!("/{}/jobs/.*/train", scene.workspace);
    let goes_on = json!({"match": {"path": path}, "when": "outcome", "do": "hold"});
    scene.azure.fault(goes_on).map_err(anyhow::Error::msg)?;
    scene.apply_objects(RUN).await?;
    let begun = |run: &MLRun| run.status.as_ref().is_some_and(|status| status.studio_url.is_some());
    scene.wait::<MLRun>("one", "begun", begun).await?;
    merge::<MLRun>(scene, "one", json!({"spec": {"cancel": true}})).await?;
    let over = |run: &MLRun| {
        run.status
            .as_ref()
            .and_then(|status| status.phase)
            .is_some_and(azureml_crds::ml_run::Phase::is_finished)
    };
    scene.wait::<MLRun>("one", "over", over).await.map(drop)
}

/// Waits until a condition or a preflight of some object names an action.
async fn is_told(scene: &Scene, action: &str) -> Result<()> {
    let quoted = format!("'{action}'");
    let says = |condition: &Value| {
        let text = condition["message"].as_str().unwrap_or_default();
        condition["status"] != "True" && text.contains(&quoted)
    };
    let tells = |object: &Value| {
        let lists = ["conditions", "preflight"].map(|list| object["status"][list].as_array());
        lists.into_iter().flatten().flatten().any(says)
    };
    scene.wait_for_any(tells).await
}

async fn without(azure: Arc<Simulator>, number: usize, action: String) -> Result<()> {
    let scene = scene(&azure, number, Some(&action)).await?;
    let operator = scene.operator().await?;
    let told = async {
        tokio::select! {
            told = is_told(&scene, &action) => told,
            told = story(&scene) => told.and_then(|()| anyhow::bail!("the story ends without it")),
        }
    };
    let told = timeout(PATIENCE, told).await.context("nobody says so");
    told.and_then(|told| told).with_context(|| format!("{action}: {}", operator.tail(3)))?;
    operator.kill();
    Ok(())
}

async fn azure() -> Result<Arc<Simulator>> {
    let options =
        Options { subscription_id: SUBSCRIPTION.to_owned(), strict: true, caps: false, ..Options::default() };
    Ok(Arc::new(Simulator::start(options).await.map_err(|error| anyhow::anyhow!("{error}"))?))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_needs_no_right_that_the_role_has_not_and_each_is_missed() -> Result<()> {
    let azure = azure().await?;
    let whole = scene(&azure, 0, None).await?;
    let operator = whole.operator().await?;
    story(&whole).await?;
    let refused = whole.azure.requests().into_iter().filter(|entry| entry.status == Some(403));
    let refused: Vec<_> = refused.map(|entry| entry.url).collect();
    ensure!(refused.is_empty(), "{refused:?}");
    operator.stop()?;
    let mut actions = role("role.json")?;
    actions.retain(|action| !SILENT.iter().any(|(silent, _)| silent == action));
    ensure!(actions.len() > 20, "{actions:?}");
    let cases =
        actions.into_iter().enumerate().map(|(place, action)| without(azure.clone(), place + 1, action));
    let ended: Vec<_> = futures::stream::iter(cases).buffer_unordered(SIDE_BY_SIDE).collect().await;
    let failed: Vec<String> =
        ended.into_iter().filter_map(|ended| ended.err().map(|error| format!("{error:#}"))).collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}
