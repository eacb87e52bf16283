//! The life of the process: made ready, elected, at work, stopped. Everything is put together here and nowhere else.

mod apart;
mod controller;

use self::apart::Apart;
use self::controller::{Controller, Parts};
use crate::args::Run;
use crate::engine::events::{Recorder, write_all};
use crate::lease::{Acquired, Candidate};
use crate::metrics::Metrics;
use crate::server::{Readiness, serve};
use crate::telemetry;
use crate::telemetry::texts::{LEADING, LEASE_LOST};
use anyhow::{Context as _, Result};
use azureml_access::connect::Shared;
use azureml_config::{Config, std_duration};
use azureml_crds::for_each_kind;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use kube::core::CustomResourceExt as _;
use kube::{Client, Resource as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long passes may take to finish after the process is told to stop.
const GRACE: Duration = Duration::from_secs(25);

/// How long the last events may take to be written.
const TELLING: Duration = Duration::from_secs(2);

/// How often it is looked whether the API server serves a kind already.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Runs the controller until it is told to stop.
///
/// # Errors
/// When it cannot start, or loses the lease.
pub fn blocking(flags: Run) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let telemetry = telemetry::start(flags.log_format, &flags.log, runtime.handle())?;
    let config = Config::read(flags.config.as_deref())?;
    let ended = runtime.block_on(run(flags, config));
    drop(telemetry);
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn run(flags: Run, config: Config) -> Result<()> {
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let kube = kube_client().await?;
    let (metrics, readiness) = (Arc::new(Metrics::default()), Readiness::default());
    let server = tokio::spawn(serve(flags.listen, metrics.clone(), readiness.clone(), stop.clone()));
    let identity = holder();
    let (apart, candidate) = candidate(&flags, &config, (&identity, &metrics)).await?;
    let Some(cluster_id) = prepared(&flags, &config, (&kube, &readiness), &stop).await? else {
        return ended(server).await;
    };
    let (recorder, events) = Recorder::new(metrics.clone(), identity);
    let shared = shared(&candidate, &metrics);
    let last = CancellationToken::new();
    let writes = write_all(kube.clone(), events, shared.gate.clone(), (metrics.clone(), last.clone()));
    let told = tokio::spawn(writes);
    let parts = Parts { kube, config: &config, metrics: metrics.clone(), recorder, cluster_id, shared };
    let controller = Controller::new(&flags, parts, &stop)?;
    readiness.waits_for("the watches to be filled");
    controller.filled(&stop).await;
    readiness.waits_for("");
    let mut end = Ok(End::Rest);
    if let Some(acquired) = apart.run(acquired(candidate.clone(), stop.clone())).await? {
        tracing::info!("{LEADING}");
        if acquired == Acquired::TakenOver {
            // What the one before had sent has arrived by then, or never will.
            controller.compares_after(std_duration(config.azure.request_timeout));
        }
        metrics.life.leads(true);
        end = lead(controller, (&apart, &candidate), &stop).await;
        last.cancel();
        let _ = timeout(TELLING, told).await;
        metrics.life.leads(false);
    }
    // Also where it was not told that it leads: the answer may have been lost.
    if matches!(end, Ok(End::Rest)) {
        apart.run(released(candidate)).await?;
    }
    stop.cancel();
    ended(server).await?;
    end.map(drop)
}

async fn acquired(candidate: Candidate, stop: CancellationToken) -> Option<Acquired> {
    candidate.acquire(&stop).await
}

async fn kept(candidate: Candidate) -> Result<()> {
    candidate.keep().await
}

async fn released(candidate: Candidate) {
    candidate.release().await;
}

/// How leading ended, when the lease was not lost.
enum End {
    /// Every pass was finished.
    Rest,
    /// Passes were given up, and what they sent may still be on its way: the lease is left to expire, so that the next
    /// leader knows.
    GivenUp,
}

/// Waits for what must be there before anything can be watched, and gives the name of this cluster; `None` when told to stop.
async fn prepared(
    flags: &Run,
    config: &Config,
    (kube, readiness): (&Client, &Readiness),
    stop: &CancellationToken,
) -> Result<Option<String>> {
    let prepared = async {
        wait_for_definitions(kube, readiness).await;
        cluster_id(flags, config, kube).await
    };
    stop.run_until_cancelled(prepared).await.transpose()
}

async fn ended(server: tokio::task::JoinHandle<Result<()>>) -> Result<()> {
    server.await.context("the server panicked")?
}

/// Works until told to stop, or until the lease is lost: then passes that still run must not write, so the process ends.
async fn lead(
    controller: Controller,
    (apart, candidate): (&Apart, &Candidate),
    stop: &CancellationToken,
) -> Result<End> {
    let mut work = controller.work(stop);
    // The lease is renewed to the last pass, which else could not say what it did.
    let finished = async {
        stop.cancelled().await;
        let finished = async { while work.join_next().await.is_some() {} };
        if timeout(GRACE, finished).await.is_ok() {
            return End::Rest;
        }
        tracing::warn!("passes did not finish in {GRACE:?}, so the lease is left to expire");
        End::GivenUp
    };
    tokio::select! {
        lost = apart.run(kept(candidate.clone())) => {
            tracing::error!("{LEASE_LOST}");
            lost?.map(|()| End::GivenUp)
        }
        end = finished => Ok(end),
    }
}

fn stop_on_signal(stop: CancellationToken) -> Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
        stop.cancel();
    });
    Ok(())
}

