//! `cargo xtask docs`: builds the book into `target/book` and follows its links.
//! In: `docs`. Out: HTML, or what is wrong: a page that is missing, a link or an anchor that leads nowhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use azureml_control_plane::progress;

use crate::installed;
use crate::links;
use crate::tools;
use crate::workspace::Workspace;

/// Builds the documentation into target/book, and checks its links.
#[derive(clap::Args)]
pub struct Arguments {
    /// Opens it in the browser.
    #[arg(long)]
    open: bool,
    /// Serves it on 127.0.0.1 until Ctrl-C.
    #[arg(long, conflicts_with = "open")]
    serve: bool,
}

/// Where it is served: any free port would be another one each time.
const PORT: &str = "3000";

/// Builds it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = Workspace::load()?.root;
    let book = build(&root)?;
    let found = links::book(&book)?;
    ensure!(found.wrong.is_empty(), "links that lead nowhere:\n{}", found.wrong.join("\n"));
    let wrong = links::repository(&root)?;
    ensure!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
    println!(
        "{}: {} pages, {} links inside, {} to other places (not visited)",
        book.display(),
        found.pages,
        found.inside,
        found.outside
    );
    if arguments.open {
        return tools::attached(Command::new("xdg-open").arg(book.join("index.html")));
    }
    if arguments.serve {
        println!("http://127.0.0.1:{PORT} until Ctrl-C");
        let mut server = Command::new("python3");
        server.args(["-m", "http.server", PORT, "--bind", "127.0.0.1", "--directory"]).arg(book);
        return tools::attached(&mut server);
    }
    Ok(())
}

/// mdBook only tells of what it does not find, and goes on; here that is a failure.
fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let book = root.join("target/book");
    let mut mdbook = Command::new(installed::mdbook()?);
    mdbook.arg("build").arg(root.join("docs")).arg("--dest-dir").arg(&book);
    let output = progress::during("building the book", || mdbook.output());
    let output = output.context("failed to start mdbook")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let is_bad = |line: &&str| ["ERROR", "WARN"].iter().any(|word| line.contains(word));
    let bad: Vec<&str> = said.lines().filter(is_bad).collect();
    ensure!(output.status.success() && bad.is_empty(), "mdbook ended with {}:\n{said}", output.status);
    Ok(book)
}
