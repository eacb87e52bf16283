//! Everything that a pass over an object needs, and none of it from Kubernetes.
//!
//! In: objects of a folder, an Azure. Out: what their plans send, and their statuses, onto the shelves. Waits for nothing.

use super::folder::{Folder, Shelf};
use anyhow::{Context as _, Result};
use azureml_access::connect::Shared;
use azureml_access::credentials::Who;
use azureml_access::identity::Identities;
use azureml_client::client::Client;
use azureml_client::places::Places;
use azureml_config::Config;
use azureml_crds::shared::{Common, HasCommon};
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::operator::configure;
use azureml_observe::act::act;
use azureml_observe::looks::{Look, Looks};
use azureml_observe::{Eyes, Observe};
use azureml_plan::action::State;
use azureml_plan::context::Pace;
use azureml_plan::report::{self, Passed};
use azureml_plan::resolve::{Settings, World};
use azureml_plan::{Ask, Decide, View};
use azureml_simulator::Simulator;
use jiff::{SignedDuration, Timestamp};
use kube::Resource;
use kube::core::object::HasStatus;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Everything that a pass needs, and none of it from Kubernetes.
pub struct Hands {
    pub client: Arc<Client>,
    identities: Identities,
    pub looks: Looks,
    strangers: Places,
    settings: Settings,
}

/// One pass over every object of a shelf; whether all are as they should be.
pub async fn pass<K: Subject>(hands: &Hands, folder: &Folder, shelf: &Shelf<K>) -> Result<bool>
where
    <K as HasStatus>::Status: HasCommon,
{
    let all: Vec<Arc<K>> = shelf.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
    let mut are_ready = true;
    for object in all {
        let name = object.meta().name.clone().unwrap_or_default();
        let Some((status, is_ready)) = one(hands, folder, object.as_ref()).await? else {
            are_ready = false;
            continue;
        };
        are_ready &= is_ready;
        let mut all = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name, Arc::new(object.with(status)));
    }
    Ok(are_ready)
}

/// One pass over an object: its status, and whether all is as it should be; none while it waits for another.
async fn one<K: Subject>(
    hands: &Hands,
    folder: &Folder,
    object: &K,
) -> Result<Option<(<K as Decide>::Status, bool)>>
where
    <K as HasStatus>::Status: HasCommon,
{
    let world = World { objects: folder, settings: &hands.settings };
    let mut refs = match object.access(world).and_then(|access| object.resolve(world, &access)) {
        Ok(refs) => refs,
        Err(wait) => {
            folder.tell(object.meta(), &wait.message);
            return Ok(None);
        }
    };
    let Hands { client, identities, looks, strangers, .. } = hands;
    let eyes = Eyes { client, looks, registries: &identities.registries, strangers };
    if let Some(wait) = object.pin(&eyes, &mut refs).await? {
        folder.tell(object.meta(), &wait.message);
        return Ok(None);
    }
    let wanted = object.wanted(&refs).map_err(|invalid| anyhow::anyhow!("{invalid}"))?;
    let look = Look { since: Instant::now(), is_shared: false, attempt: 0, is_change: false };
    let seen = object.observe(&eyes, &refs, &wanted, look).await?;
    let before = object.status().map_or_else(Common::default, |status| status.common().clone());
    let ask = Ask::of(object.meta(), &before, Timestamp::now(), Pace::default());
    let view = View { refs: &refs, wanted: &wanted, seen: &seen, ask: &ask };
    let mut plan = object.plan(view);
    folder.tell(object.meta(), &plan.verdict.message);
    let mut sent = Vec::new();
    for action in std::mem::take(&mut plan.actions) {
        if looks.may_write(client, action.target()).await? {
            sent.push(action);
        }
    }
    act(client, looks, &folder, &sent).await?;
    let is_ready = plan.verdict.state == State::Ready && sent.is_empty();
    plan.actions = sent;
    let mut facts = object.facts(view, &plan);
    let azure_id = facts.common_mut().azure_id.take();
    let passed = Passed { plan, last_failure: None, is_handled: true, is_paused: false, generation: Some(1) };
    *facts.common_mut() = Common { azure_id, ..report::common(before, passed, &ask) };
    Ok(Some((facts, is_ready)))
}

/// An object that a pass can be made over.
pub trait Subject:
    Observe + HasStatus<Status = <Self as Decide>::Status> + Resource<DynamicType = ()> + Clone + Settled
{
}

impl<K> Subject for K where
    K: Observe + HasStatus<Status = <K as Decide>::Status> + Resource<DynamicType = ()> + Clone + Settled
{
}

/// An object with another status.
pub trait Settled: HasStatus {
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

/// A client of an Azure, and the settings of a cluster.
pub fn hands(azure: &Simulator, cluster: &str, grants: &str) -> Result<Hands> {
    // As the program begins; another that is there does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("config.yaml");
    configure(&file, azure.endpoint(), azure.ca_file(), grants)?;
    let config = Config::read(Some(&file))?;
    let shared = Shared::new(Arc::new(|| true), Arc::new(|_| {}));
    let identities = Identities::new(config.reach()?, shared)?;
    let who = Who::Secret {
        client: "aaaaaaaa-0000-4000-8000-0000000000ff".to_owned(),
        tenant: azure.tenant_id().to_owned(),
        secret: "not-a-secret".to_owned(),
    };
    let client = identities.client("AzurePublic", &who).context("there is no such cloud")?;
    let settings = Settings {
        cluster: cluster.to_owned(),
        grants: config.grants.clone(),
        default_cloud: config.default_cloud.0.clone(),
        resync: SignedDuration::from_hours(1),
        schedule_form: config.azure.schedule_form(),
        deployments: config.azure.deployment_settings,
        scales_by_patch: config.azure.scale_by_patch,
    };
    let (looks, strangers) = (Looks::new(Duration::from_millis(50)), Places::new(4, 32));
    Ok(Hands { client, identities, looks, strangers, settings })
}
