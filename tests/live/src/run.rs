//! The check from its beginning to its end: asked, signed in, told, answered, removed. Everything is put together here.
//!
//! In: the arguments. Out: a table on standard output, perhaps a recording, and an error where something is left or failed.

use crate::args::Args;
use crate::assumptions::{self, Observed};
use crate::clean::{Sweep, Swept};
use crate::door::Door;
use crate::entry::{check_location, confirm, interrupted};
use crate::ground::{Ground, Made, Workspace};
use crate::kubernetes::Cluster;
use crate::names::{Names, Whose};
use crate::operator::{Operator, Start};
use crate::recorder::{Exchange, Recorder};
use crate::report::{self, Observations};
use crate::setup::Setup;
use crate::story::{self, Story};
use crate::{cost, recording, redact};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;

/// What runs beside this process, and ends with it.
struct Stage {
    folder: TempDir,
    cluster: Option<Cluster>,
    operator: Option<Operator>,
    observations: Observations,
}

/// What does not change during a check.
struct Check {
    args: Args,
    setup: Setup,
    names: Names,
    recorder: Recorder,
    door: Door,
    workspace: Workspace,
}

/// Runs the check.
///
/// # Errors
/// When it is not confirmed, the story fails, or something is left.
pub async fn run(args: Args) -> Result<()> {
    let (setup, names) = (Setup::read(&args)?, Names::new());
    if args.clean {
        println!(
            "This removes, in {}, what carries the owner tag azureml-live-… of any check.",
            setup.workspace
        );
    } else {
        println!("{}", cost::question(&args, &names));
    }
    confirm(&args).await?;
    let recorder = Recorder::start(&setup).await?;
    let door = Door::new(&setup, recorder.address(), recorder.authority())?;
    let workspace = Workspace::read(&door, &setup).await?;
    check_location(&args, &workspace)?;
    println!("signed in; the workspace is in {}", workspace.region);
    let check = Check { args, setup, names, recorder, door, workspace };
    if check.args.clean {
        return concluded(&check.sweep(Whose::Everybody).await?);
    }
    check.told().await
}

impl Check {
    /// The story, and whatever becomes of it, the end.
    async fn told(&self) -> Result<()> {
        let mut stage = Stage {
            folder: tempfile::tempdir()?,
            cluster: None,
            operator: None,
            observations: Observations::new(),
        };
        let limit = Duration::from_secs(self.args.minutes * 60);
        let told = tokio::select! {
            told = tokio::time::timeout(limit, self.tell(&mut stage, limit)) => {
                told.unwrap_or_else(|_| Err(anyhow!("the time of {} minutes is up", self.args.minutes)))
            }
            stopped = interrupted() => stopped.and_then(|()| Err(anyhow!("interrupted"))),
        };
        if let Err(error) = &told {
            println!(
                "\n{error:#}\nending the story, and removing what it made; wait, or press Ctrl-C again to leave it"
            );
        }
        let ended = self.end(stage).await;
        if let (Err(_), Err(error)) = (&told, &ended) {
            println!("{error:#}");
        }
        told.and(ended)
    }

    /// Stops what runs, cleans, writes the recording, prints the table: each whatever becomes of the others.
    async fn end(&self, mut stage: Stage) -> Result<()> {
        if let Some(operator) = stage.operator.take() {
            // Nothing may come from it while things are removed; that it cannot be waited for is no reason to leave them.
            operator.stop().await.unwrap_or_else(|error| println!("{error:#}"));
        }
        let swept = if self.args.keep {
            println!("left in Azure, as you said; `cargo xtask live --clean …` removes it");
            Ok(Swept::default())
        } else {
            self.sweep(Whose::Of(self.names.clone())).await
        };
        let left = match stage.cluster.take() {
            Some(cluster) => cluster.leave(&self.names.namespace()).await,
            None => Ok(()),
        };
        print!("\n{}", report::table(&stage.observations));
        let recorded = self.record(&stage.observations);
        concluded(&swept?)?;
        left.context("failed to leave the cluster")?;
        recorded
    }

    /// Cleans, unless interrupted once more.
    async fn sweep(&self, whose: Whose) -> Result<Swept> {
        let sweep = Sweep { door: &self.door, setup: &self.setup, workspace: &self.workspace, whose };
        tokio::select! {
            swept = sweep.all() => Ok(swept),
            stopped = interrupted() => {
                stopped?;
                bail!("interrupted while cleaning; `cargo xtask live --clean …` removes the rest")
            }
        }
    }

    async fn tell(&self, stage: &mut Stage, limit: Duration) -> Result<()> {
        println!("starting a cluster and the operator");
        let Stage { folder, cluster, operator, observations } = stage;
        let cluster = cluster.insert(Cluster::ready(self.args.kubeconfig.as_deref()).await?);
        cluster.install().await?;
        let namespace = self.names.namespace();
        cluster.namespace(&namespace).await?;
        let config = self.setup.write(folder.path(), &self.names, self.recorder.authority())?;
        let program = self.args.operator.as_deref().context("no operator is named")?;
        let operator = operator.insert(Operator::start(&Start {
            program,
            config: &config,
            kubeconfig: cluster.kubeconfig(),
            namespace: &namespace,
            proxy: self.recorder.address(),
        })?);
        let mut story = Story::new(cluster.client.clone(), &self.names, operator, limit);
        let made = self.make(&mut story).await?;
        println!("running it once");
        story.apply(&story::run()).await?;
        let run = story.finished("once").await?;
        ensure!(run["phase"] == "Succeeded", "the run is {}: {}", run["phase"], run["failure"]);
        self.ask(made, observations).await;
        println!("deleting everything in Kubernetes; the operator takes leave of it in Azure");
        story.delete().await
    }

