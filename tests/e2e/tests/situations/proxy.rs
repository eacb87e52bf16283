//! The ways out: a proxy for Azure and for nothing else, what is reached past it, and authorities of one's own.

use super::{pipeline, ready, says, workspace};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::ml_run::Phase;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLWorkspace};
use azureml_e2e::operator::SOON;
use azureml_e2e::relay::{Relay, Way};
use azureml_e2e::scene::GRANTS;
use azureml_e2e::{Scene, Setting, cluster};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A scene whose operator finds a proxy in its environment.
async fn behind_a_proxy(name: &str) -> Result<(Scene, Relay)> {
    behind_a_proxy_with(name, Setting::default()).await
}

async fn behind_a_proxy_with(name: &str, setting: Setting) -> Result<(Scene, Relay)> {
    let mut scene = Scene::set(name, setting).await?;
    let proxy = Relay::proxy().await?;
    let address = Some(format!("http://{}", proxy.address()));
    let environment = ["HTTPS_PROXY", "HTTP_PROXY"].map(|name| (name.to_owned(), address.clone()));
    scene.start.environment.extend(environment);
    scene.start.environment.extend(["NO_PROXY", "no_proxy"].map(|name| (name.to_owned(), None)));
    Ok((scene, proxy))
}

fn host(address: &str) -> String {
    address.trim_start_matches("https://").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_is_reached_through_the_proxy_and_kubernetes_is_not() -> Result<()> {
    let (scene, proxy) = behind_a_proxy("proxied").await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &pipeline(", publish: {endpoint: p-proxied}"))).await?;
    ready::<MLPipeline>(&scene, "p").await?;
    let asked: BTreeSet<String> = proxy.asked().into_iter().collect();
    let azure = host(scene.azure.endpoint());
    assert_eq!(asked, BTreeSet::from([format!("CONNECT {azure} HTTP/1.1")]));
    ensure!(!asked.iter().any(|line| line.contains(&host(cluster::shared().endpoint()))), "{asked:?}");
    // There is no other way: without the proxy nothing of Azure is reached.
    proxy.set(Way::Refused);
    let since = scene.azure.requests().len();
    super::patch(&scene, "mlcompute/cpu", &serde_json::json!({"spec": {"scale": {"max": 7}}})).await?;
    says::<MLCompute>(&scene, "cpu", "False", "AzureUnreachable").await?;
    assert_eq!(scene.azure.requests().len(), since);
    proxy.set(Way::Open);
    ready::<MLCompute>(&scene, "cpu").await?;
    operator.stop()
}

/// Beyond a proxy is HTTP/1.1 alone, where a request that says nothing of its length is refused: a build is started
/// and a job cancelled by requests without a body.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_built_and_a_job_cancelled_through_a_proxy_over_http_1() -> Result<()> {
    let mut setting = Setting::default();
    setting.azure.http1 = true;
    let (scene, proxy) = behind_a_proxy_with("http1", setting).await?;
    let operator = scene.operator().await?;
    let built = "workspaceRef: {name: team-a}, build: {dockerfile: \"FROM r-base:4.4\\nRUN true\\n\"}";
    let environment = super::manifest("MLEnvironment", "built", built);
    scene.apply_objects(&(workspace("") + &pipeline("") + &environment)).await?;
    ready::<MLEnvironment>(&scene, "built").await?;
    ready::<MLPipeline>(&scene, "p").await?;
    let goes_on = serde_json::json!({"match": {"path": "/jobs/.*/only"}, "when": "outcome", "do": "hold"});
    super::fault(&scene, goes_on)?;
    scene.apply_objects(&super::manifest("MLRun", "one", "pipelineRef: {name: p}")).await?;
    let in_phase = |wanted: Phase| {
        move |run: &MLRun| run.status.as_ref().is_some_and(|status| status.phase == Some(wanted))
    };
    scene.wait("one", "running", in_phase(Phase::Running)).await?;
    super::patch(&scene, "mlrun/one", &serde_json::json!({"spec": {"cancel": true}})).await?;
    scene.wait("one", "canceled", in_phase(Phase::Canceled)).await?;
    assert_eq!(super::accepted(&scene, "POST workspaces/jobs/cancel"), 1);
    let refused = scene.azure.requests().iter().filter(|entry| entry.status == Some(411)).count();
    ensure!(refused == 0, "{}", scene.requests_shown(40));
    ensure!(!proxy.asked().is_empty(), "nothing went through the proxy");
    operator.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_proxy_names_is_reached_directly() -> Result<()> {
    let (mut scene, proxy) = behind_a_proxy("direct").await?;
    scene.start.environment.push(("NO_PROXY".into(), Some("10.0.0.0/8,127.0.0.0/8".into())));
    let operator = scene.operator().await?;
    scene.apply_objects(&workspace("")).await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    assert_eq!(proxy.asked(), [""; 0]);
    operator.stop()
}

