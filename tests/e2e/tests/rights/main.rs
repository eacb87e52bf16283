//! The rights of the chart, held against the API server's audit log: the whole story under the account that Helm installed.
//! None is missing, none is unused; and Helm's uninstall leaves Azure as it is.

mod shared;
mod story;

use anyhow::{Context as _, Result, ensure};
use azureml_control_plane::Options;
use azureml_e2e::audit::{self, Asked};
use azureml_e2e::chart::{self, Right};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Operator, Scene, Setting, cluster, flux};
use serde_json::Value;
use std::collections::BTreeSet;

/// The application of the second MLWorkspace, which brings its own secret.
const CLIENT: &str = "cccccccc-0000-4000-8000-000000000001";
const SECRET: &str = "the-right-one";
const ACCOUNT: &str = "azureml-operator";

/// A release of the chart, and a scene for the operator that it would start.
struct Installed {
    scene: Scene,
    values: Vec<String>,
    objects: Vec<Value>,
}

impl Installed {
    async fn new(name: &str, config: &str, values: fn(&str) -> Vec<String>) -> Result<Self> {
        let mut setting = Setting { config: format!("{config}{GRANTS}{SOON}"), ..Setting::default() };
        setting.azure.apps = [(CLIENT.to_owned(), SECRET.to_owned())].into();
        let mut scene = Scene::set(name, setting).await?;
        scene.reach_blobs()?;
        let values = values(&scene.namespace);
        let objects = helm(&scene, &["template"], &values).await?;
        let objects: Vec<Value> = serde_saphyr::from_multiple(&objects)?;
        let objects = objects.into_iter().filter(Value::is_object).collect();
        Ok(Self { scene, values, objects })
    }

    async fn helm(&self, command: &[&str]) -> Result<String> {
        helm(&self.scene, command, &self.values).await
    }

    async fn uninstall(&self) -> Result<()> {
        let namespace = self.scene.namespace.clone();
        let gone = move || chart::helm(&namespace, &["uninstall", "azureml-operator"]);
        tokio::task::spawn_blocking(gone).await?.map(drop)
    }

    /// Starts the operator as its Deployment says it, with its account's token.
    async fn start(&mut self) -> Result<Operator> {
        let identity = cluster::shared().service_account(&self.scene.namespace, ACCOUNT).await?;
        self.scene.start.kubeconfig = Some(identity.kubeconfig);
        self.scene.start.arguments = Some(chart::arguments(&self.objects)?);
        let start = self.scene.start.clone();
        tokio::task::spawn_blocking(move || Operator::start(&start)).await?
    }

    fn asked(&self) -> Result<Vec<Asked>> {
        audit::of(&format!("system:serviceaccount:{}:{ACCOUNT}", self.scene.namespace))
    }
}

async fn helm(scene: &Scene, command: &[&str], values: &[String]) -> Result<String> {
    let namespace = scene.namespace.clone();
    let mut arguments: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    arguments.extend(["azureml-operator", "charts/azureml-operator"].map(str::to_owned));
    arguments.extend(values.iter().cloned());
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        chart::helm(&namespace, &arguments)
    };
    tokio::task::spawn_blocking(run).await?
}

/// Without definitions, which the chart is to bring.
fn audited() -> Options {
    Options { audit: true, ..Options::default() }
}

fn set(values: &[&str]) -> Vec<String> {
    values.iter().flat_map(|value| ["--set", value]).map(str::to_owned).collect()
}

/// One after the other: the first controller works in all namespaces, so there may be no other.
#[tokio::test(flavor = "multi_thread")]
async fn the_charts_rights_are_exactly_those_that_are_used() -> Result<()> {
    tokio::task::spawn_blocking(|| {
        cluster::wish(audited());
        cluster::shared()
    })
    .await?;
    flux::install(&cluster::client().await?).await?;
    in_the_whole_cluster().await.context("cluster-wide")?;
    in_one_namespace().await.context("in one namespace")
}

async fn in_the_whole_cluster() -> Result<()> {
    let mut installed = Installed::new("everywhere", "", |_| Vec::new()).await?;
    // The definitions come after the controller, which says what it waits for.
    installed.helm(&["install", "--set", "crds.install=false"]).await?;
    let operator = installed.start().await?;
    let told = format!("http://{}/readyz", operator.address()?);
    let waits = reqwest::get(&told).await?.text().await?;
    ensure!(waits == "the custom resource definition mlworkspaces.azureml.dev", "{waits}");
    installed.helm(&["upgrade", "--set", "crds.install=true"]).await?;
    operator.leads()?;
    story::told(&installed.scene, &operator).await?;
    shared::by_labels(&installed.scene).await?;
    exactly(&installed)?;
    story::removed_and_back(&mut installed, operator).await
}

async fn in_one_namespace() -> Result<()> {
    let values = |namespace: &str| {
        let watched = format!("watchNamespaces={{{namespace}}}");
        set(&[&watched, "config.clusterId=test", "crds.install=false", "rbac.userRoles=false"])
    };
    let mut installed = Installed::new("somewhere", "clusterId: test\n", values).await?;
    let clusters = installed.objects.iter().filter(|object| object["metadata"]["namespace"].is_null());
    assert_eq!(clusters.count(), 0, "something is the whole cluster's");
    installed.helm(&["install"]).await?;
    let operator = installed.start().await?;
    operator.leads()?;
    story::told(&installed.scene, &operator).await?;
    exactly(&installed)?;
    operator.stop()
}

/// Every request was allowed by a role of the chart, or by what every account may; every right of the chart was used.
fn exactly(installed: &Installed) -> Result<()> {
    let rights = chart::rights(&installed.objects)?;
    let asked = installed.asked()?;
    let refused: BTreeSet<&Asked> = asked.iter().filter(|asked| asked.role.is_none()).collect();
    ensure!(refused.is_empty(), "rights are missing: {refused:#?}");
    let is_ours = |asked: &&Asked| asked.role.as_ref().is_some_and(|role| role.contains(ACCOUNT));
    let covers = |right: &&Right, asked: &Asked| {
        asked.role.as_ref() == Some(&right.role)
            && (&asked.verb, &asked.resource) == (&right.verb, &right.resource)
            && right.name.as_ref().is_none_or(|name| *name == asked.name)
    };
    let used: BTreeSet<&Right> =
        rights.iter().filter(|right| asked.iter().any(|asked| covers(right, asked))).collect();
    let unused: Vec<&Right> = rights.iter().filter(|right| !used.contains(right)).collect();
    ensure!(unused.is_empty(), "rights are unused: {unused:#?}");
    let unknown: BTreeSet<&Asked> = asked
        .iter()
        .filter(is_ours)
        .filter(|asked| !rights.iter().any(|right| covers(&right, asked)))
        .collect();
    ensure!(unknown.is_empty(), "used, and not in the chart: {unknown:#?}");
    // Beside these, only what every account may: to be told what the API server serves.
    let others: BTreeSet<&str> =
        asked.iter().filter(|asked| !is_ours(asked)).map(|asked| asked.resource.as_str()).collect();
    assert_eq!(others, BTreeSet::from(["/apis/azureml.dev/v1alpha1", "/apis/source.toolkit.fluxcd.io/v1"]));
    Ok(())
}
