//! A namespace that does all that an attacker has tried, at once and without end.

use crate::load::{apply, object};
use anyhow::Result;
use azureml_e2e::Scene;
use azureml_e2e::scene::SUBSCRIPTION;
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

/// Attacks that go on.
pub struct Attack {
    tasks: JoinSet<()>,
    rounds: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

/// What the attacker applies in a round; each round changes all of it.
fn manifests(round: usize) -> String {
    let workspace =
        format!("subscriptionId: {SUBSCRIPTION}, resourceGroup: rg-ml, workspaceName: mlw-team-a");
    let brought = format!(
        "{workspace}, identity: {{clientId: cccccccc-0000-4000-8000-000000000001, tenantId: dddddddd-0000-4000-8000-000000000001, secretRef: {{name: large}}}}"
    );
    let mut text = object("MLWorkspace", "team-a", &workspace) + &object("MLWorkspace", "brought", &brought);
    let environment = |name: &str, more: &str| {
        object("MLEnvironment", name, &format!("workspaceRef: {{name: team-a}}, {more}"))
    };
    text += &environment("python", "image: 'python:3.12-slim'");
    text += &environment("spin", &format!("image: 'hostile.example/hostile/spin:{round}'"));
    let doubles = (0..60).fold("ARG a0=xxxxxxxx\\n".to_owned(), |text, place| {
        text + &format!("ARG a{}=$a{place}$a{place}\\n", place + 1)
    });
    for each in 0..10 {
        let dockerfile = format!("{doubles}FROM $a60\\nRUN echo {round}\\n");
        text += &environment(&format!("double-{each}"), &format!("build: {{dockerfile: \"{dockerfile}\"}}"));
        let more =
            format!("workspaceRef: {{name: brought}}, image: 'hostile.example/hostile/brought:{round}'");
        text += &object("MLEnvironment", &format!("brought-{each}"), &more);
    }
    text + &floods(round)
}

/// What is many or large.
fn floods(round: usize) -> String {
    let cluster =
        |max| format!("workspaceRef: {{name: team-a}}, vmSize: Standard_DS3_v2, scale: {{max: {max}}}");
    let mut text = object("MLCompute", "cpu", &cluster(4));
    for each in 0..20 {
        text += &object("MLCompute", &format!("c{each}"), &cluster(4 + round % 50));
        text += &pipeline(&format!("many-{each}"), 100, &format!("echo {round} {}", "x".repeat(1000)));
        let run = format!("pipelineRef: {{name: many-{each}}}, inputs: {{round: {round}}}");
        text += &object("MLRun", &format!("run-{round}-{each}"), &run);
    }
    for each in 0..10 {
        let command = format!("echo {round} {}", "${{".repeat(4000));
        text += &pipeline(&format!("large-{each}"), 20, &command);
    }
    text
}

fn pipeline(name: &str, steps: usize, command: &str) -> String {
    let mut text = String::new();
    for step in 0..steps {
        let _ = write!(text, "{{name: s{step}, command: '{command}'}}, ");
    }
    object(
        "MLPipeline",
        name,
        &format!(
            "workspaceRef: {{name: team-a}}, defaults: {{compute: {{ref: cpu}}, environment: {{ref: python}}}}, steps: [{text}]"
        ),
    )
}

impl Attack {
    /// Begins all attacks of the scene's own namespace.
    pub async fn begin(scene: &Scene, metrics: String) -> Result<Self> {
        let forgets = json!({"match": {"method": "HEAD", "path": "/hostile/.*/manifests/sha256:"}, "do": {"status": 404, "code": "MANIFEST_UNKNOWN"}});
        scene.azure.fault(forgets).map_err(anyhow::Error::msg)?;
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "large"},
            "stringData": {"clientSecret": "s", "junk": "j".repeat(900_000)}});
        scene.kubectl_with(&["create", "-f", "-"], Some(&secret.to_string())).await?;
        let (rounds, connections) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(rewrite(scene.kube.clone(), scene.namespace.clone(), rounds.clone()));
        for place in 0..8 {
            tasks.spawn(connect(metrics.clone(), place % 2 == 0, connections.clone()));
        }
        Ok(Self { tasks, rounds, connections })
    }

    /// Ends them, and says what was done.
    pub async fn end(mut self) -> String {
        self.tasks.shutdown().await;
        let (rounds, connections) =
            (self.rounds.load(Ordering::Relaxed), self.connections.load(Ordering::Relaxed));
        format!("{rounds} rounds of changes, {connections} connections to the metrics")
    }
}

/// Applies everything anew, round after round. What is refused is tried again in the next.
async fn rewrite(kube: kube::Client, namespace: String, rounds: Arc<AtomicUsize>) {
    let mut every = tokio::time::interval(Duration::from_secs(10));
    loop {
        every.tick().await;
        let round = rounds.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = apply(&kube, &namespace, &manifests(round)).await {
            println!("  the attacker is refused: {error:#}");
        }
    }
}

/// Holds connections to the metrics open, or asks as fast as it is answered.
async fn connect(address: String, asks: bool, connections: Arc<AtomicUsize>) {
    let mut held = std::collections::VecDeque::new();
    let mut every = tokio::time::interval(Duration::from_millis(20));
    loop {
        let Ok(mut stream) = tokio::net::TcpStream::connect(&address).await else {
            tokio::task::yield_now().await;
            continue;
        };
        connections.fetch_add(1, Ordering::Relaxed);
        if asks {
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
        } else {
            held.push_back(stream);
            if held.len() > 100 {
                held.pop_front();
            }
            every.tick().await;
        }
    }
}
