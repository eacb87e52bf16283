//! The build of an image: a task run named by the content, started once, tried again where that can help.
//!
//! Source: ACR Tasks, `TaskRuns_Create` and its `forceUpdateTag`.

use super::named::named;
use super::network;
use super::recipe::Recipe;
use super::seen::Seen;
use super::state::build_state;
use super::wanted::{Refs, Source, Wanted};
use crate::action::{Action, Failed, Files, Next, Plan, Room, Verdict};
use crate::context::Ask;
use crate::invalid::InvalidSpec;
use crate::reasons::Reason;
use crate::{failure, hash, names, time};
use azureml_client::ArmId;
use azureml_client::image::ImageRef;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{AcrBuilder, BuildStatus, Platform};
use azureml_crds::ml_workspace::{RegistryStatus, RoleAssignmentMode};
use azureml_crds::shared::LastFailure;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

pub(super) fn built(
    environment: &MLEnvironment,
    recipe: Recipe,
    content: &str,
    Refs { workspace, owner, sources: _, images: _ }: &Refs,
) -> Result<Source, InvalidSpec> {
    let registry = workspace.registry.as_ref().ok_or_else(|| {
        let message = format!(
            "the workspace {} has no container registry yet; name one in registry.resourceId of MLWorkspace {}",
            workspace.id.name(), workspace.reference
        );
        InvalidSpec { reason: Reason::NO_REGISTRY, ..InvalidSpec::new(recipe.field, message) }
    })?;
    let (namespace, name) = named(environment);
    let repository = names::repository(&owner.cluster, namespace, name);
    let registry_id = ArmId::parse(&registry.resource_id)
        .map_err(|error| InvalidSpec::new("registry", error.to_string()))?;
    Ok(Source::Built {
        task_run: registry_id.child("taskRuns", &names::task_run(&owner.cluster, namespace, name, content)),
        body: task_run_body(&recipe, registry, &format!("{repository}:{content}"))?,
        image: ImageRef {
            registry: registry.login_server.clone(),
            repository,
            tag: Some(content.to_owned()),
            digest: None,
        },
        files: recipe.files,
        context: recipe.context,
    })
}

const DEFAULT_TIMEOUT: i64 = 3600;

fn task_run_body(recipe: &Recipe, registry: &RegistryStatus, image: &str) -> Result<Value, InvalidSpec> {
    // The files go beside the request.
    let Recipe { field: _, files: _, context: _, dockerfile, target, args, platform, acr } = recipe;
    let AcrBuilder { cpu, timeout, agent_pool } = acr;
    let timeout = match timeout {
        Some(text) => time::duration("builder.acr.timeout", text)?.as_secs(),
        None => DEFAULT_TIMEOUT,
    };
    let architecture = match platform {
        Platform::LinuxAmd64 => "amd64",
        Platform::LinuxArm64 => "arm64",
    };
    let arguments: Vec<Value> =
        args.iter().map(|(name, value)| json!({"name": name, "value": value, "isSecret": false})).collect();
    let source_registry = match registry.role_assignment_mode {
        RoleAssignmentMode::LegacyRegistryPermissions => json!({"loginMode": "Default"}),
        RoleAssignmentMode::AbacRepositoryPermissions => json!({"identity": "[caller]"}),
    };
    let mut request = json!({
        "type": "DockerBuildRequest",
        "dockerFilePath": dockerfile,
        "platform": {"os": "Linux", "architecture": architecture},
        "imageNames": [image],
        "isPushEnabled": true,
        "noCache": false,
        "isArchiveEnabled": false,
        "arguments": arguments,
        "timeout": timeout,
        "credentials": {"sourceRegistry": source_registry},
    });
    if let Some(target) = target {
        request["target"] = json!(target);
    }
    if let Some(cpu) = cpu {
        request["agentConfiguration"] = json!({"cpu": cpu});
    }
    if let Some(pool) = agent_pool {
        request["agentPoolName"] = json!(pool);
    }
    Ok(json!({"location": registry.location, "properties": {"runRequest": request}}))
}

