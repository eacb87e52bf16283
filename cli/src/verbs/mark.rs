//! `pause`, `resume`, `reconcile`, `cancel`: what is asked of the operator by a mark on an object.
//!
//! In: objects, by name. Out: an annotation or a field, set by kubectl; a line for each. What the mark means is the operator's.

use super::Failed;
use super::cluster::{Place, resource};
use anyhow::{Result, ensure};
use azureml_cli::thing::Thing;
use azureml_crds::{PAUSED, RECONCILE_REQUESTED_AT};
use jiff::Timestamp;

/// Objects, by name.
#[derive(clap::Args)]
pub struct Named {
    /// The objects, such as mlpipeline/train.
    #[arg(value_name = "KIND/NAME", required = true)]
    objects: Vec<String>,
    #[command(flatten)]
    place: Place,
}

impl Named {
    /// Stops all changes in Azure for the objects.
    ///
    /// # Errors
    /// When kubectl refuses.
    pub fn pause(&self) -> Result<bool, Failed> {
        self.each(|thing, resource| {
            self.place.kubectl(&["annotate", resource, "--overwrite", &format!("{PAUSED}=true")])?;
            println!("{} is paused: nothing is changed in Azure for it, except by deleting it", thing.id());
            if let Some(remark) = goes_on(thing) {
                println!("  {remark}");
            }
            Ok(())
        })
    }

    /// Lets the operator change Azure again.
    ///
    /// # Errors
    /// When kubectl refuses.
    pub fn resume(&self) -> Result<bool, Failed> {
        self.each(|thing, resource| {
            if thing.is_paused() {
                self.place.kubectl(&["annotate", resource, &format!("{PAUSED}-")])?;
                println!("{} is resumed", thing.id());
            } else {
                println!("{} was not paused", thing.id());
            }
            Ok(())
        })
    }

    fn each(&self, mark: impl Fn(&Thing, &str) -> Result<()>) -> Result<bool, Failed> {
        each(&self.place, &self.objects, mark)
    }
}

fn each(
    place: &Place,
    objects: &[String],
    mark: impl Fn(&Thing, &str) -> Result<()>,
) -> Result<bool, Failed> {
    let marked = objects.iter().try_for_each(|named| {
        let resource = resource(named)?;
        mark(&place.thing(named)?, &resource)
    });
    marked.map(|()| true).map_err(|cause| Failed { cause, code: 1 })
}

/// What pausing does not stop: it stops the operator, not Azure.
fn goes_on(thing: &Thing) -> Option<String> {
    let Thing { kind, name, namespace, .. } = thing;
    match kind.as_str() {
        "MLSchedule" => Some(format!(
            "it goes on firing; to stop that: kubectl patch mlschedule {name} --namespace {namespace} --type=merge -p '{{\"spec\": {{\"suspend\": true}}}}'"
        )),
        "MLRun" if !thing.has_ended() => Some(format!(
            "its job goes on; to stop that: kubectl azureml cancel {name} --namespace {namespace}"
        )),
        _ => None,
    }
}

/// The arguments of `reconcile`.
#[derive(clap::Args)]
pub struct Reconcile {
    #[command(flatten)]
    named: Named,
    /// Wait until the operator has looked.
    #[arg(long)]
    wait: bool,
    /// How long to wait, such as 2m.
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    timeout: String,
}

impl Reconcile {
    /// Asks for a pass over the objects, and for one retry of what has failed.
    ///
    /// # Errors
    /// When kubectl refuses, or the operator does not look in time.
    pub fn run(&self) -> Result<bool, Failed> {
        // One value for all of them, so that they are waited for side by side.
        let value = Timestamp::now().to_string();
        let place = &self.named.place;
        self.named.each(|thing, resource| {
            place.kubectl(&[
                "annotate",
                resource,
                "--overwrite",
                &format!("{RECONCILE_REQUESTED_AT}={value}"),
            ])?;
            println!("{}: a pass is asked for", thing.id());
            Ok(())
        })?;
        if !self.wait {
            return Ok(true);
        }
        self.named.each(|_, resource| {
            let handled = format!("--for=jsonpath={{.status.lastHandledReconcileAt}}={value}");
            place.kubectl(&["wait", resource, &handled, &format!("--timeout={}", self.timeout)])?;
            let thing = place.thing(resource)?;
            let ready = thing.condition("Ready").or_else(|| thing.condition("Succeeded"));
            let said = ready.map(|found| format!("{}={}, {}", found.name, found.status, found.reason));
            println!("{}: the operator has looked; {}", thing.id(), said.unwrap_or_default());
            Ok(())
        })
    }
}

/// The arguments of `cancel`.
#[derive(clap::Args)]
pub struct Cancel {
    /// The runs, as NAME or mlrun/NAME.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    #[command(flatten)]
    place: Place,
}

impl Cancel {
    /// Asks for runs to be cancelled. The objects stay, and tell how they ended.
    ///
    /// # Errors
    /// When kubectl refuses.
    pub fn run(&self) -> Result<bool, Failed> {
        let runs: Vec<String> = self.runs.iter().map(|named| run(named)).collect();
        each(&self.place, &runs, |thing, resource| {
            ensure!(thing.kind == "MLRun", "write the name of an MLRun; {} is none", thing.id());
            if thing.has_ended() {
                let phase = thing.phase().unwrap_or_default();
                println!("{} has ended already: {phase}; nothing is cancelled", thing.id());
                return Ok(());
            }
            self.place.kubectl(&[
                "patch",
                resource,
                "--type=merge",
                "--patch={\"spec\": {\"cancel\": true}}",
            ])?;
            println!("{} is asked to be cancelled; the object stays, and tells how it ended", thing.id());
            Ok(())
        })
    }
}

/// A run as KIND/NAME.
pub fn run(named: &str) -> String {
    if named.contains('/') { named.to_owned() } else { format!("mlrun/{named}") }
}
