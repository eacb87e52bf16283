//! The command line of the check. In: arguments. Out: what was asked for.

use clap::Parser;
use std::path::PathBuf;

/// The story against a workspace in Azure: what it makes costs money, is asked for first, and is removed.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask live")]
pub struct Args {
    /// The subscription of the workspace.
    #[arg(long, value_name = "ID", required_unless_present = "write_assumptions")]
    pub subscription: Option<String>,
    /// Its resource group.
    #[arg(long, value_name = "NAME", required_unless_present = "write_assumptions")]
    pub resource_group: Option<String>,
    /// Its name.
    #[arg(long, value_name = "NAME", required_unless_present = "write_assumptions")]
    pub workspace: Option<String>,
    /// The cloud: a built-in one, or one of the configuration.
    #[arg(long, value_name = "NAME", default_value = "AzurePublic")]
    pub cloud: String,
    /// The region that the workspace has to be in; another is refused before anything is made.
    #[arg(long, value_name = "REGION")]
    pub location: Option<String>,
    /// A configuration file of the operator: clouds, mirrors, api-versions. Grants and clusterId of it are not used.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The size of the one node.
    #[arg(long, value_name = "SIZE", default_value = "Standard_DS3_v2")]
    pub vm_size: String,
    /// What one hour of it costs, in your currency. Without it an assumption is printed as such.
    #[arg(long, value_name = "PRICE")]
    pub price_per_hour: Option<f64>,
    /// The image that the environment is built from.
    #[arg(long, value_name = "IMAGE", default_value = "mcr.microsoft.com/azurelinux/base/core:3.0")]
    pub base_image: String,
    /// How long the whole story may take, in minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    pub minutes: u64,
    /// How long to look whether something happens that should not, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub settle: u64,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Leave what was made in Azure; `--clean` removes it.
    #[arg(long)]
    pub keep: bool,
    /// Make nothing; remove what an earlier, interrupted check left.
    #[arg(long, conflicts_with_all = ["keep", "record"])]
    pub clean: bool,
    /// Where to write the redacted recording.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// A cluster to use instead of one on this machine; one that has the operator's kinds already is refused.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The operator's program.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["clean", "write_assumptions"])]
    pub operator: Option<PathBuf>,
    /// Write the page of assumptions to this file, and do nothing else.
    #[arg(long, value_name = "FILE", hide = true)]
    pub write_assumptions: Option<PathBuf>,
}
