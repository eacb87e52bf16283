//! Azure Machine Learning: which part answers a request of the provider, and what its operations and timers lead to.
//! In: calls that passed the front door, events that are due. Out: answers. Rules of one type are in that type's file.

mod assets;
mod computes;
mod data_plane;
mod datastores;
mod endpoints;
mod graph;
mod history;
mod jobs;
mod names;
mod refs;
mod schedules;
mod usages;
mod workspaces;

use crate::arm::Call;
use crate::arm::errors::{self, Reply};
use crate::arm::ids::Target;
use crate::arm::operations::{self, Work};
use crate::faults::Failure;
use crate::wire::Answer;
use crate::world::World;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

pub use data_plane::answer as data_plane;
pub use jobs::{
    Bound, Run, Step, due as run_due, executed as run_executed, granted as nodes_granted,
    timed_out as run_timed_out,
};
pub use refs::datastore_path;
pub use schedules::fire;
pub use workspaces::Workspace;

/// The state that provisioning is in, for all types that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioning {
    /// It is being made.
    Creating,
    /// It is being changed.
    Updating,
    /// It is being removed.
    Deleting,
    /// It is as it was asked for.
    Succeeded,
    /// It could not be made as it was asked for.
    Failed,
    /// It was given up.
    Canceled,
}

impl Provisioning {
    /// Azure's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }

    /// The state that goes by this word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Creating, Self::Updating, Self::Deleting, Self::Succeeded, Self::Failed, Self::Canceled]
            .into_iter()
            .find(|state| state.word().eq_ignore_ascii_case(word))
    }

    /// Whether an operation is going on.
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Creating | Self::Updating | Self::Deleting)
    }
}

/// The maker of something, its last editor, and the times.
#[derive(Clone, Debug)]
pub struct Origin {
    /// When it was made.
    pub created: Timestamp,
    /// By which application.
    pub created_by: String,
    /// When it was last changed.
    pub modified: Timestamp,
    /// By which application.
    pub modified_by: String,
}

impl Origin {
    /// Something made by this call.
    pub fn new(call: &Call<'_>) -> Self {
        Self::by(&call.caller.app, call.now)
    }

    /// Something made by `app` at `now`.
    pub fn by(app: &str, now: Timestamp) -> Self {
        Self { created: now, created_by: app.to_owned(), modified: now, modified_by: app.to_owned() }
    }

    /// Notes a change by this call.
    pub fn touch(&mut self, call: &Call<'_>) {
        self.modified = call.now;
        self.modified_by.clone_from(&call.caller.app);
    }

    /// As endpoints show it.
    pub fn short(&self) -> Value {
        json!({
            "createdAt": crate::clock::stamp(self.created), "createdBy": self.created_by,
            "lastModifiedAt": crate::clock::stamp(self.modified),
        })
    }

    /// As `systemData`.
    pub fn json(&self) -> Value {
        json!({
            "createdAt": crate::clock::stamp(self.created), "createdBy": self.created_by,
            "createdByType": "Application", "lastModifiedAt": crate::clock::stamp(self.modified),
            "lastModifiedBy": self.modified_by, "lastModifiedByType": "Application",
        })
    }
}

/// Answers a request of the provider `Microsoft.MachineLearningServices`.
pub fn answer(world: &mut World, call: &Call<'_>, target: &Target<'_>, rest: &[&str]) -> Reply {
    let part = |at: usize| rest.get(at).map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
    match (part(0).as_str(), rest.len()) {
        ("workspaces", 1) => workspaces::list(world, call, target),
        ("workspaces", 2) => workspaces::get(world, call, target),
        ("workspaces", _) => {
            let key = workspaces::find(world, target, rest)?;
            below_workspace(world, call, &key, rest.get(2..).unwrap_or_default())
        }
        ("locations", 4) => {
            operations::answer(world, call, rest.get(2).unwrap_or(&""), rest.get(3).unwrap_or(&""))
        }
        ("locations", 3) if part(2) == "usages" && call.is(&Method::GET) => {
            usages::list(world, call, target, rest.get(1).unwrap_or(&""))
        }
        (_, _) => Err(errors::no_route(call)),
    }
}

