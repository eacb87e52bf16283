//! The story that uses every right: apply, run, change, drift, a secret, deletion; then the chart is removed and comes back.

use crate::{CLIENT, Installed, SECRET};
use anyhow::{Context as _, Result, ensure};
use azureml_controller::telemetry::texts;
use azureml_crds::source::FluxKind;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::said::says;
use azureml_e2e::scene::{GROUP, Object, WORKSPACE};
use azureml_e2e::{Operator, Scene};
use serde_json::{Value, json};

fn is_ready<K: Object>(object: &K) -> bool {
    let object = serde_json::to_value(object).unwrap_or_default();
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
        && conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

async fn ready<K: Object>(scene: &Scene, name: &str) -> Result<K> {
    scene.wait::<K>(name, "ready", is_ready).await
}

/// A workspace with a secret of its namespace, data in it, a run that is to go by itself, a pipeline with its files in a
/// ConfigMap that is run when it changes, and an image and data with files in the manifest.
fn more(scene: &Scene) -> [Value; 8] {
    let (group, kind) = ("azureml.dev/v1alpha1", "MLWorkspace");
    let identity =
        json!({"clientId": CLIENT, "tenantId": scene.azure.tenant_id(), "secretRef": {"name": "sp"}});
    let azure = json!({"subscriptionId": scene.azure.subscription_id(), "resourceGroup": GROUP, "workspaceName": WORKSPACE, "identity": identity});
    let run = json!({"pipelineRef": {"name": "r-gbm"}, "ttlAfterFinished": "1s"});
    let path = "azureml://datastores/workspaceblobstore/paths/prices.csv";
    let data = json!({"workspaceRef": {"name": "own"}, "type": "uri_file", "path": path});
    let defaults = json!({"compute": {"ref": "cpu"}, "environment": {"ref": "r-gbm"}, "code": {"configMap": {"name": "scripts"}}});
    let mapped = json!({"workspaceRef": {"name": "team-a"}, "defaults": defaults, "steps": [{"name": "only", "r": {"script": "a.R"}}], "runOnChange": {"ttlAfterFinished": "1s"}});
    let build = json!({"dockerfile": "FROM rocker/r-ver:4.4.2\nCOPY a.txt /opt/\n", "files": {"a.txt": "a"}});
    let image = json!({"workspaceRef": {"name": "team-a"}, "deletionPolicy": "Delete", "build": build});
    let source = json!({"files": {"a.csv": "x\n"}});
    let held = json!({"workspaceRef": {"name": "team-a"}, "type": "uri_file", "source": source});
    [
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "stringData": {"clientSecret": SECRET}}),
        json!({"apiVersion": group, "kind": kind, "metadata": {"name": "own"}, "spec": azure}),
        json!({"apiVersion": group, "kind": "MLData", "metadata": {"name": "prices"}, "spec": data}),
        json!({"apiVersion": group, "kind": "MLRun", "metadata": {"name": "one"}, "spec": run}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "scripts"}, "data": {"a.R": "cat(1)"}}),
        json!({"apiVersion": group, "kind": "MLPipeline", "metadata": {"name": "mapped"}, "spec": mapped}),
        json!({"apiVersion": group, "kind": "MLEnvironment", "metadata": {"name": "files"}, "spec": image}),
        json!({"apiVersion": group, "kind": "MLData", "metadata": {"name": "held"}, "spec": held}),
    ]
}

