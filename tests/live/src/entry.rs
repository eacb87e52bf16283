//! What stands before a check and may end it: the word of its user, the region, a signal. In: arguments. Out: go on, or not.

use crate::args::Args;
use crate::ground::Workspace;
use anyhow::{Result, bail, ensure};
use std::io::Write as _;
use tokio::signal::unix::{SignalKind, signal};

/// Asks for the workspace's name, unless it was said that nobody is to be asked.
///
/// # Errors
/// When another word is given, or none.
pub async fn confirm(args: &Args) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    print!("Type the workspace's name to go on: ");
    std::io::stdout().flush()?;
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = read.await??;
    ensure!(args.workspace.as_deref() == Some(line.trim()), "not confirmed; nothing was made");
    Ok(())
}

/// The workspace is where it was said to be.
///
/// # Errors
/// When it is elsewhere.
pub fn check_location(args: &Args, workspace: &Workspace) -> Result<()> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(' ', "");
    match &args.location {
        Some(wanted) if plain(wanted) != plain(&workspace.region) => {
            bail!("the workspace is in {}, not in {wanted}; nothing was made", workspace.region)
        }
        _ => Ok(()),
    }
}

/// Ends when this process is told to stop.
///
/// # Errors
/// When signals cannot be listened for.
pub async fn interrupted() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
