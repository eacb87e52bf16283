//! Many MLComputes in one apply: how soon they are ready, what that costs, a restart, a resync, single changes.

use crate::figures::Figures;
use crate::measure::{Budget, all_ready, azure, kubernetes_writes, metric, number, requests, scene};
use anyhow::{Context as _, Result};
use azureml_controller::telemetry::texts;
use azureml_crds::MLCompute;
use azureml_e2e::{Operator, PATIENCE, Scene};
use azureml_simulator::Entry;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Changes whose latency is measured.
const CHANGES: usize = 50;
/// Between one change and the next, so that none waits for what the one before set off.
const PAUSE: Duration = Duration::from_millis(200);

/// So many clusters.
pub fn manifests(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let _ = write!(
            text,
            "---\napiVersion: azureml.dev/v1alpha1\nkind: MLCompute\nmetadata: {{name: c{number}}}\n\
             spec: {{workspaceRef: {{name: team-a}}, vmSize: Standard_DS3_v2, scale: {{max: 4}}, tags: {{team: a}}}}\n"
        );
    }
    text
}

async fn begun(scene: &Scene) -> Result<Operator> {
    let operator = scene.operator().await?;
    scene.kubectl(&["apply", "-f", "examples/r-gbm/workspace.yaml"]).await?;
    all_ready::<azureml_crds::MLWorkspace>(scene, 1).await?;
    Ok(operator)
}

/// Applies so many clusters; takes the seconds from the apply's start, and from its end, until all are ready.
async fn applied(figures: &mut Figures, scene: &Scene, what: &str, count: usize) -> Result<()> {
    let ready = all_ready::<MLCompute>(scene, count);
    let start = Instant::now();
    let apply = async {
        scene.apply(&manifests(count)).await?;
        Ok::<_, anyhow::Error>(Instant::now())
    };
    let (ready, end) = tokio::try_join!(ready, apply)?;
    for (moment, since) in [("start", start), ("end", end)] {
        let seconds = ready.saturating_duration_since(since).as_secs_f64();
        figures.take(format!("{what}: {moment} of apply to all ready"), "s", seconds);
    }
    Ok(())
}

/// Rows (a) and (b): Azure answers at once.
pub async fn at_once(figures: &mut Figures, count: usize) -> Result<()> {
    let mut scene = scene(azure(false), "20s", Budget::Lifted).await?;
    let operator = begun(&scene).await?;
    let (since, writes, cpu) = (
        scene.azure.requests().len(),
        kubernetes_writes().await?,
        metric(&operator, "process_cpu_seconds").await?,
    );
    applied(figures, &scene, &format!("{count} clusters"), count).await?;
    let cost = requests(&scene, since..);
    let puts = cost.iter().filter(|entry| entry.method == "PUT").count();
    figures.take(format!("{count} clusters: PUT per cluster"), "", number(puts) / number(count));
    figures.take(
        format!("{count} clusters: reads per cluster"),
        "",
        number(cost.len() - puts) / number(count),
    );
    let per_object = (kubernetes_writes().await? - writes) / number(count);
    figures.take(
        format!("{count} clusters: Kubernetes writes per cluster, the apply included"),
        "",
        per_object,
    );
    let cpu = metric(&operator, "process_cpu_seconds").await? - cpu;
    figures.take(format!("{count} clusters: CPU of the controller"), "s", cpu);
    memory(figures, &operator, count).await?;
    changes(figures, &scene, &format!("{count} clusters"), count).await?;
    resync(figures, &scene, count).await?;
    operator.stop()?;
    restart(figures, &mut scene, count).await
}

/// The same with the budget of requests that the operator is shipped with.
pub async fn budgeted(figures: &mut Figures, count: usize) -> Result<()> {
    let scene = scene(azure(false), "10m", Budget::Default).await?;
    let operator = begun(&scene).await?;
    applied(figures, &scene, &format!("{count} clusters, default budget"), count).await?;
    operator.stop()
}

async fn memory(figures: &mut Figures, operator: &Operator, count: usize) -> Result<()> {
    for (what, name) in
        [("total", "process_resident_memory_bytes"), ("anonymous", "process_anonymous_memory_bytes")]
    {
        let bytes = metric(operator, name).await?;
        figures.take(format!("{count} clusters: memory, {what}"), "MB", bytes / 1e6);
    }
    Ok(())
}

