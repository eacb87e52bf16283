//! The story that the project must serve, point by point, on a real API server with the real operator.
//! Each test begins with an empty namespace and an empty workspace, and asserts on what Azure received.

use anyhow::{Context as _, Result, ensure};
use azureml_crds::ml_run::Phase;
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::{Operator, Scene, Setting};
use azureml_plan::report::is_ready;
use azureml_simulator::Entry;
use kube::ResourceExt as _;
use regex::Regex;
use serde_json::json;
use std::collections::BTreeMap;

const REQUESTED: &str = "azureml.dev/reconcile-requested-at";

/// Everything of the example is ready, in the generation that the API server has now.
async fn all_ready(scene: &Scene) -> Result<()> {
    macro_rules! ready {
        ($($kind:ty: $name:literal),*) => {$(
            scene.wait::<$kind>($name, "ready", |object| {
                let common = object.status.as_ref().map(|status| status.common().clone()).unwrap_or_default();
                common.observed_generation == object.metadata.generation && is_ready(&common.conditions)
            }).await?;
        )*};
    }
    ready!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm");
    ready!(MLSchedule: "r-gbm-weekdays");
    let pipeline = scene
        .wait::<MLPipeline>("r-gbm", "in force", |pipeline| {
            pipeline.status.as_ref().is_some_and(|status| status.current.is_some())
        })
        .await?;
    let version = pipeline.status.and_then(|status| status.version).context("no version")?;
    scene
        .wait::<MLSchedule>("r-gbm-weekdays", "of the pipeline's version", |schedule| {
            schedule.status.as_ref().is_some_and(|status| status.version.as_ref() == Some(&version))
        })
        .await?;
    Ok(())
}

