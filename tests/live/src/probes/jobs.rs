//! Probes with jobs: submitted, looked at, and cancelled at once.

use crate::assumptions::Observed;
use crate::door::Answer;
use crate::ground::Ground;
use anyhow::Result;
use serde_json::{Value, json};

/// A job of a registered pipeline component.
///
/// # Errors
/// When no answer comes.
pub async fn component_id(ground: &Ground<'_>) -> Result<Observed> {
    let body = json!({"properties": {
        "jobType": "Pipeline",
        "componentId": ground.made.component,
        "displayName": "component-of-a-job",
        "experimentName": ground.names.namespace(),
        "tags": ground.names.tags("component-of-a-job"),
        "properties": {},
        "inputs": {"word": {"jobInputType": "literal", "value": "componentId"}},
        "outputs": {},
        "settings": {"default_compute": ground.made.compute},
        "jobs": {},
    }});
    let path = ground.id("jobs", &ground.names.probe("component"));
    let answer = ground.door.put(&path, &body).await?;
    cancel(ground, &path, &answer).await?;
    let text = if answer.is_success() {
        "the job with the ARM id is taken"
    } else {
        "the job with the ARM id is refused"
    };
    Ok(Observed::new(format!("{text}: {}", answer.said()), answer.is_success()))
}

/// The story's job under another name, without the header.
///
/// # Errors
/// When no answer comes, or the story sent no job.
pub async fn without_token(ground: &Ground<'_>) -> Result<Observed> {
    let mut properties = ground.sent("/jobs/")?;
    properties["displayName"] = json!("job-token");
    properties["tags"] = ground.names.tags("job-token");
    properties["properties"] = json!({});
    let path = ground.id("jobs", &ground.names.probe("no-token"));
    let answer = ground.door.put_without_token(&path, &json!({"properties": properties})).await?;
    cancel(ground, &path, &answer).await?;
    let text = if answer.is_success() {
        "the job without the header is taken"
    } else {
        "the job without the header is refused"
    };
    Ok(Observed::new(format!("{text}: {}", answer.said()), answer.is_success()))
}

/// Cancels a job that was taken; whether that works is the cleaning's to find out.
async fn cancel(ground: &Ground<'_>, path: &str, answer: &Answer) -> Result<()> {
    if answer.is_success() {
        ground.door.post(&format!("{path}/cancel")).await?;
    }
    Ok(())
}

/// The name of a job in an answer.
#[must_use]
pub fn name_in(answer: &Value) -> Option<String> {
    answer["name"].as_str().map(str::to_owned)
}
