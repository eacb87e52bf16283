//! Series of passes through the whole controller, with the simulated Azure and a small Kubernetes in the same process, on a clock
//! that stands still while anybody has something to do: hours take milliseconds, and each test says what was written when.
//!
//! Nothing here waits for a socket (decision 30). What a test asks is answered by the journal, in one order for Azure and Kubernetes.

mod azure;
mod computes;
mod data;
mod environments;
mod fired_here;
mod flux;
mod journal;
mod kubernetes;
mod nights;
mod objects;
mod pipelines;
mod renamed;
mod restored;
mod runs;
mod schedules;
mod sharing;
mod sources;
mod workspaces;

use self::azure::Azure;
use self::journal::{Journal, Line};
use self::kubernetes::{Kubernetes, reason};
use super::{Controller, Parts};
use crate::args::{Args, Command};
use crate::clock;
use crate::engine::events::{Recorder, write_all};
use crate::fake;
use crate::metrics::Metrics;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use axum::body::Bytes;
use axum::http::Request;
use azureml_access::connect::Shared;
use azureml_config::Config;
use azureml_simulator::{Options, Simulator, Times, WorkspaceSpec};
use clap::Parser as _;
use serde_json::{Value, json};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const NAMESPACE: &str = "team-a";

/// The operator between the two, at work.
struct Stage {
    azure: Arc<Simulator>,
    kubernetes: Kubernetes,
    journal: Journal,
    /// Whether this process holds the lease.
    leads: Arc<AtomicBool>,
    config: Config,
    work: JoinSet<()>,
    /// What a process that starts is refused in Kubernetes: a part of the address.
    forbidden: Option<&'static str>,
    /// Whether a process that starts watches every namespace.
    sees_all: bool,
}

/// The configuration of the operator, but for its clouds: everything else is as in an installation.
const GRANTS: &str = "grants: [{namespaces: ['*']}]";

/// Azure as slow as it is, but with no two times for one thing.
fn usual() -> Options {
    Options {
        workspaces: vec![WorkspaceSpec::new("rg-ml", "mlw-team-a")],
        times: Times { spreads: false, ..Times::scaled(1.0) },
        strict: true,
        ..Options::default()
    }
}

fn config(azure: &Simulator, more: &str) -> Result<Config> {
    let endpoint = azure.endpoint();
    let host = endpoint.trim_start_matches("https://");
    let text = format!(
        "clouds: [{{name: AzurePublic, authority: '{endpoint}', resourceManager: '{endpoint}', hosts: ['{host}'], storageHosts: ['{host}', '*.blob.core.windows.net']}}]\n\
         registries: {{mirrors: [{{hosts: ['*'], endpoint: '{endpoint}'}}]}}\n{more}"
    );
    serde_saphyr::from_str(&text).context("the configuration is refused")
}

impl Stage {
    /// Everything as it is usually, with the workspace applied and ready.
    async fn set() -> Result<Self> {
        Self::with(usual(), GRANTS).await
    }

    async fn with(options: Options, more: &str) -> Result<Self> {
        let options = Options { begins: Some(clock::now()), ..options };
        let azure = Simulator::start(options).await.map_err(|error| anyhow!("no simulator: {error}"))?;
        // Every test begins at a full hour, so that comparisons and firings come at the same moments of it.
        let _ = timeout(before_the_hour(), pending::<()>()).await;
        let (azure, journal) = (Arc::new(azure), Journal::default());
        let kubernetes = Kubernetes::new(journal.clone());
        let config = config(&azure, more)?;
        let leads = Arc::new(AtomicBool::new(true));
        let work = JoinSet::new();
        let mut stage =
            Self { azure, kubernetes, journal, leads, config, work, forbidden: None, sees_all: false };
        stage.start().await?;
        stage.apply(&workspace());
        stage.ready("MLWorkspace", "team-a").await?;
        Ok(stage)
    }

    /// A process that leads from now on; the one before has ended without a word.
    async fn start(&mut self) -> Result<()> {
        self.work = JoinSet::new();
        let words = ["azureml-operator", "run", "--namespace", NAMESPACE];
        let words = if self.sees_all { &words[..2] } else { &words };
        let Command::Run(flags) = Args::try_parse_from(words)?.command else { bail!("another command") };
        let (kubernetes, leads) = (self.kubernetes.clone(), self.leads.clone());
        let forbidden = self.forbidden;
        let kube = fake::client(move |asked| {
            let kubernetes = kubernetes.clone();
            let is_forbidden = forbidden.is_some_and(|part| asked.target.contains(part));
            async move { if is_forbidden { fake::refusal(403, "Forbidden") } else { kubernetes.answer(&asked) } }
        });
        let way = Azure { simulator: self.azure.clone(), journal: self.journal.clone() };
        let shared = Shared {
            gate: Arc::new(move || leads.load(Ordering::Relaxed)),
            dial: Arc::new(move |_| Ok(Arc::new(way.clone()))),
            ..fake::shared()
        };
        let (metrics, stop) = (Arc::new(Metrics::default()), CancellationToken::new());
        let (recorder, events) = Recorder::new(metrics.clone(), "test".to_owned());
        let told = (metrics.clone(), CancellationToken::new());
        let told = write_all(kube.clone(), events, shared.gate.clone(), told);
        let cluster_id = "test".to_owned();
        let parts = Parts { kube, config: &self.config, metrics, recorder, cluster_id, shared };
        let controller = Controller::new(&flags, parts, &stop)?;
        controller.filled(&stop).await;
        self.work = controller.work(&stop);
        self.work.spawn(told);
        Ok(())
    }

