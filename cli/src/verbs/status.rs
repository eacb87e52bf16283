//! `status`: reads the objects of a namespace, says how each is, and when schedules fire.
//!
//! In: a namespace, by kubectl. Out: a table or a calendar on standard output.

use super::Failed;
use super::cluster::Place;
use anyhow::{Context as _, Result};
use azureml_cli::status::calendar::{self, entries};
use azureml_cli::status::rows;
use azureml_cli::status::write::{self, Style};
use azureml_cli::thing::{Thing, things};
use jiff::Timestamp;
use std::io::{IsTerminal as _, Write as _};

/// The arguments of `status`.
#[derive(clap::Args)]
pub struct Status {
    /// All namespaces.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// The firings of the next 7 days instead, each in the time zone of its schedule.
    #[arg(long)]
    calendar: bool,
    #[command(flatten)]
    place: Place,
    /// How it is written.
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Output,
}

/// How rows are written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Output {
    Table,
    Json,
    Yaml,
}

impl Status {
    /// Says how everything is.
    ///
    /// # Errors
    /// When the cluster cannot be read.
    pub fn run(&self) -> Result<bool, Failed> {
        self.told().map(|()| true).map_err(|cause| Failed { cause, code: 1 })
    }

    fn told(&self) -> Result<()> {
        let found = self.things()?;
        let now = Timestamp::now();
        let text = if self.calendar { self.calendar(&found, now)? } else { self.table(&found, now)? };
        std::io::stdout().write_all(text.as_bytes()).context("standard output")
    }

    fn things(&self) -> Result<Vec<Thing>> {
        if self.all_namespaces {
            return Ok(things(self.place.cluster.all(None)?, ""));
        }
        self.place.things()
    }

    fn table(&self, found: &[Thing], now: Timestamp) -> Result<String> {
        let rows = rows(found);
        match self.output {
            Output::Json => write::report(&rows).json(),
            Output::Yaml => write::report(&rows).yaml(),
            Output::Table if rows.is_empty() => {
                eprintln!(
                    "there is no object of the operator's kinds here; choose another namespace by --namespace or -A"
                );
                Ok(String::new())
            }
            Output::Table => {
                let is_coloured = super::is_coloured(std::io::stdout().is_terminal());
                Ok(write::text(&rows, Style { has_namespaces: self.all_namespaces, is_coloured, now }))
            }
        }
    }

    fn calendar(&self, found: &[Thing], now: Timestamp) -> Result<String> {
        let entries = entries(found, now);
        match self.output {
            Output::Json => calendar::report(&entries).json(),
            Output::Yaml => calendar::report(&entries).yaml(),
            Output::Table => Ok(calendar::text(&entries, self.all_namespaces)),
        }
    }
}