/// No image yet: build it, wait for it, or say why it cannot be built.
pub(super) fn build(environment: &MLEnvironment, wanted: &Wanted, seen: &Seen, ask: &Ask) -> Plan {
    let Some(run) = &seen.task_run else {
        if let Some(verdict) = network::restricted(wanted, seen.registry.as_ref()) {
            return Plan::say(verdict, Next::Tick);
        }
        return start(wanted, None, Reason::BUILDING, "the image is being built");
    };
    let result = &run["properties"]["runResult"]["properties"];
    let run_id = result["runId"].as_str().unwrap_or("unknown");
    match build_state(run) {
        // The run did its work, and still there is no image: somebody removed it.
        "Succeeded" => rebuild(wanted, run, run_id, forced(environment, wanted), ask),
        "Failed" => match request_tag(ask) {
            Some(tag) if forced(environment, wanted) != Some(&tag) => {
                start(wanted, Some(&tag), Reason::BUILDING, "the build is tried again on request")
            }
            _ => build_failed(run_id, seen, result),
        },
        state @ ("Error" | "Timeout" | "Canceled") => {
            interrupted(environment, wanted, run, (state, run_id), ask)
        }
        _ => Plan::say(Verdict::working(Reason::BUILDING, "the image is being built"), Next::Look),
    }
}

fn start(wanted: &Wanted, force_update_tag: Option<&str>, reason: Reason, message: &str) -> Plan {
    let Source::Built { task_run, body, files, context, image: _ } = &wanted.source else {
        return Plan::say(Verdict::working(reason, message), Next::Tick);
    };
    let mut body = body.clone();
    if let Some(tag) = force_update_tag {
        body["properties"]["forceUpdateTag"] = json!(tag);
    }
    let registry = task_run.parent().unwrap_or_else(|| task_run.clone());
    let upload = Action::Upload {
        room: Room::BuildSource(registry),
        files: match context {
            None => Files::InPlace(files.clone()),
            Some(hash) => Files::Above { hash: hash.clone(), files: files.clone() },
        },
        id: task_run.clone(),
        body,
        pointer: "/properties/runRequest/sourceLocation",
    };
    Plan::send(vec![upload], Verdict::working(reason, message), Next::Look)
}

const PURGED: &str = "purged-";

/// The `forceUpdateTag` of the last run, from `status`: Azure does not show it.
fn forced<'a>(environment: &'a MLEnvironment, wanted: &Wanted) -> Option<&'a str> {
    let Source::Built { task_run, .. } = &wanted.source else { return None };
    let build = environment.status.as_ref()?.build.as_ref().filter(|build| build.name == task_run.name())?;
    build.force_update_tag.as_deref()
}

/// The tag of a build that somebody asks for.
fn request_tag(ask: &Ask) -> Option<String> {
    let request = ask.requested.as_ref()?;
    Some(format!("request-{}", hash::cut(&hash::text(request), 12)))
}

/// The image of a run that succeeded is not there. It is built anew; one that vanishes again only once in a while, since
/// something removes it, or hides it.
fn rebuild(wanted: &Wanted, run: &Value, run_id: &str, forced: Option<&str>, ask: &Ask) -> Plan {
    let tag = format!("{PURGED}{run_id}");
    let was_rebuilt = forced.is_some_and(|forced| forced.starts_with(PURGED));
    let due = finished(run).and_then(|at| at.checked_add(ask.pace.stalled).ok());
    if was_rebuilt && ask.requested.is_none() && due.is_none_or(|due| due > ask.now) {
        let message = format!(
            "{} was built by run {run_id} and is not in the registry; find what removes it, such as a retention policy or a purge task",
            wanted.source.image()
        );
        return Plan { at: due, ..Plan::say(Verdict::stalled(Reason::IMAGE_NOT_FOUND, message), Next::Tick) };
    }
    start(
        wanted,
        Some(&tag),
        Reason::BUILDING,
        "the image was removed from the registry and is being built anew",
    )
}

/// When a run ended.
fn finished(run: &Value) -> Option<Timestamp> {
    time::timestamp(run["properties"]["runResult"]["properties"]["finishTime"].as_str()?)
}