    /// Applies everything, waits until it is ready, and sends the build's task run again meanwhile.
    async fn make(&self, story: &mut Story<'_>) -> Result<Made> {
        println!(
            "applying a cluster, an environment, a pipeline and a schedule in namespace {}",
            self.names.namespace()
        );
        let objects = story::objects(&self.args, &self.setup, &self.names);
        for object in &objects {
            story.apply(object).await?;
        }
        let mut again = std::pin::pin!(self.send_task_run_again());
        let (mut builds, mut is_sent) = (None, false);
        let mut all = std::pin::pin!(all_ready(story, &objects));
        let statuses = loop {
            tokio::select! {
                ready = &mut all => break ready?,
                sent = &mut again, if !is_sent => (builds, is_sent) = (sent, true),
            }
        };
        if !is_sent {
            builds = tokio::time::timeout(Duration::from_secs(5), again).await.ok().flatten();
        }
        let (environment, pipeline) = (&statuses[2], &statuses[3]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let exchanges = self.recorder.exchanges();
        let compute = exchanges.iter().find(|exchange| exchange.is_put("/computes/"));
        Ok(Made {
            component: text(&pipeline["current"]["componentId"]),
            compute: compute.map(|exchange| exchange.path().to_owned()).context("no cluster was made")?,
            scoring_uri: text(&pipeline["endpoint"]["scoringUri"]),
            image: text(&environment["image"]),
            builds,
        })
    }

    /// The runs of the build before and after; nothing where it could not be done.
    async fn send_task_run_again(&self) -> Option<(String, String)> {
        let is_it = |exchange: &Exchange| {
            exchange.is_operators() && exchange.is_put("/taskRuns/") && matches!(exchange.status, 200 | 201)
        };
        let limit = Duration::from_secs(self.args.minutes * 60);
        let exchange = self.recorder.wait_for(limit, is_it).await.ok()?;
        let path = exchange.path();
        let first = run_of(&self.door.get(path).await.ok()?.body)?;
        let answer = self.door.put(path, exchange.body.json()).await.ok()?;
        if !answer.is_success() {
            return None;
        }
        let second = run_of(&self.door.get(path).await.ok()?.body)?;
        Some((first, second))
    }

    /// Asks every question; one that cannot be asked is no reason not to ask the next.
    async fn ask(&self, made: Made, observations: &mut Observations) {
        let ground = Ground {
            door: &self.door,
            recorder: &self.recorder,
            names: &self.names,
            workspace: &self.workspace,
            settle: Duration::from_secs(self.args.settle),
            made,
        };
        for one in assumptions::all() {
            let observed = (one.probe)(&ground).await;
            let observed = observed.unwrap_or_else(|error| Observed::unseen(format!("{error:#}")));
            println!("  {}: {} ({})", one.id, observed.text, observed.verdict.words());
            observations.insert(one.id, observed);
        }
    }

    fn record(&self, observations: &Observations) -> Result<()> {
        let Some(file) = &self.args.record else { return Ok(()) };
        let exchanges = self.recorder.exchanges();
        let mut redactor = redact::Redactor::new(&self.setup, &self.names, &exchanges)?;
        let entries: Vec<_> = exchanges.iter().filter_map(|exchange| redactor.entry(exchange)).collect();
        let answers = report::answers(observations);
        let header = recording::Header {
            format: recording::FORMAT.to_owned(),
            operator: env!("CARGO_PKG_VERSION").to_owned(),
            cloud: self.setup.cloud.name.clone(),
            region: self.workspace.region.clone(),
            taken: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            requests: entries.len(),
            answers: answers.into_iter().map(|(id, text)| (id, redactor.text(&text))).collect(),
        };
        let text = recording::write(&header, &entries)?;
        redactor.check(&text)?;
        std::fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))?;
        println!("recorded {} requests in {}", entries.len(), file.display());
        Ok(())
    }
}

async fn all_ready(story: &mut Story<'_>, objects: &[Value]) -> Result<Vec<Value>> {
    let mut statuses = Vec::new();
    for object in objects {
        statuses.push(story.ready(object).await?);
    }
    Ok(statuses)
}

fn run_of(task_run: &Value) -> Option<String> {
    task_run["properties"]["runResult"]["properties"]["runId"].as_str().map(str::to_owned)
}

/// What a cleaning says at its end.
fn concluded(swept: &Swept) -> Result<()> {
    println!(
        "removed {} things in Azure that the operator had not removed or only archived",
        swept.removed.len()
    );
    for removed in &swept.removed {
        println!("  {removed}");
    }
    if swept.left.is_empty() {
        return Ok(());
    }
    println!("could not be removed:\n  {}", swept.left.join("\n  "));
    bail!("{} things could not be removed; they are named above", swept.left.len())
}
