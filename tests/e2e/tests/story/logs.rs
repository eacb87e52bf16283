//! `kubectl azureml logs` on runs whose steps are carried out: followed to their end, and read again step by step; of an MLRun, and of a
//! schedule whose jobs Azure ML makes.

use anyhow::{Result, ensure};
use azureml_e2e::operator::SOON;
use azureml_e2e::plugin::{run, said};
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Scene, Setting, storage};
use azureml_simulator::Entry;
use serde_json::json;

const NIGHTLY: &str = "apiVersion: azureml.dev/v1alpha1\nkind: MLSchedule\nmetadata: {name: nightly}\n\
     spec: {pipelineRef: {name: python-parallel}, cron: '0 3 * * *'}\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_of_a_run_are_followed_and_read_step_by_step() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // The jobs of a schedule are looked for soon.
    let soon = SOON.replace("intervals: {", "intervals: {firingCheck: 1s, ");
    let mut setting = Setting { config: format!("{GRANTS}{soon}"), ..Setting::default() };
    setting.azure.execute = true;
    setting.azure.dir = Some(folder.path().to_owned());
    let scene = Scene::set("logs", setting).await?;
    storage::put_raw_data(folder.path())?;
    let operator = scene.operator().await?;
    for file in ["examples/r-gbm/workspace.yaml", "examples/r-gbm/computes.yaml", "examples/python-parallel/"]
    {
        scene.kubectl(&["apply", "-f", file]).await?;
    }
    let printed =
        scene.kubectl(&["create", "-f", "examples/runs/python-parallel.yaml", "-o", "name"]).await?;
    let logs = ["logs", printed.trim(), "--namespace", &scene.namespace];
    let followed = run(&scene, &[&logs[..], &["--follow"]].concat()).await?;
    let text = String::from_utf8_lossy(&followed.stdout).into_owned();
    ensure!(followed.status.success() && text.contains("half 1: 125250"), "{}", said(&followed));
    ensure!(text.contains("125250 + 375250 = 500500"), "{}", said(&followed));
    ensure!(said(&followed).contains("==> join: user_logs/std_log.txt"), "{}", said(&followed));

    let one = run(&scene, &[&logs[..], &["--step", "join"]].concat()).await?;
    let text = String::from_utf8_lossy(&one.stdout).into_owned();
    ensure!(text.contains("= 500500") && !text.contains("half"), "{}", said(&one));
    let none = run(&scene, &[&logs[..], &["--step", "nothing"]].concat()).await?;
    let names = "there is no step nothing; name one of first, second, join";
    ensure!(none.status.code() == Some(1) && said(&none).contains(names), "{}", said(&none));
    of_a_schedule(&scene).await?;
    let is_persons = |entry: &Entry| entry.is_write() && entry.url.contains("/history/");
    ensure!(!scene.azure.requests().iter().any(is_persons), "logs changed something");
    operator.stop()?;
    scene.check_contract()
}

/// Somebody starts the schedule in studio: its job has no MLRun, and its logs are read all the same.
async fn of_a_schedule(scene: &Scene) -> Result<()> {
    scene.apply(NIGHTLY).await?;
    scene.kubectl(&["wait", "mlschedule/nightly", "--for=condition=Ready", "--timeout=60s"]).await?;
    let logs = ["logs", "mlschedule/nightly", "--namespace", &scene.namespace];
    let none = run(scene, &logs).await?;
    ensure!(none.status.code() == Some(1) && said(&none).contains("has no run yet"), "{}", said(&none));

    let id = scene.kubectl(&["get", "mlschedule", "nightly", "-o", "jsonpath={.status.azureId}"]).await?;
    let (http, token) = scene.azure_client().await?;
    let url = format!("{}{}/trigger?api-version=2024-01-01-preview", scene.azure.endpoint(), id.trim());
    let time = json!({"scheduleTime": "2026-01-05T05:00:00Z"});
    http.post(url).bearer_auth(token).json(&time).send().await?.error_for_status()?;
    scene.kubectl(&["annotate", "mlschedule", "nightly", "azureml.dev/reconcile-requested-at=now"]).await?;
    let told = "--for=jsonpath={.status.lastRun.jobName}";
    scene.kubectl(&["wait", "mlschedule/nightly", told, "--timeout=60s"]).await?;

    let followed = run(scene, &[&logs[..], &["--follow", "--step", "join"]].concat()).await?;
    let text = String::from_utf8_lossy(&followed.stdout).into_owned();
    ensure!(
        followed.status.success() && text.contains(" = ") && !text.contains("half"),
        "{}",
        said(&followed)
    );
    ensure!(said(&followed).contains("==> join: user_logs/std_log.txt"), "{}", said(&followed));
    ensure!(said(&followed).contains("MLSchedule/nightly: the run of "), "{}", said(&followed));
    let unknown = run(scene, &[&logs[..], &["--run", "of-1999"]].concat()).await?;
    ensure!(
        unknown.status.code() == Some(1) && said(&unknown).contains("choose one of "),
        "{}",
        said(&unknown)
    );
    Ok(())
}
