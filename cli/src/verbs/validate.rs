//! `validate`: reads manifests, says what is wrong with them.
//!
//! In: files, folders, standard input. Out: findings on standard output, a count on standard error.

use super::Failed;
use super::files::read;
use anyhow::{Context as _, Result};
use azureml_check::Definitions;
use azureml_cli::validate::report::{Format, write};
use azureml_cli::validate::validate;
use std::io::Write as _;

/// The arguments of `validate`.
#[derive(clap::Args)]
pub struct Validate {
    /// A file, a folder with everything below it, or - for standard input. May stand more than once.
    #[arg(short = 'f', long = "filename", required = true, value_name = "FILE|DIR|-")]
    files: Vec<String>,
    /// How findings are written.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Output,
    /// Take what no file has, and may be in the cluster, for an error.
    #[arg(long)]
    strict: bool,
}

/// How findings are written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Output {
    Text,
    Json,
    Sarif,
    Github,
}

impl From<Output> for Format {
    fn from(output: Output) -> Self {
        match output {
            Output::Text => Self::Text,
            Output::Json => Self::Json,
            Output::Sarif => Self::Sarif,
            Output::Github => Self::Github,
        }
    }
}

impl Validate {
    /// Looks at all files, and says whether nothing is wrong.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn run(&self) -> Result<bool, Failed> {
        self.validated().map_err(|cause| Failed { cause, code: 2 })
    }

    fn validated(&self) -> Result<bool> {
        let mut files = Vec::new();
        for named in &self.files {
            read(named, &mut files)?;
        }
        let definitions = Definitions::read()?;
        let report = validate(&definitions, &files);
        std::io::stdout()
            .write_all(write(&report, self.output.into()).as_bytes())
            .context("standard output")?;
        let (objects, findings, others) = (report.objects, report.findings.len(), report.others);
        eprintln!("{objects} objects, {findings} findings, {others} documents of others");
        Ok(!report.has_errors(self.strict))
    }
}
