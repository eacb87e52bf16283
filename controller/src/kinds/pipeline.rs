//! MLPipeline: what it reads, from the top down: where the whole is there, its parts need not be looked at.

use super::compute::cluster;
use super::environment::environment;
use super::publication::{deployments, needs_deployments, owned, published};
use super::versions::{add_remembered, components, in_status, listed, own_versions};
use super::{is_requested, named, never_reached, reach, refusal};
use crate::engine::relations::Name;
use crate::engine::watch::name_of;
use crate::engine::{Context, Kind, Leaving, Reached, Resolved, Wait};
use crate::looks::{Collection, Look};
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_plan::component::Code;
use azureml_plan::pipeline::{
    Address, Left, Presence, Refs, Seen, Wanted, base_name, computes, environments,
};
use azureml_plan::publish::deployment_id;
use kube::ResourceExt as _;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

impl Kind for MLPipeline {
    const KIND: &'static str = "MLPipeline";

    fn refers_to(&self) -> Vec<Name> {
        let environments = environments(self).into_iter().map(|name| named::<_, MLEnvironment>(self, &name));
        let computes = computes(self).into_iter().map(|name| named::<_, MLCompute>(self, &name));
        let workspace = named::<_, MLWorkspace>(self, &self.spec.workspace_ref.name);
        environments.chain(computes).chain([workspace]).collect()
    }

    fn offer(&self) -> impl Hash {
        let current = self.status.as_ref().and_then(|status| status.current.as_ref());
        let accepted = current.and_then(|current| current.accepted_as.clone());
        let refused =
            self.status.as_ref().and_then(|status| refusal(&status.common)).map(|(reason, _)| reason);
        let version = current.map(|current| current.version.clone());
        (version, accepted, refused, self.metadata.deletion_timestamp.is_some())
    }

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy == Some(DeletionPolicy::Retain)
    }

    fn kept_by(&self, ctx: &Context) -> Vec<String> {
        ctx.holders(&name_of(self), &[MLSchedule::KIND, MLRun::KIND])
    }

    async fn resolve(&self, ctx: &Context) -> Resolved<Reached<Refs>> {
        let namespace = self.namespace().unwrap_or_default();
        let found = match reach(ctx, &namespace, &self.spec.workspace_ref.name).await {
            Ok(found) => found,
            Err(wait) => return Resolved::Wait(wait),
        };
        let owner = ctx.owner(&namespace, &self.name_any());
        let environments = all(environments(self), |name| environment(ctx, &namespace, name));
        let computes = all(computes(self), |name| cluster(ctx, &namespace, name, &found.workspace.id));
        match (environments, computes) {
            (Ok(environments), Ok(computes)) => {
                let deployments = ctx.deployments;
                let refs = Refs { workspace: found.workspace, owner, environments, computes, deployments };
                Resolved::Found(Reached { refs, client: found.client, resync: found.resync })
            }
            (Err(wait), _) | (_, Err(wait)) => Resolved::Wait(wait),
        }
    }

    async fn observe(
        &self,
        ctx: &Context,
        reached: &Reached<Refs>,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        if is_requested(self) {
            // Somebody wants to know: what was seen before may be gone or archived.
            let steps = wanted.steps.iter().map(|step| &step.id);
            steps.chain([&wanted.id]).for_each(|id| ctx.looks.doubt(id));
        }
        let published = published(self, ctx, reached, wanted, look);
        let whole = presence(self, ctx, reached, &wanted.id, look);
        let (mut publication, whole) = futures::try_join!(published, whole)?;
        if whole == Presence::Here {
            let deployment = wanted.endpoint.as_ref().map(|id| deployment_id(id, wanted));
            let is_absent = deployment.is_some_and(|id| ctx.looks.is_absent(&id));
            publication.is_complete = needs_deployments(self, reached, wanted, &publication);
            if publication.is_complete && !is_absent {
                publication.deployments = deployments(reached, wanted, look).await?;
            }
            return Ok(Seen { whole, steps: BTreeMap::new(), codes: BTreeMap::new(), publication });
        }
        let is_new = is_new(self, ctx, &wanted.id, look);
        if is_new && self.spec.azure_name.is_none() {
            // Nothing of a pipeline is there that was applied just now and has no component of its name, which no other can choose.
            wanted.steps.iter().for_each(|step| ctx.looks.presume_absent(&step.id));
        }
        let steps = steps(self, ctx, reached, wanted, look).await?;
        let is_absent =
            |step: &&azureml_plan::component::Prepared| steps.get(&step.name) == Some(&Presence::Absent);
        let needed: Vec<&str> = wanted
            .steps
            .iter()
            .filter(is_absent)
            .filter_map(|step| step.code.as_ref())
            .map(|code| code.hash.as_str())
            .collect();
        let codes = wanted
            .codes()
            .into_iter()
            .filter(|code| needed.contains(&code.hash.as_str()))
            .map(|code| find_code(ctx, &reached.client, code, is_new));
        let codes = futures::future::try_join_all(codes).await?.into_iter().flatten().collect();
        Ok(Seen { whole, steps, codes, publication })
    }

    async fn leaving(&self, ctx: &Context) -> Leaving<Address> {
        let namespace = self.namespace().unwrap_or_default();
        let status = self.status.as_ref();
        let was_made =
            status.is_some_and(|status| status.common.azure_id.is_some() || status.endpoint.is_some());
        match reach(ctx, &namespace, &self.spec.workspace_ref.name).await {
            Ok(found) => {
                let refs =
                    Address { workspace: found.workspace.id, owner: ctx.owner(&namespace, &self.name_any()) };
                Leaving::Address(Reached { refs, client: found.client, resync: found.resync })
            }
            Err(_) if !was_made && never_reached(ctx, &namespace, &self.spec.workspace_ref.name) => {
                Leaving::Nothing
            }
            Err(wait) => Leaving::Blocked(wait),
        }
    }

    async fn left(&self, ctx: &Context, reached: &Reached<Address>) -> Result<Left, Error> {
        let (client, workspace) = (&reached.client, &reached.refs.workspace);
        let owner = reached.refs.owner.value();
        let is_own = |item: &RawValue| item.get().contains(&owner);
        let all = listed(client, workspace, ("batchEndpoints", &[]), is_own).await?;
        let mut endpoints = owned(all.into_iter(), &reached.refs.owner);
        if let Some(publish) = &self.spec.publish {
            // A list may lag behind: what the spec names is looked at by itself.
            let id = workspace.child("batchEndpoints", &publish.endpoint);
            endpoints.retain(|(known, _)| *known != id);
            endpoints.extend(
                client
                    .get(&id, Urgency::Change)
                    .await?
                    .and_then(|body| owned([body].into_iter(), &reached.refs.owner).pop()),
            );
        }
        if !endpoints.is_empty() {
            return Ok(Left { endpoints, components: Vec::new() });
        }
        let base = base_name(self);
        let mut left = Vec::new();
        for name in components(client, workspace, &base).await? {
            let id = workspace.child("components", &name);
            let versions = own_versions(client, &id, &reached.refs.owner).await?;
            left.push((id, versions));
        }
        let whole = workspace.child("components", &base);
        let mut remembered = ctx.looks.noted(&whole);
        remembered.extend(in_status(self, &whole));
        add_remembered(client, remembered, &mut left).await?;
        Ok(Left { endpoints, components: left })
    }
}

