//! `cargo xtask bench`: how fast, how light and how kind to Azure the operator is, on this machine.
//!
//! Prints a table and writes JSON. Every figure is measured three times: minimum, median, maximum. Azure is the simulator,
//! in this process, with Azure's caps and throttling lifted unless a row says otherwise.

mod clusters;
mod figures;
mod hostile;
mod load;
mod measure;
mod nights;
mod node;
mod pipelines;
mod replicas;
mod runs;
mod sources;
mod terminal;

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
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let mut figures = Figures::default();
    if has("node") {
        node::measured(&mut figures, rounds).await?;
        return written(&figures, "bench-node.json");
    }
    if has("load") {
        let minutes = arguments.iter().find_map(|argument| argument.strip_prefix("--minutes="));
        load::beside_attacks(&mut figures, minutes.map_or(Ok(10), str::parse)?).await?;
        return written(&figures, "bench-load.json");
    }
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        of_clusters(&mut figures, only).await?;
        of_the_rest(&mut figures, only).await?;
    }
    written(&figures, "bench.json")
}

/// The rows about clusters of one round.
async fn of_clusters(figures: &mut Figures, only: impl Fn(&str) -> bool) -> Result<()> {
    if only("a") {
        clusters::at_once(figures, 200).await?;
    }
    if only("budget") {
        clusters::budgeted(figures, 200).await?;
    }
    if only("delayed") {
        clusters::delayed(figures, 200).await?;
    }
    if only("b") {
        clusters::at_once(figures, 1000).await?;
    }
    if only("replicas") {
        replicas::two(figures, 1000).await?;
    }
    Ok(())
}

/// The other rows of one round.
async fn of_the_rest(figures: &mut Figures, only: impl Fn(&str) -> bool) -> Result<()> {
    if only("c") {
        pipelines::published(figures, 50, false).await?;
    }
    if only("nights") {
        nights::at_once(figures, 1000).await?;
    }
    if only("runs") {
        runs::ended(figures, 10_000).await?;
    }
    if only("terminal") {
        terminal::at_a_terminal(figures).await?;
    }
    if only("large") {
        sources::large(figures, 100).await?;
    }
    if only("many") {
        sources::many(figures, 5000).await?;
    }
    if only("beside") {
        pipelines::beside(figures, 100).await?;
    }
    if only("buckets") {
        pipelines::published(figures, 50, true).await?;
    }
    Ok(())
}

fn written(figures: &Figures, name: &str) -> Result<()> {
    println!("\n{}", figures.table());
    let file =
        PathBuf::from(std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned())).join(name);
    std::fs::write(&file, figures.json())?;
    println!("written to {}", file.display());
    Ok(())
}
