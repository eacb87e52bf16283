//! What does not change while a simulator runs: its options, resolved to the address and folder that it got.

use crate::acr::RoleMode;
use crate::options::{Options, Times};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What does not change while the simulator runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the server is reached, without a slash at the end.
    pub base: String,
    /// Its port.
    pub port: u16,
    /// The tenant.
    pub tenant: String,
    /// The subscription of workspaces that name none.
    pub subscription: String,
    /// The region of workspaces that name none.
    pub region: String,
    /// Whether requests are limited.
    pub throttle: bool,
    /// Whether caps on numbers hold.
    pub caps: bool,
    /// Whether steps are executed.
    pub execute: bool,
    /// How roles work in registries that do not say.
    pub registry_mode: RoleMode,
    /// Items on a page.
    pub page_size: usize,
    /// How long operations and answers take.
    pub times: Times,
    /// How long steps run that are not executed.
    pub step_time: SignedDuration,
    /// How long steps are prepared on their nodes.
    pub preparation_time: SignedDuration,
    /// How long builds run.
    pub build_time: SignedDuration,
    /// How long a node takes to come or to go.
    pub node_time: SignedDuration,
    /// Secrets that are checked.
    pub apps: BTreeMap<String, String>,
    /// Certificates that are registered, by client.
    pub certificates: BTreeMap<String, String>,
    /// Where files live.
    pub dir: PathBuf,
}

impl Settings {
    /// The settings of a server that listens at `port` and keeps files in `dir`.
    pub fn new(options: &Options, port: u16, dir: PathBuf) -> Self {
        let span = |time: std::time::Duration| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        Self {
            base: format!(
                "https://{}:{port}",
                options.host.clone().unwrap_or_else(|| options.listen.ip().to_string())
            ),
            port,
            tenant: options.tenant_id.clone(),
            subscription: options.subscription_id.clone(),
            region: options.region.clone(),
            throttle: options.throttle,
            caps: options.caps,
            execute: options.execute,
            registry_mode: options.registry_mode,
            page_size: options.page_size,
            times: options.times,
            step_time: span(options.times.step),
            preparation_time: span(options.times.preparation.unwrap_or(options.times.step / 4)),
            build_time: span(options.times.build),
            node_time: span(options.times.node),
            apps: options.apps.clone(),
            certificates: options.certificates.clone(),
            dir,
        }
    }
}
