//! `why`: reads the objects of a namespace, says what one of them waits for.
//!
//! In: an object, by kubectl. Out: a chain on standard output.

use super::cluster::{Place, resource};
use super::{Failed, Output};
use anyhow::{Context as _, Result};
use azureml_cli::objects::is_meant;
use azureml_cli::thing::things as things_of;
use azureml_cli::why::{why, write};
use jiff::Timestamp;
use std::io::{IsTerminal as _, Write as _};

/// The arguments of `why`.
#[derive(clap::Args)]
pub struct Why {
    /// The object, such as mlschedule/nightly.
    #[arg(value_name = "KIND/NAME")]
    object: String,
    #[command(flatten)]
    place: Place,
    /// How it is written.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

impl Why {
    /// Says what the object waits for.
    ///
    /// # Errors
    /// When the cluster cannot be read, or has no such object.
    pub fn run(&self) -> Result<bool, Failed> {
        self.told().map(|()| true).map_err(|cause| Failed { cause, code: 1 })
    }

    fn told(&self) -> Result<()> {
        resource(&self.object)?;
        let mut things = self.place.things()?;
        let named_by: Vec<_> = things.iter().map(|thing| thing.object.clone()).collect();
        let shared = self.place.shared(&named_by)?;
        things.extend(things_of(shared, &self.place.namespace()?));
        let found = things.iter().find(|thing| is_meant(&self.object, &thing.kind, &thing.name));
        let found = found.with_context(|| {
            format!(
                "correct the name, or choose another namespace by --namespace: there is no {}",
                self.object
            )
        })?;
        let chain = why(&things, found);
        let is_coloured = super::is_coloured(std::io::stdout().is_terminal());
        let text = match self.output {
            Output::Json => write::json(&chain)?,
            Output::Text => write::text(&chain, Timestamp::now(), is_coloured),
        };
        std::io::stdout().write_all(text.as_bytes()).context("standard output")
    }
}
