//! What happens in a run: its phases, the evaluation of its build, the log, the push, the end.
//! In: events that are due. Out: images in the registry, a log blob whose metadata says that it is complete.

use super::build::{self, Built, Plan};
use super::images::{Manifest, Reference};
use super::registries::RoleMode;
use super::runs::{self, STORAGE, Status};
use super::{task_file, task_runs};
use crate::blob::Place;
use crate::faults::Outcome;
use crate::timers::Event;
use crate::world::World;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// How a run ends.
#[derive(Clone, Debug)]
pub struct End {
    status: Status,
    log: Vec<String>,
    images: Vec<(String, String, String)>,
    error: Option<String>,
}

impl End {
    fn failed(log: Vec<String>, error: String) -> Self {
        Self { status: Status::Failed, log, images: Vec::new(), error: Some(error) }
    }

    /// The end of a run that was cancelled.
    pub fn canceled() -> Self {
        let log = vec!["Run canceled.".to_owned()];
        Self { status: Status::Canceled, log, images: Vec::new(), error: None }
    }
}

/// The next phase of a run.
pub fn due(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let times = world.settings.build_time;
    let Some(run) = world.registries.get_mut(key).and_then(|registry| registry.runs.get_mut(id)) else {
        return;
    };
    let wait = match run.status {
        Status::Queued => {
            run.status = Status::Started;
            run.started = Some(at);
            times / 4
        }
        Status::Started => {
            run.status = Status::Running;
            (times / 2).min(run.timeout())
        }
        Status::Running => return finish(world, key, id, at),
        Status::Succeeded | Status::Failed | Status::Canceled | Status::Timeout => return,
    };
    world.timers.set(at + wait, Event::Build(key.to_owned(), id.to_owned()));
}

/// The end of a run: as a fault says, or as its build goes.
fn finish(world: &mut World, key: &str, id: &str, at: Timestamp) {
    let Some(registry) = world.registries.get(key) else { return };
    let Some(run) = registry.runs.get(id).cloned() else { return };
    let event = Event::Build(key.to_owned(), id.to_owned());
    let resource = match &run.named {
        Some(name) => format!("{}/taskRuns/{name}", registry.id()),
        None => format!("{}/runs/{id}", registry.id()),
    };
    let end = match world.faults.outcome(&resource, &event) {
        Outcome::Held => return,
        Outcome::Fail(failure) => {
            End::failed(vec![failure.message.clone()], format!("{}: {}", failure.code, failure.message))
        }
        Outcome::Unchanged if world.settings.build_time / 2 > run.timeout() => End {
            status: Status::Timeout,
            log: vec!["The run has reached its timeout.".into()],
            images: Vec::new(),
            error: Some(format!("The run did not end within {} seconds.", run.timeout().as_secs())),
        },
        Outcome::Unchanged => carry_out(world, Job { registry: key, id, request: &run.request }),
    };
    self::end(world, key, id, end, at);
}

/// Ends a run.
pub fn end(world: &mut World, key: &str, id: &str, end: End, at: Timestamp) {
    let Some(registry) = world.registries.get_mut(key) else { return };
    let place = runs::log_place(registry, id);
    let container = registry.name.to_ascii_lowercase();
    let Some(run) = registry.runs.get_mut(id) else { return };
    run.status = end.status;
    run.finished = Some(at);
    run.images = end.images;
    run.error = end.error;
    let task_run = run.named.clone();
    let mut lines = end.log;
    lines.push(format!(
        "Run ID: {id} {} after 1s",
        if end.status == Status::Succeeded { "was successful" } else { "failed" }
    ));
    let label = match end.status {
        Status::Succeeded => "successful",
        Status::Canceled => "canceled",
        Status::Timeout => "timedout",
        Status::Failed | Status::Queued | Status::Started | Status::Running => "failed",
    };
    if let Some(place) = place {
        world.blobs.create_container(STORAGE, &container);
        let text = lines.join("\r\n") + "\r\n";
        world.blobs.publish(&place, text.as_bytes(), at, vec![("complete".into(), label.into())]);
    }
    if let Some(name) = task_run {
        task_runs::ended(world, key, &name, id, at);
    }
}

/// A run that is being carried out.
#[derive(Clone, Copy)]
struct Job<'a> {
    registry: &'a str,
    id: &'a str,
    request: &'a Map<String, Value>,
}

