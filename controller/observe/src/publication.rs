//! The endpoint of an MLPipeline and its deployments, as far as they matter to it.
//!
//! In: what is wanted, and how fresh a look must be. Out: what Azure has. Never writes.

use crate::Eyes;
use crate::looks::{Collection, Look};
use azureml_client::client::Asked;
use azureml_client::{ArmId, Error};
use azureml_crds::MLPipeline;
use azureml_plan::owner::{Belongs, Owner};
use azureml_plan::pipeline::{Refs, Wanted};
use azureml_plan::publish::{self, Publication, deployment_id};
use serde_json::Value;

/// Endpoints that carry an owner.
pub fn owned(endpoints: impl Iterator<Item = Value>, owner: &Owner) -> Vec<(ArmId, Value)> {
    let ours = endpoints.filter(|endpoint| owner.of(&endpoint["tags"]) == Belongs::Us);
    ours.filter_map(|endpoint| Some((ArmId::parse(endpoint["id"].as_str()?).ok()?, endpoint))).collect()
}

/// The endpoint of the spec, or those that are left where the spec names none.
pub async fn published(
    pipeline: &MLPipeline,
    eyes: &Eyes<'_>,
    refs: &Refs,
    wanted: &Wanted,
    look: Look,
) -> Result<Publication, Error> {
    let (client, workspace) = (eyes.client, &refs.workspace.id);
    let of = Collection { parent: workspace, name: "batchEndpoints", query: &[] };
    let Some(id) = &wanted.endpoint else {
        let listing = eyes.looks.listing(client, of, look).await?;
        let ours = listing.containing(&refs.owner.value())?;
        let strays = owned(ours.into_iter(), &refs.owner);
        return Ok(Publication { strays, ..Publication::default() });
    };
    let is_registered = eyes.looks.has_seen(&wanted.id, Some(&refs.owner));
    if !is_registered && eyes.looks.is_under_way(id) {
        // It is being made while the parts are registered; nothing depends on it before they are.
        return Ok(Publication { is_awaited: true, ..Publication::default() });
    }
    let endpoint = eyes.looks.resource(client, of, id.name(), look).await?;
    if endpoint.is_none() {
        // Nothing is below what is not there, and nobody else makes a deployment of this name.
        eyes.looks.presume_absent(&deployment_id(id, wanted));
    }
    // The one that was published before under another name: publish may have been removed and added again unseen.
    let before = pipeline.status.as_ref().and_then(|status| status.endpoint.as_ref());
    let mut strays = Vec::new();
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let before = before.filter(|before| is_name(&before.name));
    if let Some(before) = before.filter(|before| !before.name.eq_ignore_ascii_case(id.name())) {
        let other = eyes.looks.resource(client, of, &before.name, look).await?;
        strays = owned(other.into_iter(), &refs.owner);
    }
    Ok(Publication { endpoint, strays, ..Publication::default() })
}

/// Whether the deployments of the endpoint matter.
pub fn needs_deployments(pipeline: &MLPipeline, refs: &Refs, wanted: &Wanted, seen: &Publication) -> bool {
    let is_ours =
        |endpoint: &&Value| matches!(refs.owner.of(&endpoint["tags"]), Belongs::Us | Belongs::Inherited);
    let endpoint = seen.endpoint.as_ref().filter(is_ours);
    endpoint.is_some_and(|endpoint| publish::needs_deployments(pipeline, wanted, endpoint))
}

/// The deployments of the endpoint that the spec names.
pub async fn deployments(eyes: &Eyes<'_>, wanted: &Wanted, look: Look) -> Result<Vec<Value>, Error> {
    let Some(id) = &wanted.endpoint else { return Ok(Vec::new()) };
    let asked = Asked { parent: id, collection: "deployments", query: &[], urgency: look.urgency() };
    eyes.client.values(asked, |_| true).await
}