/// The client of the Kubernetes API, by the pod that this runs in or by `KUBECONFIG`.
///
/// # Errors
/// When neither is there.
pub async fn kube_client() -> Result<Client> {
    let mut config = kube::Config::infer()
        .await
        .context("failed to find the Kubernetes API: neither in a pod nor by KUBECONFIG")?;
    // A proxy is for the way to Azure; the Kubernetes API is inside.
    config.proxy_url = None;
    // Passes are tried again by the engine; a second layer would only hold their places.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(10));
    // Longer than a watch, which the API server ends after at most five minutes.
    config.read_timeout = Some(Duration::from_mins(6));
    Client::try_from(config).context("failed to make the client of the Kubernetes API")
}

/// The name of the lease's holder: the pod's name, else a name of this process.
fn holder() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), azure_core::Uuid::new_v4())
}

/// The candidate, on a thread of its own and with connections of its own: of those that passes and watches left, more than one
/// may have been lost on the way.
async fn candidate(
    flags: &Run,
    config: &Config,
    (identity, metrics): (&str, &Arc<Metrics>),
) -> Result<(Apart, Candidate)> {
    let apart = Apart::start()?;
    let kube = apart.run(kube_client()).await??;
    let namespace = flags.lease_namespace.clone().unwrap_or_else(|| kube.default_namespace().to_owned());
    let api = Api::namespaced(kube.clone(), &namespace);
    let candidate = Candidate::new(api, flags.lease_name.clone(), identity.to_owned(), config.lease.clone());
    let metrics = metrics.clone();
    Ok((apart, candidate.told(Arc::new(move |is_renewed| metrics.life.renewed(is_renewed)))))
}

fn shared(candidate: &Candidate, metrics: &Arc<Metrics>) -> Shared {
    let (candidate, metrics) = (candidate.clone(), metrics.clone());
    Shared::new(Arc::new(move || candidate.leads()), Arc::new(move |told| metrics.azure.told(told)))
}

/// Waits until the API server serves every kind. It is asked what it serves, which every account may, and not for the
/// definitions, which are the cluster's: so a controller of some namespaces needs no right outside of them.
async fn wait_for_definitions(kube: &Client, readiness: &Readiness) {
    macro_rules! names {
        ($($many:ident: $kind:path,)*) => { [$((<$kind>::api_version(&()), <$kind>::plural(&()), <$kind>::crd_name())),*] };
    }
    for (version, plural, name) in for_each_kind!(names) {
        readiness.waits_for(format!("the custom resource definition {name}"));
        let mut every = tokio::time::interval(BETWEEN_LOOKS);
        loop {
            every.tick().await;
            match kube.list_api_group_resources(&version).await {
                Ok(served) if served.resources.iter().any(|served| served.name == plural) => break,
                Ok(_) => {}
                // Plain text, not a status: nobody serves the group.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => tracing::warn!("failed to ask what the API server serves: {error}"),
            }
        }
    }
}

async fn cluster_id(flags: &Run, config: &Config, kube: &Client) -> Result<String> {
    if let Some(id) = flags.cluster_id.clone().or_else(|| config.cluster_id.clone()) {
        return Ok(id);
    }
    let api: Api<Namespace> = Api::all(kube.clone());
    let system =
        api.get("kube-system").await.context("failed to read the namespace kube-system, whose UID names this cluster in Azure; set clusterId in the configuration, or --cluster-id")?;
    system.metadata.uid.context("the namespace kube-system has no UID; set --cluster-id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use crate::fake;
    use clap::Parser as _;
    use std::future::pending;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_an_api_server_that_does_not_answer_can_be_told_to_stop() -> Result<()> {
        let Command::Run(flags) = Args::try_parse_from(["azureml-operator", "run"])?.command else {
            panic!("another command");
        };
        let (kube, stop) = (fake::client(|_| pending()), CancellationToken::new());
        let (config, readiness) = (Config::default(), Readiness::default());
        let prepared = prepared(&flags, &config, (&kube, &readiness), &stop);
        let told = async {
            // It has asked, and waits.
            tokio::task::yield_now().await;
            stop.cancel();
        };
        let both = async { tokio::join!(prepared, told).0 };
        assert_eq!(timeout(Duration::from_mins(1), both).await.context("it goes on waiting")??, None);
        Ok(())
    }
}
