//! The probe of the endpoint: what a caller of a published pipeline sends, twice.

use super::jobs::name_in;
use crate::assumptions::Observed;
use crate::ground::Ground;
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// The body of an invocation, as callers send it.
#[must_use]
pub fn body(ground: &Ground<'_>, word: &str) -> Value {
    json!({"properties": {
        "name": ground.names.probe("invocation"),
        "inputData": {"word": {"jobInputType": "Literal", "value": word}},
        "properties": {"experimentName": ground.names.namespace()},
    }})
}

/// Invokes twice with one name, and cancels what runs.
///
/// # Errors
/// When no answer comes, or the first is refused.
pub async fn twice(ground: &Ground<'_>) -> Result<Observed> {
    let body = body(ground, "invoked");
    let first = ground.door.invoke(&ground.made.scoring_uri, &body).await?;
    ensure!(first.is_success(), "the invocation is refused: {}", first.said());
    let second = ground.door.invoke(&ground.made.scoring_uri, &body).await?;
    let names = [name_in(&first.body), name_in(&second.body)];
    for name in names.iter().flatten() {
        ground.door.post(&format!("{}/cancel", ground.id("jobs", name))).await?;
    }
    if !second.is_success() {
        return Ok(Observed::new(format!("the second is refused: {}", second.said()), false));
    }
    let is_another = names[0] != names[1];
    let word = if is_another { "another job" } else { "the same job" };
    Ok(Observed::new(format!("the second invocation is {word} ({})", second.said()), is_another))
}
