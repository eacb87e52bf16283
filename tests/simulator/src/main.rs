//! The command `azureml-simulator`: flags in, one line of JSON out when it is ready, then it runs until it is ended.

use anyhow::{Context as _, Result, bail};
use azureml_simulator::{Options, RoleMode, Simulator, Times, WorkspaceSpec};
use clap::{Parser, ValueEnum};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// A simulator of Azure for clients of Azure Machine Learning.
#[derive(Parser)]
#[command(version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The name by which clients reach it, where that is not the address that it listens on.
    #[arg(long)]
    host: Option<String>,
    /// Serve HTTP/1.1 alone.
    #[arg(long)]
    http1: bool,
    /// Where blobs, datastores and executed steps are kept; without it, in a folder that is removed at the end.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// A workspace, as RESOURCE-GROUP/NAME or RESOURCE-GROUP/NAME@REGION; may be repeated.
    #[arg(long = "workspace", value_name = "RG/WS[@REGION]", value_parser = workspace)]
    workspaces: Vec<WorkspaceSpec>,
    /// The region of workspaces that name none.
    #[arg(long, default_value = "westeurope")]
    region: String,
    /// How roles work in the registries.
    #[arg(long, value_enum, default_value = "legacy")]
    registry_mode: Mode,
    /// Whether time passes by itself, or only through POST /_simulator/clock.
    #[arg(long, value_enum, default_value = "real")]
    clock: ClockKind,
    /// The tenant.
    #[arg(long, default_value = "11111111-1111-1111-1111-111111111111")]
    tenant: String,
    /// The subscription.
    #[arg(long, default_value = "00000000-0000-0000-0000-000000000001")]
    subscription: String,
    /// Execute the steps of pipelines as processes on this machine.
    #[arg(long)]
    execute: bool,
    /// Do not limit requests as Azure Resource Manager does.
    #[arg(long)]
    no_throttle: bool,
    /// Hold requests against the published definitions without what Azure tolerates of older clients.
    #[arg(long)]
    strict: bool,
    /// Do not cap the number of clusters, endpoints, deployments and schedules as Azure does.
    #[arg(long)]
    no_caps: bool,
    /// The number of items on a page of a list.
    #[arg(long, default_value_t = 100)]
    page_size: usize,
    /// How long everything takes: 1 is as long as in Azure, 0 is no time.
    #[arg(long, default_value_t = 0.01, value_parser = scale)]
    time_scale: f64,
    /// How long a step runs that is not executed, instead of the scaled time.
    #[arg(long, value_parser = duration)]
    step_time: Option<Duration>,
    /// How long a build runs, instead of the scaled time.
    #[arg(long, value_parser = duration)]
    build_time: Option<Duration>,
    /// How long a node takes to come or to go, instead of the scaled time.
    #[arg(long, value_parser = duration)]
    node_time: Option<Duration>,
    /// Delays of answers by method, for example PUT=2.35s,GET=500ms; * stands for all others.
    #[arg(long, value_delimiter = ',', value_parser = latency)]
    latency: Vec<(String, Duration)>,
    /// An application whose secret is checked; may be repeated. Others may use any secret.
    #[arg(long = "app", value_name = "CLIENT-ID=SECRET", value_parser = app)]
    apps: Vec<(String, String)>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ClockKind {
    Real,
    Virtual,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    Legacy,
    Abac,
}

fn duration(text: &str) -> Result<Duration> {
    let span: jiff::SignedDuration =
        text.parse().with_context(|| format!("'{text}' is no duration; write 250ms, 2.35s or PT1M"))?;
    Duration::try_from(span).with_context(|| format!("'{text}' is negative"))
}

fn scale(text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale >= 0.0 => Ok(scale),
        Ok(_) | Err(_) => bail!("write a scale of time as a number such as 0.01 or 1, not '{text}'"),
    }
}

fn workspace(text: &str) -> Result<WorkspaceSpec> {
    let (path, region) =
        text.split_once('@').map_or((text, None), |(path, region)| (path, Some(region.to_owned())));
    match path.split_once('/') {
        Some((group, name)) if !group.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(WorkspaceSpec { region, ..WorkspaceSpec::new(group, name) })
        }
        Some(_) | None => bail!("write a workspace as RESOURCE-GROUP/NAME, not '{text}'"),
    }
}

fn latency(text: &str) -> Result<(String, Duration)> {
    let (method, delay) =
        text.split_once('=').with_context(|| format!("write METHOD=DURATION, not '{text}'"))?;
    Ok((method.to_ascii_uppercase(), duration(delay)?))
}

fn app(text: &str) -> Result<(String, String)> {
    let (id, secret) =
        text.split_once('=').with_context(|| format!("write CLIENT-ID=SECRET, not '{text}'"))?;
    Ok((id.to_owned(), secret.to_owned()))
}

impl From<Args> for Options {
    fn from(args: Args) -> Self {
        let times = Times::scaled(args.time_scale);
        Self {
            listen: args.listen,
            host: args.host,
            http1: args.http1,
            dir: args.dir,
            workspaces: args.workspaces,
            tenant_id: args.tenant,
            subscription_id: args.subscription,
            region: args.region,
            begins: None,
            virtual_clock: matches!(args.clock, ClockKind::Virtual),
            execute: args.execute,
            throttle: !args.no_throttle,
            strict: args.strict,
            caps: !args.no_caps,
            registry_mode: match args.registry_mode {
                Mode::Legacy => RoleMode::Legacy,
                Mode::Abac => RoleMode::Abac,
            },
            page_size: args.page_size,
            times: Times {
                step: args.step_time.unwrap_or(times.step),
                build: args.build_time.unwrap_or(times.build),
                node: args.node_time.unwrap_or(times.node),
                ..times
            },
            latency: args.latency.into_iter().collect::<BTreeMap<_, _>>(),
            apps: args.apps.into_iter().collect(),
            certificates: BTreeMap::new(),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::from(Args::parse());
    let mut end = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let simulator = Simulator::start(options).await?;
    println!("{}", simulator.ready());
    tokio::select! {
        _ = end.recv() => {}
        ended = tokio::signal::ctrl_c() => ended.context("cannot listen for SIGINT")?,
    }
    simulator.stop();
    Ok(())
}
