//! `completion` and `man`: what shells and `man` know of this program, made from its own arguments.
//!
//! In: the definition of all arguments. Out: scripts on standard output, pages in a folder; words for kubectl, which asks while one types.

use super::Failed;
use super::cluster::Cluster;
use anyhow::{Context as _, Result};
use azureml_cli::words::{Wanted, given, short, wanted};
use clap::{Command, ValueEnum};
use clap_complete::Shell;
use std::io::Write as _;
use std::path::PathBuf;

/// The program that kubectl asks for words, by the name that it looks for.
const OF_KUBECTL: &str = "#!/bin/sh\n\
    # kubectl runs this file where it is in the PATH as `kubectl_complete-azureml`, and prints what it says.\n\
    exec kubectl-azureml complete -- \"$@\"\n";

/// The arguments of `completion`.
#[derive(clap::Args)]
pub struct Completion {
    /// For which program.
    #[arg(value_name = "SHELL")]
    of: Of,
}

/// What completes.
#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// Bash, for the program kubectl-azureml.
    Bash,
    /// Zsh, for the program kubectl-azureml.
    Zsh,
    /// Fish, for the program kubectl-azureml.
    Fish,
    /// The file `kubectl_complete-azureml`, by which kubectl completes `kubectl azureml` in every shell.
    Kubectl,
}

impl Completion {
    /// Prints the script.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn run(&self, mut program: Command) -> Result<bool, Failed> {
        let mut script = Vec::new();
        let mut of =
            |shell: Shell| clap_complete::generate(shell, &mut program, "kubectl-azureml", &mut script);
        match self.of {
            Of::Bash => of(Shell::Bash),
            Of::Zsh => of(Shell::Zsh),
            Of::Fish => of(Shell::Fish),
            Of::Kubectl => script.extend_from_slice(OF_KUBECTL.as_bytes()),
        }
        printed(&script)
    }
}

fn printed(bytes: &[u8]) -> Result<bool, Failed> {
    let written = std::io::stdout().write_all(bytes).context("standard output");
    written.map(|()| true).map_err(|cause| Failed { cause, code: 1 })
}

/// The arguments of `man`.
#[derive(clap::Args)]
pub struct Man {
    /// The folder: a page for the program, and one for each verb.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl Man {
    /// Writes the pages.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn run(&self, program: Command) -> Result<bool, Failed> {
        let write = || -> Result<()> {
            std::fs::create_dir_all(&self.output).with_context(|| self.output.display().to_string())?;
            clap_mangen::generate_to(program, &self.output).context("the pages")
        };
        write().map(|()| true).map_err(|cause| Failed { cause, code: 2 })
    }
}

/// The arguments of `complete`, as kubectl gives them: the words so far, the last of them not finished.
#[derive(clap::Args)]
pub struct Complete {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Complete {
    /// Prints a word on each line, and at the end whether files may follow. Where the cluster does not answer, it has no objects.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn run(&self, program: &Command) -> Result<bool, Failed> {
        let (mut words, mut may_be_file) = (Vec::new(), false);
        match wanted(program, &self.words) {
            Wanted::Words(found) => words = found,
            Wanted::Objects(kinds) => words = objects(&kinds, &self.words),
            Wanted::File => may_be_file = true,
        }
        let last = self.words.last().map(String::as_str).unwrap_or_default();
        words.retain(|word| word.starts_with(last));
        // The directives of cobra, by which kubectl is written: 0 lets files follow, 4 does not.
        words.push(if may_be_file { ":0" } else { ":4" }.to_owned());
        printed(format!("{}\n", words.join("\n")).as_bytes())
    }
}

/// The objects of the cluster that the words so far name.
fn objects(kinds: &str, words: &[String]) -> Vec<String> {
    let cluster =
        Cluster::of(given(words, "context", None), given(words, "kubeconfig", None).map(PathBuf::from));
    let mut arguments = vec!["get", kinds, "--output=name", "--request-timeout=2s"];
    let namespace = given(words, "namespace", Some('n'));
    if let Some(namespace) = &namespace {
        arguments.extend(["--namespace", namespace]);
    }
    let found = cluster.kubectl(&arguments).unwrap_or_default();
    found.lines().map(|line| short(line, kinds)).collect()
}
