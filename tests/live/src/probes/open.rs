//! Probes of what recordings of Azure leave open: how lists of jobs end, what is not there or not ours, how data is uploaded,
//! and a job that is sent again.

use crate::assumptions::Observed;
use crate::ground::Ground;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The story's job under another name, sent again as it was, and with another display name.
///
/// # Errors
/// When no answer comes, or the first is refused.
pub async fn job_again(ground: &Ground<'_>) -> Result<Observed> {
    let mut properties = ground.sent("/jobs/")?;
    properties["tags"] = ground.names.tags("job-again");
    properties["properties"] = json!({});
    let path = ground.id("jobs", &ground.names.probe("again"));
    let first = ground.door.put(&path, &json!({"properties": properties.clone()})).await?;
    ensure!(first.is_success(), "the first is refused: {}", first.said());
    let same = ground.door.put(&path, &json!({"properties": properties.clone()})).await?;
    properties["displayName"] = json!("job-again");
    let other = ground.door.put(&path, &json!({"properties": properties})).await?;
    ground.door.post(&format!("{path}/cancel")).await?;
    let word = if other.is_success() { "taken" } else { "refused" };
    let text = format!(
        "the same is answered with {}; another display name is {word}: {}",
        same.said(),
        other.said()
    );
    Ok(Observed::new(text, same.is_success()))
}

/// The list of the workspace's jobs, to its end.
///
/// # Errors
/// When a page is refused, or the story sent no job.
pub async fn job_list(ground: &Ground<'_>) -> Result<Observed> {
    let path = format!("{}/jobs", ground.workspace.id);
    let answer = ground.door.get(&path).await?;
    ensure!(answer.is_success(), "the list is refused: {}", answer.said());
    let count = answer.body["value"].as_array().map_or(0, Vec::len);
    let link = match answer.body["nextLink"].as_str() {
        None => "there is no nextLink".to_owned(),
        Some(link) => format!("nextLink has {}", parameters(link).join(", ")),
    };
    let (job, _) = ground.last_put("/jobs/")?;
    let name = job.rsplit('/').next().unwrap_or_default();
    let is_there = ground.door.list(&path).await?.iter().any(|one| one["name"] == name);
    let text = format!("a page has {count} jobs; {link}; the story's job is in the list: {is_there}");
    Ok(Observed::new(text, is_there))
}

/// How Resource Manager refuses a request without a token, and one in a subscription that nobody has.
///
/// # Errors
/// When no answer comes.
pub async fn refusals(ground: &Ground<'_>) -> Result<Observed> {
    let unsigned = ground.door.get_unsigned(ground.workspace.id.as_str()).await?;
    let challenge = unsigned.headers.contains_key("www-authenticate");
    let foreign = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/live/providers/Microsoft.MachineLearningServices/workspaces/live";
    let foreign = ground.door.get(foreign).await?;
    let is_said = [
        "SubscriptionNotFound",
        "AuthorizationFailed",
        "InvalidAuthenticationTokenTenant",
        "InvalidSubscriptionId",
    ]
    .iter()
    .any(|code| foreign.body["error"]["code"] == *code);
    let text = format!(
        "without a token {}, with a challenge: {challenge}; in a subscription of nobody {}",
        unsigned.said(),
        foreign.said()
    );
    Ok(Observed::new(text, unsigned.status == 401 && challenge && is_said))
}

/// The names of the parameters of an address. Their values say who asked.
fn parameters(link: &str) -> Vec<String> {
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    names.map(str::to_owned).collect()
}

/// A task run that nobody made.
///
/// # Errors
/// When no answer comes.
pub async fn missing_task_run(ground: &Ground<'_>) -> Result<Observed> {
    let Some(registry) = &ground.workspace.registry else {
        return Ok(Observed::unseen("the workspace has no registry of its own"));
    };
    let path = registry.id.child("taskRuns", &ground.names.probe("missing")).to_string();
    let answer = ground.door.get(&path).await?;
    Ok(Observed::new(format!("it is answered with {}", answer.said()), answer.status == 404))
}

/// What the story was given to upload its code with.
#[must_use]
pub fn upload(ground: &Ground<'_>) -> Observed {
    let exchanges = ground.recorder.exchanges();
    let uploads = exchanges.iter().filter(|exchange| exchange.path().ends_with("/startPendingUpload"));
    let kinds: BTreeSet<String> = uploads.map(|upload| credential(upload.answer.json())).collect();
    let kinds: Vec<String> = kinds.into_iter().collect();
    match kinds.as_slice() {
        [] => Observed::unseen("the code was there already, so that nothing was uploaded"),
        [one] if one == "SAS" => {
            Observed::unseen("a SAS is given; the workspace allows account keys, so the question is open")
        }
        _ => Observed::new(format!("the credential is {}", kinds.join(", ")), kinds == [NONE]),
    }
}

/// How an answer without a credential is called.
const NONE: &str = "absent, or of type None";

fn credential(answer: &Value) -> String {
    let reference = &answer["blobReferenceForConsumption"];
    match reference["credential"]["credentialType"].as_str() {
        Some("None") | None => NONE.to_owned(),
        Some(kind) => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_the_names_of_its_parameters_are_told() {
        let link = "https://management.azure.com/x/jobs?api-version=2025-12-01&$skipToken=secret";
        assert_eq!(parameters(link), ["api-version", "$skipToken"]);
    }

    #[test]
    fn a_credential_that_is_not_given_has_one_name() {
        let of = |credential: Value| json!({"blobReferenceForConsumption": {"credential": credential}});
        assert_eq!(super::credential(&of(json!({"credentialType": "SAS", "sasUri": "…"}))), "SAS");
        for absent in [of(json!({"credentialType": "None"})), of(Value::Null), json!({})] {
            assert_eq!(super::credential(&absent), NONE);
        }
    }
}
