//! `logs`: shows what the steps of a run, of a schedule's run, or the build of an image, write.
//!
//! In: an object of the cluster by kubectl, the login of `az`. Out: logs on standard output, whose they are on standard error.

use super::Failed;
use super::cluster::{Place, resource};
use super::mark::run;
use anyhow::{Context as _, Result, bail, ensure};
use azureml_access::connect::Shared;
use azureml_access::credentials::Who;
use azureml_access::identity::Identities;
use azureml_cli::clean::Filter;
use azureml_cli::logs::read::{Asked, PAUSE, logs};
use azureml_cli::logs::scheduled::{self, Fired, fired};
use azureml_cli::logs::{self as logs_of, After, Source, after, is_to_come, source};
use azureml_cli::objects::objects;
use azureml_cli::plan::what_if::{Journal, WhatIf};
use azureml_cli::said::plain;
use azureml_config::Config;
use azureml_crds::GROUP;
use serde_json::Value;
use std::io::{IsTerminal as _, Stdout, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

/// How many looks at a run may say nothing of how it goes on, after its job has ended: five minutes.
const LOOKS: u32 = 60;

/// The arguments of `logs`.
#[derive(clap::Args)]
pub struct Logs {
    /// The object: a run as NAME or mlrun/NAME, mlschedule/NAME for its last run, or mlenvironment/NAME for the build of its image.
    #[arg(value_name = "KIND/NAME")]
    object: String,
    /// The step of the run. Default: all of them.
    #[arg(long, value_name = "NAME")]
    step: Option<String>,
    /// Another run of the schedule than the last: a job, or an MLRun, of its status.runs.
    #[arg(long = "run", value_name = "JOB")]
    of: Option<String>,
    /// Go on until the run, or the build, has ended.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    place: Place,
    /// The operator's configuration, for its clouds and certificates.
    #[arg(long, value_name = "FILE", env = "AZUREML_CONFIG")]
    config: Option<PathBuf>,
}

impl Logs {
    /// Shows the logs.
    ///
    /// # Errors
    /// When there are none, or they cannot be read.
    pub fn run(&self) -> Result<bool, Failed> {
        self.shown().map(|()| true).map_err(|cause| Failed { cause, code: 1 })
    }

    fn shown(&self) -> Result<()> {
        let (run, mut source) = self.found()?;
        // As the operator begins; another that is there does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config::read(self.config.as_deref())?;
        let identities = identities(&config)?;
        let cloud = source.cloud.as_ref().unwrap_or(&config.default_cloud.0);
        let Some(client) = identities.client(cloud, &Who::Person) else {
            bail!("there is no cloud {cloud}; describe it in clouds of --config");
        };
        let asked = Asked { client: &client, step: self.step.as_deref(), follows: self.follow };
        let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
        let (mut out, mut written) = (Output::new(), 0);
        loop {
            let mut sink = |of: &str, piece: &[u8]| out.put(of, piece);
            written += runtime.block_on(logs(&asked, &source.place, &mut sink))?;
            out.end()?;
            match self.next(run.as_deref(), &source)? {
                Some(next) => source = next,
                None => break,
            }
        }
        if written == 0 {
            let studio = source.studio.map(|at| format!("; studio shows what else is known: {}", plain(&at)));
            eprintln!("nothing was written yet{}", studio.unwrap_or_default());
        }
        Ok(())
    }

    /// Where the logs are, and the object that tells of further attempts: of a schedule its MLRun, where it makes one.
    fn found(&self) -> Result<(Option<String>, Source)> {
        let named = run(&self.object);
        if !resource(&named)?.starts_with("mlschedules.") {
            ensure!(
                self.of.is_none(),
                "leave --run out, or name mlschedule/<name>: it chooses a run of a schedule"
            );
            let source = self.source(&named)?;
            return Ok((Some(named), source));
        }
        let schedule = self.place.thing(&named)?.object;
        let fired = fired(&schedule, self.of.as_deref()).map_err(anyhow::Error::msg)?;
        eprintln!("{}", plain(&fired.to_string()));
        match &fired.run {
            // Of one that the history has lost, the job is there.
            Some(run) if self.there(&format!("mlruns.{GROUP}/{run}"))?.is_some() => {
                let named = format!("mlrun/{run}");
                let source = self.source(&named)?;
                Ok((Some(named), source))
            }
            _ => Ok((None, self.of_job(&schedule, &fired)?)),
        }
    }

    /// Where the logs of a job are that a schedule started.
    fn of_job(&self, schedule: &Value, fired: &Fired) -> Result<Source> {
        let pipeline = schedule["spec"]["pipelineRef"]["name"].as_str().unwrap_or_default();
        let pipeline = self.there(&format!("mlpipelines.{GROUP}/{pipeline}"))?;
        let workspaces = self.workspaces(schedule)?;
        scheduled::source(schedule, fired, pipeline.as_ref(), &workspaces).map_err(anyhow::Error::msg)
    }

    /// An object, where there is one.
    fn there(&self, resource: &str) -> Result<Option<Value>> {
        let text = self.place.kubectl(&["get", resource, "--ignore-not-found", "--output=json"])?;
        if text.is_empty() { Ok(None) } else { serde_json::from_str(&text).context("kubectl").map(Some) }
    }

    /// The MLWorkspaces of the namespace, and the one of another that an object names.
    fn workspaces(&self, object: &Value) -> Result<Vec<Value>> {
        let text = self.place.kubectl(&["get", &format!("mlworkspaces.{GROUP}"), "--output=json"])?;
        let mut workspaces = objects("the cluster", &text)?;
        workspaces.extend(self.place.shared(std::slice::from_ref(object))?);
        Ok(workspaces)
    }

    /// Where the logs are; of a run that is to be followed, as soon as it has a job.
    fn source(&self, named: &str) -> Result<Source> {
        loop {
            let object = self.place.thing(named)?.object;
            let found = source(&object, &self.workspaces(&object)?);
            if found.is_ok() || !self.follow || !is_to_come(&object) {
                return found.map_err(anyhow::Error::msg);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Where it goes on after the end of a job: another attempt of the run has another one.
    fn next(&self, run: Option<&str>, source: &Source) -> Result<Option<Source>> {
        let (Some(named), logs_of::Place::Job { id, .. }) = (run, &source.place) else { return Ok(None) };
        if !self.follow {
            return Ok(None);
        }
        for _ in 0..LOOKS {
            match after(&self.place.thing(named)?.object, id) {
                After::Nothing => return Ok(None),
                After::Another => {
                    eprintln!("the run is tried again");
                    return self.source(named).map(Some);
                }
                After::Unknown => std::thread::sleep(PAUSE),
            }
        }
        eprintln!(
            "look at kubectl azureml why {named}: its job has ended, and the operator says nothing of that yet"
        );
        Ok(None)
    }
}

/// Where logs are shown: a terminal gets nothing that controls it.
struct Output {
    out: Stdout,
    /// Whose the last piece was.
    last: String,
    filter: Option<Filter>,
}

impl Output {
    fn new() -> Self {
        let out = std::io::stdout();
        let filter = out.is_terminal().then(Filter::default);
        Self { out, last: String::new(), filter }
    }

    fn put(&mut self, of: &str, piece: &[u8]) -> Result<()> {
        if of != self.last {
            self.end()?;
            eprintln!("==> {}", plain(of));
            of.clone_into(&mut self.last);
        }
        match &mut self.filter {
            Some(filter) => self.out.write_all(filter.take(piece).as_bytes()),
            None => self.out.write_all(piece),
        }
        .and_then(|()| self.out.flush())
        .context("standard output")
    }

    /// The end of a log: what the filter holds back is shown, and the next one has its own title.
    fn end(&mut self) -> Result<()> {
        self.last.clear();
        let held = self.filter.as_mut().map(Filter::end).unwrap_or_default();
        self.out.write_all(held.as_bytes()).and_then(|()| self.out.flush()).context("standard output")
    }
}

/// Clients that only read: what would change something is never sent.
fn identities(config: &Config) -> Result<Identities> {
    let mut shared = Shared::new(Arc::new(|| true), Arc::new(|_| {}));
    let dial = shared.dial.clone();
    shared.dial =
        Arc::new(move |settings| Ok(Arc::new(WhatIf::new(dial(settings)?, Journal::default())) as Arc<_>));
    Identities::new(config.reach()?, shared)
}
