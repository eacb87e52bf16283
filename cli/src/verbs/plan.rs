//! `plan`: reads manifests, asks Azure, says what the operator would change there.
//!
//! In: files, folders, standard input, or objects of a cluster by kubectl; the login of `az`. Out: a report on standard output.

use super::cluster::Cluster;
use super::files::read;
use super::{Failed, Output};
use anyhow::{Context as _, Result, ensure};
use azureml_access::connect::Shared;
use azureml_access::credentials::Who;
use azureml_access::identity::Identities;
use azureml_check::Definitions;
use azureml_cli::named::guests;
use azureml_cli::objects::{is_meant, objects};
use azureml_cli::plan::fetch::Fetching;
use azureml_cli::plan::gather::{Gathered, gather, unreadable};
use azureml_cli::plan::hands::{Hands, Uploads};
use azureml_cli::plan::report::Report;
use azureml_cli::plan::what_if::{Journal, WhatIf};
use azureml_cli::plan::{everything, plan, write};
use azureml_cli::said::plain;
use azureml_client::places::Places;
use azureml_config::Config;
use clap::builder::NonEmptyStringValueParser;
use serde_json::Value;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

/// Changes: as `terraform plan -detailed-exitcode` has it.
const CHANGES: u8 = 2;

/// The arguments of `plan`.
#[derive(clap::Args)]
pub struct Plan {
    /// Objects of the cluster, such as mlpipeline/train. With files: the files are what is new.
    #[arg(value_name = "KIND/NAME")]
    objects: Vec<String>,
    /// A file, a folder with everything below it, or - for standard input. May stand more than once.
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|-")]
    files: Vec<String>,
    /// Read all objects of the namespace from the cluster first: files then only say what is new.
    #[arg(long)]
    with_cluster: bool,
    /// The namespace of objects that name none. Default: that of the context, or default where no cluster is asked.
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: Cluster,
    /// The operator's configuration. Without one every grant is given: Azure alone refuses.
    #[arg(long, value_name = "FILE", env = "AZUREML_CONFIG")]
    config: Option<PathBuf>,
    /// The cluster in the tags of Azure resources, as the operator has it. Default: clusterId of --config, or the UID of the namespace
    /// kube-system, for which the cluster is asked.
    #[arg(long, value_name = "ID", env = "AZUREML_CLUSTER_ID", value_parser = NonEmptyStringValueParser::new())]
    cluster_id: Option<String>,
    /// How the report is written.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

impl Plan {
    /// Plans; 0 where nothing would change, 2 where something would.
    ///
    /// # Errors
    /// When something cannot be read, or an object has no whole plan; the report is written all the same.
    pub fn run(&self) -> Result<u8, Failed> {
        self.planned().map_err(|cause| Failed { cause, code: 1 })
    }

    fn planned(&self) -> Result<u8> {
        ensure!(
            !self.files.is_empty() || !self.objects.is_empty() || self.with_cluster,
            "there is nothing to plan; name files by -f, objects as KIND/NAME, or everything in the namespace by --with-cluster"
        );
        // As the operator begins; another that is there does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = self.config()?;
        let Gathered { folder, refused } = self.gathered()?;
        let journal = Journal::default();
        let runtime = tokio::runtime::Runtime::new().context("the runtime")?;
        let hands = self.hands(&config, &journal)?;
        let mut report = runtime.block_on(plan(&hands, &folder, &journal));
        report.objects.extend(refused);
        ensure!(
            !report.objects.is_empty(),
            "there is no object of the operator's kinds; name their files by -f"
        );
        self.keep_named(&mut report)?;
        self.write(&report)?;
        ensure!(
            report.is_at_rest,
            "the plan does not come to an end; please report it with the output of --output json"
        );
        let failed = report.failed();
        ensure!(failed == 0, "{failed} objects have no whole plan");
        Ok(if report.requests() == 0 { 0 } else { CHANGES })
    }

    /// Of what was planned, the objects that the arguments name; all where they name none.
    fn keep_named(&self, report: &mut Report) -> Result<()> {
        for named in &self.objects {
            let is_there = report.objects.iter().any(|one| is_meant(named, &one.kind, &one.name));
            ensure!(
                is_there,
                "there is no {named} in the namespace; name it as KIND/NAME, such as mlpipeline/train"
            );
        }
        if !self.objects.is_empty() {
            let is_named =
                |kind: &str, name: &str| self.objects.iter().any(|named| is_meant(named, kind, name));
            report.objects.retain(|one| is_named(&one.kind, &one.name));
        }
        Ok(())
    }

