//! `azureml-operator`: arguments in, one process out.

use anyhow::Result;
use azureml_controller::{args, check, run};
use clap::Parser as _;

fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    match args::Args::parse().command {
        args::Command::Crds => args::print_definitions(),
        args::Command::Check(flags) => check::blocking(&flags),
        args::Command::Run(flags) => run::blocking(flags),
    }
}
