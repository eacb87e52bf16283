//! Executing steps for real: a process in a folder of its own, with the code's files, data at paths, and its log kept.
//! In: a step that begins. Out: a job for the machine, or why there is none; later, how the process ended.
//! Bindings are replaced in `command`, programs are looked for in `machine`, processes are run in `process`.

mod command;
mod machine;
mod process;
mod surroundings;

use crate::blob::Place;
use crate::faults::Failure;
use crate::ml::{self, Bound, Run, Step, Workspace};
use crate::world::World;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use process::Running;

/// The property of a run that says why it was not executed.
pub const NOT_EXECUTED: &str = "azureml-simulator.notExecuted";

/// What the world wants done outside of it.
#[derive(Debug)]
pub enum Effect {
    /// To run a process.
    Run(Box<Job>),
    /// To end the process of a run, if it has one.
    Kill(String),
}

/// Why a step has no process.
#[derive(Debug)]
pub enum Obstacle {
    /// The simulator, or this machine, cannot execute it.
    NotExecuted(String),
    /// It would fail in Azure too.
    Fails(Failure),
}

/// One process that is to be run.
#[derive(Debug)]
pub struct Job {
    /// The workspace's key.
    pub workspace: String,
    /// The run.
    pub run: String,
    /// The folder it runs in.
    pub folder: PathBuf,
    /// The shell line.
    pub line: String,
    /// Its environment variables.
    pub variables: BTreeMap<String, String>,
    /// Files that are copied into the folder: from, to.
    pub files: Vec<(PathBuf, PathBuf)>,
    /// Folders that must exist.
    pub folders: Vec<PathBuf>,
    /// Where output and errors go.
    pub log: PathBuf,
}

/// Where the log of a run is kept.
pub fn log_place(workspace: &Workspace, run: &str) -> Option<Place> {
    let store = workspace.datastores.get("workspaceartifactstore")?;
    store.place(&format!("ExperimentRun/dcid.{run}/user_logs/std_log.txt"))
}

/// Writes a log that no process writes.
pub fn note(world: &mut World, key: &str, run: &str, text: &str, at: Timestamp) {
    let place = world.workspaces.get(key).and_then(|workspace| log_place(workspace, run));
    if let Some(place) = place {
        world.blobs.publish(&place, text.as_bytes(), at, Vec::new());
    }
}

fn step<'a>(world: &'a World, key: &str, run: &str) -> Option<(&'a Workspace, &'a Run, &'a Step)> {
    let workspace = world.workspaces.get(key)?;
    let run = workspace.runs.get(run)?;
    Some((workspace, run, run.step()?))
}

/// The place of a code's files.
fn code(world: &World, workspace: &Workspace, id: &str) -> Option<Place> {
    let uri = ml::code_uri(workspace, id)?;
    place(world, workspace, &uri)
}

/// The place in the simulator's storage that a URI leads to.
fn place(world: &World, workspace: &Workspace, uri: &str) -> Option<Place> {
    if let Some((store, path)) = ml::datastore_path(uri) {
        return workspace.datastores.get(store)?.place(path);
    }
    let path = uri.strip_prefix(&format!("{}/blob/", world.settings.base))?.split('?').next()?;
    let mut parts = path.splitn(3, '/');
    Place::new(parts.next()?, parts.next()?, parts.next().unwrap_or_default())
}

/// Refuses to run a step whose code was registered but never uploaded.
pub fn check_code(world: &World, key: &str, run: &str) -> Result<(), Failure> {
    let Some((workspace, _, step)) = step(world, key, run) else { return Ok(()) };
    let Some(id) = &step.code else { return Ok(()) };
    let files = code(world, workspace, id).map(|place| world.blobs.list(&place)).unwrap_or_default();
    if !files.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        "ScriptExecution.StreamAccess.NotFound",
        format!("The code '{id}' has no files in storage."),
    ))
}