fn build_failed(run_id: &str, seen: &Seen, result: &Value) -> Plan {
    let why = result["runErrorMessage"].as_str().map(str::to_owned).or_else(|| seen.tail.last().cloned());
    let message = format!(
        "run {run_id} failed: {}; change what is built, or ask for another try with the annotation {}",
        why.unwrap_or_else(|| "the log says why".to_owned()),
        azureml_crds::RECONCILE_REQUESTED_AT
    );
    Plan::say(Verdict::stalled(Reason::BUILD_FAILED, message), Next::Tick)
}

/// A run that was cut off: not the content's fault, so it is tried again with growing delays.
fn interrupted(
    environment: &MLEnvironment,
    wanted: &Wanted,
    run: &Value,
    (state, run_id): (&str, &str),
    ask: &Ask,
) -> Plan {
    let last = environment.status.as_ref().and_then(|status| status.common.last_failure.clone());
    let last = last.filter(|last| last.reason.starts_with("Build"));
    // A run may take longer than the delay, which counts from its end.
    let since = |last: &LastFailure| Time(finished(run).map_or(last.at.0, |end| end.max(last.at.0)));
    let last = last.map(|last| LastFailure { at: since(&last), ..last });
    let due = match &last {
        Some(last) if ask.requested.is_none() => failure::again(last, false, &ask.pace),
        Some(_) => ask.now,
        None => ask.now.checked_add(ask.pace.provisioning[0]).unwrap_or(ask.now),
    };
    let failed = Failed {
        reason: cut_off(state).into(),
        message: format!("run {run_id} ended with {state}"),
        is_quota: false,
    };
    let at = (due > ask.now).then_some(due);
    let verdict = failure::provisioning(&failed, last.as_ref().map_or(1, |last| last.count), at);
    let plan = if at.is_none() {
        start(wanted, Some(&format!("retry-{run_id}")), Reason::BUILDING, "the build is tried again")
    } else {
        Plan::say(verdict.clone(), Next::Tick)
    };
    Plan { at, failed: Some(failed), verdict, ..plan }
}

/// The reason of a run that was cut off, whole, so that it is found where the runbook names it.
fn cut_off(state: &str) -> Reason {
    match state {
        "Canceled" => Reason::BUILD_CANCELED,
        "Timeout" => Reason::BUILD_TIMEOUT,
        _ => Reason::BUILD_ERROR,
    }
}

/// `status.build`. The plan that starts another run knows its `forceUpdateTag`; later passes keep it.
pub(super) fn build_status(
    environment: &MLEnvironment,
    wanted: &Wanted,
    seen: &Seen,
    plan: &Plan,
) -> Option<BuildStatus> {
    let (Source::Built { task_run, .. }, Some(run)) = (&wanted.source, &seen.task_run) else { return None };
    let result = &run["properties"]["runResult"]["properties"];
    let moment = |key: &str| result[key].as_str().and_then(time::timestamp).map(failure::whole_seconds);
    let (started, finished) = (moment("startTime"), moment("finishTime"));
    let seconds = |(from, to): (Timestamp, Timestamp)| to.duration_since(from).as_secs();
    let tag = plan.actions.iter().find_map(tag_of).or_else(|| forced(environment, wanted));
    Some(BuildStatus {
        name: task_run.name().to_owned(),
        run_id: result["runId"].as_str().map(str::to_owned),
        force_update_tag: tag.map(str::to_owned),
        state: build_state(run).to_owned(),
        started_at: started.map(Time),
        finished_at: finished.map(Time),
        duration_seconds: started.zip(finished).map(seconds),
        tail: seen.tail.iter().rev().take(20).rev().map(|line| line.chars().take(1024).collect()).collect(),
    })
}

fn tag_of(action: &Action) -> Option<&str> {
    match action {
        Action::Upload { body, .. } => body["properties"]["forceUpdateTag"].as_str(),
        Action::Put { .. } | Action::Patch { .. } | Action::Post { .. } | Action::Delete { .. } => None,
    }
}
