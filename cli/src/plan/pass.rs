//! One pass over an object, as the operator makes it, without Kubernetes: resolve, wanted, observe, plan, act, facts.
//!
//! In: an object of a folder, the way to Azure. Out: its new status onto the shelf, and what the pass says. Waits for nothing.

use super::fetch::fetch;
use super::folder::{Folder, Key, Shelf};
use super::hands::Hands;
use super::stop::Stop;
use super::told::Told;
use azureml_client::client::Client;
use azureml_crds::shared::{Common, HasCommon, LastFailure};
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_observe::act::act;
use azureml_observe::looks::Look;
use azureml_observe::{Eyes, Observe};
use azureml_plan::action::{Action, State, Verdict};
use azureml_plan::context::Pace;
use azureml_plan::report::{self, Passed};
use azureml_plan::resolve::{Wait, World};
use azureml_plan::{Ask, Decide, Plan, View, failure};
use jiff::Timestamp;
use kube::core::object::HasStatus;
use kube::{Resource, ResourceExt as _};
use std::sync::{Arc, PoisonError};
use tokio::time::Instant;

/// The most gone objects whose place one object takes.
const MOST: usize = 10;

/// The names of a shelf.
#[must_use]
pub fn keys<K>(shelf: &Shelf<K>) -> Vec<Key> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
}

/// One pass over an object; none where there is none. Its new status is on the shelf afterwards.
pub async fn pass<K: Subject>(hands: &Hands, folder: &Folder, shelf: &Shelf<K>, key: &Key) -> Option<Told>
where
    <K as HasStatus>::Status: HasCommon + Default,
{
    let object = shelf.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()?;
    if object.meta().deletion_timestamp.is_some() {
        return Some(Told::leaving());
    }
    let (status, told) = match one(hands, folder, shelf, object.as_ref()).await {
        Ok((status, told)) => (status, told),
        // Others are told of it, as they are by the operator.
        Err(Stop::Wait(wait)) => (waiting(object.as_ref(), &wait), waits(object.as_ref(), wait)),
        Err(stop) => return Some(stop.told()),
    };
    let mut all = shelf.lock().unwrap_or_else(PoisonError::into_inner);
    all.insert(key.clone(), Arc::new(object.with(status)));
    Some(told)
}

/// What is said of an object that waits. One that is paused sends nothing, whatever it waits for: its plan is whole.
fn waits<K: Subject>(object: &K, wait: Wait) -> Told
where
    <K as HasStatus>::Status: HasCommon,
{
    let is_paused = report::is_paused(object.meta()) && !wait.is_stalled;
    let told = Stop::Wait(wait).told();
    Told { is_compared: told.is_compared || is_paused, ..told }
}

/// The circumstances of a pass.
fn ask<K: Subject>(object: &K) -> (Common, Ask)
where
    <K as HasStatus>::Status: HasCommon,
{
    let common = object.status().map_or_else(Common::default, |status| status.common().clone());
    let ask = Ask::of(object.meta(), &common, Timestamp::now(), Pace::default());
    (common, ask)
}

/// The status of an object that waits.
fn waiting<K: Subject>(object: &K, wait: &Wait) -> <K as HasStatus>::Status
where
    <K as HasStatus>::Status: HasCommon + Default,
{
    let (common, ask) = ask(object);
    let mut status = object.status().cloned().unwrap_or_default();
    let last_failure = common.last_failure.clone().filter(|_| !ask.is_new_generation);
    let passed = Passed {
        plan: wait.plan(),
        last_failure,
        is_handled: true,
        is_paused: report::is_paused(object.meta()),
        generation: object.meta().generation,
    };
    let azure_id = common.azure_id.clone();
    *status.common_mut() = Common { azure_id, ..report::common(common, passed, &ask) };
    status
}

/// What an object comes to, and the way to Azure.
struct Looked<K: Decide> {
    client: Arc<Client>,
    refs: K::Refs,
    wanted: K::Wanted,
    seen: K::Seen,
    plan: Plan,
}

