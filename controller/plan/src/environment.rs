//! MLEnvironment: an image, built once or given, pinned by its digest and registered as an environment version.
//!
//! Sources: Azure REST API, `EnvironmentVersions_CreateOrUpdate`; ACR Tasks, `TaskRuns_Create` and its `forceUpdateTag`.

use crate::action::{Action, Failed, Next, Plan, Room, Verdict};
use crate::context::{Ask, InvalidSpec, Workspace};
use crate::diff::differences;
use crate::owner::{Belongs, Owner};
use crate::settle::Differing;
use crate::{Decide, Leave, View, dockerfile, failure, hash, names, time};
use azureml_client::ArmId;
use azureml_client::image::{ImageRef, is_digest};
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{Build, BuildStatus, MLEnvironmentSpec, MLEnvironmentStatus, Platform};
use azureml_crds::ml_workspace::{RegistryStatus, RoleAssignmentMode};
use azureml_crds::shared::DeletionPolicy;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an MLEnvironment refers to.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The workspace.
    pub workspace: Workspace,
    /// This object as an owner.
    pub owner: Owner,
}

/// The environment that should be there, and where its image comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The environment.
    pub id: ArmId,
    /// The first 12 digits of the content's hash: the beginning of every version of this content.
    pub h12: String,
    /// Where the image comes from.
    pub source: Source,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// It is built.
    Built {
        /// The task run that builds this content.
        task_run: ArmId,
        /// The image by its tag, the content's hash.
        image: ImageRef,
        /// The body of the task run, but for the source and the tag that forces another run.
        body: Value,
        /// The files of the build.
        files: BTreeMap<String, String>,
    },
    /// It is given.
    Given(ImageRef),
}

impl Source {
    /// The image by its tag (or digest, where one was written).
    #[must_use]
    pub fn image(&self) -> &ImageRef {
        match self {
            Self::Built { image, .. } | Self::Given(image) => image,
        }
    }
}

/// An environment version that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// The whole resource.
    pub body: Value,
}

impl Version {
    /// The image that it names.
    #[must_use]
    pub fn image(&self) -> Option<&str> {
        self.body["properties"]["image"].as_str()
    }
}

/// What Azure has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The version of this content whose image exists.
    pub version: Option<Version>,
    /// The digest that the tag has; looked at only where there is no version, or on request.
    pub digest: Option<String>,
    /// The task run; looked at only where there is neither.
    pub task_run: Option<Value>,
    /// The end of the log of a run that failed.
    pub tail: Vec<String>,
}

/// The first 12 digits of the content's hash: what decides whether anything is built.
#[must_use]
pub fn h12(spec: &MLEnvironmentSpec) -> String {
    let content = match (&spec.build, &spec.image) {
        (Some(build), _) => json!({
            "dockerfile": build.dockerfile, "args": build.args, "verify": build.verify,
            "platform": build.platform.unwrap_or(Platform::LinuxAmd64),
        }),
        (None, image) => json!({"image": image}),
    };
    hash::cut(&hash::content("environment", &content), 12).to_owned()
}

/// The environment's id: names alone decide it.
#[must_use]
pub fn id(environment: &MLEnvironment, workspace: &ArmId) -> ArmId {
    let (namespace, name) = named(environment);
    let generated = || names::generated(names::ENVIRONMENT, namespace, name);
    workspace.child("environments", &environment.spec.azure_name.clone().unwrap_or_else(generated))
}