/// The process that a step needs, or what is in its way.
pub fn plan(world: &World, key: &str, id: &str) -> Result<Job, Obstacle> {
    let not = |reason: String| Err(Obstacle::NotExecuted(reason));
    let Some((workspace, run, step)) = step(world, key, id) else { return not("it is no step".into()) };
    if !world.settings.execute {
        return not("the simulator runs without --execute".into());
    }
    if step.kind != "command" || step.command.is_empty() {
        return not(format!("a step of type {} is not executed", step.kind));
    }
    if let Some(program) = command::programs(&step.command).into_iter().find(|program| !machine::has(program))
    {
        return not(format!("'{program}' is not installed on this machine"));
    }
    let mut job = laid_out(world, workspace, key, (id, step));
    let inputs = mounted(world, workspace, (&step.inputs, &step.direct), &mut job, false)?;
    let outputs = mounted(world, workspace, (&step.outputs, &step.direct), &mut job, true)?;
    for (name, value) in surroundings::variables(&world.settings, workspace) {
        job.variables.entry(name).or_insert(value);
    }
    let name = |kind: &str, name: &str| format!("AZURE_ML_{kind}_{name}");
    job.variables.extend(inputs.iter().map(|(key, value)| (name("INPUT", key), value.clone())));
    job.variables.extend(outputs.iter().map(|(key, value)| (name("OUTPUT", key), value.clone())));
    job.variables.extend([
        ("AZUREML_RUN_ID".to_owned(), id.to_owned()),
        ("AZUREML_ROOT_RUN_ID".to_owned(), run.root.clone()),
        ("AZUREML_EXPERIMENT_NAME".to_owned(), run.experiment.clone()),
        ("HOME".to_owned(), job.folder.display().to_string()),
        ("TMPDIR".to_owned(), job.folder.with_file_name("tmp").display().to_string()),
    ]);
    job.line = command::fill(&step.command, &inputs, &outputs);
    Ok(job)
}

/// A job with its folders and the files of its code, and nothing to run yet.
fn laid_out(world: &World, workspace: &Workspace, key: &str, (id, step): (&str, &Step)) -> Job {
    let folder = world.settings.dir.join("runs").join(id);
    let mut job = Job {
        workspace: key.to_owned(),
        run: id.to_owned(),
        folder: folder.join("wd"),
        line: String::new(),
        variables: step.variables.clone(),
        files: Vec::new(),
        folders: vec![folder.join("wd"), folder.join("tmp")],
        log: log_place(workspace, id).map_or_else(|| folder.join("log"), |place| world.blobs.file(&place)),
    };
    let Some(place) = step.code.as_ref().and_then(|code| self::code(world, workspace, code)) else {
        return job;
    };
    for path in world.blobs.list(&place) {
        let inside = path.strip_prefix(&place.path).unwrap_or(&path).trim_start_matches('/').to_owned();
        let from = place.with(&path).map(|place| world.blobs.file(&place));
        job.files.extend(from.map(|from| (from, job.folder.join(inside))));
    }
    job
}

/// What stands for inputs or outputs in the command: text, an address, or a path on this machine.
fn mounted(
    world: &World,
    workspace: &Workspace,
    (bound, direct): (&BTreeMap<String, Bound>, &BTreeSet<String>),
    job: &mut Job,
    is_output: bool,
) -> Result<BTreeMap<String, String>, Obstacle> {
    let ports = if is_output { "outputs" } else { "inputs" };
    let mut values = BTreeMap::new();
    for (name, bound) in bound {
        let (kind, uri) = match bound {
            Bound::Literal(text) => {
                values.insert(name.clone(), text.clone());
                continue;
            }
            Bound::Data(kind, uri) => (kind, uri),
        };
        if direct.contains(&format!("{ports}.{name}")) {
            values.insert(name.clone(), uri.clone());
            continue;
        }
        let place = place(world, workspace, uri).ok_or_else(|| {
            Obstacle::NotExecuted(format!("'{name}' is at {uri}, which is not in the simulator's storage"))
        })?;
        let path = world.blobs.file(&place);
        if is_output {
            let folder =
                if kind == "uri_file" { path.parent().map(PathBuf::from) } else { Some(path.clone()) };
            job.folders.extend(folder);
        } else if !path.exists() {
            let text = format!("The input '{name}' was not found at {uri}.");
            return Err(Obstacle::Fails(Failure::new("DataAccessError.NotFound", text)));
        }
        values.insert(name.clone(), path.display().to_string());
    }
    Ok(values)
}

/// Carries out what the world wants done.
pub fn carry_out(
    running: &Running,
    effect: Effect,
    ended: impl FnOnce(&Job, Result<(), Failure>) + Send + 'static,
) {
    match effect {
        Effect::Run(job) => running.start(*job, ended),
        Effect::Kill(run) => running.kill(&run),
    }
}