/// From nothing to a published pipeline that ran, was changed, drifted and was put back.
pub async fn told(scene: &Scene, operator: &Operator) -> Result<()> {
    scene.kubectl(&["apply", "-f", "examples/r-gbm/"]).await?;
    for object in more(scene) {
        scene.apply(&object.to_string()).await?;
    }
    sources_of_flux_are_read(scene).await?;
    ready::<MLWorkspace>(scene, "own").await?;
    ready::<MLData>(scene, "prices").await?;
    ready::<MLPipeline>(scene, "r-gbm").await?;
    ready::<MLPipeline>(scene, "mapped").await?;
    ready::<MLEnvironment>(scene, "files").await?;
    ready::<MLData>(scene, "held").await?;
    ran_by_itself(scene, "mapped").await?;
    ready::<MLSchedule>(scene, "r-gbm-weekdays").await?;
    scene.wait_gone::<MLRun>("one").await?;
    let is_run = |entry: &azureml_simulator::Entry| entry.operation == "PUT workspaces/jobs";
    ensure!(scene.azure.requests().iter().any(is_run), "there was no job");
    let patch = json!({"spec": {"scale": {"max": 7}}}).to_string();
    scene.kubectl(&["patch", "mlcompute", "cpu", "--type=merge", "-p", &patch]).await?;
    let cluster = ready::<MLCompute>(scene, "cpu").await?;
    drifted(scene, &cluster).await?;
    ensure!(!scene.events().await?.is_empty(), "no event was written");
    taken_over(scene).await?;
    scene.kubectl(&["delete", "mlschedule", "r-gbm-weekdays"]).await?;
    let log = operator.tail(usize::MAX);
    ensure!(!log.contains("orbidden"), "{log}");
    Ok(())
}

/// A cluster that stays in Azure when its object goes is another object's then: the account may look whether the first is gone.
async fn taken_over(scene: &Scene) -> Result<()> {
    let cluster = |name: &str, policy: &str| {
        let spec = json!({"workspaceRef": {"name": "team-a"}, "azureName": "kept", "vmSize": "Standard_DS3_v2",
            "scale": {"max": 1}, "deletionPolicy": policy});
        json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLCompute", "metadata": {"name": name}, "spec": spec})
    };
    scene.apply(&cluster("before", "Retain").to_string()).await?;
    ready::<MLCompute>(scene, "before").await?;
    scene.kubectl(&["delete", "mlcompute", "before"]).await?;
    scene.apply(&cluster("after", "Delete").to_string()).await?;
    ready::<MLCompute>(scene, "after").await.map(drop)
}

/// Each kind of Flux is asked for once: none is there.
async fn sources_of_flux_are_read(scene: &Scene) -> Result<()> {
    for kind in FluxKind::ALL {
        let (name, source) = (kind.plural(), json!({"flux": {"kind": kind, "name": "absent"}}));
        let spec = json!({"workspaceRef": {"name": "team-a"}, "type": "uri_folder", "source": source});
        let data = json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "MLData", "metadata": {"name": name}, "spec": spec});
        scene.apply(&data.to_string()).await?;
    }
    for kind in FluxKind::ALL {
        says::<MLData>(scene, kind.plural(), "False", "SourceFailed").await?;
    }
    Ok(())
}

/// Waits until the run that the operator made of a pipeline has come and gone.
async fn ran_by_itself(scene: &Scene, name: &str) -> Result<()> {
    let is_made = |pipeline: &MLPipeline| {
        let status = pipeline.status.as_ref();
        status.is_some_and(|status| status.current.is_some() && status.pending_run.is_none())
    };
    let pipeline = scene.wait::<MLPipeline>(name, "run", is_made).await?;
    let current = pipeline.status.and_then(|status| status.current).context("no version")?;
    let run = format!("{name}-{}", current.version.get(..12).unwrap_or(&current.version));
    scene.wait_gone::<MLRun>(&run).await
}

async fn drifted(scene: &Scene, cluster: &MLCompute) -> Result<()> {
    let name = azure_name(cluster)?;
    let more = json!({"properties": {"properties": {"scaleSettings": {"maxNodeCount": 40}}}});
    let since = scene.azure.requests().len();
    scene.portal("computes", &name, &more).await?;
    let ask = format!("{}=drift", azureml_crds::RECONCILE_REQUESTED_AT);
    scene.kubectl(&["annotate", "mlcompute", "cpu", &ask]).await?;
    let put_back = |log: &[azureml_simulator::Entry]| {
        log.iter().skip(since).any(|entry| entry.is_write() && entry.answered.is_some()).then_some(())
    };
    scene.azure.wait_for(azureml_e2e::PATIENCE, put_back).await.context("nothing is put back")?;
    ready::<MLCompute>(scene, "cpu").await.map(drop)
}