/// Looks, and takes over what gone objects left under the same names.
async fn look<K: Subject>(
    hands: &Hands,
    folder: &Folder,
    shelf: &Shelf<K>,
    (object, ask): (&K, &Ask),
) -> Result<Looked<K>, Stop>
where
    <K as HasStatus>::Status: HasCommon,
{
    let world = World { objects: folder, settings: &hands.settings };
    let access = object.access(world)?;
    // That it is noted first changes nothing in Azure.
    access.joins(object.status().and_then(|status| status.common().workspace_id.as_deref()))?;
    let client = hands.client(&access.login.cloud)?;
    let mut refs = object.resolve(world, &access)?;
    let Hands { identities, looks, strangers, .. } = hands;
    let registries = &identities.registries;
    let eyes = Eyes { client: &client, looks, registries, strangers, signed: None };
    K::fetched(&mut refs, fetch(&hands.fetching, folder, object).await?);
    if let Some(wait) = object.pin(&eyes, &mut refs, ask).await? {
        return Err(wait.into());
    }
    let here = object.namespace().unwrap_or_default();
    loop {
        let wanted =
            object.wanted(&refs).map_err(|invalid| Wait::stalled(invalid.reason, invalid.to_string()))?;
        let fresh = Look { since: Instant::now(), is_shared: false, attempt: 0, is_change: false };
        let seen = object.observe(&eyes, &refs, &wanted, fresh).await;
        let seen = seen.map_err(|error| Stop::unsigned(object.pulled(), error))?;
        let plan = object.plan(View { refs: &refs, wanted: &wanted, seen: &seen, ask });
        let is_gone = |name: &str| hands.knows_all && !keys(shelf).contains(&(here.clone(), name.to_owned()));
        let holder = plan.taken_by.clone().filter(|one| one.namespace == here && is_gone(&one.name));
        match (holder, K::owner(&mut refs).map(|owner| &mut owner.predecessors)) {
            (Some(holder), Some(before)) if before.len() < MOST && !before.contains(&holder) => {
                before.push(holder);
            }
            _ => return Ok(Looked { client, refs, wanted, seen, plan }),
        }
    }
}

async fn one<K: Subject>(
    hands: &Hands,
    folder: &Folder,
    shelf: &Shelf<K>,
    object: &K,
) -> Result<(<K as Decide>::Status, Told), Stop>
where
    <K as HasStatus>::Status: HasCommon,
{
    let (before, ask) = ask(object);
    let Looked { client, refs, wanted, seen, mut plan } = look(hands, folder, shelf, (object, &ask)).await?;
    let is_paused = report::is_paused(object.meta());
    let actions = std::mem::take(&mut plan.actions);
    let Verdict { state, reason, message } = plan.verdict.clone();
    let mut told = Told { state, reason, message, is_compared: true, held: 0 };
    let mut sent: Vec<Action> = Vec::new();
    for action in actions {
        if is_paused {
            told.held += 1;
        } else if hands.looks.may_write(&client, action.target()).await? {
            sent.push(hands.prepared(action));
        }
    }
    act(&client, &hands.looks, folder, &sent).await?;
    if is_paused {
        told.held += plan.cluster.len();
    } else {
        folder.change(&plan.cluster);
    }
    // What was just sent is not there yet.
    if told.state == State::Ready && !sent.is_empty() {
        told.state = State::Working;
    }
    plan.actions = sent;
    let view = View { refs: &refs, wanted: &wanted, seen: &seen, ask: &ask };
    let mut facts = object.facts(view, &plan);
    let azure_id = facts.common_mut().azure_id.take();
    let last_failure = last_failure(&before, &plan, &ask);
    let generation = object.meta().generation;
    let passed = Passed { plan, last_failure, is_handled: true, is_paused, generation };
    *facts.common_mut() = Common { azure_id, ..report::common(before, passed, &ask) };
    Ok((facts, told))
}

/// The failures in a row: a plan tries nothing again, so that none is added to those that are known.
fn last_failure(before: &Common, plan: &Plan, ask: &Ask) -> Option<LastFailure> {
    let known = before.last_failure.clone().filter(|_| !ask.is_new_generation);
    match &plan.failed {
        None => known.filter(|_| plan.verdict.state == State::Working),
        Some(failed) => {
            let mut last = known.unwrap_or_else(|| failure::count(None, failed.reason.as_str(), ask));
            last.stalled = plan.verdict.state == State::Stalled;
            Some(last)
        }
    }
}

/// An object that a pass can be made over.
pub trait Subject:
    Observe + HasStatus<Status = <Self as Decide>::Status> + Resource<DynamicType = ()> + Clone + Settled + Sync
{
}

impl<K> Subject for K where
    K: Observe
        + HasStatus<Status = <K as Decide>::Status>
        + Resource<DynamicType = ()>
        + Clone
        + Settled
        + Sync
{
}

/// An object with another status.
pub trait Settled: HasStatus {
    /// The same object with this status.
    #[must_use]
    fn with(&self, status: Self::Status) -> Self;
}

macro_rules! settled {
    ($($kind:ty),*) => {$(
        impl Settled for $kind {
            fn with(&self, status: Self::Status) -> Self {
                Self { status: Some(status), ..self.clone() }
            }
        }
    )*};
}
settled!(MLWorkspace, MLCompute, MLEnvironment, MLData, MLPipeline, MLSchedule, MLRun);
