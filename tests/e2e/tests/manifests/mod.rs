//! Manifests on a real API server: what is wrong is refused at apply, with a message that names the field and the remedy;
//! what is right is taken, also at its largest and by an older release.

mod coverage;
mod minors;
mod server;
mod table;

use anyhow::{Context as _, Result, anyhow, bail};
use azureml_e2e::cluster;
use futures::future;
use kube::Resource as _;
use kube::core::Status;
use kube::core::object::HasSpec;
use serde_json::{Value, json};
use server::Server;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;
use table::Trial;
use tokio::sync::{RwLock, Semaphore};

/// A test whose request keeps an API server busy for seconds runs alone: beside others it would be too slow.
static ALONE: RwLock<()> = RwLock::const_new(());

fn trials() -> Result<Vec<Trial>> {
    table::read(&azureml_e2e::root().join("tests/e2e/manifests"))
}

async fn current() -> Result<Server> {
    Ok(Server::new(cluster::shared().client().await?))
}

/// The bytes of a spec from which a server takes seconds to answer: such rows are tried one at a time.
const LARGE: usize = 50 << 10;
/// How many rows are tried at once.
const AT_ONCE: u32 = 4;

/// What the server says about each row, in their order.
async fn answers(server: &Server, trials: &[Trial]) -> Result<Vec<Option<Box<Status>>>> {
    let places = Semaphore::new(AT_ONCE as usize);
    let answers = trials.iter().map(async |trial| {
        let _place = places.acquire_many(if is_large(trial) { AT_ONCE } else { 1 }).await?;
        server.attempt(trial).await
    });
    future::try_join_all(answers).await
}

fn is_large(trial: &Trial) -> bool {
    trial.spec.to_string().len() >= LARGE
}

/// Every row whose answer is not the expected one, one line each.
fn surprises(trials: &[Trial], answers: &[Option<Box<Status>>]) -> Vec<String> {
    let each = trials.iter().zip(answers).filter_map(|(trial, answer)| {
        let surprise = match answer {
            None if trial.says.is_empty() => return None,
            None => "accepted".to_owned(),
            Some(refusal) if trial.says.is_empty() => format!("refused: {}", refusal.message),
            Some(refusal) => {
                let missing: Vec<&String> =
                    trial.says.iter().filter(|part| !refusal.message.contains(part.as_str())).collect();
                if missing.is_empty() {
                    return None;
                }
                format!("without {missing:?} in: {}", refusal.message)
            }
        };
        Some(format!("{}: {}: {surprise}", trial.kind, trial.case))
    });
    each.collect()
}

fn report(trials: &[Trial], answers: &[Option<Box<Status>>]) {
    let surprises = surprises(trials, answers);
    assert!(surprises.is_empty(), "{} of {} rows:\n{}", surprises.len(), trials.len(), surprises.join("\n"));
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_the_field_and_the_remedy() -> Result<()> {
    let mut trials = trials()?;
    trials.retain(|trial| !trial.says.is_empty());
    let answers = answers(&current().await?, &trials).await?;
    report(&trials, &answers);
    let refusals: Vec<&Status> = answers.iter().filter_map(Option::as_deref).collect();
    let untried = coverage::untried(&azureml_crds::all()?, &refusals)?;
    assert!(untried.is_empty(), "no row tries these bounds and rules:\n{}", untried.join("\n"));
    Ok(())
}

#[tokio::test]
async fn what_is_right_is_accepted() -> Result<()> {
    let mut right = trials()?;
    right.retain(|trial| trial.says.is_empty());
    let server = current().await?;
    let _alone = ALONE.write().await;
    accepts(&server, &right).await
}

async fn accepts(server: &Server, right: &[Trial]) -> Result<()> {
    report(right, &answers(server, right).await?);
    for trial in right {
        // What the server takes and the controller cannot read would be an object without a voice, which nobody can delete.
        readable(&trial.kind, &trial.spec).with_context(|| format!("{}: {}", trial.kind, trial.case))?;
    }
    for (file, object) in examples()? {
        if let Err(refusal) = server.create(object, true).await? {
            bail!("{}: {}", file.display(), refusal.message);
        }
    }
    Ok(())
}

fn readable(kind: &str, spec: &Value) -> Result<()> {
    macro_rules! as_one_of {
        ($($many:ident: $kind:path,)*) => {
            $(if kind == <$kind>::kind(&()) {
                let read: Result<<$kind as HasSpec>::Spec, _> = serde_json::from_value(spec.clone());
                return Ok(read.map(drop)?);
            })*
        };
    }
    azureml_crds::for_each_kind!(as_one_of);
    bail!("{kind} is no kind of ours")
}

/// Every object of ours in the folder of examples; others tell Argo CD of them.
fn examples() -> Result<Vec<(PathBuf, Value)>> {
    let mut objects = Vec::new();
    for folder in std::fs::read_dir(azureml_e2e::root().join("examples"))? {
        let folder = folder?.path();
        let files = std::fs::read_dir(&folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
            let read: Vec<Value> = serde_saphyr::from_multiple(&std::fs::read_to_string(&file)?)
                .map_err(|error| anyhow!("{}: {error}", file.display()))?;
            let is_ours = |object: &Value| {
                object["apiVersion"].as_str().is_some_and(|text| text.starts_with("azureml.dev/"))
            };
            objects.extend(read.into_iter().filter(is_ours).map(|object| (file.clone(), object)));
        }
    }
    assert!(objects.len() >= 10, "the examples are not found: {} objects", objects.len());
    Ok(objects)
}

/// All rules run again when a status is written, and it has to fit beside the largest spec.
#[tokio::test]
async fn the_largest_pipeline_takes_a_status() -> Result<()> {
    let server = current().await?;
    let _alone = ALONE.write().await;
    let trials = trials()?;
    let largest =
        trials.iter().find(|trial| trial.case == "everything is changed").context("no largest pipeline")?;
    let bytes = largest.spec.to_string().len();
    let mut stored = server.store("largest", largest).await?;
    let mut times = Vec::new();
    for round in 1..=3 {
        let started = Instant::now();
        stored = server.write_status(&stored, json!({"observedGeneration": round})).await?;
        times.push(started.elapsed());
    }
    // Past the test harness, which would keep it to itself.
    writeln!(std::io::stderr(), "a status write on the largest pipeline ({bytes} bytes): {times:.1?}")?;
    Ok(())
}
