//! `run`: makes an MLRun of a pipeline, and follows it where that is asked for.
//!
//! In: a pipeline, by kubectl; values. Out: an object in the cluster, its name on standard output; or its manifest alone.

use super::Failed;
use super::cluster::Place;
use super::follow::{Progress, follow};
use anyhow::{Context as _, Result, anyhow, ensure};
use azureml_cli::launch::{Asked, manifest, pair};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;

/// The arguments of `run`.
#[derive(clap::Args)]
pub struct Run {
    /// The MLPipeline, as NAME or mlpipeline/NAME.
    #[arg(value_name = "PIPELINE")]
    pipeline: String,
    /// A value for an input. May stand more than once.
    #[arg(short, long = "input", value_name = "NAME=VALUE", value_parser = pair)]
    inputs: Vec<(String, String)>,
    /// The name of the MLRun. Default: one that begins with the pipeline's.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The experiment under which studio lists the job. Default: that of the pipeline.
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// The name that studio shows for the job. Default: that of the pipeline.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// A tag of the job. May stand more than once.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = pair)]
    tags: Vec<(String, String)>,
    /// Run every step, also where Azure ML has the result of an equal one.
    #[arg(long)]
    force_rerun: bool,
    /// How long the MLRun is kept after its end, such as 24h. Default: for ever.
    #[arg(long, value_name = "DURATION")]
    ttl_after_finished: Option<String>,
    /// Wait for the end, and say by the exit code how it was: 0 succeeded, 1 not. Ctrl-C ends the waiting, and not the run.
    #[arg(short, long)]
    follow: bool,
    /// When progress is shown, on standard error.
    #[arg(long, value_name = "WHEN", default_value = "auto", requires = "follow")]
    progress: Progress,
    /// Print the manifest, and make nothing.
    #[arg(long = "dry-run", conflicts_with = "follow")]
    is_shown_only: bool,
    #[command(flatten)]
    place: Place,
}

impl Run {
    /// Makes a run; where it is followed, its end is the exit code.
    ///
    /// # Errors
    /// When the run cannot be made or followed.
    pub fn run(&self) -> Result<u8, Failed> {
        self.made().map_err(|cause| Failed { cause, code: 2 })
    }

    fn made(&self) -> Result<u8> {
        let named = if self.pipeline.contains('/') {
            self.pipeline.clone()
        } else {
            format!("mlpipeline/{}", self.pipeline)
        };
        let pipeline = self.place.thing(&named)?;
        ensure!(pipeline.kind == "MLPipeline", "write the name of an MLPipeline; {} is none", pipeline.id());
        let run =
            manifest(&pipeline.object, &self.asked(&pipeline.namespace)?).map_err(|wrong| anyhow!(wrong))?;
        if self.is_shown_only {
            print!("{}", serde_saphyr::to_string(&run)?);
            return Ok(0);
        }
        let create = ["create", "--filename=-", "--output=name"];
        let made = self.place.cluster.kubectl_with(&create, &run.to_string())?;
        println!("{made}");
        let name = made.rsplit('/').next().context("kubectl told no name")?;
        if self.follow {
            return follow(&self.place, name, self.progress);
        }
        if std::io::stderr().is_terminal() {
            eprintln!("Follow it: kubectl azureml follow {name} --namespace {}", pipeline.namespace);
        }
        Ok(0)
    }

    fn asked(&self, namespace: &str) -> Result<Asked> {
        Ok(Asked {
            namespace: namespace.to_owned(),
            name: self.name.clone(),
            inputs: once("input", &self.inputs)?,
            experiment: self.experiment.clone(),
            display_name: self.display_name.clone(),
            tags: once("tag", &self.tags)?,
            force_rerun: self.force_rerun,
            ttl: self.ttl_after_finished.clone(),
        })
    }
}

/// Pairs, of which each name stands once.
fn once(what: &str, pairs: &[(String, String)]) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for (name, value) in pairs {
        let before = all.insert(name.clone(), value.clone());
        ensure!(before.is_none(), "write --{what} {name} once; it stands there twice");
    }
    Ok(all)
}
