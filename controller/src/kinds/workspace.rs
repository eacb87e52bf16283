//! MLWorkspace: what it reads. It names nothing, and everything names it.

use super::client;
use crate::engine::relations::Name;
use crate::engine::watch::name_of;
use crate::engine::{Context, Kind, Leaving, Reached, Resolved};
use crate::looks::Look;
use azureml_client::Error;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLWorkspace};
use azureml_plan::workspace::{Refs, Seen, Users, Wanted, discovery, registry_id};
use std::hash::Hash;

impl Kind for MLWorkspace {
    const KIND: &'static str = "MLWorkspace";

    fn refers_to(&self) -> Vec<Name> {
        Vec::new()
    }

    fn offer(&self) -> impl Hash {
        let status = self.status.clone().unwrap_or_default();
        let registry = status.registry.map(|registry| (registry.resource_id, registry.login_server));
        (
            status.region,
            registry,
            status.data_plane,
            status.resync,
            serde_json::to_string(&self.spec.identity).ok(),
        )
    }

    fn holds(&self) -> bool {
        false
    }

    fn is_retained(&self) -> bool {
        true
    }

    fn kept_by(&self, ctx: &Context) -> Vec<String> {
        ctx.holders(&name_of(self), &[MLCompute::KIND, MLEnvironment::KIND, MLPipeline::KIND])
    }

    async fn resolve(&self, ctx: &Context) -> Resolved<Reached<Refs>> {
        match client(ctx, self).await {
            Ok(client) => {
                let resync = self
                    .spec
                    .resync
                    .as_deref()
                    .and_then(|text| azureml_plan::time::duration("resync", text).ok());
                let resync = resync.unwrap_or(ctx.resync).unsigned_abs();
                Resolved::Found(Reached { refs: Refs { resync: ctx.resync }, client, resync })
            }
            Err(wait) => Resolved::Wait(wait),
        }
    }

    async fn observe(
        &self,
        ctx: &Context,
        reached: &Reached<Refs>,
        wanted: &Wanted,
        _: Look,
    ) -> Result<Seen, Error> {
        let azure = &reached.client;
        let workspace = azure.get(&wanted.id, Urgency::Change).await?;
        if workspace.is_none() {
            ctx.looks.forget_below(&wanted.id);
        }
        let registry = match registry_id(wanted, workspace.as_ref()) {
            Some(id) => azure.get(&id, Urgency::Change).await?,
            None => None,
        };
        let known = self.status.as_ref().and_then(|status| status.data_plane.clone());
        let data_plane = match (discovery(workspace.as_ref()), known) {
            (_, Some(known)) => Some(known),
            (Some(address), None) => discover(azure, address).await,
            (None, None) => None,
        };
        Ok(Seen { workspace, registry, data_plane })
    }

    async fn leaving(&self, _: &Context) -> Leaving<Users> {
        Leaving::Nothing
    }

    async fn left(&self, _: &Context, _: &Reached<Users>) -> Result<(), Error> {
        Ok(())
    }
}

/// The data plane behind a discovery address. Everything but following a run goes without it, so a failure is no error.
async fn discover(azure: &Client, address: &str) -> Option<String> {
    match azure.get_open("discovery", address).await {
        Ok(document) => document["api"].as_str().map(str::to_owned),
        Err(error) => {
            tracing::warn!("the data plane is not found: {error}");
            None
        }
    }
}
