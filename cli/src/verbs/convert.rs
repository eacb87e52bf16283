//! `convert`: reads files of the CLI v2, writes manifests.
//!
//! In: arguments. Out: files or a stream, findings on standard error.

use super::Failed;
use super::folder::put;
use crate::disk::Disk;
use anyhow::{Context as _, Result};
use azureml_cli::convert::context::{Git, Options};
use azureml_cli::convert::{Outcome, convert};
use azureml_cli::said::plain;
use std::io::Write as _;
use std::path::Path;

/// The arguments of `convert`.
#[derive(clap::Args)]
pub struct Convert {
    /// Files of the CLI v2: pipelines, components, jobs, environments, computes, data, schedules, endpoints, deployments.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Where the folders of the files are in Git, so that steps take their code from there.
    #[arg(long, value_name = "git=URL@REF", value_parser = git)]
    source: Option<Git>,
    /// Warn about what is not carried, and leave it out.
    #[arg(long)]
    lenient: bool,
    /// The namespace of the objects.
    #[arg(long)]
    namespace: Option<String>,
    /// The MLWorkspace that the objects name.
    #[arg(long, value_name = "NAME", default_value = "default")]
    workspace: String,
    /// Folder for a kustomization, or - for one stream of objects.
    #[arg(short, long, value_name = "DIR|-", default_value = "-")]
    output: String,
}

/// Reads `git=URL@REF`, where REF is a branch, `refs/tags/<tag>` or a commit.
fn git(text: &str) -> Result<Git, String> {
    let wrong = || "write git=URL@REF, such as git=https://github.com/org/repository@main".to_owned();
    let (url, reference) =
        text.strip_prefix("git=").and_then(|text| text.rsplit_once('@')).ok_or_else(wrong)?;
    if !url.contains(':') || reference.is_empty() || reference.contains(':') {
        return Err(wrong());
    }
    let is_commit = reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (kind, reference) =
        match (reference.strip_prefix("refs/tags/"), reference.strip_prefix("refs/heads/")) {
            (Some(tag), _) => ("tag", tag),
            (_, Some(branch)) => ("branch", branch),
            _ if is_commit => ("commit", reference),
            _ => ("branch", reference),
        };
    Ok(Git { url: url.to_owned(), kind: kind.to_owned(), reference: reference.to_owned() })
}

impl Convert {
    /// Converts, writes, and says whether all went well.
    ///
    /// # Errors
    /// When something cannot be read or written.
    pub fn run(&self) -> Result<bool, Failed> {
        converted(self).map_err(|cause| Failed { cause, code: 1 })
    }
}

/// Converts, writes, and says whether all went well.
fn converted(arguments: &Convert) -> Result<bool> {
    let options = Options {
        namespace: arguments.namespace.clone(),
        workspace: arguments.workspace.clone(),
        is_lenient: arguments.lenient,
        git: arguments.source.clone(),
    };
    let outcome = convert(&Disk, &arguments.files, &options).map_err(anyhow::Error::msg)?;
    for finding in &outcome.findings {
        eprintln!("{}", plain(&finding.to_string()));
    }
    for fault in &outcome.faults {
        eprintln!(
            "error: {} (the kinds refuse it; correct the file, or report it if the file is right)",
            plain(fault)
        );
    }
    write(&outcome, &arguments.output)?;
    let has_errors = outcome.has_errors();
    eprintln!("{} objects, {} findings", outcome.objects, outcome.findings.len());
    Ok(!has_errors && outcome.faults.is_empty())
}

fn write(outcome: &Outcome, output: &str) -> Result<()> {
    if output == "-" {
        return std::io::stdout().write_all(outcome.stream.as_bytes()).context("standard output");
    }
    put(Path::new(output), &outcome.files)
}
