//! `kubectl azureml logs` on a run whose steps are carried out: followed to its end, and read again step by step.

use super::program::{run, said};
use anyhow::{Result, ensure};
use azureml_e2e::{Scene, Setting, storage};
use azureml_simulator::Entry;

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_of_a_run_are_followed_and_read_step_by_step() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setting = Setting::default();
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
    let is_persons = |entry: &Entry| entry.is_write() && entry.url.contains("/history/");
    ensure!(!scene.azure.requests().iter().any(is_persons), "logs changed something");
    operator.stop()?;
    scene.check_contract()
}
