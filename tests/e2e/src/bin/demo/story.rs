//! The story: a pipeline is published, run, applied again and changed. Knows neither where the operator runs nor on which
//! cluster; sees it only by what it does.

use crate::Teller;
use anyhow::{Context as _, Result, ensure};
use azureml_control_plane::progress;
use azureml_crds::ml_run::Phase;
use azureml_crds::shared::HasCommon;
use azureml_crds::{
    MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace, RECONCILE_REQUESTED_AT,
};
use azureml_e2e::{Scene, storage};
use azureml_plan::report::is_ready;
use kube::core::object::HasStatus;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const KINDS: &str = "mlworkspaces,mlcomputes,mlenvironments,mlpipelines,mlschedules";

/// Tells it from the first apply to the last change.
pub async fn told(teller: &Teller, scene: &Scene, folder: &Path) -> Result<()> {
    progress::waiting("publishing", publish(teller, scene)).await?;
    let were_executed = progress::waiting("running", run(teller, scene, folder)).await?;
    if !were_executed {
        progress::waiting("running the Python example", python(teller, scene, folder)).await?;
    }
    progress::waiting("applying again", again(teller, scene)).await?;
    progress::waiting("changing", change(teller, scene)).await?;
    teller.say("that was the story");
    Ok(())
}

/// Runs kubectl and shows the command with what it prints.
async fn show(scene: &Scene, arguments: &[&str]) -> Result<String> {
    println!("$ kubectl {}", arguments.join(" "));
    let printed = scene.kubectl(arguments).await?;
    println!("{}", printed.trim_end());
    Ok(printed)
}

/// What Azure was asked to change since a place in its log, and how often it was read.
fn received(scene: &Scene, since: usize) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for entry in scene.writes(since) {
        *counts.entry(entry.operation).or_insert(0) += 1;
    }
    let writes: usize = counts.values().sum();
    let reads = scene.azure.requests().len() - since - writes;
    println!(
        "Azure received {writes} writes and {reads} reads and tokens{}",
        if counts.is_empty() { "" } else { ":" }
    );
    for (operation, count) in counts {
        println!("  {count:3} × {operation}");
    }
}

/// Why the simulator did not carry out a step, as a property of its run.
const NOT_EXECUTED: &str = "azureml-simulator.notExecuted";

fn is_ready_now<K>(object: &K) -> bool
where
    K: kube::Resource + HasStatus,
    K::Status: HasCommon,
{
    let status = object.status().map(|status| status.common().clone()).unwrap_or_default();
    status.observed_generation == object.meta().generation && is_ready(&status.conditions)
}

async fn ready(scene: &Scene) -> Result<()> {
    macro_rules! wait {
        ($($kind:ty: $name:literal),*) => {$(
            scene.wait::<$kind>($name, "ready", is_ready_now).await?;
        )*};
    }
    wait!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm");
    wait!(MLSchedule: "r-gbm-weekdays");
    Ok(())
}

async fn publish(teller: &Teller, scene: &Scene) -> Result<()> {
    teller.say("a data scientist commits an R pipeline, its Dockerfile and its schedule");
    let since = scene.azure.requests().len();
    show(scene, &["apply", "-f", "examples/r-gbm/"]).await?;
    ready(scene).await?;
    teller.say("everything is ready: the image is built, the pipeline is published, the schedule is set");
    show(scene, &["get", KINDS]).await?;
    received(scene, since);
    let pipeline = scene.api::<MLPipeline>().get("r-gbm").await?;
    let uri = pipeline.status.and_then(|status| status.endpoint).and_then(|endpoint| endpoint.scoring_uri);
    println!("callers send their requests to {}", uri.context("there is no address")?);
    Ok(())
}

/// Runs the R example; whether its steps were really carried out.
async fn run(teller: &Teller, scene: &Scene, folder: &Path) -> Result<bool> {
    teller.say("a run now, on sample data; its steps are executed on this machine");
    let (job, were_executed) = executed(scene, folder, "examples/runs/r-gbm.yaml").await?;
    let model = storage::datastore(folder)?.join(format!("azureml/{job}/model/metrics.json"));
    if let Ok(metrics) = std::fs::read_to_string(model) {
        println!("  the model's metrics.json: {}", metrics.trim());
    }
    if !were_executed {
        println!("  R steps need Rscript and five packages. On Debian and Ubuntu, as root:");
        println!("    apt-get install --no-install-recommends {R_PACKAGES}");
    }
    Ok(were_executed)
}

/// What the R example's steps need, as Debian names it.
const R_PACKAGES: &str = "r-base-core r-cran-optparse r-cran-dplyr r-cran-caret r-cran-gbm r-cran-jsonlite";

