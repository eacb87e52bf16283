//! The story on a cluster that exists: what is made there is said before, and removed after, also when the story fails or
//! is interrupted. The operator is a process of this machine; nothing of it runs in the cluster.

use crate::{Teller, kept, stage, story};
use anyhow::{Context as _, Result, bail, ensure};
use azureml_control_plane::progress;
use azureml_e2e::{Operator, PATIENCE, Scene, cluster, storage};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams};
use kube::runtime::wait::await_condition;
use kube::runtime::wait::conditions::is_crd_established;
use kube::{Client, ResourceExt as _};
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

/// Tells it.
pub async fn told(teller: &Teller, kubeconfig: &Path, yes: bool, keep: bool) -> Result<()> {
    let kubeconfig =
        kubeconfig.canonicalize().with_context(|| format!("there is no {}", kubeconfig.display()))?;
    cluster::give(&kubeconfig);
    let client = cluster::client().await?;
    not_installed(&client).await?;
    announce(&client, &kubeconfig, keep).await?;
    if !yes {
        ask()?;
    }
    let made = install(&client).await;
    let done = match made {
        Ok(()) => perform(teller, keep).await,
        Err(error) => Err(error),
    };
    let removed = uninstall(teller, &client).await;
    done.and(removed)
}

/// Another operator would work on the objects of the story, and with another Azure.
async fn not_installed(client: &Client) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let present = api.list(&ListParams::default()).await.context("failed to reach the cluster")?;
    let group = |definition: &&CustomResourceDefinition| definition.spec.group == azureml_crds::GROUP;
    let found = present.iter().filter(group).count();
    ensure!(
        found == 0,
        "{found} definitions of {} are there already; the story is for a cluster without",
        azureml_crds::GROUP
    );
    // What is there already would be removed at the end.
    let namespaces: Api<Namespace> = Api::all(client.clone());
    ensure!(
        namespaces.get_opt(namespace()).await?.is_none(),
        "the namespace {} is there already; the story makes its own",
        namespace()
    );
    Ok(())
}

async fn announce(client: &Client, kubeconfig: &Path, keep: bool) -> Result<()> {
    let version = client.apiserver_version().await?.git_version;
    println!("On the cluster of the current context of {} (Kubernetes {version})", kubeconfig.display());
    println!("the story makes, and removes at the end:");
    println!("  the namespace {}, with the objects of the examples and a lease", namespace());
    if keep {
        println!("  objects of the definitions below, in whichever namespace you make them while it stays");
    }
    for definition in azureml_crds::all()? {
        println!("  the definition {}", definition.name_any());
    }
    println!(
        "The operator runs as a process on this machine, and Azure is simulated here too: no pod, no role, no cost."
    );
    Ok(())
}

fn ask() -> Result<()> {
    ensure!(std::io::stdin().is_terminal(), "there is nobody to ask whether to go on; --yes goes on");
    print!("Go on? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        Ok(())
    } else {
        bail!("nothing was done")
    }
}

/// Scenes number their namespaces; this process sets one.
fn namespace() -> &'static str {
    "azureml-demo-1"
}

async fn install(client: &Client) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in azureml_crds::all()? {
        let name = definition.name_any();
        api.create(&kube::api::PostParams::default(), &definition)
            .await
            .with_context(|| format!("failed to make {name}"))?;
        tokio::time::timeout(PATIENCE, await_condition(api.clone(), &name, is_crd_established())).await??;
    }
    Ok(())
}

async fn perform(teller: &Teller, keep: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    teller.say("starting a simulated Azure and the operator (what is not built yet is built first)");
    let (scene, operator) =
        unless_interrupted(progress::waiting("starting", start(folder.path(), keep))).await?;
    let done = unless_interrupted(story_and_keep(teller, &scene, folder.path(), keep)).await;
    teller.say("removing what was made; the operator takes leave of each object first");
    let left = progress::waiting("removing", take_leave()).await;
    operator_ends(operator);
    done.and(left)
}

/// What is made is removed also after Ctrl-C.
async fn unless_interrupted<T>(what: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = what => done,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn start(folder: &Path, keep: bool) -> Result<(Scene, Operator)> {
    let mut scene = Scene::set("azureml-demo", stage::setting(folder)).await?;
    ensure!(scene.namespace == namespace(), "the namespace is {}", scene.namespace);
    storage::put_raw_data(folder)?;
    if keep {
        scene.start.arguments = Some(stage::every_namespace());
    }
    let operator = scene.operator().await?;
    Ok((scene, operator))
}

async fn story_and_keep(teller: &Teller, scene: &Scene, folder: &Path, keep: bool) -> Result<()> {
    Box::pin(story::told(teller, scene, folder)).await?;
    if keep {
        kept::keep(&scene.namespace).await?;
    }
    Ok(())
}

/// How it ends matters no more: everything that it worked on is gone, or is removed without it.
fn operator_ends(operator: Operator) {
    let _ = operator.stop();
}

/// The definitions are the demo's own, and so is every object of them, in whatever namespace.
async fn take_leave() -> Result<()> {
    let kinds = "mlruns,mlschedules,mlpipelines,mldata,mlenvironments,mlcomputes,mlworkspaces";
    let delete = || {
        let arguments = ["delete", kinds, "--all", "--all-namespaces", "--timeout=60s"];
        cluster::kubectl().args(arguments).output()
    };
    let output = tokio::task::spawn_blocking(delete).await??;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Removes definitions and namespace, and with them every object, also of an operator that could not take leave.
async fn uninstall(teller: &Teller, client: &Client) -> Result<()> {
    for definition in azureml_crds::all()? {
        let name = definition.name_any();
        release(&definition).await;
        let api: Api<CustomResourceDefinition> = Api::all(client.clone());
        gone(&api, &name).await?;
    }
    gone(&Api::<Namespace>::all(client.clone()), namespace()).await?;
    teller.say("the cluster is as it was before");
    Ok(())
}

/// Takes the operator's mark from objects that are left: without an operator they would stay for ever.
async fn release(definition: &CustomResourceDefinition) {
    let plural = definition.spec.names.plural.clone();
    let run = move |arguments: &[&str]| cluster::kubectl().args(arguments).output();
    let _ = tokio::task::spawn_blocking(move || {
        let columns =
            "--output=jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{\"\\n\"}{end}";
        let listed = run(&["get", &plural, "--all-namespaces", columns, "--ignore-not-found"])?;
        for (namespace, name) in
            String::from_utf8_lossy(&listed.stdout).lines().filter_map(|line| line.split_once(' '))
        {
            let patch = ["--type=merge", "--patch", r#"{"metadata":{"finalizers":null}}"#];
            run(&[&["--namespace", namespace, "patch", &plural, name][..], &patch].concat())?;
        }
        Ok::<_, std::io::Error>(())
    })
    .await;
}

/// Deletes an object of the whole cluster and waits until it is gone.
async fn gone<K>(api: &Api<K>, name: &str) -> Result<()>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    let Some(found) = api.get_opt(name).await? else { return Ok(()) };
    if let Err(error) = api.delete(name, &DeleteParams::default()).await {
        let is_gone = matches!(&error, kube::Error::Api(status) if status.is_not_found());
        ensure!(is_gone, "failed to delete {name}: {error}");
    }
    let uid = found.uid().unwrap_or_default();
    let deleted = kube::runtime::wait::conditions::is_deleted(&uid);
    tokio::time::timeout(PATIENCE, await_condition(api.clone(), name, deleted))
        .await
        .with_context(|| format!("{name} is still there; delete it by hand"))??;
    Ok(())
}
