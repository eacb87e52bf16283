//! `kubectl azureml import` on a workspace that Microsoft's client filled: what it writes plans to no changes, and the operator that gets it
//! changes nothing in Azure.

use crate::differential::sdk;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::operator::binary;
use azureml_e2e::scene::{GROUP, SUBSCRIPTION, WORKSPACE};
use azureml_e2e::{Scene, Setting};
use azureml_plan::report::is_ready;
use azureml_simulator::Entry;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

/// What is there before: of each file its text.
const FIRST: [(&str, &str); 7] = [
    (
        "cpu.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/amlCompute.schema.json\nname: cpu\ntype: amlcompute\nsize: Standard_DS3_v2\n\
         min_instances: 1\nmax_instances: 3\nidle_time_before_scale_down: 900\ntags: {team: shop, code: \"010\"}\n",
    ),
    (
        "low.yml",
        "name: Low\ntype: amlcompute\nsize: Standard_DS3_v2\ntier: low_priority\nmax_instances: 2\nidentity: {type: system_assigned}\n",
    ),
    (
        "image.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\nname: py\ntags: {team: shop}\n\
         image: ghcr.io/org/py@sha256:1111111111111111111111111111111111111111111111111111111111111111\n",
    ),
    (
        "conda.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\nname: learn\n\
         image: ghcr.io/org/conda@sha256:2222222222222222222222222222222222222222222222222222222222222222\n\
         conda_file: {name: learn, channels: [conda-forge], dependencies: [python=3.11, {pip: [scikit-learn]}]}\n",
    ),
    (
        "data.yml",
        "name: prices\ntype: uri_folder\npath: azureml://datastores/workspaceblobstore/paths/prices/\ndescription: \"Prices: all\"\n",
    ),
    (
        "component.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json\nname: prepare\nversion: \"2\"\ntype: command\n\
         inputs: {rows: {type: integer, default: 5}, share: {type: number}}\noutputs: {table: {type: uri_folder}}\n\
         command: echo ${{inputs.rows}} ${{inputs.share}} > ${{outputs.table}}/x\nenvironment: azureml:py@latest\n",
    ),
    (
        "registered.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json\nname: nightly_scores\nversion: \"1\"\ntype: pipeline\n\
         display_name: \"Scores: nightly\"\ninputs: {rows: {type: integer, default: 5}, raw: {type: uri_folder, optional: true}}\n\
         outputs: {table: {type: uri_folder}}\njobs:\n  prepare:\n    type: command\n    component: azureml:prepare:2\n    inputs: {rows: \
         \"${{parent.inputs.rows}}\", share: 0.5}\n    outputs: {table: \"${{parent.outputs.table}}\"}\n",
    ),
];

/// What names the first.
const SECOND: [(&str, &str); 3] = [
    (
        "deployment.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/pipelineComponentBatchDeployment.schema.json\nname: blue\n\
         endpoint_name: import-scores\ntype: pipeline\ncomponent: azureml:nightly_scores:1\nsettings: {default_compute: cpu, \
         continue_on_step_failure: true}\n",
    ),
    (
        "nightly.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json\nname: nightly_scores\ntags: {team: shop}\ntrigger: {type: \
         cron, expression: \"15 10 * * 1\", time_zone: W. Europe Standard Time, start_time: \"2026-01-10T10:00:00\"}\ncreate_job:\n  \
         type: pipeline\n  job: azureml:nightly_scores:1\n  settings: {default_compute: \"azureml:cpu\"}\n",
    ),
    (
        "weekly.yml",
        "$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json\nname: weekly\ntrigger: {type: recurrence, frequency: week, \
         interval: 2, schedule: {hours: [4], minutes: [30], week_days: [monday]}}\ncreate_job:\n  type: pipeline\n  experiment_name: shop\n  \
         settings: {default_compute: \"azureml:cpu\"}\n  inputs: {rows: 9}\n  jobs:\n    prepare:\n      type: command\n      component: \
         azureml:prepare:2\n      compute: azureml:Low\n      inputs: {rows: \"${{parent.inputs.rows}}\", share: 0.25}\n",
    ),
];

