//! Everything that a pass over an object needs, and none of it from Kubernetes: as `kubectl azureml plan` has it, but what is planned is sent.
//!
//! In: objects of a folder, an Azure. Out: what their plans send, and their statuses, onto the shelves. Waits for nothing.

use super::folder::Folder;
use anyhow::Result;
use azureml_access::connect::Shared;
use azureml_access::credentials::Who;
use azureml_access::identity::Identities;
use azureml_access::proof::Proof;
use azureml_cli::plan::fetch::Fetching;
use azureml_cli::plan::folder::Shelf;
pub use azureml_cli::plan::hands::Hands;
use azureml_cli::plan::hands::Uploads;
use azureml_cli::plan::pass::{self, Subject, keys};
use azureml_client::places::Places;
use azureml_config::Config;
use azureml_crds::shared::HasCommon;
use azureml_e2e::operator::configure;
use azureml_observe::looks::Looks;
use azureml_plan::action::State;
use azureml_simulator::Simulator;
use kube::core::object::HasStatus;
use std::sync::Arc;
use std::time::Duration;

/// One pass over every object of a shelf; whether all are as they should be.
pub async fn pass<K: Subject>(hands: &Hands, folder: &Folder, shelf: &Shelf<K>) -> bool
where
    <K as HasStatus>::Status: HasCommon + Default,
{
    let mut are_ready = true;
    for key in keys(shelf) {
        if let Some(told) = pass::pass(hands, folder, shelf, &key).await {
            folder.tell(&key.1, &told.message);
            are_ready &= told.state == State::Ready;
        }
    }
    are_ready
}

/// A client of an Azure, and the settings of a cluster.
pub fn hands(azure: &Simulator, cluster: &str, grants: &str) -> Result<Hands> {
    // As the program begins; another that is there does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("config.yaml");
    configure(&file, azure.endpoint(), azure.ca_file(), grants)?;
    let config = Config::read(Some(&file))?;
    let shared = Shared::new(Arc::new(|| true), Arc::new(|_| {}));
    let who = Who::Client {
        client: "aaaaaaaa-0000-4000-8000-0000000000ff".to_owned(),
        tenant: azure.tenant_id().to_owned(),
        proof: Proof::Secret("not-a-secret".to_owned()),
    };
    Ok(Hands {
        identities: Identities::new(config.reach()?, shared)?,
        who,
        looks: Looks::new(Duration::from_millis(50)),
        strangers: Places::new(4, 32),
        settings: config.settings(cluster.to_owned()),
        fetching: Fetching::new(&config)?,
        uploads: Uploads::Sent,
        knows_all: false,
    })
}
