//! Two operators, one writer: the leader is killed, suspended, or cut off from Kubernetes or from Azure, at rest and in the
//! middle of its work. Each test has its own namespace, Azure, and ways that it can block.

mod azure;
mod cut_off;
mod killed;
mod suspended;

use anyhow::{Context as _, Result, ensure};
use azureml_control_plane::Options;
use azureml_controller::telemetry::texts;
use azureml_crds::MLCompute;
use azureml_e2e::audit::{self, Asked};
use azureml_e2e::operator::{Start, soon_with_lease};
use azureml_e2e::relay::{Relay, Way};
use azureml_e2e::said::{ready, says};
use azureml_e2e::scene::{GRANTS, GROUP, WORKSPACE};
use azureml_e2e::{Operator, Scene, Setting, cluster};
use azureml_plan::reasons::Reason;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// How long a lease lasts here.
const LEASE: Duration = Duration::from_secs(6);
/// How much later than the lease the other may lead at most.
const LATER: Duration = Duration::from_secs(15);
/// The application of the second operator.
const SECOND: &str = "bbbbbbbb-0000-4000-8000-000000000002";

/// Everything soon, with [`LEASE`].
fn soon() -> String {
    soon_with_lease(LEASE.as_secs(), 4)
}

fn audited() -> Options {
    Options { audit: true, crds: cluster::definitions(), ..Options::default() }
}

/// Two operators. The first leads, and reaches Kubernetes and Azure by ways of this test.
struct Pair {
    scene: Scene,
    kubernetes: Relay,
    azure: Relay,
    first: Operator,
    second: Operator,
    users: [String; 2],
}

impl Pair {
    async fn set(name: &str) -> Result<Self> {
        Self::set_with(name, &soon()).await
    }

    async fn set_with(name: &str, soon: &str) -> Result<Self> {
        let plane = tokio::task::spawn_blocking(|| {
            cluster::wish(audited());
            cluster::shared()
        })
        .await?;
        let config = format!("{GRANTS}{}", soon.replace("azure: {", "azure: {connectTimeout: 1s, "));
        let scene = Scene::set(name, Setting { config, ..Setting::default() }).await?;
        let address: SocketAddr = plane.endpoint().trim_start_matches("https://").parse()?;
        let (kubernetes, azure) = (Relay::to(address).await?, Relay::proxy().await?);
        let users = ["first", "second"].map(|name| format!("{name}-{}", scene.namespace));
        let [own, others] = [&users[0], &users[1]].map(|user| plane.user(user, &["system:masters"]));
        let detour = scene.start.config.with_file_name("detour.kubeconfig");
        let text = std::fs::read_to_string(own?.kubeconfig)?;
        let around = format!("https://{}", kubernetes.address());
        std::fs::write(&detour, text.replace(plane.endpoint(), &around))?;
        let proxy = Some(format!("http://{}", azure.address()));
        let environment = vec![("HTTPS_PROXY".to_owned(), proxy)];
        let start = Start { kubeconfig: Some(detour), environment, ..scene.start.clone() };
        let first = started(start).await?;
        first.leads()?;
        let kubeconfig = Some(others?.kubeconfig);
        let second = started(Start { client: SECOND.to_owned(), kubeconfig, ..scene.start.clone() }).await?;
        second.line(0, "that it waits for the lease", |line| line["message"] == texts::WAITING)?;
        Ok(Self { scene, kubernetes, azure, first, second, users })
    }

    /// A workspace and a cluster in it, both ready.
    async fn working(name: &str) -> Result<Self> {
        let pair = Self::set(name).await?;
        pair.scene.apply_objects(&(workspace() + &compute())).await?;
        ready::<MLCompute>(&pair.scene, "cpu").await?;
        Ok(pair)
    }

    /// Waits until the event is there that says of an object that it is ready: one that is being sent when its sender is
    /// suspended arrives.
    async fn told(&self, object: &str) -> Result<()> {
        self.scene.told(object, Reason::SUCCEEDED.word(), "").await
    }

    /// Waits until the second leads, in time.
    fn taken_over(&self, since: Instant) -> Result<()> {
        self.second.leads()?;
        let took = since.elapsed();
        ensure!(took < LEASE + LATER, "taken over after {took:?}");
        Ok(())
    }