    /// Somebody applies manifests.
    fn apply(&self, manifests: &str) {
        for manifest in serde_saphyr::from_multiple::<Value>(manifests).unwrap() {
            self.kubernetes.apply(&manifest, NAMESPACE);
        }
    }

    /// Somebody asks for a pass.
    fn ask(&self, kind: &str, name: &str, value: &str) {
        let mut object = self.get(kind, name);
        object["metadata"]["annotations"][azureml_crds::RECONCILE_REQUESTED_AT] = json!(value);
        self.kubernetes.apply(&object, NAMESPACE);
    }

    fn delete(&self, kind: &str, name: &str) {
        self.kubernetes.delete(kind, NAMESPACE, name);
    }

    fn get(&self, kind: &str, name: &str) -> Value {
        self.kubernetes.get(kind, NAMESPACE, name).unwrap_or_default()
    }

    /// Waits until an object gives a reason for its state, and gives the object.
    async fn says(&self, kind: &str, name: &str, wanted: &str) -> Result<Value> {
        let told = |_: &[Line]| Some(self.get(kind, name)).filter(|object| reason(object) == wanted);
        self.journal.until(&format!("{kind}/{name} {wanted}"), told).await
    }

    async fn ready(&self, kind: &str, name: &str) -> Result<Value> {
        let is_ready = |object: &Value| {
            kubernetes::condition(object, "Ready")["status"] == "True"
                && object["status"]["observedGeneration"] == object["metadata"]["generation"]
        };
        let told = |_: &[Line]| Some(self.get(kind, name)).filter(is_ready);
        self.journal.until(&format!("{kind}/{name} ready"), told).await
    }

    async fn gone(&self, kind: &str, name: &str) -> Result<()> {
        let told = |_: &[Line]| self.get(kind, name).is_null().then_some(());
        self.journal.until(&format!("{kind}/{name} gone"), told).await
    }

    /// Waits for so many lines of one kind, and gives when they were.
    async fn times(&self, what: &str, count: usize) -> Result<Vec<Duration>> {
        let find = |lines: &[Line]| {
            let found = lines.iter().filter(|line| line.what.starts_with(what)).map(|line| line.at);
            Some(found.collect::<Vec<_>>()).filter(|found| found.len() >= count)
        };
        self.journal.until(&format!("{count} times {what}"), find).await
    }

    /// Lets time pass in which nothing is waited for.
    async fn pass(&self, time: Duration) {
        let _ = timeout(time, pending::<()>()).await;
    }

    fn fault(&self, spec: Value) -> Result<String> {
        self.azure.fault(spec).map_err(anyhow::Error::msg)
    }

    /// Somebody changes a thing in the portal: `kind` is `computes` or `schedules`.
    async fn portal(&self, kind: &str, name: &str, patch: &Value) -> Result<()> {
        self.control(&format!("{kind}/rg-ml/mlw-team-a/{name}"), patch).await
    }

    /// Uses a control of the simulator.
    async fn control(&self, control: &str, body: &Value) -> Result<()> {
        let target = format!("{}/_simulator/{control}", self.azure.endpoint());
        let request = Request::post(target).body(Bytes::from(body.to_string()))?;
        let answer = self.azure.answer(request).await.context("no answer")?;
        ensure!(answer.status().is_success(), "{:?}", answer.body());
        Ok(())
    }
}

/// The Secret of the workspace's identity.
fn secret() -> String {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sp"}, "data": {"clientSecret": "cw=="}})
        .to_string()
}

/// The workspace, with an identity of the namespace's own: that of a process would be read from its environment.
fn workspace() -> String {
    let spec = "subscriptionId: 00000000-0000-0000-0000-000000000001, resourceGroup: rg-ml, workspaceName: mlw-team-a, \
                identity: {clientId: cccccccc-0000-4000-8000-000000000001, tenantId: 11111111-1111-1111-1111-111111111111, secretRef: {name: sp}}";
    format!("{}\n---\n{}", secret(), manifest("MLWorkspace", "team-a", spec))
}

fn manifest(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: azureml.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n---\n"
    )
}

/// The time until the next full hour.
fn before_the_hour() -> Duration {
    let hour = Duration::from_hours(1).as_nanos();
    let over = u128::try_from(clock::now().as_nanosecond()).unwrap_or_default() % hour;
    Duration::from_nanos(u64::try_from(hour - over).unwrap_or_default())
}

/// The seconds from each moment to the next.
fn gaps(times: &[Duration]) -> Vec<f64> {
    times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]).as_secs_f64()).collect()
}
