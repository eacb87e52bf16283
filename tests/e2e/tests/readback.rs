//! Microsoft's own Python client loads everything that the operator made, and shows what the manifests say.

use anyhow::{Result, ensure};
use azureml_crds::MLRun;
use azureml_crds::ml_run::Phase;
use azureml_e2e::{Scene, Setting};
use std::path::Path;
use tokio::process::Command;

const MANIFESTS: &str = "mlworkspaces,mlcomputes,mlenvironments,mldata,mlpipelines,mlschedules";
const KINDS: &str = "mlworkspaces,mlcomputes,mlenvironments,mldata,mlpipelines,mlschedules,mlruns";

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_client_shows_what_the_manifests_say() -> Result<()> {
    let mut scene = Scene::set("readback", Setting::default()).await?;
    scene.reach_blobs()?;
    let operator = scene.operator().await?;
    scene
        .kubectl(&[
            "apply",
            "-f",
            "examples/r-gbm/",
            "-f",
            "examples/python-parallel/",
            "-f",
            "examples/data/",
        ])
        .await?;
    for run in ["examples/runs/r-gbm.yaml", "examples/runs/python-parallel.yaml"] {
        let name = scene.kubectl(&["create", "-f", run, "-o", "name"]).await?;
        let name = name.trim().rsplit('/').next().unwrap_or_default().to_owned();
        let is_done =
            |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase == Some(Phase::Succeeded));
        scene.wait::<MLRun>(&name, "finished", is_done).await?;
    }
    scene.kubectl(&["wait", "--for=condition=Ready", MANIFESTS, "--all", "--timeout=60s"]).await?;
    let objects = scene.kubectl(&["get", KINDS, "-o", "json"]).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("objects.json");
    std::fs::write(&file, objects)?;
    let printed = readback(&scene, &file).await?;
    for kind in azureml_crds::kinds() {
        ensure!(printed.contains(&kind), "no {kind} was read back:\n{printed}");
    }
    operator.stop()?;
    scene.check_contract()
}

/// Reads the objects back; the client is installed once, into a virtual environment of its own.
async fn readback(scene: &Scene, objects: &Path) -> Result<String> {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/run.py");
    let output = Command::new("python3")
        .arg(runner)
        .args(["readback", "--endpoint", scene.azure.endpoint()])
        .arg("--ca")
        .arg(scene.azure.ca_file())
        .args(["--tenant", scene.azure.tenant_id()])
        .arg(objects)
        .output()
        .await?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "Microsoft's client shows something else:\n{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(printed)
}
