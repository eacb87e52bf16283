//! Probes with versions of an environment of their own, made of images that need not be pulled.

use crate::assumptions::Observed;
use crate::door::Answer;
use crate::ground::Ground;
use anyhow::{Context as _, Result, ensure};
use serde_json::json;

fn version(ground: &Ground<'_>) -> String {
    format!("{}/versions/1", ground.id("environments", &ground.names.probe("version")))
}

async fn put(ground: &Ground<'_>, image: &str) -> Result<Answer> {
    let body = json!({"properties": {
        "image": image, "osType": "Linux", "isAnonymous": false, "tags": ground.names.tags("environment"), "properties": {},
    }});
    ground.door.put(&version(ground), &body).await
}

const FIRST: &str = "mcr.microsoft.com/azurelinux/base/core:3.0";
const SECOND: &str = "mcr.microsoft.com/azurelinux/base/core:2.0";

/// Another image for an existing version.
///
/// # Errors
/// When no answer comes, or the first is not taken.
pub async fn immutable(ground: &Ground<'_>) -> Result<Observed> {
    let first = put(ground, FIRST).await?;
    ensure!(first.is_success(), "the first version is refused: {}", first.said());
    let second = put(ground, SECOND).await?;
    let shown = ground.door.get(&version(ground)).await?.body["properties"]["image"].clone();
    let is_refused = matches!(second.status, 400 | 409);
    let after =
        if shown == FIRST { "and the image is still the first" } else { "and the image is the second" };
    Ok(Observed::new(
        format!("the other image is answered with {}, {after}", second.said()),
        is_refused && shown == FIRST,
    ))
}

/// The same name after its deletion.
///
/// # Errors
/// When no answer comes, or the version cannot be deleted.
pub async fn freed(ground: &Ground<'_>) -> Result<Observed> {
    let deleted = ground.door.delete(&version(ground)).await?;
    if !deleted.is_success() {
        return Ok(Observed::new(format!("a version cannot be deleted: {}", deleted.said()), true));
    }
    let again = put(ground, SECOND).await?;
    let word = if again.is_success() { "free" } else { "not free" };
    // Either is as assumed: nothing relies on it.
    Ok(Observed::new(format!("the name is {word} after the deletion: {}", again.said()), true))
}

/// A version of the story's pipeline component, archived by what is read of it.
///
/// # Errors
/// When no answer comes, or the version is not taken.
pub async fn archive_of_pipeline(ground: &Ground<'_>) -> Result<Observed> {
    let (component, _) = ground.made.component.rsplit_once('/').context("the story made no component")?;
    let path = format!("{component}/{}", ground.names.probe("archive"));
    let mut body = ground.sent(component)?;
    body["tags"] = ground.names.tags("archive");
    let made = ground.door.put(&path, &json!({"properties": body})).await?;
    ensure!(made.is_success(), "the version is refused: {}", made.said());
    let mut shown = ground.door.get(&path).await?.body["properties"].clone();
    let has_jobs = shown["componentSpec"]["jobs"].is_object();
    shown["isArchived"] = json!(true);
    let archived = ground.door.put(&path, &json!({"properties": shown})).await?;
    let is_archived = ground.door.get(&path).await?.body["properties"]["isArchived"] == true;
    let jobs = if has_jobs { "with its jobs" } else { "without its jobs" };
    Ok(Observed::new(
        format!("as it is read, {jobs}, it is answered with {}; archived: {is_archived}", archived.said()),
        archived.is_success() && is_archived,
    ))
}
