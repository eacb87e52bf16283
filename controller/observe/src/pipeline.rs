//! What an MLPipeline sees in Azure, from the top down: where the whole is there, its parts need not be looked at.

use crate::looks::{Collection, KEPT, Look};
use crate::pin::look_up;
use crate::publication::{deployments, needs_deployments, owned, published};
use crate::versions::{add_remembered, components, in_status, listed, own_versions};
use crate::{Eyes, Observe, is_requested};
use azureml_client::limits::Urgency;
use azureml_client::{ArmId, Error};
use azureml_crds::MLPipeline;
use azureml_plan::Ask;
use azureml_plan::asset_name::Pins;
use azureml_plan::component::Files;
use azureml_plan::pipeline::{
    Address, Left, Presence, Refs, Seen, Wanted, are_labels_due, base_name, existing, is_instance, labels,
    was_instance,
};
use azureml_plan::publish::deployment_id;
use azureml_plan::resolve::Wait;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

impl Observe for MLPipeline {
    async fn pin(&self, eyes: &Eyes<'_>, refs: &mut Refs, ask: &Ask) -> Result<Option<Wait>, Error> {
        if are_labels_due(self, ask) {
            refs.pins = Pins::default();
        }
        look_up(eyes, labels(self, &refs.workspace.id), &mut refs.pins).await
    }

    async fn observe(
        &self,
        eyes: &Eyes<'_>,
        refs: &Refs,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        if is_requested(self) {
            // Somebody wants to know: what was seen before may be gone or archived.
            let steps = wanted.owned().map(|(_, own)| &own.id);
            steps.chain([&wanted.id]).for_each(|id| eyes.looks.doubt(id));
        }
        let published = published(self, eyes, refs, wanted, look);
        let whole = presence(self, eyes, refs, &wanted.id, look);
        let (mut publication, whole) = futures::try_join!(published, whole)?;
        if whole == Presence::Here {
            let deployment = wanted.endpoint.as_ref().map(|id| deployment_id(id, wanted));
            let is_absent = deployment.is_some_and(|id| eyes.looks.is_absent(&id));
            publication.is_complete = needs_deployments(self, refs, wanted, &publication);
            if publication.is_complete && !is_absent {
                publication.deployments = deployments(eyes, wanted, look).await?;
            }
            let instances = instances(self, eyes, refs, look).await;
            return Ok(Seen { instances, ..Seen::of(whole, publication) });
        }
        let is_new = is_new(self, eyes, &wanted.id, look);
        if is_new && self.spec.azure_name.is_none() {
            // Nothing of a pipeline is there that was applied just now and has no component of its name, which no other can choose.
            wanted.owned().for_each(|(_, own)| eyes.looks.presume_absent(&own.id));
        }
        let steps = steps(self, eyes, refs, wanted, look).await?;
        let is_absent = |name: &String| steps.get(name) == Some(&Presence::Absent);
        let needed: Vec<&str> = wanted
            .owned()
            .filter(|(step, _)| is_absent(&step.name))
            .filter_map(|(_, own)| own.code.as_ref()?.files())
            .map(|files| files.hash.as_str())
            .collect();
        let codes = wanted
            .codes()
            .into_iter()
            .filter(|code| needed.contains(&code.hash.as_str()))
            .map(|code| find_code(eyes, code, is_new));
        let codes = futures::future::try_join_all(codes).await?.into_iter().flatten().collect();
        Ok(Seen { steps, codes, ..Seen::of(whole, publication) })
    }

    async fn left(&self, eyes: &Eyes<'_>, address: &Address) -> Result<Left, Error> {
        let (client, workspace) = (eyes.client, &address.workspace);
        let owner = address.owner.value();
        let is_own = |item: &RawValue| item.get().contains(&owner);
        let all = listed(client, workspace, ("batchEndpoints", &[]), is_own).await?;
        let mut endpoints = owned(all.into_iter(), &address.owner);
        if let Some(publish) = &self.spec.publish {
            // A list may lag behind: what the spec names is looked at by itself.
            let id = workspace.child("batchEndpoints", &publish.endpoint);
            endpoints.retain(|(known, _)| *known != id);
            endpoints.extend(
                client
                    .get(&id, Urgency::Change)
                    .await?
                    .and_then(|body| owned([body].into_iter(), &address.owner).pop()),
            );
        }
        if !endpoints.is_empty() {
            return Ok(Left { endpoints, components: Vec::new() });
        }
        let base = base_name(self);
        let mut left = Vec::new();
        for name in components(client, workspace, &base).await? {
            let id = workspace.child("components", &name);
            let versions = own_versions(client, &id, &address.owner).await?;
            left.push((id, versions));
        }
        let whole = workspace.child("components", &base);
        let mut remembered = eyes.looks.noted(&whole);
        remembered.extend(in_status(self, &whole));
        add_remembered(client, remembered, &mut left).await?;
        Ok(Left { endpoints, components: left })
    }
}

