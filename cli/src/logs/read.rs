//! Logs, as far as they are written: of the steps of a run, or of the build of an image. They can be followed to their end.
//!
//! In: a client, where logs are. Out: pieces of them, in order, each with its step and file. Only reads.

use super::{Place, chosen, is_over, step_of};
use anyhow::{Context as _, Result, ensure};
use azureml_client::ArmId;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_observe::history::History;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long is waited for more. Less would spend the budget of requests that others need.
pub const PAUSE: Duration = Duration::from_secs(5);
/// The most of a log that is read at once, in bytes.
const PIECE: u64 = 4 << 20;
/// How deep pipelines stand in pipelines.
const DEPTH: usize = 5;

/// What takes pieces: of which step and file, and what was written.
pub type Sink<'a> = &'a mut (dyn FnMut(&str, &[u8]) -> Result<()> + Send);

/// What is read of logs.
pub struct Asked<'a> {
    /// By what it is read.
    pub client: &'a Client,
    /// The step; all of them where none is named.
    pub step: Option<&'a str>,
    /// Whether to go on until the end.
    pub follows: bool,
}

/// Hands on all that is written; how many bytes that was.
///
/// # Errors
/// When the logs cannot be read, or the run has no such step.
pub async fn logs(asked: &Asked<'_>, place: &Place, sink: Sink<'_>) -> Result<u64> {
    let mut printed = BTreeMap::new();
    loop {
        let is_over = match place {
            Place::Job { id, data_plane } => job(asked, (id, data_plane), &mut printed, sink).await?,
            Place::Build { registry, run } => build(asked, registry, run, &mut printed, sink).await?,
        };
        if is_over || !asked.follows {
            return Ok(printed.values().sum());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How far each log was handed on.
type Printed = BTreeMap<String, u64>;

/// One look at the logs of a job; whether nothing more comes.
async fn job(
    asked: &Asked<'_>,
    (id, base): (&ArmId, &str),
    printed: &mut Printed,
    sink: Sink<'_>,
) -> Result<bool> {
    let details = details(asked, base, id).await?;
    // Asked before the logs, so that the last of them are read after the end.
    let is_over = details["status"].as_str().is_some_and(is_over);
    let steps = steps(asked, base, id).await?;
    let known = || steps.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let is_asked = |name: &str| asked.step.is_none_or(|step| step == name);
    if let Some(step) = asked.step.filter(|_| is_over) {
        ensure!(
            steps.iter().any(|(name, _)| name == step),
            "there is no step {step}; name one of {}",
            known()
        );
    }
    for (name, run) in steps.iter().filter(|(name, _)| is_asked(name)) {
        let details = self::details(asked, base, run).await?;
        for (file, address) in chosen(&details["logFiles"]) {
            pump(asked.client, &address, &format!("{name}: {file}"), printed, sink).await?;
        }
    }
    if steps.is_empty() && asked.step.is_none() {
        for (file, address) in chosen(&details["logFiles"]) {
            pump(asked.client, &address, &file, printed, sink).await?;
        }
    }
    Ok(is_over)
}

async fn details(asked: &Asked<'_>, base: &str, id: &ArmId) -> Result<Value> {
    let history = History { client: asked.client, base: base.to_owned(), id };
    let details = history.details().await.with_context(|| format!("run history of {}", id.name()))?;
    Ok(details.unwrap_or_default())
}

/// The steps of a job that run something, by name; those of a pipeline in it behind its own name.
async fn steps(asked: &Asked<'_>, base: &str, id: &ArmId) -> Result<Vec<(String, ArmId)>> {
    let (mut found, mut left) = (Vec::new(), vec![(String::new(), id.clone(), 0)]);
    while let Some((above, id, depth)) = left.pop() {
        let history = History { client: asked.client, base: base.to_owned(), id: &id };
        let children = history.children().await.with_context(|| format!("steps of {}", id.name()))?;
        for child in &children {
            let Some(run) = child["runId"].as_str().and_then(|run| Some(id.parent()?.child("jobs", run)))
            else {
                continue;
            };
            let name = format!("{above}{}", step_of(child));
            if child["runType"] == "azureml.PipelineRun" && depth < DEPTH {
                left.push((format!("{name}/"), run, depth + 1));
            } else {
                found.push((
                    child["createdUtc"].as_str().unwrap_or_default().to_owned(),
                    name,
                    written_by(child, run),
                ));
            }
        }
    }
    found.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    Ok(found.into_iter().map(|(_, name, run)| (name, run)).collect())
}

/// The run that wrote the logs of a step: where Azure ML took the result of an equal step, that one (recorded).
fn written_by(child: &Value, run: ArmId) -> ArmId {
    let properties = &child["properties"];
    let earlier =
        properties["azureml.reusedrunid"].as_str().filter(|_| properties["azureml.isreused"] == "true");
    earlier.and_then(|earlier| Some(run.parent()?.child("jobs", earlier))).unwrap_or(run)
}

/// One look at the log of a build; whether nothing more comes.
async fn build(
    asked: &Asked<'_>,
    registry: &ArmId,
    run: &str,
    printed: &mut Printed,
    sink: Sink<'_>,
) -> Result<bool> {
    let id = registry.child("runs", run);
    let seen = asked
        .client
        .get(&id, Urgency::Change)
        .await?
        .with_context(|| format!("the registry knows no run {run} any more"))?;
    let is_over = seen["properties"]["status"].as_str().is_some_and(is_over);
    let answer = asked.client.post(&id, "listLogSasUrl", None).await?;
    let link = answer.body["logLink"].as_str().unwrap_or_default();
    pump(asked.client, link, run, printed, sink).await?;
    Ok(is_over)
}

/// Hands on what was written since.
async fn pump(
    client: &Client,
    address: &str,
    name: &str,
    printed: &mut Printed,
    sink: Sink<'_>,
) -> Result<()> {
    let at = printed.entry(name.to_owned()).or_default();
    loop {
        let piece =
            client.blob_from(address, *at, PIECE).await.with_context(|| name.to_owned())?.unwrap_or_default();
        if piece.is_empty() {
            return Ok(());
        }
        sink(name, &piece)?;
        let length = piece.len() as u64;
        *at += length;
        if length < PIECE {
            return Ok(());
        }
    }
}
