//! From an object to what it refers to and the client of its workspace.
//!
//! In: an object. Out: references and a client, or what is missing. Reads stores, and a Secret where the identity needs one.

use super::sources::{self, Files};
use super::{Context, Kind};
use crate::login;
use azureml_client::ArmId;
use azureml_client::client::Client;
use azureml_crds::shared::HasCommon as _;
use azureml_crds::sharing::WorkspaceReference;
use azureml_observe::{Eyes, Signed};
use azureml_plan::resolve::{Made, Wait, access, is_unreached};
use azureml_plan::trouble::Trouble;
use azureml_plan::{Ask, InvalidSpec};
use kube::ResourceExt as _;
use std::sync::Arc;
use std::time::Duration;

/// What is found, and the way to Azure.
pub struct Reached<R> {
    /// What the object refers to.
    pub refs: R,
    /// The client of the workspace's identity.
    pub client: Arc<Client>,
    /// How often the workspace is compared with Azure.
    pub resync: Duration,
    /// The files that the object takes from elsewhere.
    pub fetched: Files,
    /// What signs in at the registry of its image.
    pub signed: Option<Signed>,
    /// The workspace, where another namespace shares it and `status` does not say yet that the object has reached it.
    pub joins: Option<ArmId>,
}

impl<R> Reached<R> {
    /// By what Azure is seen.
    pub fn eyes<'a>(&'a self, ctx: &'a Context) -> Eyes<'a> {
        eyes(ctx, &self.client, self.signed.as_ref())
    }
}

/// Why an object cannot be looked at.
pub(super) enum Stop {
    /// Something is missing.
    Wait(Wait),
    /// Azure refused, or did not answer; with the interval of comparison.
    Failed(Trouble, Duration),
}

fn eyes<'a>(ctx: &'a Context, client: &'a Arc<Client>, signed: Option<&'a Signed>) -> Eyes<'a> {
    let (looks, registries) = (&ctx.looks, &ctx.identities.registries);
    Eyes { client, looks, registries, strangers: &ctx.strangers, signed }
}

/// What to do about an object that is being deleted.
pub(super) enum Leaving<A> {
    /// Nothing was made for it.
    Nothing,
    /// Something may be left.
    Address(Reached<A>),
    /// Azure cannot be reached for it.
    Blocked(Wait),
}

/// Finds what an object refers to, in Kubernetes, what its sources hold, and what its labels and tags mean. Where somebody asks, every
/// source is asked again.
pub(super) async fn reach<K: Kind>(ctx: &Context, object: &K, ask: &Ask) -> Result<Reached<K::Refs>, Stop> {
    let access = object.access(ctx.world())?;
    let joins = access.joins(joined(object))?;
    let (client, resync) = (login::client(ctx, &access).await?, access.resync);
    let mut refs = object.resolve(ctx.world(), &access)?;
    let fetched = sources::fetch(ctx, object, ask.requested.is_some()).await?;
    K::fetched(&mut refs, fetched.sources.clone());
    let signed = sources::signed(ctx, object).await?;
    match object.pin(&eyes(ctx, &client, signed.as_ref()), &mut refs, ask).await {
        Ok(None) => {}
        Ok(Some(wait)) => return Err(Stop::Wait(wait)),
        Err(error) => return Err(Stop::Failed(Trouble::of(&error), resync)),
    }
    Ok(Reached { refs, client, resync, fetched, signed, joins })
}

impl From<InvalidSpec> for Stop {
    fn from(invalid: InvalidSpec) -> Self {
        Self::Wait(Wait::stalled(invalid.reason, invalid.to_string()))
    }
}

impl From<Wait> for Stop {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

/// Finds what may be left of an object that is being deleted.
pub(super) async fn leaving<K: Kind>(ctx: &Context, object: &K) -> Leaving<K::Address> {
    let namespace = object.namespace().unwrap_or_default();
    let (workspace, is_sure) = match object.made() {
        Made::Nothing => return Leaving::Nothing,
        Made::Perhaps(workspace) => (workspace, false),
        Made::Something(workspace) => (workspace, true),
    };
    match last(ctx, object, &namespace, &workspace).await {
        Ok(reached) => Leaving::Address(reached),
        // Of another namespace it is known whether it was ever reached.
        Err(_)
            if !is_sure && joined(object).is_none() && is_unreached(ctx.world(), &namespace, &workspace) =>
        {
            Leaving::Nothing
        }
        Err(wait) => Leaving::Blocked(wait),
    }
}

/// The workspace of another namespace that an object has reached.
fn joined<K: Kind>(object: &K) -> Option<&str> {
    object.status()?.common().workspace_id.as_deref()
}

async fn last<K: Kind>(
    ctx: &Context,
    object: &K,
    namespace: &str,
    workspace: &WorkspaceReference,
) -> Result<Reached<K::Address>, Wait> {
    let access = access(ctx.world(), namespace, workspace)?;
    access.joins(joined(object))?;
    let client = login::client(ctx, &access).await?;
    let refs = object.address(&access.workspace()?, ctx.world().owner(object.meta()));
    Ok(Reached { refs, client, resync: access.resync, fetched: Files::default(), signed: None, joins: None })
}