/// The compute instances among the computes that the pipeline names. What cannot be read is what it was: nothing depends on it but a
/// warning, which does not come and go with Azure's answers.
async fn instances(pipeline: &MLPipeline, eyes: &Eyes<'_>, refs: &Refs, look: Look) -> Vec<String> {
    let of = Collection { parent: &refs.workspace.id, name: "computes", query: &[] };
    // A compute never changes its type: what was read just now does for all looks while something is made.
    let look = Look { since: look.since.checked_sub(KEPT).unwrap_or(look.since), ..look };
    let found = existing(pipeline).into_iter().map(|name| async move {
        let is_one = match eyes.looks.resource(eyes.client, of, &name, look).await {
            Ok(compute) => compute.is_some_and(|compute| is_instance(&compute)),
            Err(_) => was_instance(pipeline, &name),
        };
        is_one.then_some(name)
    });
    futures::future::join_all(found).await.into_iter().flatten().collect()
}

/// Which of the steps' components are there.
async fn steps(
    pipeline: &MLPipeline,
    eyes: &Eyes<'_>,
    refs: &Refs,
    wanted: &Wanted,
    look: Look,
) -> Result<BTreeMap<String, Presence>, Error> {
    let steps = wanted.owned().map(|(step, own)| async {
        let presence = presence(pipeline, eyes, refs, &own.id, look).await?;
        Ok::<_, Error>((step.name.clone(), presence))
    });
    Ok(futures::future::try_join_all(steps).await?.into_iter().collect())
}

/// Whether a component is there.
async fn presence(
    pipeline: &MLPipeline,
    eyes: &Eyes<'_>,
    refs: &Refs,
    id: &ArmId,
    look: Look,
) -> Result<Presence, Error> {
    if pipeline.status.as_ref().is_some_and(|status| status.current.is_some()) {
        return eyes.looks.presence(eyes.client, id, &refs.owner).await;
    }
    let of = Collection { parent: &refs.workspace.id, name: "components", query: &[("listViewType", "All")] };
    eyes.looks.presence_of_new(eyes.client, of, (id, &refs.owner), look).await
}

/// Whether a pipeline was applied just now, under a name that no component has: then nobody has registered parts of it.
fn is_new(pipeline: &MLPipeline, eyes: &Eyes<'_>, whole: &ArmId, look: Look) -> bool {
    let was_published = pipeline.status.as_ref().is_some_and(|status| status.current.is_some());
    let has_no_component = whole.parent().is_some_and(|container| eyes.looks.is_absent(&container));
    !was_published && !look.is_shared && has_no_component
}

/// The code version that holds files, of any uploader: Azure finds it by the hash, under any name. Files of a new
/// pipeline are uploaded without asking, unless this process has seen them: to upload equal files again changes nothing.
async fn find_code(eyes: &Eyes<'_>, code: &Files, is_new: bool) -> Result<Option<(String, ArmId)>, Error> {
    if eyes.looks.has_seen(&code.id, None) {
        return Ok(Some((code.hash.clone(), code.id.clone())));
    }
    if is_new {
        return Ok(None);
    }
    let Some(container) = code.id.parent() else { return Ok(None) };
    let query = [("hash", code.hash.as_str()), ("hashVersion", "202208")];
    let found = eyes.client.list(&container, "versions", &query, Urgency::Change).await?;
    let mut ids = found.iter().filter_map(|item| serde_json::from_str::<Value>(item.get()).ok());
    let id = ids.find_map(|body| ArmId::parse(body["id"].as_str()?).ok());
    Ok(id.map(|id| {
        eyes.looks.note(&id, None);
        (code.hash.clone(), id)
    }))
}
