//! Crash safety: at every request that changes Azure the operator is killed before its effect, killed after it, or loses the
//! answer; at some reads it is killed too. Started again it reaches the same Azure state: one build, one job, no orphan.
//!
//! One control plane and one simulated Azure; every case has its own namespace, workspace and operator.

use anyhow::{Context as _, Result, bail, ensure};
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::{GRANTS, GROUP, SUBSCRIPTION};
use azureml_e2e::{Operator, PATIENCE, Scene};
use azureml_plan::report::is_ready;
use azureml_simulator::{Entry, Options, Simulator, WorkspaceSpec};
use futures::StreamExt as _;
use regex::Regex;
use serde_json::{Value, json};
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

/// The example as one text, in a workspace of its own, with everything to be deleted at the end.
fn manifests(workspace: &str) -> Result<String> {
    let mut all = String::new();
    for file in ["schedule", "pipeline", "environment", "computes", "workspace"] {
        let text = std::fs::read_to_string(azureml_e2e::root().join(format!("examples/r-gbm/{file}.yaml")))?;
        let text = text.replace("mlw-team-a", workspace).replace("r-gbm-team-a", &format!("ep-{workspace}"));
        let text = text.replace("  vmSize:", "  deletionPolicy: Delete\n  vmSize:");
        let text = text.replace("  description: R 4.4", "  deletionPolicy: Delete\n  description: R 4.4");
        all.push_str(&format!("---\n{text}"));
    }
    Ok(all)
}

const RUN: &str = "{apiVersion: azureml.dev/v1alpha1, kind: MLRun, metadata: {name: one}, spec: {pipelineRef: {name: r-gbm}, inputs: {trees: 50}}}";

struct Stage {
    scene: Scene,
    manifests: String,
}

impl Stage {
    async fn set(azure: &Arc<Simulator>, workspace: &str) -> Result<Self> {
        let _ = azure.add_workspace(&WorkspaceSpec::new(GROUP, workspace));
        let scene = Scene::set_in("crash", azure.clone(), workspace, &format!("{GRANTS}{SOON}")).await?;
        Ok(Self { scene, manifests: manifests(workspace)? })
    }

    async fn applied(&self) -> Result<()> {
        let scene = &self.scene;
        macro_rules! ready {
            ($($kind:ty: $name:literal),*) => {$(
                scene.wait::<$kind>($name, "ready", |object| {
                    object.status.as_ref().is_some_and(|status| is_ready(&status.common().conditions))
                }).await?;
            )*};
        }
        ready!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm", MLSchedule: "r-gbm-weekdays");
        Ok(())
    }

    async fn ran(&self) -> Result<()> {
        let is_done = |run: &MLRun| {
            run.status
                .as_ref()
                .is_some_and(|status| status.phase.is_some_and(azureml_crds::ml_run::Phase::is_finished))
        };
        self.scene.wait::<MLRun>("one", "finished", is_done).await?;
        Ok(())
    }

    async fn deleted(&self) -> Result<()> {
        let scene = &self.scene;
        scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
        scene.wait_gone::<MLPipeline>("r-gbm").await?;
        scene.wait_gone::<MLEnvironment>("r-gbm").await?;
        scene.wait_gone::<MLCompute>("cpu").await?;
        scene.wait_gone::<MLCompute>("big").await?;
        scene.wait_gone::<MLWorkspace>("team-a").await
    }

    async fn begin(&self, act: Act) -> Result<()> {
        match act {
            Act::Apply => self.scene.apply_objects(&self.manifests).await.map(drop),
            Act::Run => self.scene.apply_objects(RUN).await.map(drop),
            Act::Delete => self.scene.delete_objects(&self.manifests).await,
        }
    }

    async fn end(&self, act: Act) -> Result<()> {
        match act {
            Act::Apply => self.applied().await,
            Act::Run => self.ran().await,
            Act::Delete => self.deleted().await,
        }
    }