    /// The second has asked nothing of Azure, not even for a token, and nothing of Kubernetes but the lease and its watches.
    fn is_silent(&self) -> Result<()> {
        let of_second = |entry: &azureml_simulator::Entry| entry.client.as_deref() == Some(SECOND);
        let asked = self.scene.azure.requests().into_iter().filter(of_second).count();
        ensure!(asked == 0, "the second asked Azure: {}", self.scene.requests_shown(20));
        let asked: BTreeSet<(String, String)> = audit::of(&self.users[1])?
            .into_iter()
            .map(|Asked { verb, resource, .. }| (verb, resource))
            .collect();
        let mut expected: BTreeSet<(String, String)> = BTreeSet::new();
        for definition in cluster::definitions() {
            let name = definition.metadata.name.unwrap_or_default();
            expected.extend(["list", "watch"].map(|verb| (verb.to_owned(), name.clone())));
        }
        expected.insert(("get".to_owned(), "/apis/azureml.dev/v1alpha1".to_owned()));
        expected.insert(("get".to_owned(), "leases.coordination.k8s.io".to_owned()));
        assert_eq!(asked, expected);
        Ok(())
    }

    /// Lets the first go on: it gives up, and of Kubernetes it asks nothing more than to be told. What it had sent before it was
    /// suspended was answered long ago.
    async fn resumed(mut self) -> Result<(Scene, Operator)> {
        let before = audit::of(&self.users[0])?.len();
        ensure!(!audit::writes(&self.users[0], 0)?.is_empty(), "the first is not found in the audit log");
        self.first.signal("CONT");
        gave_up(self.first).await?;
        let written = audit::writes(&self.users[0], before)?;
        ensure!(written.is_empty(), "the suspended process wrote to Kubernetes: {written:#?}");
        Ok((self.scene, self.second))
    }

    /// Everything in Azure, in a form without times.
    fn state(&self) -> String {
        self.scene.azure.state(GROUP, WORKSPACE).unwrap_or_default().to_string()
    }
}

async fn started(start: Start) -> Result<Operator> {
    tokio::task::spawn_blocking(move || Operator::start(&start)).await?
}

async fn ended(operator: Operator) -> Result<ExitStatus> {
    tokio::task::spawn_blocking(move || operator.ended()).await?
}

/// Waits until it has ended by itself, and says that this was no success.
async fn gave_up(operator: Operator) -> Result<()> {
    let status = ended(operator).await?;
    ensure!(status.code().is_some_and(|code| code != 0), "it did not say that it lost the lease: {status}");
    Ok(())
}

/// The writes of an application since a place in the log.
fn writes(scene: &Scene, since: usize, client: &str) -> usize {
    scene.writes(since).iter().filter(|entry| entry.client.as_deref() == Some(client)).count()
}

fn workspace() -> String {
    let spec = "{subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg-ml, workspaceName: mlw-team-a}";
    manifest("MLWorkspace", "team-a", spec)
}

fn compute() -> String {
    let spec = "{workspaceRef: {name: team-a}, vmSize: Standard_DS3_v2, scale: {max: 4}}";
    manifest("MLCompute", "cpu", spec)
}

fn manifest(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\n{{apiVersion: azureml.dev/v1alpha1, kind: {kind}, metadata: {{name: {name}}}, spec: {spec}}}\n"
    )
}

/// Gives the cluster another size.
async fn scale(scene: &Scene, max: u8) -> Result<()> {
    let patch = json!({"spec": {"scale": {"max": max}}}).to_string();
    scene.kubectl(&["patch", "mlcompute/cpu", "--type=merge", "-p", &patch]).await.map(drop)
}

/// Waits until Azure has a request that a fault holds.
async fn held(scene: &Scene, fault: &str) -> Result<()> {
    let is_it = |entry: &azureml_simulator::Entry| entry.fault.as_deref() == Some(fault);
    let held = |log: &[azureml_simulator::Entry]| log.iter().any(is_it).then_some(());
    scene.azure.wait_for(azureml_e2e::PATIENCE, held).await.context("Azure holds nothing")
}
