//! `follow`: watches an MLRun until it ends, or until only a change helps. Ctrl-C ends the watching, and not the run.
//!
//! In: a run, by the watch of kubectl. Out: progress on standard error, the end on standard output, an exit code. It changes nothing.

use super::Failed;
use super::cluster::{Place, refused};
use super::mark::run;
use anyhow::{Context as _, Result, anyhow, ensure};
use azureml_cli::follow::{ATTEMPTS, Patience, end, halt, look, news};
use azureml_cli::thing::Thing;
use jiff::Timestamp;
use serde_json::{Deserializer, Value};
use std::io::{BufReader, IsTerminal as _, Write as _};
use std::process::Child;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// As shells say that Ctrl-C ended a program.
const INTERRUPTED: u8 = 130;
/// How long to wait before the next watch.
const PAUSE: Duration = Duration::from_secs(1);

/// When progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Progress {
    /// Where standard error is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Progress {
    fn is_shown(self) -> bool {
        self == Self::Always || self == Self::Auto && std::io::stderr().is_terminal()
    }
}

/// The arguments of `follow`.
#[derive(clap::Args)]
pub struct Follow {
    /// The run, as NAME or mlrun/NAME.
    #[arg(value_name = "RUN")]
    run: String,
    /// When progress is shown, on standard error.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    progress: Progress,
    #[command(flatten)]
    place: Place,
}

impl Follow {
    /// Follows a run: 0 where it succeeded, 1 where not or where it is stalled, 130 after Ctrl-C.
    ///
    /// # Errors
    /// When the run cannot be read, or is deleted.
    pub fn run(&self) -> Result<u8, Failed> {
        let followed = self.place.thing(&run(&self.run)).and_then(|found| {
            ensure!(found.kind == "MLRun", "write the name of an MLRun; {} is none", found.id());
            follow(&self.place, &found.name, self.progress)
        });
        followed.map_err(|cause| Failed { cause, code: 2 })
    }
}

/// Follows a run to its end, and says by an exit code how that was.
///
/// # Errors
/// When it cannot be watched, or is deleted.
pub fn follow(place: &Place, name: &str, progress: Progress) -> Result<u8> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
    let followed = runtime.block_on(async {
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => Ok(None),
            code = watch(place, name, progress) => code.map(Some),
        }
    });
    // What still reads from kubectl ends with it.
    runtime.shutdown_background();
    let followed = followed?;
    if followed.is_none() {
        let at = format!("{name} --namespace {}", place.namespace()?);
        eprintln!("MLRun/{name} is not followed any more, and goes on.");
        eprintln!("Follow it again: kubectl azureml follow {at}\nCancel it: kubectl azureml cancel {at}");
    }
    Ok(followed.unwrap_or(INTERRUPTED))
}

/// A watch of kubectl, which ends with this value.
struct Watch {
    child: Option<Child>,
    events: UnboundedReceiver<serde_json::Result<Value>>,
    /// Why what it prints cannot be read further.
    broken: Option<serde_json::Error>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

const WATCH: [&str; 4] = ["get", "--watch", "--output-watch-events", "--output=json"];

impl Watch {
    fn of(place: &Place, name: &str) -> Result<Self> {
        let (namespace, resource) = (place.namespace()?, format!("mlruns.{}/{name}", azureml_crds::GROUP));
        let rest = [resource.as_str(), "--namespace", namespace.as_str()];
        let mut child = place.cluster.going(&[&WATCH[..], &rest[..]].concat())?;
        let output = child.stdout.take().context("kubectl has no output")?;
        let (sender, events) = unbounded_channel();
        std::thread::spawn(move || {
            let all = Deserializer::from_reader(BufReader::new(output)).into_iter::<Value>();
            for event in all {
                let is_last = event.is_err();
                if sender.send(event).is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Self { child: Some(child), events, broken: None })
    }

    /// The next event; none where nothing more can be read.
    async fn next(&mut self) -> Option<Value> {
        match self.events.recv().await? {
            Ok(event) => Some(event),
            // kubectl ended in the middle of an event: what it said tells why.
            Err(error) if error.is_eof() => None,
            Err(error) => {
                self.broken = Some(error);
                None
            }
        }
    }

    /// What kubectl said when it ended; nothing where all was well. One that cannot be read any more is ended first.
    async fn ended(mut self) -> Result<Option<String>> {
        if let Some(error) = self.broken.take() {
            return Ok(Some(format!("it printed what is no event: {error}")));
        }
        let Some(child) = self.child.take() else { return Ok(None) };
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await;
        let output = output.context("kubectl")?.context("kubectl")?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok((!output.status.success()).then_some(said))
    }
}

/// Watches a run, again where a watch ends by itself, as each does after a while.
async fn watch(place: &Place, name: &str, progress: Progress) -> Result<u8> {
    let (mut before, mut patience) = (None, Patience::default());
    if progress.is_shown() {
        eprintln!("Following MLRun/{name}; Ctrl-C ends the following, and not the run.");
    }
    loop {
        let (mut watch, began, mut looks) = (Watch::of(place, name)?, Instant::now(), 0);
        while let Some(event) = watch.next().await {
            let Some(look) = look(&event) else { continue };
            looks += 1;
            if let Some(code) = looked(before.as_ref(), &look, progress)? {
                return Ok(code);
            }
            ensure!(event["type"] != "DELETED", "MLRun/{name} was deleted before it ended");
            before = Some(look);
        }
        let (lasted, said) = (began.elapsed(), watch.ended().await?);
        let is_gone = said.as_ref().is_some_and(|said| said.contains("(NotFound)"));
        ensure!(patience.allows(looks, lasted) && !is_gone, given_up(name, said.as_deref()));
        tokio::time::sleep(PAUSE).await;
    }
}

/// Why no watch follows any more.
fn given_up(name: &str, said: Option<&str>) -> anyhow::Error {
    match said {
        Some(said) => anyhow!(refused(&WATCH, said)),
        None => anyhow!(
            "look what kubectl get mlrun {name} --watch prints: it ended {ATTEMPTS} times in a row without news of the run"
        ),
    }
}

/// Says what is new; an exit code where the run has ended, or is stalled.
fn looked(before: Option<&Thing>, run: &Thing, progress: Progress) -> Result<Option<u8>> {
    if progress.is_shown() {
        let clock = Timestamp::now().strftime("%H:%M:%SZ").to_string();
        for line in news(before, run) {
            eprintln!("{clock} {} {line}", run.name);
        }
    }
    let Some(end) = end(run).or_else(|| halt(run)) else { return Ok(None) };
    std::io::stdout().write_all(end.text.as_bytes()).context("standard output")?;
    Ok(Some(u8::from(!end.is_good)))
}
