//! Runs of ACR Tasks: quick builds and the builds of task runs, their phases, their log, what they push.
//! Source: Azure REST API, `Registries_ScheduleRun`, `Runs_Get`, `Runs_List`, `Runs_Cancel`, `Runs_GetLogSasUrl`
//! (2019-06-01-preview and 2025-03-01-preview).

use super::Registry;
use super::execution;
use crate::arm::Call;
use crate::arm::errors::{self, Refusal, Reply};
use crate::arm::paging::Page;
use crate::blob::{self, Grant, Place};
use crate::clock::stamp;
use crate::timers::Event;
use crate::wire::Answer;
use crate::world::World;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The storage account that Azure keeps sources and logs of builds in.
pub const STORAGE: &str = "acrtasks";

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for an agent.
    Queued,
    /// It has an agent.
    Started,
    /// It runs.
    Running,
    /// It has ended well.
    Succeeded,
    /// It has ended badly.
    Failed,
    /// It was cancelled.
    Canceled,
    /// It took longer than it may.
    Timeout,
}

impl Status {
    /// Azure's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Started => "Started",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
            Self::Timeout => "Timeout",
        }
    }

    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Started | Self::Running)
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// What was asked for, with secrets.
    pub request: Map<String, Value>,
    /// The task run it belongs to.
    pub named: Option<String>,
    /// How far it is.
    pub status: Status,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// What it pushed: repository, tag, digest.
    pub images: Vec<(String, String, String)>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Run {
    /// How long it may run.
    pub fn timeout(&self) -> SignedDuration {
        SignedDuration::from_secs(self.request.get("timeout").and_then(Value::as_i64).unwrap_or(3600))
    }

    /// The run as a GET shows it. Each run is a `QuickRun`, a build too; what it pushed is shown at its end.
    pub fn json(&self, registry: &Registry) -> Value {
        let mut shown = self.scheduled(registry);
        let properties = &mut shown["properties"];
        properties["runType"] = "QuickRun".into();
        properties["createTime"] = stamp(self.created).into();
        properties["platform"] =
            self.request.get("platform").cloned().unwrap_or_else(|| json!({ "os": "linux" }));
        properties["agentConfiguration"] =
            self.request.get("agentConfiguration").cloned().unwrap_or_else(|| json!({ "cpu": 2 }));
        for (key, time) in [("startTime", self.started), ("finishTime", self.finished)] {
            if let Some(time) = time {
                properties[key] = stamp(time).into();
            }
        }
        if self.status.is_over() {
            let image = |(repository, tag, digest): &(String, String, String)| json!({ "registry": registry.login_server(), "repository": repository, "tag": tag, "digest": digest });
            properties["outputImages"] = self.images.iter().map(image).collect::<Vec<_>>().into();
        }
        if let Some(error) = &self.error {
            properties["runErrorMessage"] = error.as_str().into();
        }
        shown
    }

    /// The run as the answer to `scheduleRun` shows it, which tells little.
    fn scheduled(&self, registry: &Registry) -> Value {
        let updated = self.finished.or(self.started).unwrap_or(self.created);
        let archived = self.request.get("isArchiveEnabled").and_then(Value::as_bool).unwrap_or(false);
        json!({
            "type": "Microsoft.ContainerRegistry/registries/runs", "name": self.id,
            "id": format!("{}/runs/{}", registry.id(), self.id),
            "properties": {
                "runId": self.id, "status": self.status.word(), "lastUpdatedTime": whole(updated),
                "provisioningState": "Succeeded", "isArchiveEnabled": archived,
            },
            "systemData": { "lastModifiedBy": "azureml-simulator", "lastModifiedByType": "Application",
                            "lastModifiedAt": stamp(self.created) },
        })
    }
}

/// A time in whole seconds, as a run's last change is told.
fn whole(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

fn bad(message: &str) -> Refusal {
    errors::arm(StatusCode::BAD_REQUEST, "BadRequest", message)
}

/// Refuses a run request that cannot be run.
pub fn check(request: &Map<String, Value>) -> Result<(), Refusal> {
    let text = |key: &str| request.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = text("type").ok_or_else(|| bad("The type of the run request is required."))?;
    let needed: &[&str] = match kind {
        "DockerBuildRequest" => &["dockerFilePath", "sourceLocation"],
        "EncodedTaskRunRequest" => &["encodedTaskContent"],
        "FileTaskRunRequest" => &["taskFilePath", "sourceLocation"],
        other => return Err(bad(&format!("The simulator does not run requests of type '{other}'."))),
    };
    if let Some(key) = needed.iter().find(|key| text(key).is_none()) {
        return Err(bad(&format!("The {key} of a {kind} is required.")));
    }
    if request.get("platform").and_then(|platform| platform.get("os")).and_then(Value::as_str).is_none() {
        return Err(bad("The os of the platform is required."));
    }
    let timeout = request.get("timeout").and_then(Value::as_i64);
    if timeout.is_some_and(|timeout| !(300..=28_800).contains(&timeout)) {
        return Err(bad("The timeout must be between 300 and 28800 seconds."));
    }
    Ok(())
}

/// Starts a run in a registry, and returns its id.
pub fn start(
    world: &mut World,
    key: &str,
    request: Map<String, Value>,
    named: Option<String>,
    now: Timestamp,
) -> Option<String> {
    let registry = world.registries.get_mut(key)?;
    let id = format!("cf{}", registry.runs.len() + 1);
    let run = Run {
        id: id.clone(),
        request,
        named,
        status: Status::Queued,
        created: now,
        started: None,
        finished: None,
        images: Vec::new(),
        error: None,
    };
    registry.runs.insert(id.clone(), run);
    world.timers.set(now + world.settings.build_time / 4, Event::Build(key.to_owned(), id.clone()));
    Some(id)
}

/// `POST scheduleRun`.
pub fn schedule(world: &mut World, call: &Call<'_>, key: &str) -> Reply {
    let request = call.body()?;
    check(&request)?;
    let id = start(world, key, request, None, call.now).ok_or_else(|| errors::no_route(call))?;
    let (registry, run) = find(world, key, &id)?;
    Ok(Answer::ok(&run.scheduled(registry)))
}

fn find<'a>(world: &'a World, key: &str, id: &str) -> Result<(&'a Registry, &'a Run), Refusal> {
    let missing = || errors::no_resource(&format!("runs/{id}"), "");
    let registry = world.registries.get(key).ok_or_else(missing)?;
    let kind = format!("Microsoft.ContainerRegistry/registries/{}/runs/{id}", registry.name);
    Ok((registry, registry.runs.get(id).ok_or_else(|| errors::no_resource(&kind, &registry.group))?))
}