/// Runs the Python example, whose steps need nothing but the Python that the demo asks for.
async fn python(teller: &Teller, scene: &Scene, folder: &Path) -> Result<()> {
    teller.say("the same with Python: two branches side by side, then a step that joins them");
    show(scene, &["apply", "-f", "examples/python-parallel/"]).await?;
    scene.wait::<MLPipeline>("python-parallel", "ready", is_ready_now).await?;
    let (job, were_executed) = executed(scene, folder, "examples/runs/python-parallel.yaml").await?;
    ensure!(were_executed, "the steps of the Python example were not executed either");
    let report = storage::datastore(folder)?.join(format!("azureml/{job}/report/report.json"));
    let report = std::fs::read_to_string(report).context("the steps wrote no report")?;
    println!("  the report.json of the job: {}", report.trim());
    Ok(())
}

/// Makes a run and waits for its end; its job, and whether each step was carried out to a good end.
async fn executed(scene: &Scene, folder: &Path, file: &str) -> Result<(String, bool)> {
    let printed = show(scene, &["create", "-f", file, "-o", "name"]).await?;
    let name = printed.trim().rsplit('/').next().unwrap_or_default().to_owned();
    let is_done =
        |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase.is_some_and(Phase::is_finished));
    let run = scene.wait::<MLRun>(&name, "finished", is_done).await?;
    show(scene, &["get", "mlruns"]).await?;
    let job = run.status.as_ref().and_then(|status| status.job_name.clone()).context("there is no job")?;
    let steps = scene.children(&job).await?;
    for child in &steps {
        println!("{}", told_of(child, folder));
    }
    let is_executed =
        |child: &Value| child["properties"][NOT_EXECUTED].is_null() && child["status"] == "Completed";
    Ok((job, !steps.is_empty() && steps.iter().all(is_executed)))
}

fn told_of(child: &Value, folder: &Path) -> String {
    let step = child["displayName"].as_str().or(child["name"].as_str()).unwrap_or_default();
    match child["properties"][NOT_EXECUTED].as_str() {
        Some(reason) => format!("  step {step}: NOT EXECUTED on this machine: {reason}"),
        None => format!(
            "  step {step}: {}, printed: {}",
            child["status"].as_str().unwrap_or("?"),
            printed_by(child, folder)
        ),
    }
}

fn printed_by(child: &Value, folder: &Path) -> String {
    let log = storage::log(folder, child["runId"].as_str().unwrap_or_default()).unwrap_or_default();
    log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned()
}

async fn again(teller: &Teller, scene: &Scene) -> Result<()> {
    teller.say("the same again: nothing changes, neither here nor in Azure");
    let since = scene.azure.requests().len();
    show(scene, &["apply", "-f", "examples/r-gbm/"]).await?;
    // A pass that is asked for ends after anything that the apply could have caused.
    let asked = teller.began.elapsed().as_nanos().to_string();
    let annotation = format!("{RECONCILE_REQUESTED_AT}={asked}");
    scene.kubectl(&["annotate", "mlworkspace", "team-a", "--overwrite", &annotation]).await?;
    let handled = |object: &MLWorkspace| {
        let common = object.status.as_ref().map(|status| status.common().clone()).unwrap_or_default();
        common.last_handled_reconcile_at.as_ref() == Some(&asked)
    };
    scene.wait::<MLWorkspace>("team-a", "looked at", handled).await?;
    received(scene, since);
    Ok(())
}

async fn change(teller: &Teller, scene: &Scene) -> Result<()> {
    teller.say("one byte of the Dockerfile changes: one build, and new versions of everything above it");
    let text = std::fs::read_to_string(azureml_e2e::root().join("examples/r-gbm/environment.yaml"))?;
    let before = scene.api::<MLPipeline>().get("r-gbm").await?.status.and_then(|status| status.version);
    let since = scene.azure.requests().len();
    println!("$ sed s/4.4.2/4.4.3/ examples/r-gbm/environment.yaml | kubectl apply -f -");
    println!("{}", scene.apply(&text.replace("4.4.2", "4.4.3")).await?.trim_end());
    let is_another = |pipeline: &MLPipeline| {
        let status = pipeline.status.clone().unwrap_or_default();
        status.version != before && is_ready(&status.common.conditions)
    };
    let pipeline = scene.wait::<MLPipeline>("r-gbm", "of another version", is_another).await?;
    let version = pipeline.status.and_then(|status| status.version);
    let follows =
        |schedule: &MLSchedule| schedule.status.as_ref().is_some_and(|status| status.version == version);
    scene.wait::<MLSchedule>("r-gbm-weekdays", "of the new version", follows).await?;
    received(scene, since);
    show(scene, &["get", "mlenvironments,mlpipelines,mlschedules"]).await?;
    Ok(())
}
