//! What a release does to what is there: nothing. Objects are worked on under it, before it and after it.

use anyhow::{Context as _, Result, ensure};
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLSchedule, MLWorkspace};
use azureml_e2e::installed::{RELEASE, SYSTEM};
use azureml_e2e::{Installed, PATIENCE, Scene, cluster};
use azureml_plan::report::is_ready;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use kube::runtime::wait::{await_condition, conditions};

/// Both examples are applied and become ready.
pub async fn examples(installed: &Installed) -> Result<()> {
    let scene = &installed.scene;
    scene.kubectl(&["apply", "-f", "examples/r-gbm/", "-f", "examples/python-parallel/"]).await?;
    Box::pin(settled(scene, None)).await
}

/// Waits until everything is ready, and a request to look at it has been handled, if there was one.
async fn settled(scene: &Scene, request: Option<&str>) -> Result<()> {
    macro_rules! settled {
        ($($kind:ty: $name:literal),*) => {$(
            scene.wait::<$kind>($name, "settled", |object| {
                let common = object.status.as_ref().map(|status| status.common().clone()).unwrap_or_default();
                let is_handled = request.is_none() || common.last_handled_reconcile_at.as_deref() == request;
                is_handled && common.observed_generation == object.metadata.generation && is_ready(&common.conditions)
            }).await?;
        )*};
    }
    settled!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm");
    settled!(MLSchedule: "r-gbm-weekdays", MLEnvironment: "python", MLPipeline: "python-parallel");
    Ok(())
}

/// Another operator has looked at everything, and changed nothing in Azure.
async fn unchanged(installed: &Installed, request: &str, since: usize) -> Result<()> {
    let scene = &installed.scene;
    let kinds = "mlworkspaces,mlcomputes,mlenvironments,mlpipelines,mlschedules";
    let annotation = format!("{}={request}", azureml_crds::RECONCILE_REQUESTED_AT);
    scene.kubectl(&["annotate", kinds, "--all", "--overwrite", &annotation]).await?;
    Box::pin(settled(scene, Some(request))).await?;
    let writes = scene.writes(since);
    ensure!(writes.is_empty(), "Azure was changed: {writes:?}");
    Ok(())
}

async fn replaced(installed: &Installed, request: &str, command: &str, arguments: &[&str]) -> Result<()> {
    Box::pin(settled(&installed.scene, None)).await?;
    let (_, holder) = installed.leader_after("").await?;
    let since = installed.scene.azure.requests().len();
    installed.helm(command, arguments).await?;
    installed.leader_after(&holder).await?;
    unchanged(installed, request, since).await
}

/// A changed value: other pods, and nothing else.
pub async fn upgraded(installed: &Installed) -> Result<()> {
    replaced(installed, "upgraded", "upgrade", &["--set-string", "podAnnotations.release=second"]).await?;
    ensure!(annotation(installed).await? == "second", "the pods are not of the second release");
    Ok(())
}

/// Back again.
pub async fn rolled_back(installed: &Installed) -> Result<()> {
    replaced(installed, "rolled-back", "rollback", &["1"]).await?;
    ensure!(annotation(installed).await?.is_empty(), "the pods are not of the first release");
    Ok(())
}

async fn annotation(installed: &Installed) -> Result<String> {
    let pods = installed.pods().await?;
    let pod = pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_none()).context("no pod is ready")?;
    let annotations = pod.metadata.annotations.clone().unwrap_or_default();
    Ok(annotations.get("release").cloned().unwrap_or_default())
}

/// The operator goes; definitions, objects and Azure stay as they are.
pub async fn uninstalled(installed: &Installed) -> Result<()> {
    let scene = &installed.scene;
    let (before, since) = (scene.versions().await?, scene.azure.requests().len());
    installed.helm("uninstall", &[]).await?;
    let pods = installed.pod_api();
    for pod in pods.list(&ListParams::default()).await? {
        let (name, uid) = (pod.name_any(), pod.uid().unwrap_or_default());
        let gone = await_condition(pods.clone(), &name, conditions::is_deleted(&uid));
        tokio::time::timeout(PATIENCE, gone).await.with_context(|| format!("{name} is left"))??;
    }
    let mut kubectl = cluster::shared().kubectl();
    kubectl.args(["--namespace", SYSTEM, "get", "--output=name", "--selector"]);
    kubectl.arg(format!("app.kubernetes.io/instance={RELEASE}"));
    let left = kubectl
        .arg("deployments,serviceaccounts,roles,rolebindings,configmaps,clusterroles,clusterrolebindings")
        .output()?;
    ensure!(left.stdout.is_empty(), "left: {}", String::from_utf8_lossy(&left.stdout));
    let definitions: Api<CustomResourceDefinition> = Api::all(scene.kube.clone());
    let count = definitions.list(&ListParams::default()).await?.items.len();
    ensure!(count == azureml_crds::all()?.len(), "{count} definitions are left");
    ensure!(scene.versions().await? == before, "objects were written");
    let writes = scene.writes(since);
    ensure!(writes.is_empty(), "Azure was changed: {writes:?}");
    Ok(())
}
