//! `open`: prints where an object is in Azure ML studio, and on a terminal shows it in the browser.
//!
//! In: an object, by kubectl. Out: an address on standard output. Only an address of https is given to a browser.

use super::Failed;
use super::cluster::Place;
use anyhow::{Context as _, Result, ensure};
use azureml_cli::thing::Thing;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::{Command, Stdio};

/// The arguments of `open`.
#[derive(clap::Args)]
pub struct Open {
    /// An MLRun, or an MLSchedule for its newest run, such as mlrun/nightly-1.
    #[arg(value_name = "KIND/NAME")]
    object: String,
    /// Print the address alone.
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    place: Place,
}

impl Open {
    /// Prints the address, and opens it on a terminal.
    ///
    /// # Errors
    /// When the object has no address in studio.
    pub fn run(&self) -> Result<bool, Failed> {
        self.opened().map(|()| true).map_err(|cause| Failed { cause, code: 1 })
    }

    fn opened(&self) -> Result<()> {
        let thing = self.place.thing(&self.object)?;
        let address = address(&thing)?;
        println!("{address}");
        if !self.no_browser && std::io::stdout().is_terminal() {
            show(&address);
        }
        Ok(())
    }
}

/// The address in studio that the status has.
fn address(thing: &Thing) -> Result<String> {
    let status = thing.status();
    let found = match thing.kind.as_str() {
        "MLRun" => &status["studioUrl"],
        "MLSchedule" => &status["lastRun"]["studioUrl"],
        kind => {
            anyhow::bail!("name an MLRun or an MLSchedule: studio's address of an {kind} is in no status")
        }
    };
    let found = found.as_str().with_context(|| {
        format!(
            "wait until a job is in Azure: {} has no address in studio yet; kubectl azureml why tells more",
            thing.id()
        )
    })?;
    // In a thing, a control character has become the sign that replaces it.
    let is_odd = |one: char| one.is_control() || one.is_whitespace() || one == char::REPLACEMENT_CHARACTER;
    ensure!(
        found.starts_with("https://") && !found.chars().any(is_odd),
        "do not open {found:?}, which is no address of https; somebody else may have written this status"
    );
    Ok(found.to_owned())
}

/// Gives the address to the browser. Where there is none, the address is printed and that is enough.
fn show(address: &str) {
    let usual = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let browser = std::env::var_os("BROWSER").filter(|name| !name.is_empty());
    let mut command = Command::new(browser.unwrap_or_else(|| OsString::from(usual)));
    let started =
        command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if started.is_err() {
        eprintln!("no browser is found: open the address above, or name one in the variable BROWSER");
    }
}