fn named(environment: &MLEnvironment) -> (&str, &str) {
    let meta = &environment.metadata;
    (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

/// The versions of this content, in the order in which they are tried: the one in force, then the newest first.
#[must_use]
pub fn candidates(in_force: Option<&str>, wanted: &Wanted, listed: Vec<Version>) -> Vec<Version> {
    let prefix = format!("{}-", wanted.h12);
    let mut found: Vec<Version> =
        listed.into_iter().filter(|version| version.name.starts_with(&prefix)).collect();
    let created =
        |version: &Version| version.body["systemData"]["createdAt"].as_str().and_then(time::timestamp);
    found.sort_by_key(|version| {
        (Some(version.name.as_str()) != in_force, std::cmp::Reverse(created(version)))
    });
    found
}

/// The name of the version of an image.
#[must_use]
pub fn version_name(h12: &str, digest: &str) -> String {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    format!("{h12}-{}", hash::cut(hex, 12))
}

impl Decide for MLEnvironment {
    type Status = MLEnvironmentStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Seen;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        let h12 = h12(&self.spec);
        let source = match (&self.spec.build, &self.spec.image) {
            (Some(build), _) => built(self, build, &h12, &refs.workspace)?,
            (None, Some(image)) => Source::Given(
                ImageRef::parse(image).map_err(|error| InvalidSpec::new("image", error.to_string()))?,
            ),
            (None, None) => return Err(InvalidSpec::new("spec", "set one of build, image")),
        };
        Ok(Wanted { id: id(self, &refs.workspace.id), h12, source })
    }

    fn plan(&self, View { refs, wanted, seen, ask }: View<'_, Self>) -> Plan {
        let moved = ask.requested.is_some() && matches!(wanted.source, Source::Given(_));
        match (&seen.version, &seen.digest) {
            (Some(version), Some(digest)) if moved && version.name != version_name(&wanted.h12, digest) => {
                register(self, refs, wanted, digest)
            }
            (Some(version), _) => settle(self, refs, wanted, version, ask),
            (None, Some(digest)) => register(self, refs, wanted, digest),
            (None, None) => match &wanted.source {
                Source::Built { .. } => build(self, wanted, seen, ask),
                Source::Given(image) => {
                    let message = format!("the registry has no {image}; push it, or write another image");
                    Plan::say(Verdict::stalled("ImageNotFound", message), Next::Tick)
                }
            },
        }
    }

    fn facts(&self, View { wanted, seen, .. }: View<'_, Self>, _: &Plan) -> MLEnvironmentStatus {
        let mut status = self.status.clone().unwrap_or_default();
        if let Some(version) = &seen.version {
            status.version = Some(version.name.clone());
            status.image = version.image().map(str::to_owned);
            status.common.azure_id = Some(wanted.id.child("versions", &version.name).to_string());
        }
        if let Some(run) = &seen.task_run {
            status.build = build_status(wanted, run, &seen.tail);
        }
        status
    }
}

fn built(
    environment: &MLEnvironment,
    build: &Build,
    h12: &str,
    workspace: &Workspace,
) -> Result<Source, InvalidSpec> {
    let registry = workspace.registry.as_ref().ok_or_else(|| {
        let message = format!(
            "the workspace {} has no container registry yet; name one in registry.resourceId of MLWorkspace {}",
            workspace.id.name(), workspace.name
        );
        InvalidSpec { reason: "NoRegistry", ..InvalidSpec::new("build", message) }
    })?;
    let (namespace, name) = named(environment);
    let repository = names::repository(namespace, name);
    let registry_id = ArmId::parse(&registry.resource_id)
        .map_err(|error| InvalidSpec::new("registry", error.to_string()))?;
    Ok(Source::Built {
        task_run: registry_id.child("taskRuns", &names::task_run(namespace, name, h12)),
        body: task_run_body(build, registry, &format!("{repository}:{h12}"))?,
        image: ImageRef {
            registry: registry.login_server.clone(),
            repository,
            tag: Some(h12.to_owned()),
            digest: None,
        },
        files: BTreeMap::from([("Dockerfile".to_owned(), dockerfile::with_checks(build))]),
    })
}

const DEFAULT_TIMEOUT: i64 = 3600;

fn task_run_body(build: &Build, registry: &RegistryStatus, image: &str) -> Result<Value, InvalidSpec> {
    let acr = build.builder.as_ref().map(|builder| &builder.acr);
    let timeout = match acr.and_then(|acr| acr.timeout.as_deref()) {
        Some(text) => time::duration("builder.acr.timeout", text)?.as_secs(),
        None => DEFAULT_TIMEOUT,
    };
    let architecture = match build.platform.unwrap_or(Platform::LinuxAmd64) {
        Platform::LinuxAmd64 => "amd64",
        Platform::LinuxArm64 => "arm64",
    };
    let arguments: Vec<Value> = build
        .args
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value, "isSecret": false}))
        .collect();
    let source_registry = match registry.role_assignment_mode {
        RoleAssignmentMode::LegacyRegistryPermissions => json!({"loginMode": "Default"}),
        RoleAssignmentMode::AbacRepositoryPermissions => json!({"identity": "[caller]"}),
    };
    let mut request = json!({
        "type": "DockerBuildRequest",
        "dockerFilePath": "Dockerfile",
        "platform": {"os": "Linux", "architecture": architecture},
        "imageNames": [image],
        "isPushEnabled": true,
        "noCache": false,
        "isArchiveEnabled": false,
        "arguments": arguments,
        "timeout": timeout,
        "credentials": {"sourceRegistry": source_registry},
    });
    if let Some(cpu) = acr.and_then(|acr| acr.cpu) {
        request["agentConfiguration"] = json!({"cpu": cpu});
    }
    if let Some(pool) = acr.and_then(|acr| acr.agent_pool.as_ref()) {
        request["agentPoolName"] = json!(pool);
    }
    Ok(json!({"location": registry.location, "properties": {"runRequest": request}}))
}

