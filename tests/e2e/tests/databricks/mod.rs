//! Steps on Azure Databricks: the command that the operator generates, carried out against a stand-in of Databricks' Jobs API.
//! Here without an operator; `trained` has one, from the manifest to the model.

mod bridge;
mod trained;

use anyhow::{Context as _, Result, ensure};
use bridge::Bridge;
use serde_json::{Value, json};
use std::time::Duration;

const NOTEBOOK: &str = "notebook: {path: /Shared/prepare}, cluster: {existing: 0923-164208-meows279}";
const LOOK: &str = "runs/get\\?";

/// Runs end when this is taken away.
fn goes_on() -> Value {
    json!({"id": "goes-on", "match": {"path": "/databricks/runs/"}, "when": "outcome", "do": "hold"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_given_addresses_and_values_and_followed_to_its_end() -> Result<()> {
    let bridge = Bridge::start().await?;
    let hostile = r#"a  "b" $HOME `id` $(id) ; echo x & d | e > f \ * 'quoted' "#;
    let parameters = "parameters: {raw: '${{inputs.raw}}', table: '${{outputs.table}}', who: 'it is ${{inputs.who}}', rate: '$[[${{inputs.rate}}]]', \
                      none: '$[[${{inputs.none}}]]', fixed: '{{job.run_id}}'}";
    let command = bridge.command(&format!("{NOTEBOOK}, {parameters}, timeout: 90m"), "")?;
    let values = [
        ("inputs.raw", "azureml://datastores/workspaceblobstore/paths/raw/a b/"),
        ("outputs.table", "abfss://tables@lake.dfs.core.windows.net/t"),
        ("inputs.who", hostile),
        ("inputs.rate", "0.5"),
    ];
    let ended = bridge.run("job-1", &command, &values).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let page = format!("Databricks run 1000: https://{}/jobs/runs/1000", azureml_simulator::DATABRICKS);
    ensure!(ended.said.contains(&page), "{}", ended.said);
    let started = bridge.started()?;
    assert_eq!(started.len(), 1);
    let given = &started[0]["tasks"][0]["notebook_task"]["base_parameters"];
    let raw = given["raw"].as_str().context("no address")?;
    ensure!(
        raw.starts_with("abfss://azureml-blobstore-") && raw.ends_with(".dfs.core.windows.net/raw/a b/"),
        "{raw}"
    );
    let who = format!("it is {hostile}");
    let others =
        json!({"table": values[1].1, "who": who, "rate": "0.5", "fixed": "{{job.run_id}}", "raw": raw});
    assert_eq!(*given, others);
    assert_eq!(started[0]["run_name"], "prepare (job-1)");
    assert_eq!(started[0]["timeout_seconds"], 5400);
    assert_eq!(started[0]["idempotency_token"].as_str().map(str::len), Some(64));
    // Nobody reads a token in the log of the step.
    ensure!(!ended.said.contains("eyJ"), "{}", ended.said);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_fails_the_step_with_its_words() -> Result<()> {
    let bridge = Bridge::start().await?;
    let fail = json!({"code": "ValueError", "message": "no rows in raw"});
    bridge
        .fault(&json!({"match": {"path": "/databricks/runs/"}, "when": "outcome", "do": {"fail": fail}}))?;
    let ended = bridge.run("job-1", &bridge.command(NOTEBOOK, "")?, &[]).await?;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    let last = ended.said.lines().last().unwrap_or_default();
    ensure!(
        last.starts_with("azureml-operator: Databricks run 1000 ended as FAILED: Task main failed"),
        "{last}"
    );
    ensure!(last.contains("ValueError: no rows in raw. Its page: https://"), "{last}");
    ensure!(ended.said.contains("Traceback (most recent call last):"), "{}", ended.said);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_cancelled_cancels_the_run() -> Result<()> {
    for parameters in ["", ", parameters: {a: '${{inputs.a}}'}"] {
        let bridge = Bridge::start().await?;
        bridge.fault(&goes_on())?;
        let command = bridge.command(&format!("{NOTEBOOK}{parameters}"), "")?;
        let step = bridge.spawn("job-1", &command, &[("inputs.a", "b")])?;
        bridge.asked(LOOK, 2).await?;
        step.signal("TERM")?;
        let ended = step.end().await?;
        assert_eq!(ended.code, Some(143), "{}", ended.said);
        ensure!(ended.said.contains("was cancelled with the step (CANCELED)"), "{}", ended.said);
        assert_eq!(bridge.count("runs/cancel"), 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again_and_starts_one_run() -> Result<()> {
    let bridge = Bridge::start().await?;
    let busy = json!({"status": 429, "headers": {"retry-after": "1"}});
    bridge.fault(&json!({"match": {"path": "runs/submit", "nth": 1}, "do": busy}))?;
    bridge.fault(&json!({"match": {"path": "runs/submit", "nth": 2}, "when": "after", "do": "reset"}))?;
    bridge.fault(&json!({"match": {"path": LOOK, "nth": 1}, "do": {"status": 503}}))?;
    let ended = bridge.run("job-1", &bridge.command(NOTEBOOK, "")?, &[]).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ensure!(ended.said.contains("the start of the run: 429"), "{}", ended.said);
    // The second had started it, and its answer was lost.
    let started = bridge.started()?;
    assert_eq!(started.len(), 3);
    ensure!(started.iter().all(|one| one == &started[0]), "{started:?}");
    ensure!(ended.said.contains("Databricks run 1000 succeeded"), "{}", ended.said);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_before_the_answer_finds_its_run_again() -> Result<()> {
    let bridge = Bridge::start().await?;
    bridge.fault(
        &json!({"id": "late", "match": {"path": "runs/submit", "nth": 1}, "when": "after", "do": "hold"}),
    )?;
    let command = bridge.command(NOTEBOOK, "")?;
    let first = bridge.spawn("job-1", &command, &[])?;
    bridge.asked("runs/submit", 1).await?;
    first.signal("KILL")?;
    assert_eq!(first.end().await?.code, None);
    let again = bridge.run("job-1", &command, &[]).await?;
    ensure!(again.code == Some(0) && again.said.contains("Databricks run 1000 succeeded"), "{}", again.said);
    // Another run of the step is another run.
    let other = bridge.run("job-2", &command, &[]).await?;
    ensure!(other.code == Some(0) && other.said.contains("Databricks run 1002 succeeded"), "{}", other.said);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long_is_ended_by_databricks() -> Result<()> {
    let bridge = Bridge::with(|options| options.virtual_clock = true).await?;
    bridge.fault(&goes_on())?;
    let step = bridge.spawn("job-1", &bridge.command(NOTEBOOK, "timeout: 2h, ")?, &[])?;
    bridge.asked(LOOK, 1).await?;
    bridge.azure.advance(jiff::SignedDuration::from_hours(2)).context("the clock is real")?;
    let ended = step.end().await?;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ensure!(ended.said.contains("ended as TIMEDOUT: Run timed out."), "{}", ended.said);
    Ok(())
}

/// Databricks has no limit for one run of a job, so that the step keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_takes_too_long_is_cancelled() -> Result<()> {
    let bridge = Bridge::start().await?;
    bridge.fault(&goes_on())?;
    let command = bridge.command("job: {id: 7}, parameters: {day: '${{inputs.day}}'}, timeout: 1m", "")?;
    // The least time is longer than a test takes.
    let command = bridge::told_anew(&command, |told| told["timeout"] = json!(1))?;
    let ended = bridge.run("job-1", &command, &[("inputs.day", "friday")]).await?;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    ensure!(ended.said.contains("ended as CANCELED: it took longer than 1 seconds"), "{}", ended.said);
    assert_eq!(bridge.count("runs/cancel"), 1);
    assert_eq!(bridge.started()?[0]["job_parameters"], json!({"day": "friday"}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_workspace_signs_in() -> Result<()> {
    let bridge = Bridge::start().await?;
    let command = bridge.command(&format!("{NOTEBOOK}, tokenSecret: databricks-token"), "")?;
    let ended = bridge.run("job-1", &command, &[]).await?;
    ensure!(
        ended.said.contains("the secret databricks-token could not be read (404: SecretNotFound"),
        "{}",
        ended.said
    );
    bridge.azure.put_secret(&bridge.vault().await?, "databricks-token", "dapi-of-the-test");
    let ended = bridge.run("job-2", &command, &[]).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ensure!(!ended.said.contains("dapi"), "{}", ended.said);
    let wrong = bridge.command(&format!("{NOTEBOOK}, tokenSecret: other"), "")?;
    bridge.azure.put_secret(&bridge.vault().await?, "other", "");
    let ended = bridge.run("job-3", &wrong, &[]).await?;
    ensure!(ended.code == Some(1) && ended.said.contains("the secret other is empty"), "{}", ended.said);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_what_to_do() -> Result<()> {
    let bridge = Bridge::start().await?;
    bridge.fault(&json!({"id": "no", "match": {"path": "runs/submit"}, "do": {"status": 403}}))?;
    let ended = bridge.run("job-1", &bridge.command(NOTEBOOK, "")?, &[]).await?;
    ensure!(ended.said.contains("Databricks refused the start of the run (403"), "{}", ended.said);
    ensure!(
        ended.said.contains("let the identity of the step into the Databricks workspace"),
        "{}",
        ended.said
    );
    assert_eq!((ended.code, bridge.count("runs/submit")), (Some(1), 1));
    ensure!(bridge.azure.release("no", false), "no such fault");
    // What is followed no longer does not go on unseen.
    bridge.fault(&json!({"id": "blind", "match": {"path": LOOK}, "do": {"status": 403}}))?;
    let ended = bridge.run("job-2", &bridge.command(NOTEBOOK, "")?, &[]).await?;
    assert_eq!((ended.code, bridge.count("runs/cancel")), (Some(1), 1), "{}", ended.said);
    ensure!(bridge.azure.release("blind", false), "no such fault");
    let command = bridge.command(&format!("{NOTEBOOK}, parameters: {{t: '${{{{outputs.table}}}}'}}"), "")?;
    for (value, words) in [
        (
            "/mnt/azureml/wd/table",
            "outputs.table is the path /mnt/azureml/wd/table, which Databricks cannot reach",
        ),
        ("azureml://registries/r/data/d/versions/1", "is no address that Databricks can read"),
        ("azureml://datastores/none/paths/a", "the workspace/datastores/none could not be read (404"),
        (
            "azureml://datastores/workspacefilestore/paths/a",
            "Databricks reads no datastore of type AzureFile",
        ),
    ] {
        let ended = bridge.run("job-3", &command, &[("outputs.table", value)]).await?;
        ensure!(ended.code == Some(1) && ended.said.contains(words), "{}", ended.said);
    }
    bridge.fault(&json!({"match": {"path": "/msi/"}, "do": {"status": 400}}))?;
    let ended = bridge.run("job-4", &bridge.command(NOTEBOOK, "")?, &[]).await?;
    ensure!(ended.said.contains("the step has no managed identity"), "{}", ended.said);
    Ok(())
}

/// How long a test waits for what has to happen.
const LIMIT: Duration = Duration::from_mins(4);
