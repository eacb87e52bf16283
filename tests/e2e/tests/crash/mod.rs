//! Crash safety: at every request that changes Azure the operator is killed before its effect, killed after it, or loses the
//! answer; at some reads it is killed too. Started again it reaches the same Azure state: one build, one job, no orphan.
//!
//! One control plane, and two simulated Azures, of which one speaks HTTP/1.1 alone; every case has its own namespace,
//! workspace and operator.

mod names;
mod stage;

use anyhow::{Result, ensure};
use azureml_e2e::scene::SUBSCRIPTION;
use azureml_e2e::{Operator, PATIENCE, is_http1};
use azureml_simulator::{Entry, Options, Simulator};
use futures::StreamExt as _;
use names::{difference, general, pattern};
use serde_json::{Value, json};
use stage::Stage;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Cases side by side.
const SIDE_BY_SIDE: usize = 8;
/// Kills at reads.
const READS: usize = 20;

/// What a case does to the operator at one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    KilledBefore,
    KilledAfter,
    AnswerLost,
}

/// Which part of the story a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Apply,
    Run,
    Delete,
}

const ACTS: [Act; 3] = [Act::Apply, Act::Run, Act::Delete];

/// A request as it is found again in another namespace: method, path with placeholders, and which of the equal ones.
#[derive(Clone, Debug)]
struct Target {
    act: Act,
    method: String,
    path: String,
    nth: usize,
}

#[derive(Clone, Debug)]
struct Case {
    target: Target,
    blow: Blow,
}

impl Case {
    /// Whether the request comes in every story: what changes Azure does.
    fn is_certain(&self) -> bool {
        self.target.method != "GET"
    }
}

/// Every request of one undisturbed story, by act.
struct Script {
    writes: Vec<Target>,
    reads: Vec<Target>,
    states: HashMap<Act, Value>,
}

async fn undisturbed(azure: &Arc<Simulator>) -> Result<Script> {
    let stage = Stage::set(azure, "crash-base").await?;
    let operator = stage.scene.operator().await?;
    let mut script = Script { writes: Vec::new(), reads: Vec::new(), states: HashMap::new() };
    let mut done = 0;
    for act in ACTS {
        stage.begin(act).await?;
        stage.end(act).await?;
        script.states.insert(act, stage.state()?);
        let requests = stage.requests();
        let mut seen: HashMap<(String, String), usize> = HashMap::new();
        for entry in &requests[done..] {
            let path = general(&entry.url, &stage.scene);
            let nth =
                seen.entry((entry.method.clone(), path.clone())).and_modify(|count| *count += 1).or_insert(1);
            let target = Target { act, method: entry.method.clone(), path, nth: *nth };
            if entry.is_write() {
                script.writes.push(target);
            } else if entry.method == "GET" {
                script.reads.push(target);
            }
        }
        done = requests.len();
    }
    operator.stop()?;
    Ok(script)
}

/// Plays the story up to the act of the case, strikes there, and lets it end. Whether its request was struck.
async fn play(azure: Arc<Simulator>, number: usize, case: &Case, script: &Script) -> Result<bool> {
    let stage = Stage::set(&azure, &format!("crash-w{number}")).await?;
    let mut operator = stage.scene.operator().await?;
    for act in ACTS.into_iter().take_while(|act| *act != case.target.act) {
        stage.begin(act).await?;
        stage.end_with(act, &mut operator).await?;
    }
    let act = case.target.act;
    arm(&stage, number, case)?;
    stage.begin(act).await?;
    let struck = struck(&stage, number, act, &mut operator).await?;
    ensure!(struck || !case.is_certain(), "the request never came: {}", stage.scene.requests_shown(15));
    if struck && case.blow != Blow::AnswerLost {
        operator.kill();
        stage.expire_lease().await?;
        let _ = stage.scene.azure.release(&id(number), true);
        operator = stage.scene.operator().await?;
    }
    if let Err(error) = stage.end_with(act, &mut operator).await {
        return Err(error.context(format!("the operator's last lines:{}", operator.tail(5))));
    }
    let (expected, found) = (&script.states[&act], stage.state()?);
    ensure!(found == *expected, "{}", difference(expected, &found));
    one_of_each(&stage)?;
    operator.stop()?;
    Ok(struck)
}

fn id(number: usize) -> String {
    format!("case-{number}")
}

fn arm(stage: &Stage, number: usize, case: &Case) -> Result<()> {
    let when = if case.blow == Blow::KilledBefore { "before" } else { "after" };
    let action = if case.blow == Blow::AnswerLost { "reset" } else { "hold" };
    let fault = json!({
        "id": id(number), "when": when, "do": action,
        "match": {"method": case.target.method, "path": pattern(&case.target.path, &stage.scene), "nth": case.target.nth},
    });
    stage.scene.azure.fault(fault).map(drop).map_err(anyhow::Error::msg)
}

