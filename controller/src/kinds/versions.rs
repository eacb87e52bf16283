//! Versions of environments and components as they are listed, and those that a list which lags does not show.
//!
//! In: a container, and what is remembered. Out: versions. Never writes.

use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Class, Error};
use azureml_crds::MLPipeline;
use azureml_plan::environment::Version;
use serde_json::Value;

/// All versions of an environment or component, archived ones too; none where the container itself is not there.
pub async fn versions(client: &Client, id: &ArmId) -> Result<Vec<Version>, Error> {
    let items = match client.list(id, "versions", &[("listViewType", "All")], Urgency::Change).await {
        Err(error) if error.class() == Class::Gone => return Ok(Vec::new()),
        items => items?,
    };
    let read = items.iter().filter_map(|item| serde_json::from_str::<Value>(item.get()).ok());
    Ok(read.filter_map(|body| Some(Version { name: body["name"].as_str()?.to_owned(), body })).collect())
}

/// Adds versions that are remembered and that a list does not show: it may lag behind what was just made.
pub async fn add_remembered(
    client: &Client,
    remembered: Vec<ArmId>,
    all: &mut Vec<(ArmId, Vec<Version>)>,
) -> Result<(), Error> {
    for id in remembered {
        let Some(container) = id.parent() else { continue };
        let place = all.iter().position(|(known, _)| known.key() == container.key());
        let is_known = |versions: &[Version]| {
            versions.iter().any(|version| version.name.eq_ignore_ascii_case(id.name()))
        };
        if place.is_some_and(|place| is_known(&all[place].1)) {
            continue;
        }
        let Some(body) = client.get(&id, Urgency::Change).await? else { continue };
        let version = Version { name: id.name().to_owned(), body };
        match place {
            Some(place) => all[place].1.push(version),
            None => all.push((container, vec![version])),
        }
    }
    Ok(())
}

/// The components that `status` names.
pub fn in_status(pipeline: &MLPipeline) -> Vec<ArmId> {
    let Some(status) = &pipeline.status else { return Vec::new() };
    let steps = status.steps.iter().map(|step| &step.component_id);
    let whole = status.current.iter().map(|current| &current.component_id);
    steps.chain(whole).filter_map(|id| ArmId::parse(id).ok()).collect()
}

/// What is below a workspace; nothing where the workspace itself is gone.
pub async fn listed(
    client: &Client,
    workspace: &ArmId,
    collection: &str,
    query: &[(&str, &str)],
) -> Result<Vec<Value>, Error> {
    match client.list(workspace, collection, query, Urgency::Change).await {
        Err(error) if error.class() == Class::Gone => Ok(Vec::new()),
        items => Ok(items?.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect()),
    }
}
