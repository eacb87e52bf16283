//! The program `kubectl-azureml`: reads its arguments, hands them to a verb, and says by its exit code what became of it.
//!
//! 0: done. 1: there are errors. 2: the arguments are wrong, or a file cannot be read; of `plan`: something would change.

mod disk;
mod verbs;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Azure Machine Learning made declarative, at a terminal.
#[derive(Parser)]
#[command(name = "kubectl-azureml", bin_name = "kubectl azureml", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Turns YAML files of `az ml` into manifests.
    Convert(verbs::Convert),
    /// Says everything that is wrong with manifests, without a cluster.
    Validate(verbs::Validate),
    /// Says what the operator would change in Azure, without changing it.
    Plan(verbs::Plan),
    /// Writes JSON Schemas of the kinds for editors.
    Schemas(verbs::Schemas),
}

fn main() -> ExitCode {
    let ended = match Arguments::parse().verb {
        Verb::Convert(arguments) => arguments.run().map(code),
        Verb::Validate(arguments) => arguments.run().map(code),
        Verb::Plan(arguments) => arguments.run(),
        Verb::Schemas(arguments) => arguments.run().map(code),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {:#}", error.cause);
            ExitCode::from(error.code)
        }
    }
}

/// The exit code of what is done, or has errors.
fn code(is_good: bool) -> u8 {
    u8::from(!is_good)
}