    /// The requests of this stage alone.
    fn requests(&self) -> Vec<Entry> {
        let scene = &self.scene;
        let account = Regex::new(&format!("(acr|st){}[0-9a-f]{{6}}[/.]", storage(&scene.workspace))).unwrap();
        let is_ours = |entry: &Entry| {
            entry.client.as_deref() == Some(&scene.start.client) || account.is_match(&entry.url)
        };
        scene.azure.requests().into_iter().filter(is_ours).collect()
    }

    /// The end state, in which every hash and name of the case is made the same.
    fn state(&self) -> Result<Value> {
        let state = self.scene.azure.state(GROUP, &self.scene.workspace).context("no state")?;
        Ok(same_names(&state, &self.scene))
    }
}

/// What of the storage account's and registry's names stands in the paths of a workspace's blobs.
fn storage(workspace: &str) -> String {
    workspace.replace('-', "")
}

/// The path of a request with what differs between cases taken out.
fn general(url: &str, scene: &Scene) -> String {
    let path = url.split('?').next().unwrap_or_default();
    let path = path.replace(&storage(&scene.workspace), "{ACCOUNT}").replace(&scene.workspace, "{WORKSPACE}");
    let path = path
        .replace(&scene.namespace.replace('-', "_"), "{COMPONENT}")
        .replace(&scene.namespace, "{NAMESPACE}");
    let path = suffixes().replace_all(&path, "${1}{ACCOUNT}{SUFFIX}");
    hexes().replace_all(&path, "{HEX}").into_owned()
}

/// What the simulator adds to the names of a workspace's registry and storage account.
fn suffixes() -> Regex {
    Regex::new(r"(acr|st)\{ACCOUNT\}[0-9a-f]{6}").unwrap()
}

fn hexes() -> Regex {
    // A hash of digits alone begins with a letter from g to p in the name of a cluster.
    Regex::new("[0-9a-p][0-9a-f]{7,63}(-[0-9a-f]{4,12}){0,4}").unwrap()
}

/// The general path as a pattern for the paths of another case.
fn pattern(general: &str, scene: &Scene) -> String {
    let text = regex::escape(general)
        .replace(r"\{ACCOUNT\}", &storage(&scene.workspace))
        .replace(r"\{WORKSPACE\}", &scene.workspace);
    let text = text
        .replace(r"\{COMPONENT\}", &scene.namespace.replace('-', "_"))
        .replace(r"\{NAMESPACE\}", &scene.namespace);
    format!("^{}([?]|$)", text.replace(r"\{SUFFIX\}", "[0-9a-f]{6}").replace(r"\{HEX\}", "[0-9a-z-]+"))
}

fn same_names(state: &Value, scene: &Scene) -> Value {
    match state {
        Value::String(text) => json!(general_text(text, scene)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| same_names(item, scene)).collect();
            items.sort_by_key(ToString::to_string);
            json!(items)
        }
        // Keys that became equal are kept side by side: a second version of a thing must show.
        Value::Object(map) => {
            let mut pairs: Vec<Value> = map
                .iter()
                .map(|(key, value)| json!([general_text(key, scene), same_names(value, scene)]))
                .collect();
            pairs.sort_by_key(ToString::to_string);
            json!(pairs)
        }
        other => other.clone(),
    }
}

fn general_text(text: &str, scene: &Scene) -> String {
    general(text, scene).replace(&scene.start.client, "{CLIENT}")
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
                script.writes.push(target)
            } else if entry.method == "GET" {
                script.reads.push(target)
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
    about
        .map(|entry| format!("\n  {:?} {} {} {:?}", entry.status, entry.method, entry.url, entry.fault))
        .collect()
}

fn difference(want: &Value, have: &Value) -> String {
    let lines = |value: &Value| {
        serde_json::to_string_pretty(value).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (want, have) = (lines(want), lines(have));
    let missing = want.iter().filter(|line| !have.contains(line)).map(|line| format!("\n- {line}"));
    let surplus = have.iter().filter(|line| !want.contains(line)).map(|line| format!("\n+ {line}"));
    let shown: String = missing.chain(surplus).take(40).collect();
    format!("the end state differs ({} lines, expected {}):{shown}", have.len(), want.len())
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
