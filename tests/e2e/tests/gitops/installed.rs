//! The page about installing the operator by Flux and Argo CD: its manifests bring the chart from Git with the real controllers, on a
//! control plane where nothing is yet. Without a node no pod starts, so nothing waits for pods here.

use super::flux::condition;
use anyhow::{Context as _, Result, bail, ensure};
use azureml_control_plane::gitops::Flux;
use azureml_control_plane::helm_controller::HelmController;
use azureml_control_plane::{ControlPlane, Options, argo};
use azureml_e2e::book;
use azureml_e2e::git::Repository;
use azureml_e2e::{PATIENCE, cluster};
use kube::api::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::Stdio;

const PAGE: &str = "docs/src/operations/install-gitops.md";
const ONBOARD: &str = "docs/src/how-to/onboard.md";
const SYSTEM: &str = "azureml-system";

/// The objects of the block of a page that has a text.
fn block(page: &str, text: &str) -> Result<Vec<Value>> {
    let blocks = book::blocks(page)?;
    let block = blocks.iter().find(|block| block.text.contains(text)).context("no such block")?;
    Ok(serde_saphyr::from_multiple(&block.text)?)
}

fn kubectl(plane: &ControlPlane, words: &[&str], input: &str) -> Result<String> {
    let mut command = plane.kubectl();
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// Waits, on a watch, until an object of a tool is as it should be.
async fn wait(
    plane: &ControlPlane,
    (group, kind): (&str, &str),
    (namespace, name): (&str, &str),
    is_so: impl Fn(&Value) -> bool + Send + Sync,
) -> Result<Value> {
    let version = if group.starts_with("helm") { "v2" } else { "v1" };
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let api: Api<DynamicObject> = Api::namespaced_with(plane.client().await?, namespace, &resource);
    let condition = |object: Option<&DynamicObject>| {
        object.and_then(|object| serde_json::to_value(object).ok()).is_some_and(|object| is_so(&object))
    };
    let found = tokio::time::timeout(PATIENCE, await_condition(api.clone(), name, condition)).await;
    if let Ok(found) = found {
        return Ok(serde_json::to_value(found?.context("it is gone")?)?);
    }
    let object = serde_json::to_value(api.get_opt(name).await?)?;
    bail!("{kind} {name}: {:#}", object["status"])
}

const HELM: (&str, &str) = ("helm.toolkit.fluxcd.io", "HelmRelease");
const KUSTOMIZE: (&str, &str) = ("kustomize.toolkit.fluxcd.io", "Kustomization");
const RELEASE: (&str, &str) = (SYSTEM, "azureml-operator");

/// The repository of the page, with the chart in it: one serves as both. Nothing waits for pods.
fn commit(repository: &Repository, replicas: u32) -> Result<String> {
    let mut objects = block(PAGE, "kind: HelmRelease")?;
    for object in &mut objects {
        match object["kind"].as_str() {
            Some("GitRepository") => {
                object["spec"]["url"] = json!(repository.url);
                object["spec"]["ref"] = json!({"branch": "main"});
            }
            Some("HelmRelease") => {
                object["spec"]["install"]["disableWait"] = json!(true);
                object["spec"]["upgrade"]["disableWait"] = json!(true);
                object["spec"]["test"]["enable"] = json!(false);
                object["spec"]["values"]["replicas"] = json!(replicas);
            }
            _ => {}
        }
    }
    repository.write("azureml-operator/release.yaml", &list(&objects))?;
    repository.commit(&format!("Have {replicas} replicas"))
}

async fn installed(plane: &ControlPlane, repository: &Repository) -> Result<()> {
    repository.copy("charts/azureml-operator")?;
    repository.copy("examples/onboarding")?;
    for policy in ["workspaces", "pipelines"] {
        let file = azureml_e2e::root().join(format!("examples/onboarding/policy/{policy}.yaml"));
        repository
            .write(&format!("azureml-operator/policy/{policy}.yaml"), &std::fs::read_to_string(file)?)?;
    }
    let pipeline = std::fs::read_to_string(azureml_e2e::root().join("examples/onboarding/pipeline.yaml"))?;
    repository.write("azureml/pipeline.yaml", &pipeline)?;
    commit(repository, 2)?;
    let mut objects = block(PAGE, "name: teams")?;
    for object in &mut objects {
        if object["kind"] == "GitRepository" {
            object["spec"]["url"] = json!(repository.url);
        }
        if object["metadata"]["name"] == "teams" {
            // No operator runs here, so that nothing of a team becomes ready.
            object["spec"]["wait"] = json!(false);
            object["spec"]["path"] = json!("./examples/onboarding/teams");
        }
    }
    kubectl(plane, &["create", "namespace", "flux-system"], "")?;
    kubectl(plane, &["apply", "-f", "-"], &list(&objects))?;
    wait(plane, KUSTOMIZE, ("flux-system", "teams"), |it| {
        ["DependencyNotReady", "ReconciliationSucceeded"]
            .iter()
            .any(|reason| condition(it, "Ready")["reason"] == *reason)
    })
    .await?;
    wait(plane, HELM, RELEASE, |it| condition(it, "Ready")["status"] == "True").await?;
    // The kinds were there before the team's folder was applied.
    let applied =
        |it: &Value| it["status"]["inventory"].is_object() && condition(it, "Ready")["status"] == "True";
    let teams = wait(plane, KUSTOMIZE, ("flux-system", "teams"), applied).await?;
    ensure!(holds(&teams, "team-blue_ml_azureml.dev_MLWorkspace"), "{teams:#}");
    Ok(())
}

/// Whether a Kustomization has applied an object.
fn holds(kustomization: &Value, id: &str) -> bool {
    let all = kustomization["status"]["inventory"]["entries"].as_array().into_iter().flatten();
    all.into_iter().any(|entry| entry["id"] == id)
}

/// A team's own repository, by the account that its folder gives to Flux: its pipelines are applied, and no cluster.
async fn delivered(plane: &ControlPlane, repository: &Repository) -> Result<()> {
    let mut objects = block(ONBOARD, "name: models")?;
    for object in &mut objects {
        match object["kind"].as_str() {
            Some("GitRepository") => object["spec"]["url"] = json!(repository.url),
            _ => object["spec"]["wait"] = json!(false),
        }
    }
    kubectl(plane, &["apply", "-f", "-"], &list(&objects))?;
    let models = ("team-blue", "models");
    wait(plane, KUSTOMIZE, models, |it| holds(it, "team-blue_hello_azureml.dev_MLPipeline")).await?;
    let cluster = std::fs::read_to_string(
        azureml_e2e::root().join("examples/onboarding/teams/team-blue/compute.yaml"),
    )?;
    repository.write("azureml/compute.yaml", &cluster.replace("name: cpu", "name: more"))?;
    repository.commit("Have another cluster")?;
    let words = [
        "--namespace",
        "team-blue",
        "annotate",
        "gitrepository",
        "models",
        "reconcile.fluxcd.io/requestedAt=now",
    ];
    kubectl(plane, &words, "")?;
    let refused =
        |it: &Value| condition(it, "Ready")["message"].as_str().is_some_and(|it| it.contains("forbidden"));
    wait(plane, KUSTOMIZE, models, refused).await.map(drop)
}

async fn upgraded_and_removed(plane: &ControlPlane, repository: &Repository) -> Result<()> {
    let before = wait(plane, HELM, RELEASE, |_| true).await?["status"]["history"][0]["version"].clone();
    commit(repository, 1)?;
    for (namespace, name) in [("flux-system", "platform"), (SYSTEM, "azureml-operator")] {
        let words = [
            "--namespace",
            namespace,
            "annotate",
            "gitrepository",
            name,
            "reconcile.fluxcd.io/requestedAt=now",
        ];
        kubectl(plane, &words, "")?;
    }
    // The chart and the values come by two sources, and may be two upgrades.
    let deployment = (SYSTEM, "azureml-operator");
    wait(plane, ("apps", "Deployment"), deployment, |it| it["spec"]["replicas"] == 1).await?;
    wait(plane, HELM, RELEASE, |it| {
        let newest = &it["status"]["history"][0];
        newest["version"].as_u64() > before.as_u64() && newest["status"] == "deployed"
    })
    .await?;
    kubectl(
        plane,
        &["--namespace", SYSTEM, "delete", "helmrelease", "azureml-operator", "--timeout=60s"],
        "",
    )?;
    let left = kubectl(plane, &["--namespace", SYSTEM, "get", "deployments", "--output", "name"], "")?;
    ensure!(left.is_empty(), "{left}");
    let kept = kubectl(plane, &["get", "mlworkspaces", "--all-namespaces", "--output", "name"], "")?;
    ensure!(kept.lines().eq(["mlworkspace.azureml.dev/ml"; 2]), "{kept}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn flux_installs_upgrades_and_removes_the_operator_and_keeps_the_kinds() -> Result<()> {
    let plane = ControlPlane::start(Options::default()).await?;
    let repository = Repository::serve().await?;
    let (mut flux, mut helm) = (Flux::start(&plane).await?, HelmController::start(&plane).await?);
    installed(&plane, &repository).await?;
    delivered(&plane, &repository).await?;
    upgraded_and_removed(&plane, &repository).await?;
    flux.check()?;
    Ok(helm.check()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn argo_cds_own_definitions_take_the_applications_of_the_book() -> Result<()> {
    let plane = tokio::task::spawn_blocking(|| {
        cluster::wish(super::audited());
        cluster::shared()
    })
    .await?;
    plane.install(&tokio::task::spawn_blocking(argo::definitions).await??).await?;
    let mut found = 0;
    for block in book::every_block()?.iter().filter(|block| block.language == "yaml" && !block.is("fragment"))
    {
        let objects: Vec<Value> = serde_saphyr::from_multiple(&block.text).unwrap_or_default();
        for mut object in objects.into_iter().filter(|it| it["apiVersion"] == "argoproj.io/v1alpha1") {
            object["metadata"]["namespace"] = json!("default");
            let words = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
            kubectl(plane, &words, &object.to_string()).with_context(|| block.place())?;
            found += 1;
        }
    }
    ensure!(found >= 2, "the Applications are not found");
    Ok(())
}
