//! Crash safety: at every request that changes Azure the operator is killed before its effect, killed after it, or loses the
//! answer; at some reads it is killed too. Started again it reaches the same Azure state: one build, one job, no orphan.
//!
//! One control plane and one simulated Azure; every case has its own namespace, workspace and operator.

mod names;
mod stage;

use anyhow::{Result, bail, ensure};
use azureml_e2e::scene::SUBSCRIPTION;
use azureml_e2e::{Operator, PATIENCE};
use azureml_simulator::{Entry, Options, Simulator};
use futures::StreamExt as _;
use names::{difference, general, pattern};
use serde_json::{Value, json};
use stage::Stage;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Cases side by side.
const SIDE_BY_SIDE: usize = 10;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Apply,
    Run,
    Delete,
}

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

/// Every request of one undisturbed story, by act.
struct Script {
    writes: Vec<Target>,
    reads: Vec<Target>,
    states: HashMap<&'static str, Value>,
}

async fn undisturbed(azure: &Arc<Simulator>) -> Result<Script> {
    let stage = Stage::set(azure, "crash-base").await?;
    let operator = stage.scene.operator().await?;
    let mut script = Script { writes: Vec::new(), reads: Vec::new(), states: HashMap::new() };
    let mut done = 0;
    for (act, name) in [(Act::Apply, "apply"), (Act::Run, "run"), (Act::Delete, "delete")] {
        stage.begin(act).await?;
        stage.end(act).await?;
        script.states.insert(name, stage.state()?);
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

/// Plays the story up to the act of the case, strikes there, and lets it end.
async fn play(azure: Arc<Simulator>, number: usize, case: &Case, script: &Script) -> Result<()> {
    let stage = Stage::set(&azure, &format!("crash-w{number}")).await?;
    let mut operator = stage.scene.operator().await?;
    let acts = [(Act::Apply, "apply"), (Act::Run, "run"), (Act::Delete, "delete")];
    for (act, name) in acts {
        let strikes_here = act == case.target.act;
        if strikes_here {
            arm(&stage, number, case)?;
        }
        stage.begin(act).await?;
        if strikes_here {
            operator = strike(&stage, number, case, operator).await?;
        }
        stage.end(act).await?;
        if strikes_here {
            ensure!(
                stage.state()? == script.states[name],
                "{}",
                difference(&script.states[name], &stage.state()?)
            );
            one_of_each(&stage)?;
            break;
        }
    }
    operator.stop()?;
    Ok(())
}

fn arm(stage: &Stage, number: usize, case: &Case) -> Result<()> {
    let when = if case.blow == Blow::KilledBefore { "before" } else { "after" };
    let action = if case.blow == Blow::AnswerLost { "reset" } else { "hold" };
    let fault = json!({
        "id": format!("case-{number}"), "when": when, "do": action,
        "match": {"method": case.target.method, "path": pattern(&case.target.path, &stage.scene), "nth": case.target.nth},
    });
    stage.scene.azure.fault(fault).map(drop).map_err(anyhow::Error::msg)
}

/// Waits for the blow; a killed operator is started again.
async fn strike(stage: &Stage, number: usize, case: &Case, operator: Operator) -> Result<Operator> {
    let id = format!("case-{number}");
    let hit = stage
        .scene
        .azure
        .wait_for(PATIENCE, |log| log.iter().any(|entry| entry.fault.as_deref() == Some(&id)).then_some(()))
        .await;
    if hit.is_none() {
        bail!("the request never came: {}", stage.scene.requests_shown(15));
    }
    if case.blow == Blow::AnswerLost {
        return Ok(operator);
    }
    operator.kill();
    let _ = stage.scene.azure.release(&id, true);
    stage.scene.operator().await
}

/// One build and one job, whatever happened.
fn one_of_each(stage: &Stage) -> Result<()> {
    let mut accepted: BTreeMap<String, usize> = BTreeMap::new();
    for entry in stage
        .requests()
        .iter()
        .filter(|entry| entry.is_write() && entry.status.is_some_and(|status| status == 201))
    {
        *accepted.entry(entry.operation.clone()).or_insert(0) += 1;
    }
    for operation in ["PUT registries/taskRuns", "PUT workspaces/jobs"] {
        let count = accepted.get(operation).copied().unwrap_or(0);
        ensure!(
            count <= 1,
            "{operation} had its effect {count} times:{}",
            shown(&stage.requests(), operation)
        );
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

/// A small generator, so that a seed that is printed gives the same reads again.
fn chosen(reads: &[Target], mut seed: u64, count: usize) -> Vec<Target> {
    let mut chosen = Vec::new();
    for _ in 0..count.min(reads.len()) {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(seed >> 33).unwrap_or(0) % reads.len();
        chosen.push(reads[place].clone());
    }
    chosen
}

/// Three blows at each write, and kills at some reads.
fn cases(script: &Script, seed: u64) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for target in &script.writes {
        cases.extend(
            [Blow::KilledBefore, Blow::KilledAfter, Blow::AnswerLost]
                .map(|blow| Case { target: target.clone(), blow }),
        );
    }
    cases.extend(
        chosen(&script.reads, seed, READS)
            .into_iter()
            .map(|target| Case { target, blow: Blow::KilledBefore }),
    );
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_crashes_azure_ends_in_the_same_state() -> Result<()> {
    let seed = match std::env::var("CRASH_SEED") {
        Ok(text) => text.parse()?,
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    println!("reads are chosen by CRASH_SEED={seed}");
    let options = Options { subscription_id: SUBSCRIPTION.to_owned(), caps: false, ..Options::default() };
    let azure = Arc::new(Simulator::start(options).await.map_err(|error| anyhow::anyhow!("{error}"))?);
    let script = undisturbed(&azure).await?;
    let cases = cases(&script, seed);
    println!(
        "{} cases: {} writes, each struck three times, and {READS} reads",
        cases.len(),
        script.writes.len()
    );
    let only: Option<usize> = std::env::var("CRASH_CASE").ok().and_then(|text| text.parse().ok());
    let played = futures::stream::iter(
        cases.iter().enumerate().filter(|(number, _)| only.is_none_or(|only| only == *number)),
    )
    .map(|(number, case)| {
        let (azure, script) = (azure.clone(), &script);
        async move { (number, case, play(azure, number, case, script).await) }
    })
    .buffer_unordered(SIDE_BY_SIDE)
    .collect::<Vec<_>>()
    .await;
    let failed: Vec<String> = played
        .iter()
        .filter_map(|(number, case, ended)| {
            ended.as_ref().err().map(|error| format!("\ncase {number}: {case:?}: {error:#}"))
        })
        .collect();
    ensure!(failed.is_empty(), "{} of {} cases failed:{}", failed.len(), played.len(), failed.concat());
    Ok(())
}
