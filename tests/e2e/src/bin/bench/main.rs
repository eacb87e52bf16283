//! `cargo xtask bench`: how fast, how light and how kind to Azure the operator is, on this machine.
//!
//! Prints a table and writes JSON. Every figure is measured three times: minimum, median, maximum. Azure is the simulator,
//! in this process, with Azure's caps and throttling lifted unless a row says otherwise.

mod clusters;
mod figures;
mod measure;
mod node;
mod pipelines;
mod replicas;

use anyhow::{Result, ensure};
use figures::Figures;
use std::path::PathBuf;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let only = |name: &str| {
        arguments.iter().all(|argument| argument.starts_with("--"))
            || arguments.iter().any(|argument| argument == name)
    };
    ensure!(!cfg!(debug_assertions), "a bench of a debug build says nothing; use cargo xtask bench");
    let rounds =
        arguments.iter().find_map(|argument| argument.strip_prefix("--rounds=")).map_or(Ok(3), str::parse)?;
    let mut figures = Figures::default();
    if arguments.iter().any(|argument| argument == "node") {
        node::measured(&mut figures, rounds).await?;
        return written(&figures, "bench-node.json");
    }
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        if only("a") {
            clusters::at_once(&mut figures, 200).await?;
        }
        if only("budget") {
            clusters::budgeted(&mut figures, 200).await?;
        }
        if only("delayed") {
            clusters::delayed(&mut figures, 200).await?;
        }
        if only("b") {
            clusters::at_once(&mut figures, 1000).await?;
        }
        if only("replicas") {
            replicas::two(&mut figures, 1000).await?;
        }
        if only("c") {
            pipelines::published(&mut figures, 50, false).await?;
        }
        if only("buckets") {
            pipelines::published(&mut figures, 50, true).await?;
        }
    }
    written(&figures, "bench.json")
}

fn written(figures: &Figures, name: &str) -> Result<()> {
    println!("\n{}", figures.table());
    let file =
        PathBuf::from(std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned())).join(name);
    std::fs::write(&file, figures.json())?;
    println!("written to {}", file.display());
    Ok(())
}