/// `GET runs/{id}`.
pub fn get(world: &World, key: &str, id: &str) -> Reply {
    let (registry, run) = find(world, key, id)?;
    Ok(Answer::ok(&run.json(registry)))
}

static FILTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)^(RunId|Status) eq '([^']*)'$").ok());

/// `GET runs`, newest first, with `$filter=RunId eq '…'` or `Status eq '…'`.
pub fn list(world: &World, call: &Call<'_>, key: &str) -> Reply {
    let registry = world.registries.get(key).ok_or_else(|| errors::no_route(call))?;
    let filter = call.request.query("$filter").unwrap_or_default();
    let wanted = FILTER
        .as_ref()
        .and_then(|pattern| pattern.captures(filter))
        .map(|found| (found[1].to_lowercase(), found[2].to_owned()));
    if wanted.is_none() && !filter.is_empty() {
        return Err(bad(&format!(
            "The filter \"{filter}\" is not served; use RunId eq '…' or Status eq '…'."
        )));
    }
    let takes = |run: &&Run| match &wanted {
        Some((field, value)) if field == "runid" => run.id == *value,
        Some((_, value)) => run.status.word().eq_ignore_ascii_case(value),
        None => true,
    };
    let mut runs: Vec<&Run> = registry.runs.values().filter(takes).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.created, run.id.len(), run.id.clone())));
    let page = Page::of(call, &world.settings)?;
    Ok(Answer::ok(&page.cut("value", runs.into_iter(), |run| run.json(registry))))
}

/// `POST runs/{id}/cancel`: 200 and nothing, also when the run has ended.
pub fn cancel(world: &mut World, key: &str, id: &str, now: Timestamp) -> Reply {
    let (_, run) = find(world, key, id)?;
    if run.status.is_over() {
        return Ok(Answer::empty(StatusCode::OK));
    }
    execution::end(world, key, id, execution::End::canceled(), now);
    Ok(Answer::empty(StatusCode::OK))
}

/// Where the log of a run is kept.
pub fn log_place(registry: &Registry, id: &str) -> Option<Place> {
    Place::new(STORAGE, &registry.name.to_ascii_lowercase(), &format!("logs/{id}/rawtext.log"))
}

/// `POST runs/{id}/listLogSasUrl`.
pub fn log_url(world: &World, key: &str, id: &str) -> Reply {
    let (registry, _) = find(world, key, id)?;
    let place =
        log_place(registry, id).ok_or_else(|| bad("This registry's name cannot be part of a URL."))?;
    let grant = Grant { permissions: "r", container: false, lasts: SignedDuration::from_mins(15) };
    let query = blob::signed(&world.keys, &place, grant);
    let url = format!("{}/blob/{STORAGE}/{}/{}?{query}", world.settings.base, place.container, place.path);
    Ok(Answer::ok(&json!({ "logLink": url })))
}

/// `POST listBuildSourceUploadUrl`: a place for the archive of a build.
pub fn upload_url(world: &mut World, key: &str, now: Timestamp) -> Reply {
    let id = world.ids.uuid();
    let registry =
        world.registries.get(key).map(|registry| registry.name.to_ascii_lowercase()).unwrap_or_default();
    let path = format!("source/{}/{id}.tar.gz", now.strftime("%Y%m%d0000"));
    let place = Place::new(STORAGE, &registry, &path)
        .ok_or_else(|| bad("This registry's name cannot be part of a URL."))?;
    world.blobs.create_container(STORAGE, &registry);
    let grant = Grant { permissions: "cw", container: false, lasts: SignedDuration::from_hours(1) };
    let query = blob::signed(&world.keys, &place, grant);
    let url = format!("{}/blob/{STORAGE}/{registry}/{path}?{query}", world.settings.base);
    Ok(Answer::ok(&json!({ "uploadUrl": url, "relativePath": path })))
}
