//! `cargo xtask …`: every command of the README and of CI, one file each.
//! Says what it does while it does it, and what to install when something is missing.

mod bench;
mod control_plane;
mod crds;
mod demo;
mod live;
mod release;
mod steps;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, tests and shows azureml-operator.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Arguments),
    Bench(bench::Arguments),
    Crds(crds::Arguments),
    Demo(demo::Arguments),
    Live(live::Arguments),
    Release(release::Arguments),
    ControlPlane(control_plane::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Crds(arguments) => crds::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Release(arguments) => release::run(&arguments),
        Command::ControlPlane(arguments) => control_plane::run(&arguments),
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Without the backtrace, which would bury the remedy.
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
