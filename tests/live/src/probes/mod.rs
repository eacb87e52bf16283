//! The probes: what they ask of Azure for one assumption each, with things of their own that carry the check's tag.

pub mod assets;
pub mod changes;
pub mod invocation;
pub mod jobs;
pub mod nights;
pub mod open;
pub mod passive;
pub mod schedules;

use crate::door::Answer;
use crate::ground::Ground;
use anyhow::Result;
use serde_json::Value;
use std::time::Duration;

/// How often something that goes on is looked at.
const LOOKS: usize = 60;
/// The longest time between two looks.
const LONGEST: Duration = Duration::from_secs(10);

/// How a write ended: waits for the operation that its answer names. `Succeeded` where it names none.
///
/// # Errors
/// When no answer comes.
async fn ended(ground: &Ground<'_>, answer: &Answer) -> Result<String> {
    if !answer.is_success() {
        return Ok(format!("refused with {}", answer.said()));
    }
    let address = answer.headers.get("azure-asyncoperation").and_then(|value| value.to_str().ok());
    let Some(address) = address else { return Ok(SUCCEEDED.to_owned()) };
    for _ in 0..LOOKS {
        let operation = ground.door.at(address).await?;
        match operation.body["status"].as_str() {
            Some(state) if [SUCCEEDED, "Failed", "Canceled"].contains(&state) => return Ok(state.to_owned()),
            // Nothing is known of it any more, or it may not be read: the resource itself tells.
            None if !operation.is_success() => return Ok(SUCCEEDED.to_owned()),
            _ => tokio::time::sleep(ground.settle.min(LONGEST)).await,
        }
    }
    Ok("still going on".to_owned())
}

const SUCCEEDED: &str = "Succeeded";

/// What is at a path, once nothing goes on there, or when all looks are over.
///
/// # Errors
/// When no answer comes.
async fn at_rest(ground: &Ground<'_>, path: &str) -> Result<Value> {
    let mut body = Value::Null;
    for _ in 0..LOOKS {
        let answer = ground.door.get(path).await?;
        anyhow::ensure!(answer.is_success(), "it cannot be read: {}", answer.said());
        body = answer.body;
        let state = body["properties"]["provisioningState"].as_str().unwrap_or(SUCCEEDED);
        if [SUCCEEDED, "Failed", "Canceled"].contains(&state) {
            break;
        }
        tokio::time::sleep(ground.settle.min(LONGEST)).await;
    }
    Ok(body)
}
