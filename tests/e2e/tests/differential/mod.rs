//! The differential oracle: for a file of `az ml`, the requests of the manifests made of it are those of Microsoft's client.
//!
//! Each file is converted alone and planned without Kubernetes; the client sends the same file. Both meet a simulator that has
//! what the file takes for granted. What may differ, and why, is in `tests/sdk/differential/rules.yaml`.

mod canon;
mod compare;
mod ours;
mod project;
mod request;
mod rules;
pub(crate) mod sdk;
mod seeds;
mod table;
mod tree;

use crate::offline::hands::hands;
use anyhow::{Result, anyhow, ensure};
use azureml_cli::convert::context::Options as Conversion;
use azureml_cli::convert::convert;
use azureml_cli::convert::findings::Weight;
use azureml_cli::plan::folder::Folder;
use azureml_client::ArmId;
use azureml_e2e::Setting;
use azureml_e2e::scene::GROUP;
use azureml_observe::act::act;
use azureml_simulator::{Options, Simulator, Times, WorkspaceSpec};
use futures::stream::{self, StreamExt as _};
use ours::Side;
use project::Project;
use rules::Rules;
use sdk::Said;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use table::{Outcome, Table};

/// Another folder of real files than the one beside the project.
const CORPUS: &str = "AZUREML_CORPUS";
/// Everything that real files name is granted: what is compared is what is sent.
const GRANTS: &str = "grants: [{namespaces: ['*'], identities: ['*'], subnets: ['*']}]\n";
/// How many files are planned side by side.
const SIDE_BY_SIDE: usize = 8;

fn data() -> PathBuf {
    azureml_e2e::root().join("tests/sdk/differential")
}

/// A file that was converted: its manifests, or how far it came.
struct File {
    name: String,
    workspace: String,
    manifests: Result<Vec<Value>, Outcome>,
}

fn file(project: &Project, name: String, number: usize) -> Result<File> {
    let options =
        Conversion { namespace: None, workspace: "team-a".to_owned(), is_lenient: false, git: None };
    let outcome = convert(project, std::slice::from_ref(&name), &options)
        .map_err(|error| anyhow!("{name}: {error}"))?;
    let error = outcome.findings.iter().find(|finding| finding.weight == Weight::Error);
    let manifests = match (error, outcome.faults.first()) {
        (Some(error), _) => Err(Outcome::NotCarried(error.message.clone())),
        (None, Some(fault)) => Err(Outcome::NotAccepted(fault.clone())),
        (None, None) => {
            let all = outcome.files.iter().filter(|(name, _)| name.starts_with("ml"));
            Ok(all.map(|(_, bytes)| serde_saphyr::from_slice(bytes)).collect::<Result<_, _>>()?)
        }
    };
    Ok(File { workspace: format!("w{number:03}"), name, manifests })
}

/// An Azure for one side, with a workspace for each file, and in it what the file takes for granted.
async fn azure(project: &Project, files: &[File]) -> Result<Side> {
    let workspaces = files.iter().map(|file| WorkspaceSpec::new(GROUP, &file.workspace)).collect();
    let options = Options {
        workspaces,
        throttle: false,
        caps: false,
        strict: false,
        times: Times::scaled(0.0),
        ..Setting::default().azure
    };
    let azure = Simulator::start(options).await.map_err(|error| anyhow!("{error}"))?;
    let hands = hands(&azure, "test", GRANTS)?;
    let client = hands.client("AzurePublic").map_err(|wait| anyhow!(wait.message))?;
    for file in files.iter().filter(|file| file.manifests.is_ok()) {
        let workspace = ArmId::workspace(azure.subscription_id(), GROUP, &file.workspace);
        for seed in seeds::seeds(project, &file.name, &workspace) {
            // What Azure does not take is missing later.
            if let Err(error) = act(&client, &hands.looks, &Folder::default(), &[seed]).await {
                println!("{}: {error}", file.name);
            }
        }
    }
    let since = azure.requests().last().map_or(0, |entry| entry.seq);
    Ok(Side { azure, hands, since })
}

