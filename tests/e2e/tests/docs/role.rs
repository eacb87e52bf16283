//! The custom roles of `examples/azure`, which the page on rights shows, are what the operator asks Azure for: no action is missing, none is unused.
//! Actions follow from requests by Azure's rule, as the simulator knows it.

use super::stage::RUNTIME;
use anyhow::{Context as _, Result};
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::{Scene, Setting};
use azureml_plan::report::is_ready;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Asked for only where a cluster is to be changed while an operation on it goes on.
const SELDOM: &str = "Microsoft.MachineLearningServices/locations/computeOperationsStatus/read";

/// Actions of the data plane, which the log of requests shows by their paths only; their names are Microsoft's.
const DATA_PLANE: [&str; 5] = [
    "Microsoft.ContainerRegistry/registries/pull/read",
    "Microsoft.MachineLearningServices/workspaces/experiments/read",
    "Microsoft.MachineLearningServices/workspaces/experiments/runs/read",
    "Microsoft.MachineLearningServices/workspaces/experiments/runs/submit/action",
    "Microsoft.MachineLearningServices/workspaces/experiments/runs/write",
];

/// The action of a request, where it is one of Resource Manager's.
fn action(method: &str, url: &str) -> Option<String> {
    let path = url.split('?').next().filter(|path| path.starts_with("/subscriptions/"))?;
    azureml_simulator::action(&method.parse().ok()?, path)
}

