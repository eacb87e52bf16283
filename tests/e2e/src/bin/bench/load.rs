//! 2,000 objects of 20 namespaces, one of them hostile: how long the others wait, without its attacks and beside them.
//!
//! Azure has the delays of its recordings, the operator the budget that it is shipped with and a single identity for all.

use crate::figures::Figures;
use crate::hostile;
use crate::measure::{Budget, azure, metric, number, scene};
use anyhow::{Context as _, Result, ensure};
use azureml_controller::telemetry::texts;
use azureml_crds::shared::HasCommon;
use azureml_crds::{MLCompute, MLPipeline, MLSchedule};
use azureml_e2e::scene::{Object, SUBSCRIPTION, dynamic, objects};
use azureml_e2e::{Operator, Scene};
use azureml_plan::report::is_ready;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::object::HasStatus;
use kube::core::{DynamicObject, ObjectMeta};
use kube::runtime::wait::await_condition;
use kube::{Client, ResourceExt as _};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Namespaces that mean well.
const OTHERS: usize = 19;
/// From one probe to the next.
const PACE: Duration = Duration::from_secs(3);
/// How long is measured without the attacks.
const QUIET: Duration = Duration::from_mins(3);
/// A probe that is not ready then never is.
const LONGEST: Duration = Duration::from_mins(5);
/// The memory limit of the chart, in bytes.
const LIMIT: u64 = 256 << 20;

/// The 100 objects of a namespace that means well.
fn population() -> String {
    let mut text = around();
    for each in 0..70 {
        let _ = write!(text, "{}", cluster(&format!("c{each}")));
    }
    for each in 0..19 {
        let _ = write!(
            text,
            "{}",
            object(
                "MLEnvironment",
                &format!("e{each}"),
                "workspaceRef: {name: team-a}, image: 'python:3.12-slim'"
            )
        );
    }
    for each in 0..4 {
        let _ = write!(text, "{}", pipeline(&format!("p{each}")));
        let schedule = format!("pipelineRef: {{name: p{each}}}, cron: '0 6 * * *'");
        let _ = write!(text, "{}", object("MLSchedule", &format!("p{each}"), &schedule));
    }
    text
}

/// What every namespace has.
pub fn around() -> String {
    let workspace =
        format!("subscriptionId: {SUBSCRIPTION}, resourceGroup: rg-ml, workspaceName: mlw-team-a");
    [
        object("MLWorkspace", "team-a", &workspace),
        object("MLEnvironment", "python", "workspaceRef: {name: team-a}, image: 'python:3.12-slim'"),
        cluster("cpu"),
    ]
    .concat()
}

/// An object.
pub fn object(kind: &str, name: &str, spec: &str) -> String {
    azureml_e2e::said::manifest(kind, name, spec)
}

/// A cluster.
pub fn cluster(name: &str) -> String {
    object("MLCompute", name, "workspaceRef: {name: team-a}, vmSize: Standard_DS3_v2, scale: {max: 4}")
}

fn pipeline(name: &str) -> String {
    let spec = format!(
        "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: python}}}}, steps: [{{name: only, command: 'echo {name}'}}]"
    );
    object("MLPipeline", name, &spec)
}

/// Applies objects in a namespace, a few at once.
pub async fn apply(kube: &Client, namespace: &str, manifests: &str) -> Result<()> {
    let all = objects(manifests)?.into_iter().map(|object: DynamicObject| async move {
        let api = dynamic(kube, namespace, &object)?;
        let params = PatchParams::apply("load").force();
        api.patch(&object.name_any(), &params, &Patch::Apply(&object)).await?;
        anyhow::Ok(())
    });
    futures::stream::iter(all).buffer_unordered(4).try_collect().await
}

/// Makes an object in a namespace, waits until it is ready, deletes it, and gives the seconds until it was.
pub async fn probe<K>(scene: &Scene, namespace: &str, name: &str, manifest: &str) -> Result<f64>
where
    K: Object + HasStatus<Status: HasCommon>,
{
    let api: Api<K> = Api::namespaced(scene.kube.clone(), namespace);
    let began = Instant::now();
    apply(&scene.kube, namespace, manifest).await?;
    let ready = |object: Option<&K>| {
        object.and_then(HasStatus::status).is_some_and(|status| is_ready(&status.common().conditions))
    };
    let waited = tokio::time::timeout(LONGEST, await_condition(api.clone(), name, ready)).await;
    waited.with_context(|| format!("{name} in {namespace} is not ready after {LONGEST:?}"))??;
    let took = began.elapsed().as_secs_f64();
    api.delete(name, &DeleteParams::default()).await?;
    Ok(took)
}

/// Seconds until ready, by what was made.
type Took = BTreeMap<&'static str, Vec<f64>>;

