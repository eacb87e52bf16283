//! The program behind `cargo xtask live`: arguments in, one check out.

use anyhow::{Context as _, Result};
use azureml_live::{args, page, run};
use clap::Parser as _;

fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args = args::Args::parse();
    if let Some(file) = &args.write_assumptions {
        return std::fs::write(file, page::page())
            .with_context(|| format!("failed to write {}", file.display()));
    }
    tokio::runtime::Runtime::new()?.block_on(run::run(args))
}
