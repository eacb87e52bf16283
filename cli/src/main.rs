//! The program `kubectl-azureml`: reads its arguments, hands them to a verb, and says by its exit code what became of it.
//!
//! 0: done. 1: there are errors. 2: the arguments are wrong, or a file cannot be read. Of `plan` these are 1, and 2: something would change.
//! Of `run` and `follow`, 1: the run did not succeed, 2: it cannot be made or followed, 130: Ctrl-C.

mod disk;
mod verbs;

use azureml_cli::said::indented;
use clap::{CommandFactory as _, Parser, Subcommand};
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
    /// Writes manifests of a workspace that exists, and changes nothing in Azure.
    Import(verbs::Import),
    /// Shows what a run, the last run of a schedule, or the build of an image, writes.
    Logs(verbs::Logs),
    /// Says everything that is wrong with manifests, without a cluster.
    Validate(verbs::Validate),
    /// Says what the operator would change in Azure, without changing it.
    Plan(verbs::Plan),
    /// Says how everything in a namespace is, and when schedules fire.
    Status(verbs::Status),
    /// Says what an object waits for, since when, whose turn it is and what to do.
    Why(verbs::Why),
    /// Makes an MLRun of a pipeline, and follows it with --follow.
    Run(verbs::Run),
    /// Watches an MLRun until it ends or is stalled; its end is the exit code.
    Follow(verbs::Follow),
    /// Cancels the job of an MLRun. The object stays.
    Cancel(verbs::Cancel),
    /// Prints where a run is in Azure ML studio, and on a terminal opens the browser there.
    Open(verbs::Open),
    /// Stops all changes in Azure for objects, except by deleting them.
    Pause(verbs::Named),
    /// Lets the operator change Azure for objects again.
    Resume(verbs::Named),
    /// Asks the operator to look at objects now, and to try once more what has failed.
    Reconcile(verbs::Reconcile),
    /// Draws objects and what they name, or the steps of a pipeline.
    Graph(verbs::Draw),
    /// Writes JSON Schemas of the kinds for editors.
    Schemas(verbs::Schemas),
    /// Prints what a shell, or kubectl, completes this program with.
    Completion(verbs::Completion),
    /// Writes the pages of the manual into a folder.
    Man(verbs::Man),
    /// Prints what may follow some words, for kubectl.
    #[command(hide = true)]
    Complete(verbs::Complete),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // What is left to do where standard output is closed is to end.
            let _ = error.print();
            // For `plan`, 2 means changes.
            let is_plan = std::env::args().nth(1).is_some_and(|verb| verb == "plan");
            return ExitCode::from(if error.use_stderr() { 2 - u8::from(is_plan) } else { 0 });
        }
    };
    let ended = match arguments.verb {
        Verb::Convert(arguments) => arguments.run().map(code),
        Verb::Import(arguments) => arguments.run().map(code),
        Verb::Logs(arguments) => arguments.run().map(code),
        Verb::Validate(arguments) => arguments.run().map(code),
        Verb::Plan(arguments) => arguments.run(),
        Verb::Status(arguments) => arguments.run().map(code),
        Verb::Why(arguments) => arguments.run().map(code),
        Verb::Run(arguments) => arguments.run(),
        Verb::Follow(arguments) => arguments.run(),
        Verb::Cancel(arguments) => arguments.run().map(code),
        Verb::Open(arguments) => arguments.run().map(code),
        Verb::Pause(arguments) => arguments.pause().map(code),
        Verb::Resume(arguments) => arguments.resume().map(code),
        Verb::Reconcile(arguments) => arguments.run().map(code),
        Verb::Graph(arguments) => arguments.run().map(code),
        Verb::Schemas(arguments) => arguments.run().map(code),
        Verb::Completion(arguments) => arguments.run(Arguments::command()).map(code),
        Verb::Man(arguments) => arguments.run(Arguments::command()).map(code),
        Verb::Complete(arguments) => arguments.run(&Arguments::command()).map(code),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {}", indented(&format!("{:#}", error.cause)));
            ExitCode::from(error.code)
        }
    }
}

/// The exit code of what is done, or has errors.
fn code(is_good: bool) -> u8 {
    u8::from(!is_good)
}
