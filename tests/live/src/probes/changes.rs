//! Probes that change or remove what the story made. They come last, and leave what the story's end can still remove.

use super::{LONGEST, LOOKS, SUCCEEDED, at_rest, ended};
use crate::assumptions::Observed;
use crate::ground::Ground;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// How often a change is sent that meets something which goes on.
const TRIES: usize = 6;

/// The story's deployment, sent once more as it was, and then with another description.
///
/// # Errors
/// When no answer comes, or the story sent no deployment.
pub async fn deployment_again(ground: &Ground<'_>) -> Result<Observed> {
    let (path, body) = ground.last_put("/deployments/")?;
    let again = ground.door.put(&path, &body).await?;
    let ended = ended(ground, &again).await?;
    let state = at_rest(ground, &path).await?["properties"]["provisioningState"].clone();
    let mut other = body;
    other["properties"]["deploymentConfiguration"]["description"] = json!("deployment-again");
    let mut changed = ground.door.put(&path, &other).await?;
    for _ in 0..TRIES {
        // The operation of the first may go on although the deployment is at rest.
        if changed.status != 409 {
            break;
        }
        tokio::time::sleep(ground.settle.min(LONGEST)).await;
        changed = ground.door.put(&path, &other).await?;
    }
    at_rest(ground, &path).await?;
    let word = if changed.is_success() { "taken" } else { "refused" };
    let text = format!(
        "sent again it is answered with {}: {ended}, and it is {state}; another description is {word}: {}",
        again.said(),
        changed.said()
    );
    Ok(Observed::new(text, ended == SUCCEEDED && state == SUCCEEDED))
}

/// What became of the PUT by which the operator made its deployment the default.
///
/// # Errors
/// When no answer comes, or there was no such PUT.
pub async fn endpoint_default(ground: &Ground<'_>) -> Result<Observed> {
    let (path, body) = ground.last_put("/batchEndpoints/")?;
    let wanted = body["properties"]["defaults"]["deploymentName"].as_str();
    let wanted = wanted.context("the last PUT of the endpoint names no default")?;
    let shown = ground.door.get(&path).await?;
    ensure!(shown.is_success(), "the endpoint cannot be read: {}", shown.said());
    let is_default = shown.body["properties"]["defaults"]["deploymentName"] == wanted;
    let has_tags = body["tags"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(name, value)| shown.body["tags"][name] == *value);
    let text = format!("the deployment is the default: {is_default}; tags are kept: {has_tags}");
    Ok(Observed::new(text, is_default && has_tags))
}

/// The default deployment of the story's endpoint, removed.
///
/// # Errors
/// When no answer comes.
pub async fn default_deleted(ground: &Ground<'_>) -> Result<Observed> {
    let (path, _) = ground.last_put("/deployments/")?;
    let answer = ground.door.delete(&path).await?;
    let ended = ended(ground, &answer).await?;
    let is_there = ground.door.get(&path).await?.is_success();
    let text = format!("its deletion is answered with {}: {ended}; it is there: {is_there}", answer.said());
    Ok(Observed::new(text, is_there))
}

/// The scale of the story's cluster, changed by a PATCH of nothing else.
///
/// # Errors
/// When no answer comes, or the story made no cluster.
pub async fn compute_patch(ground: &Ground<'_>) -> Result<Observed> {
    let idle = |cluster: &Value| {
        cluster["properties"]["properties"]["scaleSettings"]["nodeIdleTimeBeforeScaleDown"].clone()
    };
    let before = at_rest(ground, &ground.made.compute).await?;
    let mut scale = before["properties"]["properties"]["scaleSettings"].clone();
    scale["nodeIdleTimeBeforeScaleDown"] = json!("PT3M");
    let body = json!({"properties": {"properties": {"scaleSettings": scale}}});
    let answer = ground.door.patch(&ground.made.compute, &body).await?;
    if !answer.is_success() {
        return Ok(Observed::new(format!("it is refused: {}", answer.said()), false));
    }
    let mut after = at_rest(ground, &ground.made.compute).await?;
    for _ in 0..LOOKS {
        // Right after its answer Azure may show what was before.
        if idle(&after) == "PT3M" {
            break;
        }
        tokio::time::sleep(ground.settle.min(LONGEST)).await;
        after = at_rest(ground, &ground.made.compute).await?;
    }
    let has_tags = before["tags"] == after["tags"];
    let text = format!(
        "it is answered with {}; the idle time is then {}; tags are kept: {has_tags}",
        answer.said(),
        idle(&after)
    );
    Ok(Observed::new(text, idle(&after) == "PT3M" && has_tags))
}

/// The story's job, which has ended, removed.
///
/// # Errors
/// When no answer comes, or the story sent no job.
pub async fn job_deleted(ground: &Ground<'_>) -> Result<Observed> {
    let (path, _) = ground.last_put("/jobs/")?;
    let answer = ground.door.delete(&path).await?;
    let word = if answer.is_success() { "taken" } else { "refused" };
    Ok(Observed::new(format!("its deletion is {word}: {}", answer.said()), answer.is_success()))
}