/// Everything in Azure, in a form without times.
fn azure(scene: &Scene) -> Result<Value> {
    scene.azure.state(GROUP, WORKSPACE).context("there is no such workspace")
}

/// Helm removes the chart under a controller that works, and installs it again: Azure does not notice, and the objects are
/// still there. Then they are deleted.
pub async fn removed_and_back(installed: &mut Installed, operator: Operator) -> Result<()> {
    some_go_from_azure(&installed.scene).await?;
    let (before, since) = (azure(&installed.scene)?, installed.scene.azure.requests().len());
    let mark = operator.mark();
    installed.uninstall().await?;
    // It has lost every right and its account; its pod is told to stop.
    operator.line(mark, "that it may not renew the lease", |line| {
        line["message"].as_str().is_some_and(|message| message.contains(texts::RENEWAL_FAILED))
    })?;
    operator.stop()?;
    ensure!(azure(&installed.scene)? == before, "Azure is not as it was");
    ready::<MLPipeline>(&installed.scene, "r-gbm").await?;
    assert_eq!(installed.scene.writes(since).len(), 0, "{}", installed.scene.requests_shown(20));

    installed.helm(&["install"]).await?;
    let operator = installed.start().await?;
    operator.leads()?;
    operator.pass(0, "MLPipeline", "r-gbm")?;
    assert_eq!(installed.scene.writes(since).len(), 0, "{}", installed.scene.requests_shown(20));
    let stays = azure_name(&installed.scene.api::<MLCompute>().get("big").await?)?;
    let all =
        ["delete", "mlruns,mlschedules,mlpipelines,mldata,mlenvironments,mlcomputes,mlworkspaces", "--all"];
    installed.scene.kubectl(&all).await?;
    operator.stop()?;
    let left = azure(&installed.scene)?;
    what_is_left(&left, &stays)?;
    installed.uninstall().await?;
    ensure!(azure(&installed.scene)? == left, "Azure is not as it was");
    Ok(())
}

/// A cluster and the environment are to go from Azure with their objects, and not with the chart; the other cluster is to stay,
/// as is the default.
async fn some_go_from_azure(scene: &Scene) -> Result<()> {
    let goes = json!({"spec": {"deletionPolicy": "Delete"}}).to_string();
    for what in ["mlcompute/cpu", "mlenvironment/r-gbm"] {
        scene.kubectl(&["patch", what, "--type=merge", "-p", &goes]).await?;
    }
    ready::<MLCompute>(scene, "cpu").await?;
    ready::<MLEnvironment>(scene, "r-gbm").await?;
    ready::<MLPipeline>(scene, "r-gbm").await.map(drop)
}

fn azure_name(cluster: &MLCompute) -> Result<String> {
    let id = cluster.status.as_ref().and_then(|status| status.common.azure_id.as_deref());
    Ok(id.and_then(|id| id.rsplit('/').next()).context("no id")?.to_owned())
}

/// What is left in Azure when all objects are deleted: the cluster that stays, and what Azure ML only archives.
fn what_is_left(left: &Value, cluster: &str) -> Result<()> {
    let names = |of: &Value| of.as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
    assert_eq!(names(&left["computes"]), Some(vec![cluster.to_owned()]));
    assert_eq!(names(&left["schedules"]), Some(Vec::new()));
    assert_eq!(names(&left["endpoints"]), Some(Vec::new()));
    let environments = left["assets"]["environments"].as_object().context("no environments")?;
    let versions = environments.values().filter_map(Value::as_object).flat_map(|versions| versions.values());
    let archived: Vec<&Value> = versions.map(|version| &version["isArchived"]).collect();
    ensure!(!archived.is_empty() && archived.iter().all(|it| **it == true), "not archived: {environments:?}");
    Ok(())
}
