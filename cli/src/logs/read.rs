//! Logs, as far as they are written: of the steps of a run, or of the build of an image. They can be followed to their end.
//!
//! In: a client, where logs are. Out: pieces of them, in order, each with its step and file. Only reads.

use super::step::{Child, Parent, Step, child, is_one, titles};
use super::{Place, chosen, is_over};
use anyhow::{Context as _, Result};
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
/// When the logs cannot be read, the job is gone, or the run has no such step.
pub async fn logs(asked: &Asked<'_>, place: &Place, sink: Sink<'_>) -> Result<u64> {
    let mut printed = BTreeMap::new();
    loop {
        let is_over = match place {
            Place::Job { id, data_plane, component } => {
                let (id, component) = (id.clone(), component.clone());
                let parent = Parent { id, component, above: String::new() };
                job(asked, (data_plane, parent), &mut printed, sink).await?
            }
            Place::Build { registry, run } => build(asked, registry, run, &mut printed, sink).await?,
        };
        if is_over || !asked.follows {
            return Ok(printed.values().sum());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How far each log was handed on, by its run and its file.
type Printed = BTreeMap<(String, String), u64>;

/// One look at the logs of a job; whether nothing more comes.
async fn job(
    asked: &Asked<'_>,
    (base, parent): (&str, Parent),
    printed: &mut Printed,
    sink: Sink<'_>,
) -> Result<bool> {
    let id = parent.id.clone();
    let details = there(details(asked, base, &id).await?, &id)?;
    // Asked before the logs, so that the last of them are read after the end.
    let is_over = details["status"].as_str().is_some_and(is_over);
    let steps = steps(asked, base, parent).await?;
    let may_come = !is_over && (asked.follows || steps.is_empty());
    is_one(asked.step, &steps, may_come)?;
    let is_asked = |step: &Step| asked.step.is_none_or(|name| name == step.name);
    for (step, title) in steps.iter().zip(titles(&steps)).filter(|(step, _)| is_asked(step)) {
        let details = self::details(asked, base, &step.run).await?.unwrap_or_default();
        for (file, address) in chosen(&details["logFiles"]) {
            let log = Log { run: step.run.name(), file: &file, title: &format!("{title}: {file}") };
            pump(asked.client, &address, &log, printed, sink).await?;
        }
    }
    if steps.is_empty() && asked.step.is_none() {
        for (file, address) in chosen(&details["logFiles"]) {
            let log = Log { run: id.name(), file: &file, title: &file };
            pump(asked.client, &address, &log, printed, sink).await?;
        }
    }
    Ok(is_over)
}

async fn details(asked: &Asked<'_>, base: &str, id: &ArmId) -> Result<Option<Value>> {
    let history = History { client: asked.client, base: base.to_owned(), id };
    history.details().await.with_context(|| format!("run history of {}", id.name()))
}

/// What run history says of a job. Nobody can follow one that is not there.
fn there(details: Option<Value>, id: &ArmId) -> Result<Value> {
    details.with_context(|| format!("the job {} is gone from Azure; start another run", id.name()))
}

/// The steps of a job that run something, in the order in which they were made.
async fn steps(asked: &Asked<'_>, base: &str, parent: Parent) -> Result<Vec<Step>> {
    let (mut found, mut left) = (Vec::new(), vec![(parent, 0)]);
    while let Some((parent, depth)) = left.pop() {
        let history = History { client: asked.client, base: base.to_owned(), id: &parent.id };
        let children = history.children().await.with_context(|| format!("steps of {}", parent.id.name()))?;
        for one in children.iter().filter_map(|one| child(&parent, one)) {
            match one {
                Child::Step(step) => found.push(step),
                Child::Pipeline(inner) if depth < DEPTH => left.push((inner, depth + 1)),
                Child::Pipeline(_) => {}
            }
        }
    }
    found.sort_by(|one, other| (&one.created, &one.name).cmp(&(&other.created, &other.name)));
    Ok(found)
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
    pump(asked.client, link, &Log { run, file: "", title: run }, printed, sink).await?;
    Ok(is_over)
}

/// A log.
struct Log<'a> {
    /// The run that wrote it.
    run: &'a str,
    /// Its file there.
    file: &'a str,
    /// How it is called.
    title: &'a str,
}

/// Hands on what was written since.
async fn pump(
    client: &Client,
    address: &str,
    log: &Log<'_>,
    printed: &mut Printed,
    sink: Sink<'_>,
) -> Result<()> {
    let at = printed.entry((log.run.to_owned(), log.file.to_owned())).or_default();
    loop {
        let piece = client.blob_from(address, *at, PIECE).await.with_context(|| log.title.to_owned())?;
        let piece = piece.unwrap_or_default();
        if piece.is_empty() {
            return Ok(());
        }
        sink(log.title, &piece)?;
        let length = piece.len() as u64;
        *at += length;
        if length < PIECE {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_gone_is_said_and_not_waited_for() {
        let id = ArmId::workspace("s", "g", "w").child("jobs", "j");
        let said = there(None, &id).unwrap_err().to_string();
        assert_eq!(said, "the job j is gone from Azure; start another run");
        assert!(there(Some(Value::Null), &id).is_ok());
    }
}
