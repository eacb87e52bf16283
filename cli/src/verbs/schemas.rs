//! `schemas`: writes JSON Schemas into a folder.

use super::Failed;
use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// The arguments of `schemas`.
#[derive(clap::Args)]
pub struct Schemas {
    /// The folder: one file for each kind, and `all.json` for any of them.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl Schemas {
    /// Writes the schemas.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn run(&self) -> Result<bool, Failed> {
        self.write().map(|()| true).map_err(|cause| Failed { cause, code: 2 })
    }

    fn write(&self) -> Result<()> {
        std::fs::create_dir_all(&self.output).with_context(|| self.output.display().to_string())?;
        for (name, schema) in azureml_cli::schemas::schemas()? {
            let path = self.output.join(name);
            std::fs::write(&path, format!("{schema:#}\n")).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}