/// The version of an image whose digest is known.
fn register(environment: &MLEnvironment, refs: &Refs, wanted: &Wanted, digest: &str) -> Plan {
    let name = version_name(&wanted.h12, digest);
    let image = wanted.source.image().pinned(digest);
    let mut properties = json!({
        "image": image,
        "osType": "Linux",
        "isAnonymous": false,
        "isArchived": false,
        "tags": refs.owner.tags(&environment.spec.tags),
        "properties": {},
    });
    if let Some(description) = &environment.spec.description {
        properties["description"] = json!(description);
    }
    let put = Action::Put { id: wanted.id.child("versions", &name), body: json!({"properties": properties}) };
    Plan::send(
        vec![put],
        Verdict::working("Registering", format!("{image} is being registered as version {name}")),
        Next::Now,
    )
}

/// A version that exists: equal by its name; only tags, description and archiving can differ.
fn settle(environment: &MLEnvironment, refs: &Refs, wanted: &Wanted, version: &Version, ask: &Ask) -> Plan {
    let properties = &version.body["properties"];
    let id = wanted.id.child("versions", &version.name);
    if let Belongs::Another(owner) = refs.owner.of(&properties["tags"]) {
        let message =
            format!("{id} belongs to {owner}; give this object another azureName, or delete the other one");
        return Plan::say(Verdict::stalled("OwnedByAnother", message), Next::Tick);
    }
    let mut want = json!({"tags": refs.owner.tags(&environment.spec.tags), "isArchived": false});
    if let Some(description) = &environment.spec.description {
        want["description"] = json!(description);
    }
    let found = differences(&want, properties);
    let hash = hash::content("environment-facts", &want);
    if found.is_empty() {
        let message = format!("version {} is {}", version.name, version.image().unwrap_or("an image"));
        return Plan { applied: Some(hash), ..Plan::say(Verdict::ready("Succeeded", message), Next::Tick) };
    }
    let put = Action::Put { id, body: changed(properties, &want) };
    let common = environment.status.as_ref().map(|status| &status.common);
    Differing { common, policy: environment.spec.drift_policy, hash: &hash, found: &found }.plan(
        put,
        Next::Now,
        ask,
    )
}