    fn write(&self, report: &Report) -> Result<()> {
        let text = match self.output {
            Output::Json => report.json()?,
            Output::Text => write::text(report, super::is_coloured(std::io::stdout().is_terminal())),
        };
        std::io::stdout().write_all(text.as_bytes()).context("standard output")
    }

    /// The operator's configuration, or one that grants everything.
    fn config(&self) -> Result<Config> {
        let mut config = Config::read(self.config.as_deref())?;
        if self.config.is_none() {
            config.grants = everything()?;
        }
        Ok(config)
    }

    fn hands(&self, config: &Config, journal: &Journal) -> Result<Hands> {
        let mut shared = Shared::new(Arc::new(|| true), Arc::new(|_| {}));
        let (dial, journal) = (shared.dial.clone(), journal.clone());
        shared.dial =
            Arc::new(move |settings| Ok(Arc::new(WhatIf::new(dial(settings)?, journal.clone())) as Arc<_>));
        Ok(Hands {
            identities: Identities::new(config.reach()?, shared)?,
            who: Who::Person,
            looks: Hands::looks(),
            strangers: Places::new(4, 32),
            settings: config.settings(self.cluster_id(config)?),
            fetching: Fetching::new(config)?,
            uploads: Uploads::LeftOut,
            knows_all: self.asks_cluster(),
        })
    }

    /// The cluster in the tags of Azure resources.
    fn cluster_id(&self, config: &Config) -> Result<String> {
        if let Some(id) = self.cluster_id.clone().or_else(|| config.cluster_id.clone()) {
            return Ok(id);
        }
        let asked =
            self.cluster.kubectl(&["get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}"]);
        asked.context("the UID of the namespace kube-system names the cluster in Azure; say --cluster-id where no cluster is to be asked")
    }

    /// Objects of the cluster, and over them those of files.
    fn gathered(&self) -> Result<Gathered> {
        let namespace = match &self.namespace {
            Some(namespace) => namespace.clone(),
            None if self.asks_cluster() => self.cluster.context_namespace()?,
            None => "default".to_owned(),
        };
        let (mut found, mut broken) = (Vec::new(), Vec::new());
        for named in &self.files {
            let mut files = Vec::new();
            read(named, &mut files)?;
            for (name, text) in files {
                match objects(&name, &text) {
                    Ok(objects) => found.extend(objects.into_iter().map(|object| (name.clone(), object))),
                    Err(error) => broken.push(unreadable(&name, &error)),
                }
            }
        }
        let needs_maps = |object: &Value| object["spec"].to_string().contains("\"configMap\"");
        let mut cluster = self.of_cluster(&namespace)?;
        if self.asks_cluster()
            && (cluster.iter().any(needs_maps) || found.iter().any(|(_, object)| needs_maps(object)))
        {
            cluster.extend(self.maps(&namespace));
        }
        if self.asks_cluster() {
            cluster.extend(self.shared(&namespace, &cluster, &found));
        }
        let mut gathered = gather(&Definitions::read()?, &namespace, cluster, found);
        gathered.refused.extend(broken);
        Ok(gathered)
    }

    /// What other namespaces share, and the labels by which they do. Without the right to read a namespace its name has to do.
    fn shared(&self, own: &str, cluster: &[Value], files: &[(String, Value)]) -> Vec<Value> {
        let in_files = files.iter().map(|(_, object)| object.clone());
        let all: Vec<Value> = cluster.iter().cloned().chain(in_files).collect();
        let mut shared = self.cluster.shared(own, &all);
        for guest in guests(own, &all) {
            let asked = self.cluster.kubectl(&["get", "namespace", &guest, "--output=json"]);
            shared.extend(asked.and_then(|text| objects("the cluster", &text)).unwrap_or_default());
        }
        shared
    }

    /// The ConfigMaps of the namespace. Where they may not be read, what needs one says that it is missing.
    fn maps(&self, namespace: &str) -> Vec<Value> {
        let asked = self.cluster.kubectl(&["get", "configmaps", "--output=json", "--namespace", namespace]);
        let found = asked.and_then(|text| objects("the cluster", &text));
        found.unwrap_or_else(|error| {
            eprintln!("ConfigMaps of the cluster are left out: {}", plain(&format!("{error:#}")));
            Vec::new()
        })
    }

    fn asks_cluster(&self) -> bool {
        self.with_cluster || !self.objects.is_empty()
    }

    /// The objects of the namespace: what is planned may name any of them.
    fn of_cluster(&self, namespace: &str) -> Result<Vec<Value>> {
        if !self.asks_cluster() {
            return Ok(Vec::new());
        }
        self.cluster.all(Some(namespace))
    }
}
