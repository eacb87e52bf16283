//! MLPipeline: files uploaded once, a component for every step and one for the whole, then the endpoint.
//!
//! Nothing is remembered between passes but in Azure and in `status.current`: what exists under our name is equal, for
//! every version is a hash.

use crate::action::{Action, Next, Plan, Room, Verdict};
use crate::component::{self, Code, Prepared, Resolved};
use crate::context::{Ask, InvalidSpec, Workspace};
use crate::environment::{Version, archive, changed};
use crate::owner::Owner;
use crate::publish::{self, Publication};
use crate::{Decide, Leave, View, graph, hash, names};
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::ml_pipeline::{Current, MLPipelineStatus, Settings, StepStatus};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::step::Step;
use serde_json::{Value, json};
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
}

/// What Azure has.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The component of the whole.
    pub whole: Presence,
    /// The components of the steps, by name; looked at only where the whole is absent.
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
        let current = current(self, &id, &settings);
        let endpoint =
            self.spec.publish.as_ref().map(|publish| workspace.child("batchEndpoints", &publish.endpoint));
        Ok(Wanted { steps, id, body, settings, current, endpoint, tags })
    }

    fn plan(&self, View { refs, wanted, seen, ask }: View<'_, Self>) -> Plan {
        if let Some(refused) = publish::refused(wanted, &refs.owner, &seen.publication) {
            return refused;
        }
        if seen.whole != Presence::Here {
            return register(self, refs, wanted, seen);
        }
        publish::plan(self, refs, wanted, &seen.publication, ask)
    }

    fn facts(&self, View { wanted, seen, .. }: View<'_, Self>, _: &Plan) -> MLPipelineStatus {
        let mut status = self.status.clone().unwrap_or_default();
        if seen.whole == Presence::Here {
            status.common.azure_id = Some(wanted.id.to_string());
            status.version = Some(wanted.current.version.clone());
            status.current = Some(wanted.current.clone());
            status.steps = wanted.steps.iter().map(step_status).collect();
            status.graph = Some(graph::mermaid(&self.spec.steps));
        }
        status.endpoint = publish::status(self, wanted, &seen.publication);
        status
    }
}

fn step_status(step: &Prepared) -> StepStatus {
    StepStatus {
        name: step.name.clone(),
        component_id: step.id.to_string(),
        code_hash: step.code.as_ref().map(|code| code.hash.clone()),
        environment: step.environment.clone(),
    }
}

/// The compute of steps that name none: its id, and for a serverless one the size.
type DefaultCompute = (Option<String>, Option<String>);

fn default_compute(pipeline: &MLPipeline, refs: &Refs) -> Result<DefaultCompute, InvalidSpec> {
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.compute.as_ref());
    defaults.map_or(Ok((None, None)), |compute| compute_id("defaults.compute", compute, refs))
}

fn compute_id(
    field: &str,
    compute: &azureml_crds::step::Compute,
    refs: &Refs,
) -> Result<DefaultCompute, InvalidSpec> {
    let named = |name: &str| refs.workspace.id.child("computes", name).to_string();
    match (&compute.r#ref, &compute.name, &compute.serverless) {
        (Some(name), None, None) => {
            let id = refs.computes.get(name).cloned();
            id.map(|id| (Some(id), None))
                .ok_or_else(|| InvalidSpec::new(field, format!("there is no MLCompute {name}")))
        }
        (None, Some(name), None) => Ok((Some(named(name)), None)),
        (None, None, Some(serverless)) => {
            Ok((Some(named("serverless")), Some(serverless.instance_type.clone())))
        }
        _ => Err(InvalidSpec::new(field, "set exactly one of ref, name, serverless")),
    }
}

fn resolve(
    pipeline: &MLPipeline,
    step: &Step,
    refs: &Refs,
    default: &DefaultCompute,
) -> Result<Resolved, InvalidSpec> {
    let field = format!("steps.{}", step.name);
    let (compute, instance_type) = match &step.compute {
        Some(compute) => compute_id(&format!("{field}.compute"), compute, refs)?,
        None if default.0.is_some() => (None, default.1.clone()),
        None => {
            return Err(InvalidSpec::new(
                format!("{field}.compute"),
                "the step has no compute; set it here or in defaults.compute",
            ));
        }
    };
    let defaults = pipeline.spec.defaults.as_ref().and_then(|defaults| defaults.environment.as_ref());
    let environment = step.environment.as_ref().or(defaults).ok_or_else(|| {
        InvalidSpec::new(
            format!("{field}.environment"),
            "the step has no environment; set it here or in defaults.environment",
        )
    })?;
    let environment = match (&environment.r#ref, &environment.id) {
        (Some(name), _) => refs.environments.get(name).cloned(),
        (None, id) => id.clone(),
    };
    let environment = environment
        .ok_or_else(|| InvalidSpec::new(format!("{field}.environment"), "set exactly one of ref, id"))?;
    let is_script = step.command.is_none();
    if is_script && component::code(pipeline, step, &refs.workspace.id).is_none() {
        return Err(InvalidSpec::new(
            format!("{field}.code"),
            "the script has no files; set code here or in defaults.code",
        ));
    }
    Ok(Resolved { environment, compute, instance_type })
}