/// What was read of an environment or component version, with what may change changed: a PUT that left out the image or
/// the spec would lose it.
#[must_use]
pub fn changed(properties: &Value, want: &Value) -> Value {
    let keys = [
        "image",
        "condaFile",
        "build",
        "osType",
        "inferenceConfig",
        "autoRebuild",
        "isAnonymous",
        "isArchived",
        "description",
        "tags",
        "properties",
        "stage",
        "componentSpec",
    ];
    let mut body: serde_json::Map<String, Value> = keys
        .iter()
        .filter_map(|key| {
            Some(((*key).to_owned(), properties.get(*key).filter(|value| !value.is_null())?.clone()))
        })
        .collect();
    for (key, value) in want.as_object().into_iter().flatten() {
        match (body.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(there), Some(more)) => there.extend(more.clone()),
            _ => {
                body.insert(key.clone(), value.clone());
            }
        }
    }
    json!({"properties": body})
}

/// No image yet: build it, wait for it, or say why it cannot be built.
fn build(environment: &MLEnvironment, wanted: &Wanted, seen: &Seen, ask: &Ask) -> Plan {
    let Some(run) = &seen.task_run else {
        return start(wanted, None, "Building", "the image is being built");
    };
    let result = &run["properties"]["runResult"]["properties"];
    let run_id = result["runId"].as_str().unwrap_or("unknown");
    let provisioning = run["properties"]["provisioningState"].as_str().unwrap_or_default();
    let state =
        result["status"].as_str().unwrap_or(if provisioning == "Failed" { "Error" } else { "Queued" });
    match state {
        // The run did its work, and still there is no image: somebody removed it.
        "Succeeded" => force(
            wanted,
            run,
            &format!("purged-{run_id}"),
            "the image was removed from the registry and is being built anew",
        ),
        "Failed" => match &ask.requested {
            Some(request) => {
                let tag = format!("request-{}", hash::cut(&hash::text(request), 12));
                match force(wanted, run, &tag, "the build is tried again on request") {
                    plan if plan.actions.is_empty() => build_failed(run_id, seen, result),
                    plan => plan,
                }
            }
            None => build_failed(run_id, seen, result),
        },
        "Error" | "Timeout" | "Canceled" => interrupted(environment, wanted, run, (state, run_id), ask),
        _ => Plan::say(Verdict::working("Building", "the image is being built"), Next::Look),
    }
}

fn start(wanted: &Wanted, force_update_tag: Option<&str>, reason: &str, message: &str) -> Plan {
    let Source::Built { task_run, body, files, .. } = &wanted.source else {
        return Plan::say(Verdict::working(reason, message), Next::Tick);
    };
    let mut body = body.clone();
    if let Some(tag) = force_update_tag {
        body["properties"]["forceUpdateTag"] = json!(tag);
    }
    let registry = task_run.parent().unwrap_or_else(|| task_run.clone());
    let upload = Action::Upload {
        room: Room::BuildSource(registry),
        files: files.clone(),
        id: task_run.clone(),
        body,
        pointer: "/properties/runRequest/sourceLocation",
    };
    Plan::send(vec![upload], Verdict::working(reason, message), Next::Look)
}

/// Another run of a task run that ended, unless it was made for just this reason.
fn force(wanted: &Wanted, run: &Value, tag: &str, message: &str) -> Plan {
    if run["properties"]["forceUpdateTag"] == tag {
        let verdict = Verdict::stalled(
            "ImageNotFound",
            format!(
                "{} was built ({tag}) and is not in the registry; look who removes it",
                wanted.source.image()
            ),
        );
        return Plan::say(verdict, Next::Tick);
    }
    start(wanted, Some(tag), "Building", message)
}

fn build_failed(run_id: &str, seen: &Seen, result: &Value) -> Plan {
    let why = result["runErrorMessage"].as_str().map(str::to_owned).or_else(|| seen.tail.last().cloned());
    let message = format!(
        "run {run_id} failed: {}; change build, or ask for another try with the annotation {}",
        why.unwrap_or_else(|| "the log says why".to_owned()),
        azureml_crds::RECONCILE_REQUESTED_AT
    );
    Plan::say(Verdict::stalled("BuildFailed", message), Next::Tick)
}

