//! `cargo xtask …`: every command of the README and of CI, one file each.
//! Says what it does while it does it, and what to install when something is missing.

mod advisories;
mod bench;
mod book;
mod busy;
mod commands;
mod control_plane;
mod crds;
mod demo;
mod gitops;
mod image;
mod installed;
#[cfg(test)]
mod kept_clone_tests;
mod lanes;
mod links;
mod live;
mod pages;
mod programs;
mod release;
mod sbom;
mod steps;
#[cfg(test)]
mod steps_tests;
mod test;
mod tools;
mod watch;
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
    Advisories(advisories::Arguments),
    Bench(bench::Arguments),
    Crds(crds::Arguments),
    Demo(demo::Arguments),
    Docs(book::Arguments),
    Gitops(gitops::Arguments),
    Image(image::Arguments),
    Live(live::Arguments),
    Release(release::Arguments),
    ControlPlane(control_plane::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Advisories(arguments) => advisories::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Crds(arguments) => crds::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Docs(arguments) => book::run(&arguments),
        Command::Gitops(arguments) => gitops::run(&arguments),
        Command::Image(arguments) => image::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Release(arguments) => release::run(&arguments),
        Command::ControlPlane(arguments) => control_plane::run(&arguments),
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Without the backtrace, which would bury the remedy.
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands `cargo xtask …` of a text: to the end of the line, of the code or of the remark.
    fn commands(text: &str) -> Vec<&str> {
        let found = text.split("cargo xtask ").skip(1);
        let ends = ['`', '\n', '#', '"', ';', ')'];
        found
            .filter_map(|rest| rest.split(ends).next())
            .map(|line| line.trim().trim_end_matches("-->").trim_end())
            .filter(|line| !line.starts_with('…'))
            .collect()
    }

    fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_command_of_the_documents_is_understood() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut pages = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
        files(&root.join("docs/src"), &mut pages);
        let mut count = 0;
        for page in pages {
            for command in commands(&std::fs::read_to_string(&page).unwrap()) {
                let words = std::iter::once("xtask").chain(command.split_whitespace());
                if let Err(error) = Arguments::try_parse_from(words) {
                    // A name alone speaks of the command, and need not have what the command needs.
                    let is_mention = error.kind() == clap::error::ErrorKind::MissingRequiredArgument;
                    if is_mention && !command.contains(' ') {
                        continue;
                    }
                    assert!(!error.use_stderr(), "{}: cargo xtask {command}: {error}", page.display());
                }
                count += 1;
            }
        }
        assert!(count > 10, "the commands are not found");
    }
}