fn settings(pipeline: &MLPipeline, workspace: &ArmId, default: DefaultCompute) -> Settings {
    let defaults = pipeline.spec.defaults.clone().unwrap_or_default();
    Settings {
        default_compute: default.0,
        default_datastore: defaults.datastore.map(|name| workspace.child("datastores", &name).to_string()),
        continue_on_step_failure: defaults.continue_on_step_failure.unwrap_or(false),
        force_rerun: defaults.force_rerun.unwrap_or(false),
    }
}

fn current(pipeline: &MLPipeline, id: &ArmId, settings: &Settings) -> Current {
    let (inputs, outputs) = (pipeline.spec.inputs.clone(), pipeline.spec.outputs.clone());
    let content = json!({"componentId": id, "settings": settings, "inputs": inputs, "outputs": outputs});
    let version = hash::cut(&hash::content("current", &content), 12).to_owned();
    Current { version, component_id: id.to_string(), settings: settings.clone(), inputs, outputs }
}

/// What may be sent now: files, then the steps whose files are there, then the whole.
fn register(pipeline: &MLPipeline, refs: &Refs, wanted: &Wanted, seen: &Seen) -> Plan {
    let mut actions = Vec::new();
    if let Presence::Archived(body) = &seen.whole {
        actions.push(unarchive(&wanted.id, body));
    } else {
        let absent: Vec<&Prepared> =
            wanted.steps.iter().filter(|step| presence(seen, step) != &Presence::Here).collect();
        actions.extend(absent.iter().filter_map(|step| register_step(seen, step)));
        let missing = wanted.codes().into_iter().filter(|code| {
            !seen.codes.contains_key(&code.hash)
                && absent.iter().any(|step| step.code.as_ref().is_some_and(|own| own.hash == code.hash))
        });
        actions.extend(missing.map(upload));
        if absent.is_empty() {
            actions.push(Action::Put { id: wanted.id.clone(), body: wanted.body.clone() });
        }
    }
    actions.extend(publish::create_endpoint(pipeline, refs, wanted, &seen.publication));
    let verdict =
        Verdict::working("Registering", format!("version {} is being registered", wanted.id.name()));
    Plan::send(actions, verdict, Next::Now)
}

fn presence<'a>(seen: &'a Seen, step: &Prepared) -> &'a Presence {
    seen.steps.get(&step.name).unwrap_or(&Presence::Absent)
}

/// The step's component, once its files are there.
fn register_step(seen: &Seen, step: &Prepared) -> Option<Action> {
    if let Presence::Archived(body) = presence(seen, step) {
        return Some(unarchive(&step.id, body));
    }
    let code = match &step.code {
        Some(code) => Some(seen.codes.get(&code.hash)?),
        None => None,
    };
    Some(Action::Put { id: step.id.clone(), body: component::with_code(step, code) })
}

/// What was read, no longer archived. A component keeps its spec.
fn unarchive(id: &ArmId, body: &Value) -> Action {
    Action::Put { id: id.clone(), body: changed(&body["properties"], &json!({"isArchived": false})) }
}

/// Code is shared by content: it carries no owner.
fn upload(code: &Code) -> Action {
    Action::Upload {
        room: Room::Code(code.id.clone()),
        files: code.files.clone(),
        id: code.id.clone(),
        body: json!({"properties": {
            "isAnonymous": true,
            "properties": {"hash_sha256": code.hash, "hash_version": "202208"},
            "tags": {},
        }}),
        pointer: "/properties/codeUri",
    }
}

/// What is known of a pipeline that goes.
#[derive(Clone, Debug)]
pub struct Address {
    /// The workspace.
    pub workspace: ArmId,
    /// This object as an owner.
    pub owner: Owner,
    /// The MLSchedules and unfinished MLRuns that name it.
    pub used_by: Vec<String>,
}

/// What is left of a pipeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    /// Its endpoints.
    pub endpoints: Vec<(ArmId, Value)>,
    /// Its components: the container and its versions.
    pub components: Vec<(ArmId, Vec<Version>)>,
}

impl Leave for MLPipeline {
    type Address = Address;
    type Left = Left;

    fn farewell(&self, address: &Address, left: &Left, _: &Ask) -> Plan {
        if !address.used_by.is_empty() {
            let message = format!(
                "still named by {}; it goes when they are deleted or finished",
                address.used_by.join(", ")
            );
            return Plan::say(Verdict::working("InUse", message), Next::Change);
        }
        if self.spec.deletion_policy == Some(DeletionPolicy::Retain) {
            return Plan::leave("the pipeline stays in Azure");
        }
        if !left.endpoints.is_empty() {
            return publish::remove(&left.endpoints);
        }
        let plans: Vec<Plan> = left
            .components
            .iter()
            .map(|(id, versions)| archive(id, &address.owner, versions, "pipeline"))
            .collect();
        let actions: Vec<Action> = plans.into_iter().flat_map(|plan| plan.actions).collect();
        if actions.is_empty() {
            return Plan::leave("the endpoint is gone and the components are archived");
        }
        Plan::send(actions, Verdict::working("Archiving", "the components are being archived"), Next::Now)
    }
}
