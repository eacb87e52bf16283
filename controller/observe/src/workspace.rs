//! What an MLWorkspace sees in Azure: the workspace, its registry, its storage, its data plane.

use crate::looks::Look;
use crate::upload::{container, default_datastore};
use crate::{Eyes, Observe, is_requested};
use azureml_client::client::Client;
use azureml_client::limits::Urgency;
use azureml_client::{ArmId, Error};
use azureml_crds::MLWorkspace;
use azureml_plan::preflight::{Asked, Evidence, Storage, asks_storage};
use azureml_plan::reasons::Word;
use azureml_plan::workspace::{Refs, Seen, Wanted, believed, discovery, registry_id};

impl Observe for MLWorkspace {
    async fn observe(
        &self,
        eyes: &Eyes<'_>,
        refs: &Refs,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        let azure = eyes.client;
        let workspace = azure.get(&wanted.id, Urgency::Change).await?;
        if workspace.is_none() {
            eyes.looks.forget_below(&wanted.id);
        }
        let registry = match registry_id(wanted, workspace.as_ref()) {
            Some(id) if refs.rights.registry(&id).is_ok() => azure.get(&id, Urgency::Change).await?,
            _ => None,
        };
        let known = believed(self).data_plane;
        let data_plane = match (discovery(workspace.as_ref()), known) {
            (_, Some(known)) => Some(known),
            (Some(address), None) => discover(azure, address).await,
            (None, None) => None,
        };
        let preflight = match &workspace {
            Some(_) => {
                let asks = look.is_change || is_requested(self) || asks_storage(&believed(self).preflight);
                let storage = if asks { Some(storage(azure, &wanted.id).await) } else { None };
                Some(Evidence { build: refs.build.clone(), has_run: refs.has_run, storage })
            }
            None => None,
        };
        Ok(Seen { workspace, registry, data_plane, preflight })
    }

    async fn left(&self, _: &Eyes<'_>, (): &()) -> Result<(), Error> {
        Ok(())
    }
}

/// What the storage answers: one read of Azure, and one question to the host of its blobs that nobody has to be known for.
async fn storage(azure: &Client, id: &ArmId) -> Storage {
    let datastore = default_datastore(azure, id).await;
    let host = match datastore.as_ref().ok().and_then(container) {
        Some(address) => azure
            .reach_blobs(&address)
            .await
            .map_or_else(|error| Asked::Refused(Word::from(&error)), |()| Asked::Done),
        None => Asked::Open,
    };
    // Azure's own words differ from time to time, so the reason alone is told.
    Storage { datastore: datastore.map_err(|error| Word::from(&error)), host }
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