/// Probes one namespace after the other until the time is over, clusters and pipelines in turn.
async fn probes(scene: &Scene, phase: &str, during: Duration) -> Result<Took> {
    let (began, mut every, mut took) = (Instant::now(), tokio::time::interval(PACE), Took::new());
    let (mut running, mut count) = (futures::stream::FuturesUnordered::new(), 0);
    loop {
        let is_over = began.elapsed() >= during;
        tokio::select! {
            Some(ended) = running.next() => {
                let (what, seconds) = ended?;
                took.entry(what).or_default().push(seconds);
            }
            _ = every.tick(), if !is_over => {
                running.push(one(scene, phase, count));
                count += 1;
            }
        }
        if is_over && running.is_empty() {
            println!("  {phase}: {count} probes in {} s", began.elapsed().as_secs());
            return Ok(took);
        }
    }
}

/// One probe: what it was, and how long it took.
async fn one(scene: &Scene, phase: &str, count: usize) -> Result<(&'static str, f64)> {
    let (namespace, name) = (others(scene, count % OTHERS), format!("{phase}-{count}"));
    if count.is_multiple_of(2) {
        let took = probe::<MLCompute>(scene, &namespace, &name, &cluster(&name)).await?;
        return Ok(("cluster", took));
    }
    let took = probe::<MLPipeline>(scene, &namespace, &name, &pipeline(&name)).await?;
    Ok(("pipeline", took))
}

fn others(scene: &Scene, place: usize) -> String {
    format!("{}-other-{place}", scene.namespace)
}

async fn make_namespaces(scene: &mut Scene) -> Result<()> {
    let names: Vec<String> = (0..OTHERS).map(|place| others(scene, place)).collect();
    for name in &names {
        make_namespace(&scene.kube, name).await?;
    }
    scene.start.also = names;
    Ok(())
}

/// Makes a namespace.
pub async fn make_namespace(kube: &Client, name: &str) -> Result<()> {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let namespace = Namespace { metadata, ..Namespace::default() };
    Api::<Namespace>::all(kube.clone()).create(&PostParams::default(), &namespace).await?;
    Ok(())
}

/// Waits until everything is ready in all namespaces together.
async fn settled(scene: &Scene) -> Result<()> {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    let is_settled = async {
        loop {
            every.tick().await;
            let open = unready(&scene.kube).await?;
            println!("  {open} objects are not ready yet");
            if open == 0 {
                return anyhow::Ok(());
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(20), is_settled)
        .await
        .context("the objects do not become ready")?
}

async fn unready(kube: &Client) -> Result<usize> {
    Ok(open::<MLCompute>(kube).await? + open::<MLPipeline>(kube).await? + open::<MLSchedule>(kube).await?)
}

/// How many objects of a kind are not ready.
pub async fn open<K>(kube: &Client) -> Result<usize>
where
    K: Object + HasStatus<Status: HasCommon>,
{
    let all = Api::<K>::all(kube.clone()).list(&ListParams::default()).await?;
    let is_open = |object: &&K| !object.status().is_some_and(|status| is_ready(&status.common().conditions));
    Ok(all.items.iter().filter(is_open).count())
}

/// The row.
pub async fn beside_attacks(figures: &mut Figures, minutes: u64) -> Result<()> {
    let mut options = azure(false);
    options.latency = BTreeMap::from([
        ("PUT".to_owned(), Duration::from_millis(2350)),
        ("GET".to_owned(), Duration::from_millis(500)),
    ]);
    let mut scene = scene(options, "10m", Budget::Default).await?;
    make_namespaces(&mut scene).await?;
    let operator = scene.operator().await?;
    let population = population();
    for place in 0..OTHERS {
        apply(&scene.kube, &others(&scene, place), &population).await?;
    }
    settled(&scene).await?;
    let quiet = probes(&scene, "quiet", QUIET).await?;
    let hostile = hostile::Attack::begin(&scene, operator.address()?).await?;
    let beside = probes(&scene, "beside", Duration::from_mins(minutes)).await;
    println!("  the attacker: {}", hostile.end().await);
    told(figures, &quiet, &beside?);
    judged(figures, &operator).await?;
    operator.stop()
}

fn told(figures: &mut Figures, quiet: &Took, beside: &Took) {
    for (what, before) in quiet {
        let now = beside.get(what).cloned().unwrap_or_default();
        figures.take_all(&format!("load: a {what} of others until ready, quiet"), "s", before);
        figures.take_all(&format!("load: a {what} of others until ready, beside the attacks"), "s", &now);
        let median = |values: &[f64]| {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
        };
        figures.take(
            format!("load: a {what} of others, median beside the attacks / quiet"),
            "",
            median(&now) / median(before),
        );
    }
}

async fn judged(figures: &mut Figures, operator: &Operator) -> Result<()> {
    let peak = operator.peak_memory()?;
    figures.take("load: most memory".to_owned(), "MB", number(usize::try_from(peak)?) / 1e6);
    let lost = operator.lines().iter().filter(|line| line["message"] == texts::LEASE_LOST).count();
    figures.take("load: times that the lease was lost".to_owned(), "", number(lost));
    figures.take("load: leads at the end".to_owned(), "", metric(operator, "azureml_operator_leader").await?);
    let log: usize = operator.lines().iter().map(|line| line.to_string().len()).sum();
    figures.take("load: log".to_owned(), "MB", number(log) / 1e6);
    ensure!(peak < LIMIT, "{} MiB are more than the chart's limit", peak >> 20);
    Ok(())
}
