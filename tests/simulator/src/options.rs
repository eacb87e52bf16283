//! How a simulator is set up: what it simulates, how long things take, where it keeps files.

use crate::acr::RoleMode;
pub use crate::times::Times;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a workspace's storage account takes from those who read and write its blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageAccess {
    /// Signatures made with its keys, and tokens of everybody.
    #[default]
    Keys,
    /// Tokens alone (`allowSharedKeyAccess: false`), of those to whom the role Storage Blob Data Contributor was given.
    Identity,
}

/// A workspace to simulate, with its storage account and its registry.
#[derive(Clone, Debug)]
pub struct WorkspaceSpec {
    /// The subscription; absent: the simulator's.
    pub subscription: Option<String>,
    /// The resource group of the workspace, its storage account and its registry.
    pub resource_group: String,
    /// The workspace's name.
    pub name: String,
    /// The region; absent: the simulator's.
    pub region: Option<String>,
    /// The registry's name; absent: one made of the workspace's name. Workspaces may share one.
    pub registry: Option<String>,
    /// How roles work in the registry; absent: the simulator's.
    pub registry_mode: Option<RoleMode>,
    /// What the storage account takes.
    pub storage: StorageAccess,
    /// Whether the registry has network rules that keep the builders of ACR Tasks out.
    pub registry_restricted: bool,
}

impl WorkspaceSpec {
    /// A workspace with everything else as the simulator has it.
    pub fn new(resource_group: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            subscription: None,
            resource_group: resource_group.into(),
            name: name.into(),
            region: None,
            registry: None,
            registry_mode: None,
            storage: StorageAccess::Keys,
            registry_restricted: false,
        }
    }
}

/// The settings of one simulator.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The name by which it is reached, where that is not the address that it listens on; its certificate has it too.
    pub host: Option<String>,
    /// Whether it serves HTTP/1.1 alone, as what lies behind many a proxy does.
    pub http1: bool,
    /// Where blobs, datastores and executed steps live; absent: a folder that is removed at the end.
    pub dir: Option<PathBuf>,
    /// The workspaces there are from the start.
    pub workspaces: Vec<WorkspaceSpec>,
    /// The tenant.
    pub tenant_id: String,
    /// The subscription.
    pub subscription_id: String,
    /// The region of what names none.
    pub region: String,
    /// The time of day at which it starts; absent: the time now. Tokens and signatures run out by the machine's time nevertheless.
    pub begins: Option<Timestamp>,
    /// Whether time stands still until a control moves it.
    pub virtual_clock: bool,
    /// Whether steps are executed for real.
    pub execute: bool,
    /// Whether requests are limited as Azure Resource Manager limits them.
    pub throttle: bool,
    /// Whether requests have to keep to the published definitions without what Azure tolerates of older clients.
    pub strict: bool,
    /// Whether Azure's caps on the number of things hold.
    pub caps: bool,
    /// How roles work in registries.
    pub registry_mode: RoleMode,
    /// The number of items on a page of a list.
    pub page_size: usize,
    /// How long things take.
    pub times: Times,
    /// A delay of every answer by method; `*` for those not named. What is not named takes the time of `times`.
    pub latency: BTreeMap<String, Duration>,
    /// Applications whose secret is checked: (client id, secret). Any secret will do for others.
    pub apps: BTreeMap<String, String>,
    /// Applications with a registered certificate: (client id, PEM). They sign in with an assertion that its key signed.
    pub certificates: BTreeMap<String, String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            host: None,
            http1: false,
            dir: None,
            workspaces: Vec::new(),
            tenant_id: "11111111-1111-1111-1111-111111111111".into(),
            subscription_id: "00000000-0000-0000-0000-000000000001".into(),
            region: "westeurope".into(),
            begins: None,
            virtual_clock: false,
            execute: false,
            throttle: true,
            strict: false,
            caps: true,
            registry_mode: RoleMode::Legacy,
            page_size: 100,
            times: Times::default(),
            latency: BTreeMap::new(),
            apps: BTreeMap::new(),
            certificates: BTreeMap::new(),
        }
    }
}
