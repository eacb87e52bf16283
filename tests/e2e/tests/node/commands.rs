//! Commands of the book that need pods: run as a user types them, on the pods that Helm installed.
//! In: the blocks that are marked `run=node`. Out: nothing, or the first command that fails.

use crate::say;
use anyhow::{Result, ensure};
use azureml_e2e::place::Place;
use azureml_e2e::{Installed, book, cluster};
use std::net::TcpListener;
use std::process::Command;

/// On a system where all is well a search for trouble finds nothing, and that is no failure.
const GREP: (&str, &str) = ("BASH_FUNC_grep%%", "() { command grep \"$@\" || [ $? = 1 ]; }");

/// All of them.
pub async fn run(installed: &Installed) -> Result<()> {
    let namespace = installed.scene.namespace.clone();
    let count = tokio::task::spawn_blocking(move || every(&namespace)).await??;
    say(&format!("{count} blocks of commands of the book were run"));
    Ok(())
}

fn every(namespace: &str) -> Result<usize> {
    let mut place = Place::on(cluster::shared())?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    for (name, value) in [GREP, ("PORT", &port.to_string())] {
        place.environment.insert(name.to_owned(), value.to_owned());
    }
    let mut kubectl = Command::new(place.path().join("bin/kubectl"));
    kubectl.args(["config", "set-context", "--current", "--namespace", namespace]).envs(&place.environment);
    ensure!(kubectl.output()?.status.success(), "the namespace cannot be set");
    let blocks = book::every_block()?;
    let on_the_node = || blocks.iter().filter(|block| block.value("run") == Some("node"));
    for block in on_the_node() {
        let printed = place.run(block)?;
        // `grep` may find nothing; every other command has something to say.
        ensure!(
            block.text.contains("grep") || !printed.trim().is_empty(),
            "{}: nothing is printed",
            block.place()
        );
    }
    Ok(on_the_node().count())
}
