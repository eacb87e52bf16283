//! The command line. Together with `credentials` the only reader of the environment.

use anyhow::Result;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Makes Azure Machine Learning declarative.
#[derive(Debug, Parser)]
#[command(name = "azureml-operator", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the controller.
    Run(Run),
    /// Say whether the operator of this installation works: its rights, the definitions, and a leader that renews its lease.
    Check(Check),
    /// Print the custom resource definitions as YAML.
    Crds,
}

/// The flags of the controller.
#[derive(Clone, Debug, ClapArgs)]
pub struct Run {
    /// The configuration file. Without one every default is in force, and no namespace is granted the controller's identity.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Watch only this namespace (may be repeated). Default: all.
    #[arg(long = "namespace", value_name = "NAME")]
    pub namespaces: Vec<String>,
    /// Identifies this cluster in the tags of Azure resources. Set it to let a rebuilt cluster own what it made before.
    /// Default: the UID of the namespace kube-system.
    #[arg(long, value_name = "ID")]
    pub cluster_id: Option<String>,
    /// Where /metrics, /healthz and /readyz are served.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// The namespace of the lease. Default: the namespace that the controller runs in.
    #[arg(long, value_name = "NAME")]
    pub lease_namespace: Option<String>,
    /// The name of the lease.
    #[arg(long, value_name = "NAME", default_value = "azureml-operator")]
    pub lease_name: String,
    /// How logs are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// Which logs are written, as a filter of tracing-subscriber, such as info,azureml_client=debug.
    #[arg(long, value_name = "FILTER", default_value = "info", env = "AZUREML_OPERATOR_LOG")]
    pub log: String,
}

/// The flags of the check.
#[derive(Clone, Debug, ClapArgs)]
pub struct Check {
    /// A namespace that the operator watches (may be repeated). Default: all.
    #[arg(long = "namespace", value_name = "NAME")]
    pub namespaces: Vec<String>,
    /// The namespace of the lease. Default: the namespace that the check runs in.
    #[arg(long, value_name = "NAME")]
    pub lease_namespace: Option<String>,
    /// The name of the lease.
    #[arg(long, value_name = "NAME", default_value = "azureml-operator")]
    pub lease_name: String,
    /// How long to wait for a leader.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub seconds: u64,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Prints every definition.
///
/// # Errors
/// When standard output is closed.
pub fn print_definitions() -> Result<()> {
    let mut out = std::io::stdout().lock();
    for definition in azureml_crds::all()? {
        writeln!(out, "---\n{}", serde_saphyr::to_string(&definition)?.trim_end())?;
    }
    Ok(())
}