/// Sends files with Microsoft's client.
async fn fill(scene: &Scene, folder: &Path, files: &[(&str, &str)]) -> Result<()> {
    for (name, text) in files {
        std::fs::write(folder.join(name), text)?;
        let one = BTreeMap::from([((*name).to_owned(), WORKSPACE.to_owned())]);
        let said = sdk::send(&scene.azure, folder, &one).await?;
        let said = said.get(*name).with_context(|| format!("{name} was not sent"))?;
        ensure!(said.sent.is_some(), "{name}: {:?}", said.refused);
    }
    Ok(())
}

/// Runs the program with the login of the scene.
async fn run(scene: &Scene, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary()?.with_file_name("kubectl-azureml"));
    command.args(arguments).arg("--config").arg(&scene.start.config).current_dir(azureml_e2e::root());
    command.env("AZURE_TENANT_ID", &scene.start.tenant).env("AZURE_CLIENT_ID", &scene.start.client);
    command.env("AZURE_CLIENT_SECRET", "not-a-secret").env_remove("AZURE_FEDERATED_TOKEN_FILE");
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}

/// Every file below a folder.
fn content(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let (mut files, mut left) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?);
        } else {
            files.insert(path.strip_prefix(folder)?.to_string_lossy().into_owned(), std::fs::read(&path)?);
        }
    }
    Ok(files)
}

/// What changed Azure since a moment.
fn writes(scene: &Scene, since: usize) -> Vec<Entry> {
    scene.azure.requests().into_iter().skip(since).filter(Entry::is_write).collect()
}

/// Imports into a folder, twice, and plans what is there: nothing would change.
async fn imported(scene: &Scene, out: &str, more: &[&str]) -> Result<BTreeMap<String, Vec<u8>>> {
    let place = ["--workspace", WORKSPACE, "--subscription", SUBSCRIPTION, "--resource-group", GROUP];
    let arguments = [&["import", "--out", out], &place[..], more].concat();
    let first = run(scene, &arguments).await?;
    ensure!(first.status.success(), "{}", said(&first));
    let files = content(Path::new(out))?;
    ensure!(run(scene, &arguments).await?.status.success() && files == content(Path::new(out))?, "a second import differs");
    let plan = run(scene, &["plan", "-f", out, "--namespace", &scene.namespace, "--cluster-id", "test"]).await?;
    let text = said(&plan);
    ensure!(plan.status.code() == Some(0) && text.ends_with("No changes.\n"), "{}\n{text}", said(&first));
    Ok(files)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_imported_plans_to_no_changes_and_the_operator_writes_nothing() -> Result<()> {
    let scene = Scene::set("imported", Setting::default()).await?;
    let folder = tempfile::tempdir()?;
    fill(&scene, folder.path(), &FIRST).await?;
    fill(&scene, folder.path(), &SECOND).await?;
    let since = scene.azure.requests().len();
    let out = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let files = imported(&scene, &out("plain"), &[]).await?;
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    println!("{}", files.iter().map(|(name, bytes)| format!("==> {name}\n{}", String::from_utf8_lossy(bytes))).collect::<String>());
    let wanted = [
        "INVENTORY.md", "README.md", "computes/cpu.yaml", "computes/low.yaml", "data/prices.yaml", "environments/learn.yaml",
        "environments/py.yaml", "kustomization.yaml", "mlw-team-a.yaml", "pipelines/nightly-scores.yaml", "pipelines/weekly.yaml",
        "schedules/nightly-scores.yaml", "schedules/weekly.yaml",
    ];
    for name in wanted {
        ensure!(names.contains(&name), "there is no {name}: {names:?}");
    }
    let adopting = imported(&scene, &out("adopted"), &["--adopt"]).await?;
    ensure!(adopting.keys().eq(files.keys()));

    // The real operator, on the real API server.
    let operator = scene.operator().await?;
    scene.kubectl(&["apply", "-k", &out("plain")]).await?;
    scene
        .wait::<MLCompute>("cpu", "used as it is", |object| {
            is_ready(&object.status.clone().unwrap_or_default().common.conditions)
        })
        .await?;
    scene.kubectl(&["apply", "-k", &out("adopted")]).await?;
    scene.kubectl(&["wait", "--for=condition=Paused", "mlcomputes,mlenvironments,mldata,mlpipelines,mlschedules", "--all", "--timeout=60s"]).await?;
    let changed = writes(&scene, since);
    ensure!(changed.is_empty(), "something was changed in Azure: {changed:#?}");
    operator.stop()
}