async fn told(name: &str) -> Result<(Scene, Operator)> {
    let scene = Scene::set(name, Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.kubectl(&["apply", "-f", "examples/r-gbm/"]).await?;
    all_ready(&scene).await?;
    Ok((scene, operator))
}

/// How often Azure was asked to change each type of thing: `PUT workspaces/computes` → 2.
fn counted(writes: &[Entry]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in writes {
        *counts.entry(entry.operation.clone()).or_insert(0) += 1;
    }
    counts
}

fn expected<const N: usize>(rows: [(&str, usize); N]) -> BTreeMap<String, usize> {
    rows.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_apply_in_any_order_publishes_and_schedules_the_pipeline() -> Result<()> {
    let scene = Scene::set("apply", Setting::default()).await?;
    let operator = scene.operator().await?;
    // The schedule first, the workspace last.
    for file in ["schedule", "pipeline", "environment", "computes", "workspace"] {
        scene.kubectl(&["apply", "-f", &format!("examples/r-gbm/{file}.yaml")]).await?;
    }
    all_ready(&scene).await?;
    let writes = scene.writes(0);
    assert_eq!(
        counted(&writes),
        expected([
            ("POST registries/listBuildSourceUploadUrl", 1),
            ("PUT blob", 3),
            ("PUT registries/taskRuns", 1),
            ("PUT workspaces/batchEndpoints", 2),
            ("PUT workspaces/batchEndpoints/deployments", 1),
            ("PUT workspaces/codes/versions", 2),
            ("POST workspaces/codes/versions/startPendingUpload", 2),
            ("PUT workspaces/components/versions", 3),
            ("PUT workspaces/computes", 2),
            ("PUT workspaces/environments/versions", 1),
            ("PUT workspaces/schedules", 1),
        ])
    );
    let schedule = writes
        .iter()
        .find(|entry| entry.operation == "PUT workspaces/schedules")
        .context("no schedule")?
        .json_body();
    let trigger = &schedule["properties"]["trigger"];
    assert_eq!(trigger["timeZone"], "W. Europe Standard Time");
    assert_eq!(trigger["expression"], "0 6 * * MON-FRI");
    assert_eq!(trigger["startTime"], "2020-01-01T00:00:00");
    let environment = writes
        .iter()
        .find(|entry| entry.operation == "PUT workspaces/environments/versions")
        .context("no environment")?
        .json_body();
    let image = environment["properties"]["image"].as_str().unwrap_or_default().to_owned();
    ensure!(Regex::new("@sha256:[0-9a-f]{64}$")?.is_match(&image), "{image} is not pinned");
    scene.check_contract()?;
    operator.stop()
}

/// Waits until nothing is left to do: a forced pass over everything has been handled.
async fn force(scene: &Scene, value: &str) -> Result<()> {
    let kinds = "mlworkspaces,mlcomputes,mlenvironments,mlpipelines,mlschedules,mlruns";
    let annotation = format!("{REQUESTED}={value}");
    scene.kubectl(&["annotate", kinds, "--all", "--overwrite", &annotation]).await?;
    macro_rules! handled {
        ($($kind:ty: $name:literal),*) => {$(
            scene.wait::<$kind>($name, "handled", |object| {
                object.status.as_ref().and_then(|status| status.common().last_handled_reconcile_at.as_deref()) == Some(value)
            }).await?;
        )*};
    }
    handled!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm", MLSchedule: "r-gbm-weekdays");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_changes_nothing() -> Result<()> {
    let (scene, operator) = told("again").await?;
    force(&scene, "settle").await?;
    let (requests, versions, events) =
        (scene.azure.requests().len(), scene.versions().await?, scene.events().await?);

    let printed = scene.kubectl(&["apply", "-f", "examples/r-gbm/"]).await?;
    assert_eq!(printed.lines().count(), printed.matches(" unchanged").count(), "{printed}");

    // A restart: every object is looked at, nothing is written.
    operator.stop()?;
    let operator = scene.operator().await?;
    for (kind, name) in [
        ("MLWorkspace", "team-a"),
        ("MLCompute", "cpu"),
        ("MLCompute", "big"),
        ("MLEnvironment", "r-gbm"),
        ("MLPipeline", "r-gbm"),
        ("MLSchedule", "r-gbm-weekdays"),
    ] {
        operator.pass(0, kind, name)?;
    }
    assert_eq!(counted(&scene.writes(requests)), BTreeMap::new());
    assert_eq!(scene.versions().await?, versions);
    assert_eq!(scene.events().await?, events);

    // A forced pass over everything costs one status write an object, beside the annotation's own.
    force(&scene, "forced").await?;
    assert_eq!(counted(&scene.writes(requests)), BTreeMap::new());
    let generations = |versions: &BTreeMap<String, String>| versions.keys().cloned().collect::<Vec<_>>();
    assert_eq!(generations(&scene.versions().await?), generations(&versions));
    let again = scene.versions().await?;
    let mark = operator.mark();
    scene
        .kubectl(&["annotate", "mlcompute", "cpu", "--overwrite", &format!("{REQUESTED}=once-more")])
        .await?;
    operator.pass(mark, "MLCompute", "cpu")?;
    let others = |versions: BTreeMap<String, String>| {
        versions.into_iter().filter(|(name, _)| name != "MLCompute/cpu").collect::<Vec<_>>()
    };
    assert_eq!(others(scene.versions().await?), others(again));
    assert_eq!(scene.events().await?, events);
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_is_one_build_and_one_new_version_of_everything_above_it() -> Result<()> {
    let (scene, operator) = told("change").await?;
    let before = scene.api::<MLPipeline>().get("r-gbm").await?.status.context("no status")?;
    let uri = before.endpoint.as_ref().and_then(|endpoint| endpoint.scoring_uri.clone());
    let since = scene.azure.requests().len();
    let original = std::fs::read_to_string(azureml_e2e::root().join("examples/r-gbm/environment.yaml"))?;
    scene.apply(&original.replace("FROM rocker/r-ver:4.4.2", "FROM rocker/r-ver:4.4.3")).await?;
    let is_another = |pipeline: &MLPipeline| {
        let status = pipeline.status.clone().unwrap_or_default();
        status.version != before.version && is_ready(&status.common.conditions)
    };
    scene.wait::<MLPipeline>("r-gbm", "of another version", is_another).await?;
    all_ready(&scene).await?;
    assert_eq!(
        counted(&scene.writes(since)),
        expected([
            ("POST registries/listBuildSourceUploadUrl", 1),
            ("PUT blob", 1),
            ("PUT registries/taskRuns", 1),
            ("PUT workspaces/batchEndpoints", 1),
            ("PUT workspaces/batchEndpoints/deployments", 1),
            ("PUT workspaces/components/versions", 3),
            ("PUT workspaces/environments/versions", 1),
            ("PUT workspaces/schedules", 1),
        ])
    );
    let after = scene.api::<MLPipeline>().get("r-gbm").await?.status.context("no status")?;
    assert_eq!(after.endpoint.as_ref().and_then(|endpoint| endpoint.scoring_uri.clone()), uri);

    // And back: everything is still there, nothing is built.
    let since = scene.azure.requests().len();
    scene.apply(&original).await?;
    scene
        .wait::<MLPipeline>("r-gbm", "of the first version", |pipeline| {
            pipeline
                .status
                .as_ref()
                .is_some_and(|status| status.version == before.version && is_ready(&status.common.conditions))
        })
        .await?;
    all_ready(&scene).await?;
    assert_eq!(
        counted(&scene.writes(since)),
        expected([("PUT workspaces/batchEndpoints", 1), ("PUT workspaces/schedules", 1)])
    );
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_one_job_and_its_status_tells_every_step() -> Result<()> {
    let (scene, operator) = told("run").await?;
    let since = scene.azure.requests().len();
    let printed = scene.kubectl(&["create", "-f", "examples/runs/r-gbm.yaml", "-o", "name"]).await?;
    let name = printed.trim().rsplit('/').next().unwrap_or_default().to_owned();
    scene.kubectl(&["wait", &format!("mlrun/{name}"), "--for=condition=Succeeded", "--timeout=60s"]).await?;
    let writes: Vec<Entry> =
        scene.writes(since).into_iter().filter(|entry| entry.operation.contains("jobs")).collect();
    assert_eq!(counted(&writes), expected([("PUT workspaces/jobs", 1)]));
    let body = writes[0].json_body();
    assert_eq!(body["properties"]["inputs"]["trees"], json!({"jobInputType": "literal", "value": "50"}));
    ensure!(
        writes[0].headers.iter().any(|(name, _)| name == "x-azureml-token"),
        "the job was sent without x-azureml-token"
    );
    let run = scene.api::<MLRun>().get(&name).await?;
    let status = run.status.clone().context("no status")?;
    assert_eq!(status.phase, Some(Phase::Succeeded));
    let steps: Vec<(&str, Phase)> =
        status.steps.iter().map(|step| (step.name.as_str(), step.phase)).collect();
    assert_eq!(steps, [("prepare", Phase::Succeeded), ("train", Phase::Succeeded)]);
    ensure!(
        status.steps.iter().all(|step| step.duration_seconds.is_some() && step.finished_at.is_some()),
        "{:?}",
        status.steps
    );
    ensure!(
        status
            .studio_url
            .as_deref()
            .is_some_and(|url| url.contains(&format!("r-{}", run.uid().unwrap_or_default()))),
        "{:?}",
        status.studio_url
    );
    ensure!(
        status.outputs.contains_key("model") && status.duration_seconds.is_some(),
        "{:?}",
        status.outputs
    );
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_says_which_step_failed_and_why() -> Result<()> {
    let (scene, operator) = told("fail").await?;
    let failure = json!({"when": "outcome", "match": {"path": "/jobs/.*/train"}, "do": {"fail": {"code": "UserError", "message": "Error in gbm(): n.trees must be positive"}}});
    scene.azure.fault(failure).map_err(anyhow::Error::msg)?;
    let printed = scene.kubectl(&["create", "-f", "examples/runs/r-gbm.yaml", "-o", "name"]).await?;
    let name = printed.trim().rsplit('/').next().unwrap_or_default().to_owned();
    scene
        .kubectl(&["wait", &format!("mlrun/{name}"), "--for=condition=Succeeded=False", "--timeout=60s"])
        .await?;
    let run = scene.api::<MLRun>().get(&name).await?.status.context("no status")?;
    let failure = run.failure.context("no failure")?;
    assert_eq!(failure.step.as_deref(), Some("train"));
    ensure!(failure.message.contains("n.trees must be positive"), "{failure:?}");
    ensure!(
        run.common
            .conditions
            .iter()
            .any(|condition| condition.type_ == "Stalled" && condition.status == "True")
    );
    let events = scene.events().await?;
    ensure!(
        events
            .iter()
            .any(|(who, what)| *who == format!("MLRun/{name}") && what.contains("n.trees must be positive")),
        "{events:?}"
    );
    operator.stop()
}

fn azure_name<S>(status: Option<&S>, id: impl Fn(&S) -> Option<String>) -> Result<String> {
    let id = status.and_then(id).context("no Azure id")?;
    Ok(id.rsplit('/').next().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_in_azure_is_put_back_or_told() -> Result<()> {
    let (scene, operator) = told("drift").await?;
    let cpu = scene.api::<MLCompute>().get("cpu").await?;
    let cluster = azure_name(cpu.status.as_ref(), |status| status.common.azure_id.clone())?;
    let schedule = scene.api::<MLSchedule>().get("r-gbm-weekdays").await?;
    let timer = azure_name(schedule.status.as_ref(), |status| status.common.azure_id.clone())?;
    let more = json!({"properties": {"properties": {"scaleSettings": {"maxNodeCount": 40}}}});
    let off = json!({"properties": {"isEnabled": false}});

    // Report: listed, and left.
    scene
        .kubectl(&[
            "patch",
            "mlcompute",
            "cpu",
            "--type=merge",
            "-p",
            r#"{"spec": {"driftPolicy": "Report"}}"#,
        ])
        .await?;
    scene
        .kubectl(&[
            "patch",
            "mlschedule",
            "r-gbm-weekdays",
            "--type=merge",
            "-p",
            r#"{"spec": {"driftPolicy": "Report"}}"#,
        ])
        .await?;
    all_ready(&scene).await?;
    scene.portal("computes", &cluster, &more).await?;
    scene.portal("schedules", &timer, &off).await?;
    let since = scene.azure.requests().len();
    force(&scene, "look").await?;
    let drifted = scene
        .wait::<MLCompute>("cpu", "drifted", |compute| {
            compute.status.as_ref().is_some_and(|status| !status.common.drift.is_empty())
        })
        .await?;
    let drift = drifted.status.map(|status| status.common.drift).unwrap_or_default();
    assert_eq!(
        (drift[0].path.as_str(), drift[0].want.as_str(), drift[0].have.as_str()),
        ("properties.properties.scaleSettings.maxNodeCount", "4", "40")
    );
    scene
        .wait::<MLSchedule>("r-gbm-weekdays", "drifted", |schedule| {
            schedule
                .status
                .as_ref()
                .is_some_and(|status| status.common.drift.iter().any(|drift| drift.path == "isEnabled"))
        })
        .await?;
    assert_eq!(counted(&scene.writes(since)), BTreeMap::new());

    // Correct: put back.
    scene
        .kubectl(&["patch", "mlcompute", "cpu", "--type=merge", "-p", r#"{"spec": {"driftPolicy": null}}"#])
        .await?;
    scene
        .kubectl(&[
            "patch",
            "mlschedule",
            "r-gbm-weekdays",
            "--type=merge",
            "-p",
            r#"{"spec": {"driftPolicy": null}}"#,
        ])
        .await?;
    scene
        .wait::<MLCompute>("cpu", "put back", |compute| {
            compute
                .status
                .as_ref()
                .is_some_and(|status| status.common.drift.is_empty() && is_ready(&status.common.conditions))
        })
        .await?;
    scene
        .wait::<MLSchedule>("r-gbm-weekdays", "put back", |schedule| {
            schedule
                .status
                .as_ref()
                .is_some_and(|status| status.common.drift.is_empty() && is_ready(&status.common.conditions))
        })
        .await?;
    assert_eq!(
        counted(&scene.writes(since)),
        expected([("PATCH workspaces/computes", 1), ("PUT workspaces/schedules", 1)])
    );
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_in_any_order_leaves_what_is_to_be_retained() -> Result<()> {
    let (scene, operator) = told("delete").await?;
    let since = scene.azure.requests().len();
    // The workspace first: it waits for everybody else.
    scene.kubectl(&["delete", "mlworkspace", "team-a", "--wait=false"]).await?;
    scene
        .wait::<MLWorkspace>("team-a", "in use", |workspace| {
            workspace.status.as_ref().is_some_and(|status| {
                status.common.conditions.iter().any(|condition| condition.reason == "InUse")
            })
        })
        .await?;
    scene.kubectl(&["delete", "mlpipeline", "r-gbm", "--wait=false"]).await?;
    scene.kubectl(&["delete", "-f", "examples/r-gbm/", "--wait=false", "--ignore-not-found"]).await?;
    scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
    scene.wait_gone::<MLPipeline>("r-gbm").await?;
    scene.wait_gone::<MLWorkspace>("team-a").await?;
    let writes = scene.writes(since);
    let operations: Vec<&str> = writes.iter().map(|entry| entry.operation.as_str()).collect();
    let schedule: Vec<&str> =
        operations.iter().copied().filter(|operation| operation.ends_with("schedules")).collect();
    assert_eq!(schedule, ["PUT workspaces/schedules", "DELETE workspaces/schedules"]);
    assert_eq!(
        operations.iter().filter(|operation| **operation == "DELETE workspaces/batchEndpoints").count(),
        1
    );
    ensure!(
        !operations
            .iter()
            .any(|operation| operation.contains("computes") || operation.contains("environments")),
        "{operations:?}"
    );
    let state = scene
        .azure
        .state(azureml_e2e::scene::GROUP, azureml_e2e::scene::WORKSPACE)
        .context("no state")?
        .to_string();
    ensure!(!state.contains("r-gbm-team-a"), "the endpoint is still there");
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_deletion_says_so_ends_by_itself_and_has_a_way_out() -> Result<()> {
    let (scene, operator) = told("blocked").await?;
    let refuse = |path: &str| json!({"id": path, "match": {"method": "DELETE", "path": path}, "do": {"status": 403, "code": "AuthorizationFailed"}});
    scene.azure.fault(refuse("/schedules/")).map_err(anyhow::Error::msg)?;
    scene.azure.fault(refuse("/batchEndpoints/")).map_err(anyhow::Error::msg)?;
    scene.kubectl(&["delete", "mlschedule", "r-gbm-weekdays", "--wait=false"]).await?;
    let blocked = |conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]| {
        conditions.iter().any(|condition| {
            condition.type_ == "Ready"
                && condition.reason == "DeletionBlocked"
                && condition.message.contains("deletionPolicy")
        })
    };
    scene
        .wait::<MLSchedule>("r-gbm-weekdays", "blocked", |schedule| {
            schedule.status.as_ref().is_some_and(|status| blocked(&status.common.conditions))
        })
        .await?;
    // The permission returns: it goes on by itself.
    ensure!(scene.azure.release("/schedules/", false), "there is no such fault");
    scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
    // It does not return: the user leaves Azure as it is.
    scene.kubectl(&["delete", "mlpipeline", "r-gbm", "--wait=false"]).await?;
    scene
        .wait::<MLPipeline>("r-gbm", "blocked", |pipeline| {
            pipeline.status.as_ref().is_some_and(|status| blocked(&status.common.conditions))
        })
        .await?;
    let events = scene.events().await?;
    ensure!(
        events.iter().any(|(who, what)| who == "MLPipeline/r-gbm" && what.starts_with("DeletionBlocked: ")),
        "{events:?}"
    );
    scene
        .kubectl(&[
            "patch",
            "mlpipeline",
            "r-gbm",
            "--type=merge",
            "-p",
            r#"{"spec": {"deletionPolicy": "Retain"}}"#,
        ])
        .await?;
    scene.wait_gone::<MLPipeline>("r-gbm").await?;
    operator.stop()
}
