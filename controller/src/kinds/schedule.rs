//! MLSchedule: what it reads.

use super::{find, named, reach, vouched};
use crate::engine::relations::Name;
use crate::engine::{Context, Kind, Leaving, Reached, Resolved, Wait};
use crate::looks::{Collection, Look};
use azureml_client::Error;
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLPipeline, MLSchedule, MLWorkspace};
use azureml_plan::schedule::{Address, Refs, Seen, Wanted, id};
use kube::ResourceExt as _;
use serde_json::Value;
use std::hash::Hash;

/// Without it a list leaves out what is disabled.
const ALL: [(&str, &str); 1] = [("listViewType", "All")];

impl Kind for MLSchedule {
    const KIND: &'static str = "MLSchedule";

    const WRITES_ADDRESS_FIRST: bool = true;

    fn refers_to(&self) -> Vec<Name> {
        let workspace = self.status.as_ref().and_then(|status| status.workspace_ref.as_ref());
        let workspace = workspace.map(|workspace| named::<_, MLWorkspace>(self, &workspace.name));
        [named::<_, MLPipeline>(self, &self.spec.pipeline_ref.name)].into_iter().chain(workspace).collect()
    }

    fn offer(&self) -> impl Hash {}

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy == Some(DeletionPolicy::Retain)
    }

    fn kept_by(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }

    async fn resolve(&self, ctx: &Context) -> Resolved<Reached<Refs>> {
        let namespace = self.namespace().unwrap_or_default();
        let wait = |reason, message: String| Resolved::Wait(Wait::new(reason, message));
        let name = &self.spec.pipeline_ref.name;
        let Some(pipeline) = find(&ctx.stores.pipelines, &namespace, name) else {
            return wait("ReferenceNotFound", format!("there is no MLPipeline {name} in this namespace yet"));
        };
        let Some(current) = pipeline.status.as_ref().and_then(|status| status.current.clone()) else {
            return wait("ReferenceNotReady", format!("MLPipeline {name} has no version in force yet"));
        };
        match reach(ctx, &namespace, &pipeline.spec.workspace_ref.name).await {
            Ok(found) => {
                if let Err(wait) = vouched(ctx, (&namespace, name), &current, &found.workspace) {
                    return Resolved::Wait(wait);
                }
                let refs = Refs {
                    workspace: found.workspace,
                    owner: ctx.owner(&namespace, &self.name_any()),
                    current,
                    form: ctx.schedule_form,
                };
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
    ) -> Result<Seen, Error> {
        let of = Collection { parent: &reached.refs.workspace.id, name: "schedules", query: &ALL };
        let schedule = ctx.looks.resource(&reached.client, of, wanted.id.name(), look).await?;
        Ok(Seen { schedule })
    }

    async fn leaving(&self, ctx: &Context) -> Leaving<Address> {
        let namespace = self.namespace().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        let (Some(_), Some(workspace)) = (&status.common.azure_id, &status.workspace_ref) else {
            return Leaving::Nothing;
        };
        match reach(ctx, &namespace, &workspace.name).await {
            Ok(found) => {
                let refs = Address {
                    id: id(self, &found.workspace.id),
                    owner: ctx.owner(&namespace, &self.name_any()),
                };
                Leaving::Address(Reached { refs, client: found.client, resync: found.resync })
            }
            Err(wait) => Leaving::Blocked(wait),
        }
    }

    async fn left(&self, ctx: &Context, reached: &Reached<Address>) -> Result<Option<Value>, Error> {
        ctx.looks.fresh(&reached.client, &reached.refs.id).await
    }
}