/// Row (a) with the delays of a recorded Azure.
pub async fn delayed(figures: &mut Figures, count: usize) -> Result<()> {
    let mut azure = azure(false);
    let delay = |method: &str, millis| (method.to_owned(), Duration::from_millis(millis));
    azure.latency = BTreeMap::from([delay("PUT", 2350), delay("GET", 500)]);
    let scene = scene(azure, "10m", Budget::Lifted).await?;
    let operator = begun(&scene).await?;
    let what = format!("{count} clusters, PUT 2.35 s, GET 0.5 s");
    applied(figures, &scene, &what, count).await?;
    changes(figures, &scene, &what, count).await?;
    operator.stop()
}

/// Single changes with a pause between them: from sending the change to Kubernetes until Azure receives a write.
async fn changes(figures: &mut Figures, scene: &Scene, what: &str, count: usize) -> Result<()> {
    let mut pause = tokio::time::interval(PAUSE);
    pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let api = scene.api::<MLCompute>();
    let mut latencies = Vec::new();
    // The first request of this client opens its connection, which is not the operator's time.
    let nothing = Patch::Merge(json!({}));
    api.patch("c0", &PatchParams { dry_run: true, ..PatchParams::default() }, &nothing).await?;
    for number in 0..CHANGES {
        pause.tick().await;
        let name = format!("c{}", number % count);
        let since = scene.azure.requests().len();
        let sent = jiff::Timestamp::now();
        api.patch(
            &name,
            &PatchParams::default(),
            &Patch::Merge(json!({"spec": {"scale": {"max": 10 + number}}})),
        )
        .await?;
        let part = format!("-{name}-");
        let is_it = |entry: &&Entry| entry.is_write() && entry.url.contains(&part);
        let found = scene
            .azure
            .wait_for(PATIENCE, |log| log[since.min(log.len())..].iter().find(is_it).map(|entry| entry.time))
            .await;
        let received = found.with_context(|| format!("the change of {name} never reached Azure"))?;
        latencies.push(received.duration_since(sent).as_secs_f64() * 1000.0);
    }
    all_ready::<MLCompute>(scene, count).await?;
    figures.take_all(&format!("{what}: spec change to first Azure write"), "ms", &latencies);
    Ok(())
}

/// What one comparison of everything costs: the requests from its beginning to the beginning of the next.
async fn resync(figures: &mut Figures, scene: &Scene, count: usize) -> Result<()> {
    // What the changes left behind comes to rest in one interval; the comparison after that is counted.
    let settling = comparison(scene, scene.azure.requests().len()).await?;
    let begin = comparison(scene, settling + 1).await?;
    let writes = kubernetes_writes().await?;
    let end = comparison(scene, begin + 1).await?;
    let writes = kubernetes_writes().await? - writes;
    let cost = requests(scene, begin..end);
    figures.take(format!("{count} clusters: Azure requests of one resync"), "", number(cost.len()));
    figures.take(
        format!("{count} clusters: of these, pages of lists"),
        "",
        number(cost.iter().filter(|entry| entry.url.contains("/computes?")).count()),
    );
    figures.take(format!("{count} clusters: Kubernetes writes of one resync"), "", writes);
    Ok(())
}

/// Where in the log the next comparison begins, from a place on: with the first page of the list.
async fn comparison(scene: &Scene, from: usize) -> Result<usize> {
    let is_first = |entry: &Entry| entry.url.contains("/computes?") && !entry.url.contains("skip");
    let begun = |log: &[Entry]| (from..log.len()).find(|at| is_first(&log[*at]));
    scene.azure.wait_for(PATIENCE, begun).await.context("there was no comparison")
}

/// A restart with everything ready: until every object has been looked at.
async fn restart(figures: &mut Figures, scene: &mut Scene, count: usize) -> Result<()> {
    // Passes are lines of the level debug.
    scene.start.log = None;
    let scene = &*scene;
    let (since, writes) = (scene.azure.requests().len(), kubernetes_writes().await?);
    let began = Instant::now();
    let operator = scene.operator().await?;
    let mut mark = 0;
    for _ in 0..count {
        mark = operator.line(mark, "a pass over a cluster", |line| {
            line["message"] == texts::PASS && line["kind"] == "MLCompute"
        })?;
    }
    figures.take(
        format!("{count} clusters: restart until all are looked at"),
        "s",
        began.elapsed().as_secs_f64(),
    );
    figures.take(
        format!("{count} clusters: Azure requests of a restart"),
        "",
        number(requests(scene, since..).len()),
    );
    figures.take(
        format!("{count} clusters: Kubernetes writes of a restart"),
        "",
        kubernetes_writes().await? - writes,
    );
    operator.stop()
}
