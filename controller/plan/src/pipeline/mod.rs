//! MLPipeline: files uploaded once, a component for every step and one for the whole, then the endpoint.
//!
//! Nothing is remembered between passes but in Azure and in `status.current`: what exists under our name is equal, for
//! every version is a hash.

mod leave;
mod register;
mod resolve;
mod vouch;

pub use self::leave::{Address, Left};
use self::register::register;
use self::resolve::{addresses, current, default_compute, resolve, settings};
pub use self::vouch::{generated_name, vouch};
use crate::action::Plan;
use crate::component::{Code, Prepared};
use crate::context::{InvalidSpec, Workspace};
use crate::owner::{Belongs, Owner, taken};
use crate::publish::Publication;
use crate::{Decide, View, component, graph, names, publish};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{Current, MLPipelineStatus, Settings, StepStatus};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an MLPipeline refers to.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The workspace.
    pub workspace: Workspace,
    /// This object as an owner.
    pub owner: Owner,
    /// Environment versions by the name of the MLEnvironment.
    pub environments: BTreeMap<String, String>,
    /// Clusters by the name of the MLCompute.
    pub computes: BTreeMap<String, String>,
    /// How the settings of a deployment are written.
    pub deployments: Deployments,
}

/// How the settings of a deployment are written: the definition says that all are text, Microsoft's client sends booleans.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Deployments {
    /// All are text.
    #[default]
    Text,
    /// Booleans are booleans.
    Typed,
}

impl Deployments {
    pub(crate) fn flag(self, is_set: bool) -> Value {
        match self {
            Self::Text => Value::from(is_set.to_string()),
            Self::Typed => Value::from(is_set),
        }
    }
}

/// Everything that should be registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The steps.
    pub steps: Vec<Prepared>,
    /// The component of the whole.
    pub id: ArmId,
    /// Its body.
    pub body: Value,
    /// How jobs of this version run.
    pub settings: Settings,
    /// The version that is current once everything is registered.
    pub current: Current,
    /// The endpoint that should be there.
    pub endpoint: Option<ArmId>,
    /// The tags of everything that is registered.
    pub tags: BTreeMap<String, String>,
}

impl Wanted {
    /// The code versions of all steps, each once.
    #[must_use]
    pub fn codes(&self) -> Vec<&Code> {
        let mut codes: Vec<&Code> = Vec::new();
        for code in self.steps.iter().filter_map(|step| step.code.as_ref()) {
            if !codes.iter().any(|known| known.hash == code.hash) {
                codes.push(code);
            }
        }
        codes
    }
}

/// Whether something that is named by its hash is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// It is not.
    Absent,
    /// It is.
    Here,
    /// It is, and archived.
    Archived(Value),
    /// It is, and another's.
    Another(String),
}

/// What Azure has.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The component of the whole.
    pub whole: Presence,
    /// The components of the steps, by name; looked at only where the whole is not there as it should be.
    pub steps: BTreeMap<String, Presence>,
    /// The code versions that hold the files, by hash; looked at only where a step is absent.
    pub codes: BTreeMap<String, ArmId>,
    /// The endpoint and its deployments.
    pub publication: Publication,
}

/// The name of the pipeline component.
#[must_use]
pub fn base_name(pipeline: &MLPipeline) -> String {
    let meta = &pipeline.metadata;
    let generated = || {
        let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
        names::generated(names::COMPONENT, namespace.unwrap_or_default(), name.unwrap_or_default())
    };
    pipeline.spec.azure_name.clone().unwrap_or_else(generated)
}

/// The MLEnvironments that a pipeline names.
#[must_use]
pub fn environments(pipeline: &MLPipeline) -> Vec<String> {
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.environment.as_ref());
    let own = pipeline.spec.steps.iter().filter_map(|step| step.environment.as_ref());
    sorted(own.chain(defaults).filter_map(|environment| environment.r#ref.clone()))
}

/// The MLComputes that a pipeline names.
#[must_use]
pub fn computes(pipeline: &MLPipeline) -> Vec<String> {
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.compute.as_ref());
    let own = pipeline.spec.steps.iter().filter_map(|step| step.compute.as_ref());
    sorted(own.chain(defaults).filter_map(|compute| compute.r#ref.clone()))
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

impl Decide for MLPipeline {
    type Status = MLPipelineStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Seen;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        let workspace = &refs.workspace.id;
        let base = base_name(self);
        let tags = refs.owner.tags(&BTreeMap::new());
        addresses(self, &refs.workspace.rights)?;
        component::check(self)?;
        let default_compute = default_compute(self, refs)?;
        let steps = self
            .spec
            .steps
            .iter()
            .map(|step| {
                component::prepare(
                    self,
                    step,
                    &resolve(self, step, refs, &default_compute)?,
                    (workspace, &base),
                    &tags,
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let (id, body) = component::whole(self, &steps, (workspace, &base), &tags);
        let settings = settings(self, workspace, default_compute);
        let current = current(self, refs, &id, &settings);
        let endpoint =
            self.spec.publish.as_ref().map(|publish| workspace.child("batchEndpoints", &publish.endpoint));
        Ok(Wanted { steps, id, body, settings, current, endpoint, tags })
    }

    fn plan(&self, View { refs, wanted, seen, ask }: View<'_, Self>) -> Plan {
        if let Some(refused) = publish::refused(wanted, &refs.owner, &seen.publication) {
            return refused;
        }
        if !seen.publication.strays.is_empty() {
            return publish::remove(&seen.publication.strays);
        }
        if let Some(refused) = others(wanted, seen) {
            return refused;
        }
        if seen.whole != Presence::Here {
            return register(self, refs, wanted, seen);
        }
        publish::plan(self, refs, wanted, &seen.publication, ask)
    }

    fn facts(&self, View { refs, wanted, seen, .. }: View<'_, Self>, _: &Plan) -> MLPipelineStatus {
        let mut status = self.status.clone().unwrap_or_default();
        if seen.whole == Presence::Here {
            status.common.azure_id = Some(wanted.id.to_string());
            status.version = Some(wanted.current.version.clone());
            status.current = Some(wanted.current.clone());
            status.steps = wanted.steps.iter().map(step_status).collect();
            status.graph = Some(graph::mermaid(&self.spec.steps));
        }
        // While one of another name is left, its name is not forgotten.
        if seen.publication.strays.is_empty() && !seen.publication.is_awaited {
            let endpoint = seen.publication.endpoint.as_ref();
            // Another's endpoint is no address of this pipeline.
            let is_ours = endpoint.is_some_and(|endpoint| refs.owner.of(&endpoint["tags"]) == Belongs::Us);
            let told = is_ours.then(|| publish::status(self, wanted, &seen.publication));
            status.endpoint = told.flatten();
        }
        status
    }
}

/// A component that is another's is neither used nor written over.
fn others(wanted: &Wanted, seen: &Seen) -> Option<Plan> {
    let of_steps = wanted.steps.iter().filter_map(|step| Some((&step.id, seen.steps.get(&step.name)?)));
    let (id, owner) = std::iter::once((&wanted.id, &seen.whole)).chain(of_steps).find_map(
        |(id, presence)| match presence {
            Presence::Another(owner) => Some((id, owner)),
            Presence::Absent | Presence::Here | Presence::Archived(_) => None,
        },
    )?;
    Some(taken(id, owner, "give this object another azureName"))
}

fn step_status(step: &Prepared) -> StepStatus {
    StepStatus {
        name: step.name.clone(),
        component_id: step.id.to_string(),
        code_hash: step.code.as_ref().map(|code| code.hash.clone()),
        environment: step.environment.clone(),
    }
}