/// All references of one kind, or the first that is missing.
fn all(
    names: Vec<String>,
    find: impl Fn(&str) -> Result<String, Wait>,
) -> Result<BTreeMap<String, String>, Wait> {
    names.into_iter().map(|name| find(&name).map(|id| (name, id))).collect()
}

/// Which of the steps' components are there.
async fn steps(
    pipeline: &MLPipeline,
    ctx: &Context,
    reached: &Reached<Refs>,
    wanted: &Wanted,
    look: Look,
) -> Result<BTreeMap<String, Presence>, Error> {
    let steps = wanted.steps.iter().map(|step| async {
        let presence = presence(pipeline, ctx, reached, &step.id, look).await?;
        Ok::<_, Error>((step.name.clone(), presence))
    });
    Ok(futures::future::try_join_all(steps).await?.into_iter().collect())
}

/// Whether a component is there.
async fn presence(
    pipeline: &MLPipeline,
    ctx: &Context,
    reached: &Reached<Refs>,
    id: &ArmId,
    look: Look,
) -> Result<Presence, Error> {
    if pipeline.status.as_ref().is_some_and(|status| status.current.is_some()) {
        return ctx.looks.presence(&reached.client, id, &reached.refs.owner).await;
    }
    let of = Collection {
        parent: &reached.refs.workspace.id,
        name: "components",
        query: &[("listViewType", "All")],
    };
    ctx.looks.presence_of_new(&reached.client, of, (id, &reached.refs.owner), look).await
}

/// Whether a pipeline was applied just now, under a name that no component has: then nobody has registered parts of it.
fn is_new(pipeline: &MLPipeline, ctx: &Context, whole: &ArmId, look: Look) -> bool {
    let was_published = pipeline.status.as_ref().is_some_and(|status| status.current.is_some());
    let has_no_component = whole.parent().is_some_and(|container| ctx.looks.is_absent(&container));
    !was_published && !look.is_shared && has_no_component
}

/// The code version that holds files, whoever uploaded it: Azure finds it by the hash, under any name. Files of a new
/// pipeline are uploaded without asking, unless this process has seen them: to upload equal files again changes nothing.
async fn find_code(
    ctx: &Context,
    client: &Arc<Client>,
    code: &Code,
    is_new: bool,
) -> Result<Option<(String, ArmId)>, Error> {
    if ctx.looks.has_seen(&code.id, None) {
        return Ok(Some((code.hash.clone(), code.id.clone())));
    }
    if is_new {
        return Ok(None);
    }
    let Some(container) = code.id.parent() else { return Ok(None) };
    let query = [("hash", code.hash.as_str()), ("hashVersion", "202208")];
    let found = client.list(&container, "versions", &query, Urgency::Change).await?;
    let mut ids = found.iter().filter_map(|item| serde_json::from_str::<Value>(item.get()).ok());
    let id = ids.find_map(|body| ArmId::parse(body["id"].as_str()?).ok());
    Ok(id.map(|id| {
        ctx.looks.note(&id, None);
        (code.hash.clone(), id)
    }))
}
