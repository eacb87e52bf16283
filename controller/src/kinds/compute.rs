//! MLCompute: what it reads.

use super::{find, named, never_reached, reach, refusal};
use crate::engine::relations::Name;
use crate::engine::watch::name_of;
use crate::engine::{Context, Kind, Leaving, Reached, Resolved, Wait};
use crate::looks::{Collection, Look};
use azureml_client::Error;
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLCompute, MLPipeline, MLWorkspace};
use azureml_plan::compute::{Address, Refs, Wanted, id, is_overwritten};
use kube::ResourceExt as _;
use serde_json::Value;
use std::hash::Hash;
use tokio::time::Instant;

impl Kind for MLCompute {
    const KIND: &'static str = "MLCompute";
    const CARES: bool = true;

    fn refers_to(&self) -> Vec<Name> {
        vec![named::<_, MLWorkspace>(self, &self.spec.workspace_ref.name)]
    }

    fn offer(&self) -> impl Hash {
        let status = self.status.as_ref();
        let ready = status.is_some_and(|status| azureml_plan::report::is_ready(&status.common.conditions));
        (ready, status.and_then(|status| status.common.azure_id.clone()))
    }

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy != Some(DeletionPolicy::Delete)
    }

    fn kept_by(&self, ctx: &Context) -> Vec<String> {
        if self.is_retained() { Vec::new() } else { ctx.holders(&name_of(self), &[MLPipeline::KIND]) }
    }

    async fn resolve(&self, ctx: &Context) -> Resolved<Reached<Refs>> {
        let (namespace, name) = (self.namespace().unwrap_or_default(), self.name_any());
        match reach(ctx, &namespace, &self.spec.workspace_ref.name).await {
            Ok(found) => {
                let owner = ctx.owner(&namespace, &name);
                let used_by = users(self, ctx);
                let scales_by_patch = ctx.scales_by_patch;
                let refs = Refs { workspace: found.workspace, owner, used_by, scales_by_patch };
                Resolved::Found(Reached { refs, client: found.client, resync: found.resync })
            }
            Err(wait) => Resolved::Wait(wait),
        }
    }

    async fn observe(
        &self,
        ctx: &Context,
        reached: &Reached<Refs>,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Option<Value>, Error> {
        let of = Collection { parent: &reached.refs.workspace.id, name: "computes", query: &[] };
        let began = Instant::now();
        let seen = ctx.looks.resource(&reached.client, of, wanted.id.name(), look).await?;
        let is_overwritten = |have: &Value| look.is_change && is_overwritten(&reached.refs, wanted, have);
        if !seen.as_ref().is_some_and(is_overwritten) {
            return Ok(seen);
        }
        // A PATCH of the scale needs no new read; a PUT of the whole cluster could undo a change in the portal.
        let look = Look { since: began, ..look };
        ctx.looks.resource(&reached.client, of, wanted.id.name(), look).await
    }

    async fn leaving(&self, ctx: &Context) -> Leaving<Address> {
        let namespace = self.namespace().unwrap_or_default();
        let was_made = self.status.as_ref().is_some_and(|status| status.common.azure_id.is_some());
        match reach(ctx, &namespace, &self.spec.workspace_ref.name).await {
            Ok(found) => {
                let refs = Address {
                    id: id(self, &found.workspace.id),
                    owner: ctx.owner(&namespace, &self.name_any()),
                };
                Leaving::Address(Reached { refs, client: found.client, resync: found.resync })
            }
            Err(_) if !was_made && never_reached(ctx, &namespace, &self.spec.workspace_ref.name) => {
                Leaving::Nothing
            }
            Err(wait) => Leaving::Blocked(wait),
        }
    }

    async fn left(&self, ctx: &Context, reached: &Reached<Address>) -> Result<Option<Value>, Error> {
        ctx.looks.fresh(&reached.client, &reached.refs.id).await
    }
}

/// The MLPipelines that name a cluster.
fn users(compute: &MLCompute, ctx: &Context) -> Vec<String> {
    let relations = ctx.relations();
    let name = name_of(compute);
    relations.referrers(&name).into_iter().map(|name| name.name.clone()).collect()
}

/// Where a cluster is, for a pipeline: once Azure has it.
pub fn cluster(
    ctx: &Context,
    namespace: &str,
    name: &str,
    workspace: &azureml_client::ArmId,
) -> Result<String, Wait> {
    let compute = find(&ctx.stores.computes, namespace, name).ok_or_else(|| {
        Wait::new("ReferenceNotFound", format!("there is no MLCompute {name} in this namespace yet"))
    })?;
    let status = compute.status.clone().unwrap_or_default();
    if let Some((reason, message)) = refusal(&status.common) {
        return Err(Wait::stalled(reason, format!("MLCompute {name}: {message}")));
    }
    let is_there =
        azureml_plan::report::is_ready(&status.common.conditions) || status.common.applied_hash.is_some();
    if !is_there {
        return Err(Wait::new("ReferenceNotReady", format!("MLCompute {name} is not ready yet")));
    }
    Ok(id(&compute, workspace).to_string())
}
