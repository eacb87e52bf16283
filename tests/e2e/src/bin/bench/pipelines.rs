//! Many pipelines, published and scheduled: at once, and under ARM's own token buckets.

use crate::figures::Figures;
use crate::load;
use crate::measure::{Budget, all_ready, azure, metric, number, requests, scene};
use anyhow::Result;
use azureml_crds::{MLPipeline, MLSchedule};
use azureml_simulator::Entry;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

/// Three steps with files of their own, an endpoint and a schedule.
fn manifests(count: usize) -> String {
    let mut text = String::from(
        "apiVersion: azureml.dev/v1alpha1\nkind: MLEnvironment\nmetadata: {name: python}\n\
         spec: {workspaceRef: {name: team-a}, image: 'python:3.12-slim'}\n",
    );
    for number in 0..count {
        let _ = write!(
            text,
            "---\napiVersion: azureml.dev/v1alpha1\nkind: MLPipeline\nmetadata: {{name: p{number}}}\nspec:\n  workspaceRef: {{name: team-a}}\n  \
             defaults: {{compute: {{ref: cpu}}, environment: {{ref: python}}}}\n  publish: {{endpoint: bench-p{number}}}\n  steps:\n"
        );
        let mut input = String::new();
        for step in ["one", "two", "three"] {
            let _ = writeln!(
                text,
                "  - {{name: {step}, python: {{script: {step}.py}}, code: {{files: {{{step}.py: 'print({number})  # {step}'}}}}, \
                 {input}outputs: {{out: {{type: uri_folder}}}}}}"
            );
            input = format!("inputs: {{data: '${{{{parent.jobs.{step}.outputs.out}}}}'}}, ");
        }
        let _ = write!(
            text,
            "---\napiVersion: azureml.dev/v1alpha1\nkind: MLSchedule\nmetadata: {{name: p{number}}}\n\
             spec: {{pipelineRef: {{name: p{number}}}, cron: '0 6 * * *'}}\n"
        );
    }
    text
}

/// How often each operation was called: the method and the types of its path, without names.
fn by_operation(cost: &[Entry]) -> BTreeMap<String, usize> {
    let mut operations = BTreeMap::new();
    for entry in cost {
        let path = entry.url.split('?').next().unwrap_or_default();
        let types: Vec<&str> = match path.split_once("/workspaces/") {
            Some((_, rest)) => rest.split('/').skip(1).step_by(2).collect(),
            None => vec![path.split('/').nth(1).unwrap_or_default()],
        };
        *operations.entry(format!("{} {}", entry.method, types.join("/"))).or_default() += 1;
    }
    operations
}

/// Row (c).
pub async fn published(figures: &mut Figures, count: usize, throttle: bool) -> Result<()> {
    let budget = if throttle { Budget::Default } else { Budget::Lifted };
    let scene = scene(azure(throttle), "10m", budget).await?;
    let operator = scene.operator().await?;
    scene
        .kubectl(&["apply", "-f", "examples/r-gbm/workspace.yaml", "-f", "examples/r-gbm/computes.yaml"])
        .await?;
    all_ready::<azureml_crds::MLCompute>(&scene, 2).await?;
    let what = if throttle { "pipelines under ARM's buckets" } else { "pipelines" };
    let (since, cpu) = (scene.azure.requests().len(), metric(&operator, "process_cpu_seconds").await?);
    let began = Instant::now();
    let ready = async {
        tokio::try_join!(all_ready::<MLPipeline>(&scene, count), all_ready::<MLSchedule>(&scene, count))
    };
    let text = manifests(count);
    let ((pipelines, schedules), ()) = tokio::try_join!(ready, async { scene.apply(&text).await.map(drop) })?;
    let took = pipelines.max(schedules).duration_since(began).as_secs_f64();
    figures.take(format!("{count} {what}: from the first applied to all published and scheduled"), "s", took);
    figures.take(format!("{count} {what}: the same, for each"), "s", took / number(count));
    let cost = requests(&scene, since..);
    spent(figures, &format!("{count} {what}"), count, &cost);
    if throttle {
        figures.take(
            format!("{count} {what}: time, as a multiple of what the buckets allow"),
            "",
            took / limit(&cost),
        );
    }
    figures.take(
        format!("{count} {what}: CPU of the controller"),
        "s",
        metric(&operator, "process_cpu_seconds").await? - cpu,
    );
    operator.stop()
}

/// What the pipelines cost in requests.
fn spent(figures: &mut Figures, what: &str, count: usize, cost: &[Entry]) {
    figures.take(format!("{what}: requests for each"), "", number(cost.len()) / number(count));
    let writes = cost.iter().filter(|entry| entry.is_write()).count();
    figures.take(format!("{what}: of these, writes"), "", number(writes) / number(count));
    for (operation, times) in by_operation(cost) {
        println!("{:8.2} {operation}", number(times) / number(count));
    }
    let refused = cost.iter().filter(|entry| entry.status == Some(429)).count();
    figures.take(format!("{what}: answers 429"), "", number(refused));
}

/// The seconds that ARM's bucket of writes takes at least: 200 at once, then 10 a second.
fn limit(cost: &[Entry]) -> f64 {
    let of_arm = |entry: &&Entry| {
        entry.is_write() && entry.url.starts_with("/subscriptions/") && entry.method != "DELETE"
    };
    (number(cost.iter().filter(of_arm).count()) - 200.0).max(0.0) / 10.0
}

/// Clusters whose time is taken.
const CLUSTERS: usize = 60;

/// Clusters of one namespace, one after the other, beside the pipelines of another that has just begun with so many.
pub async fn beside(figures: &mut Figures, count: usize) -> Result<()> {
    let mut scene = scene(azure(false), "10m", Budget::Default).await?;
    let other = format!("{}-b", scene.namespace);
    load::make_namespace(&scene.kube, &other).await?;
    scene.start.also = vec![other.clone()];
    let operator = scene.operator().await?;
    for namespace in [&scene.namespace, &other] {
        load::apply(&scene.kube, namespace, &load::around()).await?;
    }
    all_ready::<azureml_crds::MLCompute>(&scene, 1).await?;
    load::apply(&scene.kube, &scene.namespace, &manifests(count)).await?;
    let mut took = Vec::new();
    for number in 0..CLUSTERS {
        let name = format!("c{number}");
        let cluster = load::cluster(&name);
        took.push(load::probe::<azureml_crds::MLCompute>(&scene, &other, &name, &cluster).await?);
    }
    let open = load::open::<MLPipeline>(&scene.kube).await?;
    figures.take(
        format!("{count} pipelines of A not ready, when the last cluster of B was"),
        "",
        number(open),
    );
    figures.take_all(&format!("a cluster of B beside {count} pipelines of A: until ready"), "s", &took);
    operator.stop()
}
