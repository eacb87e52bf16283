//! Versions of environments, components and data as they are listed, and those that a list which lags does not show.
//!
//! In: a container, and what is remembered. Out: versions. Never writes.

use crate::Eyes;
use azureml_client::budget::Urgency;
use azureml_client::client::{Asked, Client};
use azureml_client::{ArmId, Class, Error};
use azureml_crds::MLPipeline;
use azureml_plan::environment::Version;
use azureml_plan::owner::{Belongs, Owner};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The part of an item by which it is told.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// Whether the name of an item is one. What has no name that can be read may have any.
fn is_named(item: &RawValue, is_it: impl Fn(&str) -> bool) -> bool {
    serde_json::from_str::<Named<'_>>(item.get()).map_or(true, |named| is_it(&named.name))
}

/// The versions of an environment, component or data asset whose names begin so, archived ones too; none where the container itself is not there.
pub async fn versions(client: &Client, id: &ArmId, begin: &str) -> Result<Vec<Version>, Error> {
    let query = [("listViewType", "All")];
    let asked = Asked { parent: id, collection: "versions", query: &query, urgency: Urgency::Change };
    let found = client.values(asked, |item| is_named(item, |name| name.starts_with(begin))).await;
    Ok(named(gone_is_empty(found)?).collect())
}

/// So many bytes of versions are archived before the others are asked for: some hundred versions.
const AT_ONCE: usize = 1 << 20;

/// The versions of an owner: of those that are archived the name alone, of the others as many as are archived at once. What others put
/// into the list is not kept, whatever it says.
pub async fn own_versions(client: &Client, id: &ArmId, owner: &Owner) -> Result<Vec<Version>, Error> {
    let query = [("listViewType", "All")];
    let asked = Asked { parent: id, collection: "versions", query: &query, urgency: Urgency::Change };
    let (value, open, archived) = (owner.value(), AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    let is_kept = |text: &RawValue| {
        // What cannot be read and may be ours is unknown, and no deletion goes on over it.
        let Ok(item) = serde_json::from_str::<Item>(text.get()) else { return text.get().contains(&value) };
        if owner.of(&item.properties.tags) != Belongs::Us {
            return false;
        }
        if item.properties.is_archived == Some(true) {
            archived.lock().unwrap_or_else(PoisonError::into_inner).insert(item.name);
            return false;
        }
        open.fetch_add(text.get().len(), Ordering::Relaxed) < AT_ONCE
    };
    let found = gone_is_empty(client.values(asked, is_kept).await)?;
    let archived = archived.into_inner().unwrap_or_else(PoisonError::into_inner);
    let body = |name: String| json!({"name": name, "properties": {"isArchived": true}});
    Ok(named(found.into_iter().chain(archived.into_iter().map(body)).collect()).collect())
}

/// The part of a version by which it is told whose it is.
#[derive(Deserialize)]
struct Item {
    name: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    is_archived: Option<bool>,
    tags: Value,
}

fn named(bodies: Vec<Value>) -> impl Iterator<Item = Version> {
    bodies.into_iter().filter_map(|body| Some(Version { name: body["name"].as_str()?.to_owned(), body }))
}

fn gone_is_empty(found: Result<Vec<Value>, Error>) -> Result<Vec<Value>, Error> {
    match found {
        Err(error) if error.class() == Class::Gone => Ok(Vec::new()),
        found => found,
    }
}

/// The versions of an owner that are left of one container, with those that a list which lags does not show: what is remembered, and the one in
/// force.
pub async fn left_of(
    eyes: &Eyes<'_>,
    (id, owner): (&ArmId, &Owner),
    in_force: Option<&str>,
) -> Result<Vec<Version>, Error> {
    let found = own_versions(eyes.client, id, owner).await?;
    let in_force = in_force.map(|name| id.child("versions", name));
    let remembered = eyes.looks.noted(id).into_iter().chain(in_force).collect();
    let mut all = vec![(id.clone(), found)];
    add_remembered(eyes.client, remembered, &mut all).await?;
    let of_this = all.into_iter().filter(|(container, _)| container.key() == id.key());
    Ok(of_this.flat_map(|(_, versions)| versions).collect())
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

/// The components of a name, or of its steps, that `status` names; of others it may say what it likes.
pub fn in_status(pipeline: &MLPipeline, base: &ArmId) -> Vec<ArmId> {
    let Some(status) = &pipeline.status else { return Vec::new() };
    let steps = status.steps.iter().filter_map(|step| step.component_id.as_ref());
    let whole = status.current.iter().map(|current| &current.component_id);
    let is_own = |id: &ArmId| {
        let container = id.parent().map(|container| container.key()).unwrap_or_default();
        let rest =
            container.strip_prefix(&base.key()).filter(|_| id.kind() == "workspaces/components/versions");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_') && !rest.contains('/'))
    };
    steps.chain(whole).filter_map(|id| ArmId::parse(id).ok()).filter(is_own).collect()
}

/// What is below a workspace and is kept; nothing where the workspace itself is gone.
pub async fn listed(
    client: &Client,
    workspace: &ArmId,
    (collection, query): (&str, &[(&str, &str)]),
    keep: impl Fn(&RawValue) -> bool + Send,
) -> Result<Vec<Value>, Error> {
    let asked = Asked { parent: workspace, collection, query, urgency: Urgency::Change };
    gone_is_empty(client.values(asked, keep).await)
}

/// The names of the components of a pipeline and of its steps.
pub async fn components(client: &Client, workspace: &ArmId, base: &str) -> Result<Vec<String>, Error> {
    let of_steps = format!("{base}_");
    let is_own = |item: &RawValue| is_named(item, |name| name == base || name.starts_with(&of_steps));
    let found = listed(client, workspace, ("components", &[("listViewType", "All")]), is_own).await?;
    Ok(found.iter().filter_map(|body| body["name"].as_str().map(str::to_owned)).collect())
}