/// The machine's own endpoint for tokens: plain HTTP, as every managed identity's is.
struct Machine {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Machine {
    async fn start(scene: &Scene) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, asked) = (listener.local_addr()?, Arc::<AtomicUsize>::default());
        let (http, _) = scene.azure_client().await?;
        let (azure, count) = (scene.azure.endpoint().to_owned(), asked.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(near, http.clone(), azure.clone()));
            }
        });
        Ok(Self { address, asked })
    }
}

/// Asks the simulator's endpoint, which speaks TLS, for the token.
async fn answer(mut near: TcpStream, http: reqwest::Client, azure: String) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let path = head.split(' ').nth(1).context("no path")?;
    let header = |line: &&str| line.to_ascii_lowercase().starts_with("x-identity-header:");
    ensure!(head.lines().any(|line| header(&line)), "the header of managed identities is missing: {head}");
    let asked = http.get(format!("{azure}{path}")).header("x-identity-header", "s").send().await?;
    let body = asked.error_for_status()?.bytes().await?;
    let lines = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    near.write_all(lines.as_bytes()).await?;
    near.write_all(&body).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_identity_is_asked_for_in_plain_http_and_past_the_proxy() -> Result<()> {
    let (mut scene, proxy) = behind_a_proxy("managed").await?;
    let machine = Machine::start(&scene).await?;
    let endpoint = format!("http://{}/msi/token", machine.address);
    scene.start.environment.extend([
        ("AZURE_CLIENT_SECRET".into(), None),
        ("IDENTITY_ENDPOINT".into(), Some(endpoint)),
        ("IDENTITY_HEADER".into(), Some("s".into())),
    ]);
    let operator = scene.operator().await?;
    scene.apply_objects(&workspace("")).await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    ensure!(machine.asked.load(Ordering::SeqCst) > 0, "the machine was not asked for a token");
    let azure = format!("CONNECT {} HTTP/1.1", host(scene.azure.endpoint()));
    ensure!(proxy.asked().iter().all(|line| *line == azure), "{:?}", proxy.asked());
    let clients: BTreeSet<Option<String>> =
        scene.azure.requests().into_iter().map(|entry| entry.client).collect();
    ensure!(clients.contains(&Some(scene.start.client.clone())), "{clients:?}");
    operator.stop()
}

/// No cloud has an authority of its own here, and no registry a mirror.
#[tokio::test(flavor = "multi_thread")]
async fn authorities_of_ones_own_are_trusted_for_azure_and_for_registries() -> Result<()> {
    let scene = Scene::set("authorities", Setting::default()).await?;
    let (azure, ca) = (scene.azure.endpoint().to_owned(), scene.azure.ca_file().display().to_string());
    let host = host(&azure);
    let clouds = format!(
        "clouds: [{{name: AzurePublic, authority: '{azure}', resourceManager: '{azure}', hosts: ['{host}'], storageHosts: ['{host}']}}]\n\
         registries: {{allowPrivateAddresses: true}}\n{GRANTS}{SOON}"
    );
    std::fs::write(&scene.start.config, format!("caFile: '{ca}'\n{clouds}"))?;
    let operator = scene.operator().await?;
    let image = super::manifest(
        "MLEnvironment",
        "image",
        &format!("workspaceRef: {{name: team-a}}, image: '{host}/team/image:1'"),
    );
    scene.apply_objects(&(workspace("") + &image)).await?;
    ready::<MLEnvironment>(&scene, "image").await?;
    operator.stop()?;

    // Without it neither is trusted.
    std::fs::write(&scene.start.config, clouds)?;
    let operator = scene.operator().await?;
    super::ask(&scene, "mlworkspace/team-a", "untrusted").await?;
    let refused = says::<MLWorkspace>(&scene, "team-a", "False", "TokenUnavailable").await?;
    let message = super::message(&refused, "Ready");
    ensure!(message.to_lowercase().contains("certificate"), "{message}");
    operator.stop()
}