/// Converts, sends and compares every file of a folder; what is wrong.
async fn compared(folder: &Path, set: &str) -> Result<()> {
    let project = Project::of(folder)?;
    let names = project.yaml()?;
    for name in &names {
        // Once for the stand-ins that it asks for: a file may lie in the folder of another's code.
        file(&project, name.clone(), 0)?;
    }
    let files: Vec<File> = names
        .into_iter()
        .enumerate()
        .map(|(number, name)| file(&project, name, number))
        .collect::<Result<_>>()?;
    let carried = files.iter().filter(|file| file.manifests.is_ok());
    let carried: BTreeMap<String, String> =
        carried.map(|file| (file.name.clone(), file.workspace.clone())).collect();
    let theirs = azure(&project, &files).await?.azure;
    let said = sdk::send(&theirs, project.path(), &carried).await?;
    let side = azure(&project, &files).await?;
    let rules = Rules::read(&data().join("rules.yaml"), set)?;
    let judged = stream::iter(&files).map(|file| judged(&side, file, said.get(&file.name), &rules));
    let judged: Vec<(Outcome, Vec<String>)> = judged.buffered(SIDE_BY_SIDE).collect().await;
    let (mut table, mut wrong) = (Table::default(), Vec::new());
    for (file, (outcome, differences)) in files.iter().zip(judged) {
        table.count(&rules::kind(&project.text(&file.name)), &outcome);
        if !matches!(outcome, Outcome::Equal | Outcome::NotCarried(_)) {
            println!("{}: {}", file.name, said_of(&outcome));
        }
        wrong.extend(differences.into_iter().map(|difference| format!("{}: {difference}", file.name)));
    }
    println!("\n{set}\n{}", table.shown());
    wrong.extend(rules.unused());
    wrong.extend(
        table.judge(&data().join("results.yaml"), set).unwrap_or_else(|error| vec![format!("{error:#}")]),
    );
    ensure!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

fn said_of(outcome: &Outcome) -> String {
    let (what, why) = match outcome {
        Outcome::NotCarried(why) => ("not carried", why.as_str()),
        Outcome::NotAccepted(why) => ("not accepted", why.as_str()),
        Outcome::TheirsRefused(why) => ("Microsoft's client refuses it", why.as_str()),
        Outcome::NotSent(why) => ("not sent", why.as_str()),
        Outcome::Different => ("different", "see rules.yaml"),
        Outcome::Equal => ("equal", ""),
    };
    let why: String = why.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    format!("{what}: {why}")
}

/// How far a file came, and what differs without a reason.
async fn judged(side: &Side, file: &File, said: Option<&Said>, rules: &Rules) -> (Outcome, Vec<String>) {
    let manifests = match &file.manifests {
        Ok(manifests) => manifests,
        Err(outcome) => return (outcome.clone(), Vec::new()),
    };
    let Some((said, what)) = said.and_then(|said| Some((said, said.sent.as_deref()?))) else {
        let why = said.and_then(|said| said.refused.clone()).unwrap_or_default();
        return (Outcome::TheirsRefused(why), Vec::new());
    };
    let runs = ["job", "step"].contains(&what);
    let requests = match ours::requests(side, manifests, &file.workspace, runs).await {
        Ok(requests) => requests,
        Err(why) => return (Outcome::NotSent(why), Vec::new()),
    };
    match tree::pair(what, &said.requests, &requests) {
        Ok((theirs, ours)) => rules.judge(&file.name, &compare::differences(&theirs, &ours)),
        Err(why) => (Outcome::NotSent(format!("{why:#}")), Vec::new()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_files_come_to_what_microsofts_client_sends() -> Result<()> {
    compared(&data().join("files"), "own").await
}

#[tokio::test(flavor = "multi_thread")]
async fn real_files_come_to_what_microsofts_client_sends() -> Result<()> {
    let folder =
        std::env::var_os(CORPUS).map_or_else(|| azureml_e2e::root().join("../shared/corpus"), PathBuf::from);
    if !folder.exists() {
        println!("{} is not there: real files were not compared", folder.display());
        return Ok(());
    }
    compared(&folder, "real").await
}
