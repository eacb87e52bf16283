//! What the loop asks a kind: what it names, what may keep it, how fast it is looked at. What it decides is in `azureml-plan`, what
//! it sees in Azure in `azureml-observe`.

use super::Context;
use super::relations::Name;
use crate::metrics::Done;
use azureml_crds::shared::HasCommon;
use azureml_observe::Observe;
use azureml_plan::trouble::Trouble;
use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use kube::core::object::HasStatus;
use kube::{CustomResourceExt, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

/// How long an object needs nothing.
pub enum Rest {
    /// Until something changes, or a moment comes.
    Until(Option<Timestamp>),
    /// Its time is over: it is removed.
    Over,
}

/// The status of a kind.
pub type StatusOf<K> = <K as HasStatus>::Status;

/// A kind in the loop.
pub trait Kind:
    Observe<
        Status = <Self as HasStatus>::Status,
        Refs: Send + Sync,
        Wanted: Send + Sync,
        Seen: Send + Sync,
        Address: Send + Sync,
        Left: Send + Sync,
    > + HasStatus<Status: HasCommon + Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned + Debug>
    + Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + CustomResourceExt
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// The kind's name.
    const KIND: &'static str;

    /// Whether an object wants to know which objects name it, also while it is not being deleted.
    const CARES: bool = false;

    /// Whether `status` is written before anything is sent to Azure, with the address of what is made there.
    const WRITES_ADDRESS_FIRST: bool = false;

    /// The annotation that is written beside the finalizer, before anything else: its key and its value.
    fn mark(&self) -> Option<(&'static str, String)> {
        None
    }

    /// The objects that this one names.
    fn refers_to(&self) -> Vec<Name>;

    /// What others see of this object: they are woken when it changes.
    fn offer(&self) -> impl Hash;

    /// What those that this object names see of it: they are woken when it changes, where they care.
    fn tells(&self) -> impl Hash {}

    /// Whether this object keeps one that it names from going.
    fn holds(&self) -> bool;

    /// Whether nothing in Azure is removed with the object.
    fn is_retained(&self) -> bool;

    /// The objects that keep this one from being deleted, each as `MLPipeline/iris`.
    fn kept_by(&self, ctx: &Context) -> Vec<String>;

    /// Whether a write may have been sent for this object, and Azure was never seen to have what it makes.
    fn is_unseen(&self) -> bool {
        let common = self.status().map(HasCommon::common);
        let may_be_sent =
            !Self::WRITES_ADDRESS_FIRST || common.is_some_and(|common| common.azure_id.is_some());
        may_be_sent && common.is_none_or(|common| common.applied_hash.is_none())
    }

    /// What is still believed of the status when a pass learns nothing.
    fn status_before(&self) -> StatusOf<Self> {
        self.status().cloned().unwrap_or_default()
    }

    /// The same, where Azure refused or did not answer.
    fn status_refused(&self, _: &Trouble) -> StatusOf<Self> {
        self.status_before()
    }

    /// How long the object needs nothing, where that can be said.
    fn rest(&self, _: Timestamp) -> Option<Rest> {
        None
    }

    /// How fast something that goes on in Azure is looked at: the first delay and the longest.
    fn pace(ctx: &Context) -> (Duration, Duration) {
        (ctx.looks_from, ctx.looks_to)
    }

    /// What has ended in Azure, by the status before and after a pass.
    fn done(&self, _: &StatusOf<Self>) -> Option<Done> {
        None
    }
}