/// A run that was cut off: not the content's fault, so it is tried again with growing delays.
fn interrupted(
    environment: &MLEnvironment,
    wanted: &Wanted,
    run: &Value,
    (state, run_id): (&str, &str),
    ask: &Ask,
) -> Plan {
    let last = environment.status.as_ref().and_then(|status| status.common.last_failure.as_ref());
    let due = match last {
        Some(last) if ask.requested.is_none() => failure::again(last, false, &ask.pace),
        Some(_) => ask.now,
        None => ask.now.checked_add(ask.pace.provisioning[0]).unwrap_or(ask.now),
    };
    let failed = Failed {
        reason: format!("Build{state}"),
        message: format!("run {run_id} ended with {state}"),
        is_quota: false,
    };
    let at = (due > ask.now).then_some(due);
    let verdict = failure::provisioning(&failed, last.map_or(1, |last| last.count), at);
    let plan = if at.is_none() {
        force(wanted, run, &format!("retry-{run_id}"), "the build is tried again")
    } else {
        Plan::say(verdict.clone(), Next::Tick)
    };
    Plan { at, failed: Some(failed), verdict, ..plan }
}

fn build_status(wanted: &Wanted, run: &Value, tail: &[String]) -> Option<BuildStatus> {
    let Source::Built { task_run, .. } = &wanted.source else { return None };
    let result = &run["properties"]["runResult"]["properties"];
    let moment = |key: &str| result[key].as_str().and_then(time::timestamp).map(failure::whole_seconds);
    let (started, finished) = (moment("startTime"), moment("finishTime"));
    let seconds = |(from, to): (Timestamp, Timestamp)| to.duration_since(from).as_secs();
    Some(BuildStatus {
        name: task_run.name().to_owned(),
        run_id: result["runId"].as_str().map(str::to_owned),
        state: result["status"].as_str().unwrap_or("Queued").to_owned(),
        started_at: started.map(Time),
        finished_at: finished.map(Time),
        duration_seconds: started.zip(finished).map(seconds),
        tail: tail.iter().rev().take(20).rev().map(|line| line.chars().take(1024).collect()).collect(),
    })
}

/// The digest of an image that a version names.
#[must_use]
pub fn digest_of(image: &str) -> Option<&str> {
    image.rsplit_once('@').map(|(_, digest)| digest).filter(|digest| is_digest(digest))
}

/// What is known of an environment that goes.
#[derive(Clone, Debug)]
pub struct Address {
    /// The environment.
    pub id: ArmId,
    /// This object as an owner.
    pub owner: Owner,
}

impl Leave for MLEnvironment {
    type Address = Address;
    type Left = Vec<Version>;

    fn farewell(&self, address: &Address, left: &Vec<Version>, _: &Ask) -> Plan {
        if self.spec.deletion_policy != Some(DeletionPolicy::Delete) {
            return Plan::leave("the environment stays in Azure");
        }
        archive(&address.id, &address.owner, left, "environment")
    }
}

/// Archives the versions of ours that are not archived yet; a plan to leave when there are none.
#[must_use]
pub fn archive(id: &ArmId, owner: &Owner, left: &[Version], what: &str) -> Plan {
    let ours = left.iter().filter(|version| {
        let properties = &version.body["properties"];
        properties["isArchived"] != true && owner.of(&properties["tags"]) == Belongs::Us
    });
    let puts: Vec<Action> = ours
        .take(20)
        .map(|version| Action::Put {
            id: id.child("versions", &version.name),
            body: changed(&version.body["properties"], &json!({"isArchived": true})),
        })
        .collect();
    if puts.is_empty() {
        return Plan::leave(format!("the {what} is archived"));
    }
    let verdict =
        Verdict::working("Archiving", format!("{} versions of the {what} are being archived", puts.len()));
    Plan::send(puts, verdict, Next::Now)
}