/// Waits until the request of the case is struck, or until the act is over without it.
async fn struck(stage: &Stage, number: usize, act: Act, operator: &mut Operator) -> Result<bool> {
    let id = id(number);
    let is_it = |entry: &Entry| entry.fault.as_deref() == Some(&id);
    // The log is that of all cases: a part of it that was looked at is not looked at again, as what strikes does so at once.
    let mut looked = 0;
    let is_struck =
        |log: &[Entry]| log[std::mem::replace(&mut looked, log.len())..].iter().any(is_it).then_some(());
    let azure = &stage.scene.azure;
    tokio::select! {
        biased;
        hit = azure.wait_for(PATIENCE, is_struck) => Ok(hit.is_some()),
        over = stage.end_with(act, operator) => over.map(|()| !azure.requests_that(is_it).is_empty()),
    }
}

/// One build, one job and one enabled schedule, whatever happened.
fn one_of_each(stage: &Stage) -> Result<()> {
    let requests = stage.requests();
    let is_one = |entry: &&Entry| {
        entry.operation != "PUT workspaces/schedules" || entry.json_body()["properties"]["isEnabled"] == true
    };
    for operation in ["PUT registries/taskRuns", "PUT workspaces/jobs", "PUT workspaces/schedules"] {
        let taken = requests.iter().filter(|entry| entry.operation == operation && entry.status == Some(201));
        let count = taken.filter(is_one).count();
        ensure!(count <= 1, "{operation} had its effect {count} times:{}", shown(&requests, operation));
    }
    Ok(())
}

fn shown(requests: &[Entry], operation: &str) -> String {
    let kind = operation.split('/').next_back().unwrap_or_default();
    let about = requests.iter().filter(|entry| entry.url.contains(kind) || entry.url.contains("manifests"));
    let lines: Vec<String> = about
        .map(|entry| format!("\n  {:?} {} {} {:?}", entry.status, entry.method, entry.url, entry.fault))
        .collect();
    lines.concat()
}

/// The reads in an order that a seed gives again.
fn shuffled(mut reads: Vec<Target>, mut seed: u64) -> Vec<Target> {
    for place in (1..reads.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        reads.swap(place, usize::try_from(seed >> 33).unwrap_or(0) % (place + 1));
    }
    reads
}

/// Three blows at each write.
fn at_writes(script: &Script) -> Vec<Case> {
    let blows = [Blow::KilledBefore, Blow::KilledAfter, Blow::AnswerLost];
    let each = |target: &Target| blows.map(|blow| Case { target: target.clone(), blow });
    script.writes.iter().flat_map(each).collect()
}

/// Plays cases side by side. How many were struck; a case that fails is an error, with all others that do.
async fn play_all(azures: &[Arc<Simulator>; 2], script: &Script, cases: &[(usize, Case)]) -> Result<usize> {
    let play = |(number, case): &(usize, Case)| {
        // Each write has three blows, and so meets both.
        let (azure, number, case) = (azures[number % 2].clone(), *number, case.clone());
        async move { (number, play(azure, number, &case, script).await, case) }
    };
    let played: Vec<_> =
        futures::stream::iter(cases).map(play).buffer_unordered(SIDE_BY_SIDE).collect().await;
    let failed = played.iter().filter_map(|(number, ended, case)| {
        let error = ended.as_ref().err()?;
        Some(format!("\ncase {number}: {case:?}: {error:#}"))
    });
    let failed: Vec<String> = failed.collect();
    ensure!(failed.is_empty(), "{} of {} cases failed:{}", failed.len(), played.len(), failed.concat());
    Ok(played.iter().filter(|(_, ended, _)| ended.as_ref().is_ok_and(|struck| *struck)).count())
}

async fn azure(http1: bool) -> Result<Arc<Simulator>> {
    let options = Options {
        subscription_id: SUBSCRIPTION.to_owned(),
        strict: true,
        caps: false,
        http1,
        ..Options::default()
    };
    Ok(Arc::new(Simulator::start(options).await.map_err(|error| anyhow::anyhow!("{error}"))?))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_crashes_azure_ends_in_the_same_state() -> Result<()> {
    let seed = match std::env::var("CRASH_SEED") {
        Ok(text) => text.parse()?,
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    println!("reads are chosen by CRASH_SEED={seed}");
    let azures = [azure(is_http1()).await?, azure(true).await?];
    let script = undisturbed(&azures[0]).await?;
    let only: Option<usize> = std::env::var("CRASH_CASE").ok().map(|text| text.parse()).transpose()?;
    let reads = shuffled(script.reads.clone(), seed);
    let reads = reads.into_iter().map(|target| Case { target, blow: Blow::KilledBefore });
    let mut cases: Vec<(usize, Case)> = at_writes(&script).into_iter().chain(reads).enumerate().collect();
    if let Some(only) = only {
        cases.retain(|(number, _)| *number == only);
        return play_all(&azures, &script, &cases).await.map(drop);
    }
    let mut reads = cases.split_off(script.writes.len() * 3);
    println!("{} cases: {} writes, each struck three times", cases.len(), script.writes.len());
    play_all(&azures, &script, &cases).await?;
    // How often something is polled differs from time to time: instead of a read that does not come, the next one is struck.
    let mut kills = 0;
    while kills < READS {
        ensure!(!reads.is_empty(), "only {kills} of all the reads came again");
        let rest = reads.split_off(reads.len().min(READS - kills));
        kills += play_all(&azures, &script, &reads).await?;
        reads = rest;
    }
    println!("{kills} kills at reads");
    Ok(())
}