/// Everything that an operator does: all kinds, a failed build, a cancelled run, and leaving with `deletionPolicy: Delete`.
async fn everything() -> Result<BTreeSet<String>> {
    let scene = Scene::set("role", Setting::default()).await?;
    let operator = scene.operator().await?;
    let read =
        |file: &str| -> Result<String> { Ok(std::fs::read_to_string(azureml_e2e::root().join(file))?) };
    let files = ["workspace", "computes", "environment", "pipeline", "schedule"];
    let texts: Result<Vec<String>> =
        files.iter().map(|file| read(&format!("examples/r-gbm/{file}.yaml"))).collect();
    let manifests = format!("{}\n---\n{}", texts?.join("\n---\n"), read("examples/data/houses.yaml")?);
    // What is to be removed at the end says so.
    let manifests = manifests.replace("  scale: {max: 4}", "  scale: {max: 4}\n  deletionPolicy: Delete");
    let manifests =
        manifests.replace("  description: R 4.4 with", "  deletionPolicy: Delete\n  description: R 4.4 with");
    let manifests = manifests.replace("  type: uri_folder", "  deletionPolicy: Delete\n  type: uri_folder");
    scene.apply_objects(&manifests).await?;
    scene
        .wait::<MLSchedule>("r-gbm-weekdays", "ready", |object| {
            object.status.as_ref().is_some_and(|status| is_ready(&status.common.conditions))
        })
        .await?;
    fail_a_build(&scene).await?;
    cancel_a_run(&scene).await?;
    scene
        .kubectl(&["patch", "mlcompute", "cpu", "--type=merge", "-p", r#"{"spec":{"scale":{"max":5}}}"#])
        .await?;
    scene
        .wait::<MLCompute>("cpu", "larger", |object| {
            object.status.as_ref().is_some_and(|status| is_ready(&status.common.conditions))
                && object.status.as_ref().and_then(|status| status.common.observed_generation)
                    == object.metadata.generation
        })
        .await?;
    replace_deployments(&scene).await?;
    scene.delete_objects(&manifests).await?;
    scene.wait_gone::<MLWorkspace>("team-a").await?;
    operator.stop()?;
    Ok(scene.azure.requests().iter().filter_map(|entry| action(&entry.method, &entry.url)).collect())
}

async fn fail_a_build(scene: &Scene) -> Result<()> {
    let fault = json!({"match": {"path": "taskRuns"}, "when": "outcome", "do": {"fail": {"code": "RunFailed", "message": "no such package"}}, "times": 1});
    scene.azure.fault(fault).map_err(anyhow::Error::msg)?;
    let environment = "{apiVersion: azureml.dev/v1alpha1, kind: MLEnvironment, metadata: {name: broken}, \
                       spec: {workspaceRef: {name: team-a}, build: {dockerfile: 'FROM rocker/r-ver:4.4.2'}}}";
    scene.apply_objects(environment).await?;
    scene
        .wait::<MLEnvironment>("broken", "stalled", |object| {
            object.status.as_ref().is_some_and(|status| {
                status.common.conditions.iter().any(|condition| condition.reason == "BuildFailed")
            })
        })
        .await?;
    scene.delete_objects(environment).await?;
    scene.wait_gone::<MLEnvironment>("broken").await
}

async fn cancel_a_run(scene: &Scene) -> Result<()> {
    let hold = json!({"id": "step", "match": {"path": "/jobs/.*/steps/"}, "when": "outcome", "do": "hold"});
    scene.azure.fault(hold).map_err(anyhow::Error::msg)?;
    let run = "{apiVersion: azureml.dev/v1alpha1, kind: MLRun, metadata: {name: one}, spec: {pipelineRef: {name: r-gbm}}}";
    scene.apply_objects(run).await?;
    scene
        .wait::<MLRun>("one", "accepted", |run| {
            run.status.as_ref().is_some_and(|status| status.studio_url.is_some())
        })
        .await?;
    scene.delete_objects(run).await?;
    scene.wait_gone::<MLRun>("one").await?;
    anyhow::ensure!(scene.azure.release("step", false), "there is no such fault");
    Ok(())
}

/// Nothing is kept beside the new version, so the old deployment is removed.
async fn replace_deployments(scene: &Scene) -> Result<()> {
    let before = scene.api::<MLPipeline>().get("r-gbm").await?.status.and_then(|status| status.version);
    // Other files are searched for by their hash: somebody may have uploaded them.
    let files =
        json!([{"op": "add", "path": "/spec/steps/0/code/files/more.txt", "value": "more"}]).to_string();
    scene.kubectl(&["patch", "mlpipeline", "r-gbm", "--type=json", "-p", &files]).await?;
    let change = json!({"spec": {"publish": {"keep": 0}, "defaults": {"forceRerun": true}}}).to_string();
    scene.kubectl(&["patch", "mlpipeline", "r-gbm", "--type=merge", "-p", &change]).await?;
    scene
        .wait::<MLPipeline>("r-gbm", "of another version, alone", |object| {
            object.status.as_ref().is_some_and(|status| {
                status.version != before
                    && is_ready(&status.common.conditions)
                    && status.endpoint.as_ref().is_some_and(|endpoint| endpoint.deployments.len() == 1)
            })
        })
        .await?;
    Ok(())
}

/// The actions of a role of `examples/azure`.
pub(crate) fn actions(file: &str) -> Result<Vec<String>> {
    let path = azureml_e2e::root().join("examples/azure").join(file);
    let text = std::fs::read_to_string(path).with_context(|| file.to_owned())?;
    let role: Value = serde_json::from_str(&text).with_context(|| file.to_owned())?;
    serde_json::from_value(role["Actions"].clone()).with_context(|| format!("the Actions of {file}"))
}

#[test]
fn the_custom_role_is_exactly_what_the_operator_asks_for() -> Result<()> {
    let granted: BTreeSet<String> =
        [actions("role.json")?, actions("operations.json")?].into_iter().flatten().collect();
    let mut asked = RUNTIME.block_on(everything())?;
    asked.extend(DATA_PLANE.into_iter().chain([SELDOM]).map(str::to_owned));
    let missing: Vec<_> = asked.difference(&granted).collect();
    let unused: Vec<_> = granted.difference(&asked).collect();
    assert!(
        missing.is_empty() && unused.is_empty(),
        "missing in the roles: {missing:#?}\nunused: {unused:#?}"
    );
    Ok(())
}
