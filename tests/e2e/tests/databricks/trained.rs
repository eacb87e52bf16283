//! The example, by the real operator: a table is prepared on Databricks, and a model trained on a cluster. The steps run for real; the
//! notebook is this test, which finds in the run's parameters where to read and where to write.

use super::LIMIT;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLRun;
use azureml_crds::ml_run::Phase;
use azureml_e2e::{Scene, Setting, storage};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

async fn scene(folder: &Path) -> Result<Scene> {
    let mut setting = Setting::default();
    setting.azure.execute = true;
    setting.azure.dir = Some(folder.to_owned());
    let scene = Scene::set("databricks", setting).await?;
    storage::put_raw_data(folder)?;
    Ok(scene)
}

/// The run that Databricks was asked for.
async fn started(scene: &Scene) -> Result<Value> {
    let find = |entries: &[azureml_simulator::Entry]| {
        entries
            .iter()
            .find(|entry| entry.url.ends_with("runs/submit"))
            .map(azureml_simulator::Entry::json_body)
    };
    scene.azure.wait_for(LIMIT, find).await.context("Databricks was not asked for a run")
}

/// The folder behind an address: `abfss://<container>@<account>.dfs.<cloud>/<path>`.
fn folder_of(simulator: &Path, address: &Value) -> Result<PathBuf> {
    let address = address.as_str().context("no address")?;
    let (place, path) =
        address.strip_prefix("abfss://").and_then(|rest| rest.split_once('/')).context(address.to_owned())?;
    let (container, host) = place.split_once('@').context("no container")?;
    let account = host.strip_suffix(".dfs.core.windows.net").with_context(|| host.to_owned())?;
    Ok(simulator.join("blob").join(account).join(container).join(path))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_prepared_on_databricks_and_a_model_trained_on_a_cluster() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let scene = scene(folder.path()).await?;
    let goes_on =
        json!({"id": "works", "match": {"path": "/databricks/runs/"}, "when": "outcome", "do": "hold"});
    scene.azure.fault(goes_on).map_err(anyhow::Error::msg)?;
    let operator = scene.operator().await?;
    for file in ["examples/r-gbm/workspace.yaml", "examples/r-gbm/computes.yaml", "examples/databricks/"] {
        scene.kubectl(&["apply", "-f", file]).await?;
    }
    let printed = scene.kubectl(&["create", "-f", "examples/runs/databricks.yaml", "-o", "name"]).await?;
    let name = printed.trim().rsplit('/').next().unwrap_or_default().to_owned();

    // The notebook: it reads what it is told to read, and writes where it is told to write.
    let run = started(&scene).await?;
    let parameters = &run["tasks"][0]["notebook_task"]["base_parameters"];
    ensure!(parameters.get("rooms").is_none(), "an optional input without a value: {parameters}");
    let raw = folder_of(folder.path(), &parameters["raw"])?;
    ensure!(raw.join("houses.csv").exists(), "nothing at {}", raw.display());
    let table = folder_of(folder.path(), &parameters["table"])?;
    std::fs::create_dir_all(&table)?;
    std::fs::write(table.join("part-0.csv"), "area,price\n10,20\n20,40\n30,60\n")?;
    ensure!(scene.azure.release("works", false), "no such fault");

    let is_done =
        |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase.is_some_and(Phase::is_finished));
    let run = scene.wait::<MLRun>(&name, "finished", is_done).await?;
    let status = run.status.context("no status")?;
    let job = status.job_name.clone().context("no job")?;
    let logs: Vec<_> = scene.children(&job).await?;
    let logs: Vec<_> = logs
        .iter()
        .map(|one| storage::log(folder.path(), one["runId"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(status.phase, Some(Phase::Succeeded), "{status:?}\n{logs:?}");
    let model = storage::datastore(folder.path())?.join(format!("azureml/{job}/model/model.json"));
    let model: Value = serde_json::from_str(&std::fs::read_to_string(&model)?)?;
    assert_eq!(model, json!({"rows": 3, "slope": 2.0}));
    scene.check_contract()?;
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_on_databricks_is_told_in_the_status() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let scene = scene(folder.path()).await?;
    let fail = json!({"fail": {"code": "ValueError", "message": "no rows in raw"}});
    let fails = json!({"match": {"path": "/databricks/runs/"}, "when": "outcome", "do": fail});
    scene.azure.fault(fails).map_err(anyhow::Error::msg)?;
    let operator = scene.operator().await?;
    for file in ["examples/r-gbm/workspace.yaml", "examples/r-gbm/computes.yaml", "examples/databricks/"] {
        scene.kubectl(&["apply", "-f", file]).await?;
    }
    let printed = scene.kubectl(&["create", "-f", "examples/runs/databricks.yaml", "-o", "name"]).await?;
    let name = printed.trim().rsplit('/').next().unwrap_or_default().to_owned();
    let is_done =
        |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase.is_some_and(Phase::is_finished));
    let run = scene.wait::<MLRun>(&name, "finished", is_done).await?;
    let said = serde_json::to_string(&run.status)?;
    ensure!(said.contains("ValueError: no rows in raw") && said.contains("prepare"), "{said}");
    operator.stop()
}
