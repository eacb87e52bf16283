//! One pass over an object, as the operator makes it, without Kubernetes: resolve, wanted, observe, plan, act, facts.
//!
//! In: an object of a folder, the way to Azure. Out: its new status onto the shelf, and what the pass says. Waits for nothing.

use super::fetch::{Fetching, fetch};
use super::folder::{Folder, Key, Shelf};
use super::known_after;
use anyhow::Result;
use azureml_access::credentials::Who;
use azureml_access::identity::Identities;
use azureml_client::client::Client;
use azureml_client::places::Places;
use azureml_crds::shared::{Common, HasCommon};
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_observe::act::act;
use azureml_observe::looks::{Look, Looks};
use azureml_observe::{Eyes, Observe};
use azureml_plan::action::{State, Verdict};
use azureml_plan::context::Pace;
use azureml_plan::reasons::{Reason, Word};
use azureml_plan::report::{self, Passed};
use azureml_plan::resolve::{Settings, Wait, World};
use azureml_plan::trouble::Trouble;
use azureml_plan::{Action, Ask, Decide, View};
use jiff::Timestamp;
use kube::Resource;
use kube::core::object::HasStatus;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Everything that a pass needs, and none of it from Kubernetes.
pub struct Hands {
    /// The clouds, and the clients that were made for them.
    pub identities: Identities,
    /// The identity that signs in.
    pub who: Who,
    /// What was read before.
    pub looks: Looks,
    /// Questions to registries that anybody named.
    pub strangers: Places,
    /// The configuration.
    pub settings: Settings,
    /// What fetches files from elsewhere.
    pub fetching: Fetching,
    /// What becomes of files.
    pub uploads: Uploads,
}

/// What becomes of files that a plan uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploads {
    /// They are sent.
    Sent,
    /// They stay here, and the place where they would be is not known.
    LeftOut,
}

/// What a pass says of its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What kind of answer.
    pub state: State,
    /// A reason, or Azure's own code.
    pub reason: Word,
    /// For people.
    pub message: String,
    /// Whether the object could be compared with Azure at all.
    pub is_compared: bool,
}

/// Why an object cannot be compared.
enum Stop {
    Wait(Wait),
    Failed(Trouble),
}

impl From<Wait> for Stop {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

impl From<azureml_client::Error> for Stop {
    fn from(error: azureml_client::Error) -> Self {
        Self::Failed(Trouble::of(&error))
    }
}

impl Stop {
    fn told(self) -> Told {
        let (state, reason, message) = match self {
            Self::Wait(wait) if wait.is_stalled => (State::Stalled, wait.reason.into(), wait.message),
            Self::Wait(wait) => (State::Working, wait.reason.into(), wait.message),
            Self::Failed(trouble) => (State::Stalled, trouble.reason.clone(), trouble.told("")),
        };
        Told { state, reason, message, is_compared: false }
    }
}

impl Hands {
    /// Looks that keep nothing longer than a pass: what was just written is read again.
    #[must_use]
    pub fn looks() -> Looks {
        Looks::new(Duration::ZERO)
    }

    /// The client of a cloud.
    ///
    /// # Errors
    /// When the configuration knows no such cloud.
    pub fn client(&self, cloud: &str) -> Result<Arc<Client>, Wait> {
        self.identities.client(cloud, &self.who).ok_or_else(|| {
            let known = self.identities.cloud_names().join(", ");
            let message = format!(
                "there is no cloud {cloud}; name one of {known}, or describe it in clouds of --config"
            );
            Wait::stalled(Reason::UNKNOWN_CLOUD, message)
        })
    }

    /// An action as it is sent.
    fn prepared(&self, action: Action) -> Action {
        match (self.uploads, action) {
            (Uploads::LeftOut, Action::Upload { id, mut body, pointer, room: _, files: _ }) => {
                if let Some((parent, key)) = pointer.rsplit_once('/')
                    && let Some(parent) = body.pointer_mut(parent)
                {
                    parent[key] = known_after::UPLOAD.into();
                }
                Action::Put { id, body }
            }
            (_, action) => action,
        }
    }
}

/// The names of a shelf.
#[must_use]
pub fn keys<K>(shelf: &Shelf<K>) -> Vec<Key> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
}

