//! Probes that make nothing: they look at what the story did, in what was recorded and in what Azure shows.

use crate::assumptions::Observed;
use crate::ground::Ground;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::BTreeSet;

/// What Azure shows of the settings of the story's deployment.
///
/// # Errors
/// When the deployment is not there.
pub async fn deployment_settings(ground: &Ground<'_>) -> Result<Observed> {
    let list = format!("{}/deployments", ground.id("batchEndpoints", &ground.names.namespace()));
    let deployments = ground.door.list(&list).await?;
    let deployment = deployments.first().context("the endpoint has no deployment")?;
    let properties = &deployment["properties"];
    let state = properties["provisioningState"].as_str().unwrap_or("Succeeded");
    let settings = properties["deploymentConfiguration"]["settings"].as_object();
    let types: BTreeSet<&str> = settings.into_iter().flatten().map(|(_, value)| kind(value)).collect();
    let compute = settings.and_then(|settings| settings.get("default_compute")).and_then(Value::as_str);
    let is_id = compute.is_some_and(|compute| compute.starts_with("/subscriptions/"));
    let types = types.into_iter().collect::<Vec<_>>().join(", ");
    let text = format!(
        "the deployment is {state}; Azure shows values of type {types}; default_compute is an ARM id: {is_id}"
    );
    Ok(Observed::new(text, state == "Succeeded" && types == "string" && is_id))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Refusals for too many requests, and what the provider says is left.
#[must_use]
pub fn limits(ground: &Ground<'_>) -> Observed {
    let exchanges = ground.recorder.exchanges();
    let throttled = exchanges.iter().filter(|exchange| exchange.status == 429).count();
    let named = exchanges
        .iter()
        .filter_map(|exchange| exchange.answer_headers.get("x-ms-ratelimit-remaining-resource"));
    let named: BTreeSet<String> =
        named.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    let count = exchanges.len();
    if throttled > 0 {
        return Observed::new(format!("{throttled} of {count} requests were answered with 429"), false);
    }
    let named = if named.is_empty() {
        "no header of its own".to_owned()
    } else {
        format!("headers of its own: {named:?}")
    };
    Observed::unseen(format!("none of {count} requests was answered with 429; {named}"))
}

/// Refusals of Resource Manager itself for too many requests, and how long they ask to wait.
#[must_use]
pub fn throttling(ground: &Ground<'_>) -> Observed {
    let exchanges = ground.recorder.exchanges();
    let is_gateways = |exchange: &&crate::recorder::Exchange| {
        let cause = exchange.answer_headers.get("x-ms-failure-cause");
        exchange.status == 429 && cause.is_some_and(|cause| cause == "gateway")
    };
    let refused: Vec<_> = exchanges.iter().filter(is_gateways).collect();
    if refused.is_empty() {
        return Observed::unseen(format!("none of {} requests was refused by it", exchanges.len()));
    }
    let waits = refused.iter().filter(|exchange| exchange.answer_headers.contains_key("retry-after")).count();
    let text = format!("{} requests were refused by it, {waits} with Retry-After", refused.len());
    Observed::new(text, waits == refused.len())
}

/// How the story's job ended, whose step has its value in a here-document.
#[must_use]
pub fn values_of_a_step(ground: &Ground<'_>) -> Observed {
    let exchanges = ground.recorder.exchanges();
    let of_job = |exchange: &&crate::recorder::Exchange| {
        exchange.method == "GET" && exchange.status == 200 && exchange.path().contains("/jobs/")
    };
    let ended = |exchange: &crate::recorder::Exchange| {
        let status = exchange.answer.json()["properties"]["status"].as_str()?.to_owned();
        ["Completed", "Failed", "Canceled"].contains(&status.as_str()).then_some(status)
    };
    match exchanges.iter().filter(of_job).find_map(ended) {
        None => Observed::unseen("no job of the story was seen to end"),
        Some(status) => Observed::new(format!("the job ended {status}"), status == "Completed"),
    }
}

/// How many schedules there are.
///
/// # Errors
/// When they cannot be listed.
pub async fn schedule_count(ground: &Ground<'_>) -> Result<Observed> {
    let schedules = ground.door.list(&format!("{}/schedules?listViewType=All", ground.workspace.id)).await?;
    Ok(Observed::unseen(format!("there are {}, and no refusal", schedules.len())))
}

/// The runs before and after the task run was sent again.
#[must_use]
pub fn task_run(ground: &Ground<'_>) -> Observed {
    let Some((first, second)) = &ground.made.builds else {
        return Observed::unseen("the image was there already, or its task run could not be sent again");
    };
    let is_one = first == second;
    let word = if is_one { "the same run" } else { "another run" };
    Observed::new(format!("sent again while it went on, it is {word}"), is_one)
}
