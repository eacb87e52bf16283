//! The way from pods to this machine: a bridge, rules that lead a few addresses of services to servers on 127.0.0.1, and a
//! name server. In: a seat. Out: the network, until it is dropped. Pods reach nothing beyond the machine.

use std::fs;
use std::process::Command;

use super::seat::Seat;
use super::{Node, machine, run};
use crate::api_server::free_port;
use crate::error::{Error, Result};
use crate::part::Part;
use crate::state::State;

/// The address of the service `kubernetes`, as the API server gives it to pods.
const API: &str = "10.96.0.1";
/// Where pods send their questions for names.
pub(super) const NAME_SERVER: &str = "10.96.0.10";
/// What every name of servers on this machine leads to.
const MACHINE: &str = "10.96.0.20";

#[derive(Debug)]
pub(super) struct Network {
    bridge: String,
    chain: String,
    /// The address of the machine on the bridge.
    pub(super) gateway: String,
    /// Held: it ends when this is dropped.
    _name_server: Part,
}

impl Network {
    /// Makes it. What a seat's network consists of is removed by `leave.sh`, not here.
    pub(super) fn make(seat: &Seat, state: &State, api: &str) -> Result<Self> {
        let (bridge, chain) = (seat.bridge(), seat.chain());
        let gateway = format!("{}.1", seat.subnet());
        run("ip", &["link", "add", &bridge, "type", "bridge"])?;
        run("ip", &["address", "add", &format!("{gateway}/24"), "dev", &bridge])?;
        run("ip", &["link", "set", &bridge, "up"])?;
        // Lets packets from the bridge be led to 127.0.0.1.
        let setting = format!("/proc/sys/net/ipv4/conf/{bridge}/route_localnet");
        fs::write(&setting, "1").map_err(Error::file("write", setting))?;
        iptables(&["-N", &chain])?;
        iptables(&["-A", "PREROUTING", "-i", &bridge, "-j", &chain])?;
        let port = free_port()?;
        let network = Self { bridge, chain, gateway, _name_server: name_server(port, state)? };
        for protocol in ["udp", "tcp"] {
            network.lead(protocol, NAME_SERVER, 53, port)?;
        }
        let api = api.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default();
        network.lead("tcp", API, 443, api)?;
        Ok(network)
    }

    /// Leads a port of [`MACHINE`] to the same port of 127.0.0.1.
    pub(super) fn offer(&self, port: u16) -> Result<()> {
        self.lead("tcp", MACHINE, port, port)
    }

    fn lead(&self, protocol: &str, address: &str, from: u16, to: u16) -> Result<()> {
        let (from, to) = (from.to_string(), format!("127.0.0.1:{to}"));
        let rule = ["-A", &self.chain, "-i", &self.bridge, "-d", address, "-p", protocol, "--dport", &from];
        iptables(&[&rule[..], &["-j", "DNAT", "--to-destination", &to]].concat())
    }
}

fn iptables(rule: &[&str]) -> Result<()> {
    let program = machine::find("iptables").unwrap_or_else(|| "iptables".into());
    run(&program.to_string_lossy(), &[&["-w", "-t", "nat"], rule].concat()).map(drop)
}

/// Answers for the API server and for everything below [`Node::DOMAIN`]; there are no other names.
fn name_server(port: u16, state: &State) -> Result<Part> {
    let program = machine::find("dnsmasq").unwrap_or_else(|| "dnsmasq".into());
    let mut command = Command::new(program);
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--user=root",
    ]);
    command.args(["--listen-address=127.0.0.1", "--bind-interfaces", "--log-facility=-", "--pid-file="]);
    command.arg(format!("--port={port}")).arg("--address=/#/");
    command.arg(format!("--address=/{}/{MACHINE}", Node::DOMAIN));
    command.arg(format!("--address=/kubernetes.default.svc.cluster.local/{API}"));
    Part::start("dnsmasq", &mut command, state, None)
}