fn below_workspace(world: &mut World, call: &Call<'_>, key: &str, rest: &[&str]) -> Reply {
    let kind = rest.first().map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
    let rest = rest.get(1..).unwrap_or_default();
    match kind.as_str() {
        "computes" => computes::answer(world, call, key, rest),
        "datastores" => datastores::answer(world, call, key, rest),
        "jobs" => jobs::answer(world, call, key, rest),
        "schedules" => schedules::answer(world, call, key, rest),
        "batchendpoints" => endpoints::answer(world, call, key, rest),
        // Nothing makes any here: the collections are there, and empty.
        "onlineendpoints" | "models" if rest.is_empty() && call.is(&Method::GET) => {
            Ok(Answer::ok(&json!({"value": []})))
        }
        _ => match assets::Kind::of(&kind) {
            Some(kind) => assets::answer(world, call, key, kind, rest),
            None => Err(errors::no_route(call)),
        },
    }
}

/// Carries out what an operation does when it ends, and says how it ended.
pub fn finish(
    world: &mut World,
    work: &Work,
    wanted: Result<(), Failure>,
    at: Timestamp,
) -> Result<(), Failure> {
    match work {
        Work::ComputeWritten(workspace, name) => computes::written(world, workspace, name, wanted, at),
        Work::ComputeDeleted(workspace, name) => computes::deleted(world, workspace, name, wanted),
        Work::ScheduleWritten(workspace, name) => schedules::written(world, workspace, name, wanted, at),
        Work::ScheduleDeleted(workspace, name) => schedules::deleted(world, workspace, name, wanted),
        Work::EndpointWritten(workspace, name) => endpoints::written(world, workspace, name, wanted),
        Work::EndpointDeleted(workspace, name) => endpoints::deleted(world, workspace, name, wanted),
        Work::DeploymentWritten(workspace, endpoint, name) => {
            endpoints::deployment_written(world, (workspace, endpoint), name, wanted)
        }
        Work::DeploymentDeleted(workspace, endpoint, name) => {
            endpoints::deployment_deleted(world, (workspace, endpoint), name, wanted)
        }
        Work::JobCanceled(workspace, name) => wanted.map(|()| jobs::cancel(world, workspace, name, at)),
        Work::JobDeleted(workspace, name) => wanted.map(|()| {
            if let Some(workspace) = world.workspaces.get_mut(workspace) {
                workspace.runs.remove(name);
            }
        }),
        Work::BuildEnded => wanted,
    }
}

/// The nodes of a cluster move on.
pub fn nodes_due(world: &mut World, workspace: &str, compute: &str, at: Timestamp) {
    computes::rebalance(world, workspace, compute, at);
}

/// A compute is changed by other means than the API.
pub fn patch_compute(world: &mut World, key: &str, name: &str, patch: &Value, now: Timestamp) -> Reply {
    computes::patched_in_portal(world, key, name, patch, now)
}

/// A schedule is changed by other means than the API.
pub fn patch_schedule(world: &mut World, key: &str, name: &str, patch: &Value, now: Timestamp) -> Reply {
    schedules::patched_in_portal(world, key, name, patch, now)
}

/// A step loses its cluster.
pub fn compute_gone(world: &mut World, key: &str, run: &str, compute: &str, at: Timestamp) {
    jobs::compute_gone(world, key, run, compute, at);
}

/// Where the files of a code are.
pub fn code_uri(workspace: &Workspace, id: &str) -> Option<String> {
    let (_, version) = assets::resolve(workspace, assets::Kind::Code, id).ok().flatten()?;
    version.properties.get("codeUri").and_then(Value::as_str).map(str::to_owned)
}

/// Everything in a workspace, without times and random ids.
pub fn canonical(workspace: &Workspace) -> Value {
    json!({
        "computes": computes::canonical(workspace), "assets": assets::canonical(workspace),
        "jobs": jobs::canonical(workspace), "schedules": schedules::canonical(workspace),
        "endpoints": endpoints::canonical(workspace),
    })
}