/// What a request leads to.
fn carry_out(world: &mut World, job: Job<'_>) -> End {
    let (key, request) = (job.registry, job.request);
    let kind = request.get("type").and_then(Value::as_str).unwrap_or_default();
    let source = match source(world, key, request) {
        Ok(source) => source,
        Err(error) => return End::failed(vec![error.clone()], error),
    };
    let steps = if kind == "DockerBuildRequest" {
        Ok(vec![task_file::Build { plan: plan(request), images: names(request) }])
    } else {
        task_file::read(request, &source)
    };
    let steps = match steps {
        Ok(steps) => steps,
        Err(error) => return End::failed(vec![error.clone()], error),
    };
    let push = request.get("isPushEnabled").and_then(Value::as_bool).unwrap_or(true);
    let mut whole = End { status: Status::Succeeded, log: Vec::new(), images: Vec::new(), error: None };
    for step in steps {
        let built = evaluate(world, key, &source, &step.plan);
        whole.log.extend(built.log);
        match built.result {
            Err(error) => {
                whole.log.push(error.clone());
                return End::failed(
                    whole.log,
                    format!("failed to run step ID: build: exit status 1: {error}"),
                );
            }
            Ok(content) if push => match deliver(world, job, &step.images, &content) {
                Ok(images) => whole.images.extend(images),
                Err(error) => {
                    whole.log.push(error.clone());
                    return End::failed(whole.log, error);
                }
            },
            Ok(_) => {}
        }
    }
    whole
}

/// The archive of a request; a request without one works on nothing.
fn source(world: &World, key: &str, request: &Map<String, Value>) -> Result<build::Files, String> {
    let Some(location) =
        request.get("sourceLocation").and_then(Value::as_str).filter(|text| !text.is_empty())
    else {
        return Ok(build::Files::new());
    };
    let registry =
        world.registries.get(key).map(|registry| registry.name.to_ascii_lowercase()).unwrap_or_default();
    let prefix = format!("{}/blob/", world.settings.base);
    let place = match location.strip_prefix(&prefix) {
        Some(rest) => {
            let path = rest.split('?').next().unwrap_or_default();
            let mut parts = path.splitn(3, '/');
            let mut next = || parts.next().unwrap_or_default();
            Place::new(next(), next(), next())
        }
        None if location.contains("://") => {
            return Err(format!("failed to download the source {location}: the simulator has no network"));
        }
        None => Place::new(STORAGE, &registry, location),
    };
    let bytes = place.and_then(|place| world.blobs.read(&place));
    build::unpack(
        &bytes.ok_or_else(|| format!("failed to download the source {location}: it was not uploaded"))?,
    )
}

fn plan(request: &Map<String, Value>) -> Plan {
    let text = |key: &str| request.get(key).and_then(Value::as_str).map(str::to_owned);
    let argument = |value: &Value| {
        let field = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Some((field("name")?, field("value").unwrap_or_default()))
    };
    Plan {
        dockerfile: text("dockerFilePath").unwrap_or_else(|| "Dockerfile".into()),
        target: text("target"),
        arguments: request
            .get("arguments")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(argument)
            .collect(),
        context: String::new(),
    }
}

fn names(request: &Map<String, Value>) -> Vec<String> {
    let names = request.get("imageNames").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn evaluate(world: &mut World, key: &str, files: &build::Files, plan: &Plan) -> Built {
    let login = world.registries.get(key).map(super::Registry::login_server).unwrap_or_default();
    let ours: Vec<String> = world.registries.values().map(super::Registry::login_server).collect();
    let images = &mut world.images;
    let mut resolve = |reference: &Reference| {
        let mut reference = reference.clone();
        if reference.host == "$registry" {
            reference.host.clone_from(&login);
        }
        let local = ours.contains(&reference.host);
        images.resolve(&reference, local).map(|manifest| manifest.digest)
    };
    build::evaluate(files, plan, &mut resolve)
}

/// Pushes an image under its names; in an ABAC registry only with an identity that the request names.
fn deliver(
    world: &mut World,
    job: Job<'_>,
    names: &[String],
    content: &str,
) -> Result<Vec<(String, String, String)>, String> {
    let Some(registry) = world.registries.get(job.registry) else { return Ok(Vec::new()) };
    let login = registry.login_server();
    let identity = job.request.get("credentials").and_then(|c| c.pointer("/sourceRegistry/identity"));
    if registry.mode == RoleMode::Abac && identity.and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(format!(
            "denied: requested access to the resource is denied: {login} takes pushes from identities alone; \
             name one in credentials.sourceRegistry.identity"
        ));
    }
    let has_pool =
        job.request.get("agentPoolName").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if registry.restricted && !has_pool {
        return Err(format!(
            "failed to login, ran out of retries: failed to set docker credentials: Error response from daemon: Get \
             \"https://{login}/v2/\": denied: {{\"errors\":[{{\"code\":\"DENIED\",\"message\":\"client with IP \
             '192.0.2.44' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.\"}}]}}"
        ));
    }
    let manifest = Manifest::image(&format!("{}\n{content}", job.id));
    let mut pushed = Vec::new();
    for name in names {
        let whole = format!("{login}/{}", name.trim_start_matches(&format!("{login}/")));
        let reference =
            Reference::parse(&whole).ok_or_else(|| format!("invalid reference format: '{name}'"))?;
        let tag = reference.tag.unwrap_or_else(|| "latest".into());
        world.images.push(&login, &reference.repository, &tag, manifest.clone());
        pushed.push((reference.repository, tag, manifest.digest.clone()));
    }
    Ok(pushed)
}
