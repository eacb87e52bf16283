//! Commands within sentences: the program that they name knows the verb and every option.
//! They change nothing: a command that does something belongs into a block, which is run.

use super::pages::{Code, every_code};
use anyhow::{Result, ensure};
use azureml_e2e::cluster;
use azureml_e2e::place::Place;
use regex::Regex;
use std::process::Command;

/// Each of these reads all that it is given before it prints help, and refuses what it does not know.
const PROGRAMS: [&str; 3] = ["kubectl", "helm", "azureml-operator"];

/// Commands of `az` within sentences. As those in blocks, they need Azure.
const OF_AZ: usize = 19;

fn begins_with(code: &Code, program: &str) -> bool {
    code.text.strip_prefix(program).is_some_and(|rest| rest.starts_with(' '))
}

/// The shell reads the command, and each program in it its own words, but does nothing: `--help` is added to them.
fn parse(place: &Place, command: &str) -> Result<()> {
    // What a reader fills in, as `<name>`, would be a redirection.
    let filled = Regex::new("<([^<>]*)>")?.replace_all(command, "$1").replace('…', "x");
    let asks = PROGRAMS.map(|program| format!("{program}() {{ command {program} \"$@\" --help; }}\n"));
    let mut bash = Command::new("bash");
    bash.args(["-c", &format!("set -euo pipefail\n{}{filled} >/dev/null", asks.concat())])
        .current_dir(place.path());
    let output = bash.env_clear().envs(&place.environment).output()?;
    ensure!(output.status.success(), "`{command}`: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn commands_within_sentences_are_understood_by_their_programs() -> Result<()> {
    let place = Place::on(cluster::shared())?;
    let all = every_code()?;
    let commands: Vec<&Code> =
        all.iter().filter(|code| PROGRAMS.iter().any(|program| begins_with(code, program))).collect();
    println!("{} commands within sentences are parsed", commands.len());
    ensure!(commands.len() > 20, "the commands are not found: {commands:?}");
    let mut wrong = Vec::new();
    for code in commands {
        if let Err(error) = parse(&place, &code.text) {
            wrong.push(format!("{}: {error}", code.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_command_that_its_program_does_not_know_is_found() -> Result<()> {
    let place = Place::on(cluster::shared())?;
    parse(&place, "kubectl annotate <kind> <name> azureml.dev/paused-")?;
    for wrong in [
        "kubectl annotated mlcompute cpu a=b",
        "kubectl get --all-namespace pods",
        "helm upgrade --with-care",
        "azureml-operator crds --json",
        "azureml-operator crds | kubectl apply --sever-side -f -",
        "kubectl get 'pods",
    ] {
        ensure!(parse(&place, wrong).is_err(), "`{wrong}` is taken for a command");
    }
    Ok(())
}

#[test]
fn commands_that_need_azure_are_counted_and_others_are_in_blocks() -> Result<()> {
    let all = every_code()?;
    let is_command = |code: &&Code| code.text.contains(" --");
    let of = |program| all.iter().filter(move |code| begins_with(code, program)).filter(is_command);
    let of_az: Vec<&Code> = of("az").collect();
    assert_eq!(of_az.len(), OF_AZ, "the number of commands of az within sentences changed: {of_az:?}");
    let curl: Vec<&Code> = all.iter().filter(|code| begins_with(code, "curl")).collect();
    assert!(curl.is_empty(), "put it into a block, which is run: {curl:?}");
    Ok(())
}
