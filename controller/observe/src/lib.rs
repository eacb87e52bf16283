//! Azure for each kind: what an object sees there, and how a plan is carried out. Knows nothing of Kubernetes' API.
//!
//! In: what an object refers to, a client, what was seen before. Out: what Azure has; the answers to a plan's requests.
//! Decides nothing: what is wanted and what is sent is in `azureml-plan`.

pub mod act;
mod compute;
mod data;
mod environment;
pub mod folder;
pub mod history;
pub mod looks;
mod pack;
mod pin;
mod pipeline;
mod publication;
mod run;
mod schedule;
mod scheduled;
pub mod upload;
mod versions;
mod workspace;

use azureml_client::Error;
use azureml_client::client::Client;
use azureml_client::places::Places;
use azureml_client::registry::Registries;
use azureml_crds::shared::HasCommon;
use azureml_plan::Ask;
use azureml_plan::resolve::{Resolve, Wait};
use azureml_source::{Login, Net};
use kube::Resource;
use kube::core::object::HasStatus;
use looks::{Look, Looks};
use std::sync::Arc;

/// By what Azure is seen.
pub struct Eyes<'a> {
    /// The client of the workspace's identity.
    pub client: &'a Arc<Client>,
    /// What was seen before.
    pub looks: &'a Looks,
    /// Container registries.
    pub registries: &'a Registries,
    /// Questions to registries that anybody named.
    pub strangers: &'a Places,
    /// What signs in at the registry of the object's image.
    pub signed: Option<&'a Signed>,
}

/// What signs in at the one host that a Secret names, and the way there.
pub struct Signed {
    /// What the Secret holds.
    pub login: Login,
    /// The way to the host.
    pub net: Net,
}

/// What a kind reads in Azure.
pub trait Observe: Resolve {
    /// Looks up what the labels mean that the object names. What stops the object is returned.
    fn pin(
        &self,
        _: &Eyes<'_>,
        _: &mut Self::Refs,
        _: &Ask,
    ) -> impl Future<Output = Result<Option<Wait>, Error>> + Send {
        std::future::ready(Ok(None))
    }

    /// Reads what Azure has.
    fn observe(
        &self,
        eyes: &Eyes<'_>,
        refs: &Self::Refs,
        wanted: &Self::Wanted,
        look: Look,
    ) -> impl Future<Output = Result<Self::Seen, Error>> + Send;

    /// Reads what is left of an object that is being deleted.
    fn left(
        &self,
        eyes: &Eyes<'_>,
        address: &Self::Address,
    ) -> impl Future<Output = Result<Self::Left, Error>> + Send;
}

/// Whether a pass was asked for that has not been handled.
fn is_requested<K: Resource + HasStatus<Status: HasCommon>>(object: &K) -> bool {
    let handled = object.status().and_then(|status| status.common().last_handled_reconcile_at.clone());
    let asked = azureml_plan::context::requested(object.meta());
    asked.is_some() && asked != handled
}