/// One pass over an object; none where there is none. Its new status is on the shelf afterwards.
pub async fn pass<K: Subject>(hands: &Hands, folder: &Folder, shelf: &Shelf<K>, key: &Key) -> Option<Told>
where
    <K as HasStatus>::Status: HasCommon,
{
    let object = shelf.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()?;
    if object.meta().deletion_timestamp.is_some() {
        return None;
    }
    match one(hands, folder, object.as_ref()).await {
        Ok((status, told)) => {
            let mut all = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(key.clone(), Arc::new(object.with(status)));
            Some(told)
        }
        Err(stop) => Some(stop.told()),
    }
}

/// What an object comes to, and the way to Azure.
struct Looked<K: Decide> {
    client: Arc<Client>,
    ask: Ask,
    refs: K::Refs,
    wanted: K::Wanted,
    seen: K::Seen,
}

async fn look<K: Subject>(hands: &Hands, folder: &Folder, object: &K) -> Result<Looked<K>, Stop>
where
    <K as HasStatus>::Status: HasCommon,
{
    let world = World { objects: folder, settings: &hands.settings };
    let access = object.access(world)?;
    let client = hands.client(&access.login.cloud)?;
    let mut refs = object.resolve(world, &access)?;
    let Hands { identities, looks, strangers, .. } = hands;
    let registries = &identities.registries;
    let eyes = Eyes { client: &client, looks, registries, strangers, signed: None };
    let common = object.status().map_or_else(Common::default, |status| status.common().clone());
    let ask = Ask::of(object.meta(), &common, Timestamp::now(), Pace::default());
    if let Some(wait) = object.pin(&eyes, &mut refs, &ask).await? {
        return Err(wait.into());
    }
    K::fetched(&mut refs, fetch(&hands.fetching, folder, object).await?);
    let wanted =
        object.wanted(&refs).map_err(|invalid| Wait::stalled(invalid.reason, invalid.to_string()))?;
    let look = Look { since: Instant::now(), is_shared: false, attempt: 0, is_change: false };
    let seen = object.observe(&eyes, &refs, &wanted, look).await;
    let seen = seen.map_err(|error| unsigned(object, error))?;
    Ok(Looked { client, ask, refs, wanted, seen })
}

/// What stops a plan, which reads no Secret: also that of an image.
fn unsigned<K: Subject>(object: &K, error: azureml_client::Error) -> Stop {
    match (&error, object.pulled()) {
        (azureml_client::Error::RegistryUnauthorized { .. }, Some((secret, image))) => {
            let message = format!(
                "imagePullSecretRef: a plan reads no Secret, so it cannot sign in with {secret} to look {image} up; write the image with its \
                 digest, or ask the operator"
            );
            Wait::stalled(Reason::REGISTRY_UNAUTHORIZED, message).into()
        }
        _ => error.into(),
    }
}

async fn one<K: Subject>(
    hands: &Hands,
    folder: &Folder,
    object: &K,
) -> Result<(<K as Decide>::Status, Told), Stop>
where
    <K as HasStatus>::Status: HasCommon,
{
    let Looked { client, ask, refs, wanted, seen } = look(hands, folder, object).await?;
    let before = object.status().map_or_else(Common::default, |status| status.common().clone());
    let view = View { refs: &refs, wanted: &wanted, seen: &seen, ask: &ask };
    let mut plan = object.plan(view);
    let is_paused = report::is_paused(object.meta());
    let mut sent = Vec::new();
    for action in std::mem::take(&mut plan.actions).into_iter().filter(|_| !is_paused) {
        if hands.looks.may_write(&client, action.target()).await? {
            sent.push(hands.prepared(action));
        }
    }
    act(&client, &hands.looks, folder, &sent).await?;
    let Verdict { state, reason, message } = plan.verdict.clone();
    // What was just sent is not there yet.
    let state = if state == State::Ready && !sent.is_empty() { State::Working } else { state };
    plan.actions = sent;
    let mut facts = object.facts(view, &plan);
    let azure_id = facts.common_mut().azure_id.take();
    let generation = object.meta().generation;
    let passed = Passed { plan, last_failure: None, is_handled: true, is_paused, generation };
    *facts.common_mut() = Common { azure_id, ..report::common(before, passed, &ask) };
    Ok((facts, Told { state, reason, message, is_compared: true }))
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
