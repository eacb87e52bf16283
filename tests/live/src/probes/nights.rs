//! Probes for what a schedule says of its runs: the list of jobs by a property, and what run history says of a step's start.

use crate::assumptions::Observed;
use crate::ground::Ground;
use anyhow::Result;

/// The list of jobs that carry a property, as the operator asks for it.
///
/// # Errors
/// When a page is refused, or the story sent no job.
pub async fn job_filter(ground: &Ground<'_>) -> Result<Observed> {
    let key = "azureml-operator-owner";
    let query = format!("properties={key}&jobType=Pipeline&listViewType=All");
    let jobs = ground.door.list(&format!("{}/jobs?{query}", ground.workspace.id)).await?;
    let (job, _) = ground.last_put("/jobs/")?;
    let name = job.rsplit('/').next().unwrap_or_default();
    let carries = |one: &serde_json::Value| one["properties"]["properties"][key].is_string();
    let is_there = jobs.iter().any(|one| one["name"] == name && carries(one));
    let others = jobs.iter().filter(|one| !carries(one)).count();
    let made: Vec<&str> = jobs.iter().filter_map(|one| one["systemData"]["createdAt"].as_str()).collect();
    let newest_first = made.is_sorted_by(|one, next| one >= next);
    let text = format!(
        "{} jobs, {others} of them without the property; the story's job is there with it: {is_there}; the newest first: {newest_first}",
        jobs.len()
    );
    Ok(Observed::new(text, is_there && others == 0 && newest_first))
}

/// Whether a step that is prepared has started, as run history told it to the operator.
#[must_use]
pub fn step_start(ground: &Ground<'_>) -> Observed {
    let exchanges = ground.recorder.exchanges();
    let of_steps =
        exchanges.iter().filter(|exchange| exchange.status == 200 && exchange.path().ends_with("/children"));
    let steps =
        of_steps.flat_map(|exchange| exchange.answer.json()["value"].as_array().cloned().unwrap_or_default());
    let prepared: Vec<_> =
        steps.filter(|step| step["status"] == "Preparing" || step["status"] == "Starting").collect();
    if prepared.is_empty() {
        return Observed::unseen("no look saw a step that was being prepared");
    }
    let started = prepared.iter().filter(|step| step["startTimeUtc"].is_string()).count();
    let text =
        format!("{} looks saw a step being prepared, {started} of them with startTimeUtc", prepared.len());
    Observed::new(text, started == 0)
}
