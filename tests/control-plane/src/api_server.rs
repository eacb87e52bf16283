//! Starts kube-apiserver for one control plane, on a free port of 127.0.0.1, and waits until it is ready.
//! In: the program, etcd and the state folder. Out: the running part, its address and the administrator's kubeconfig.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use http::Request;
use kube::Client;
use serde_json::json;

use crate::error::{Error, Result};
use crate::options::Options;
use crate::part::{Part, ready};
use crate::pki::{self, Authority};
use crate::state::State;
use crate::{etcd, kubeconfig};

/// Another process can take a port between the moment we found it free and the API server's start.
const TRIES: usize = 5;
const ANSWER: Duration = Duration::from_secs(5);
/// Groups that may do everything, without any role.
const ADMINISTRATORS: &str = "system:masters";

#[derive(Debug)]
pub(crate) struct ApiServer {
    pub(crate) part: Part,
    pub(crate) endpoint: String,
    pub(crate) token: String,
    pub(crate) ca_file: PathBuf,
    pub(crate) kubeconfig: PathBuf,
}

/// Starts it on the wanted port, or on a free one where that is taken.
pub(crate) async fn start(
    program: &Path,
    options: &Options,
    state: &State,
    authority: &Authority,
    etcd: &mut Part,
) -> Result<ApiServer> {
    let token = write_keys(state, authority)?;
    let mut wanted = options.port;
    for _ in 1..TRIES {
        let server = launch(program, options, state, wanted.take(), &token)?;
        match wait(server, etcd).await {
            Err(Error::Ended { tail, .. }) if is_port_taken(&tail) => {}
            outcome => return outcome,
        }
    }
    wait(launch(program, options, state, None, &token)?, etcd).await
}

fn launch(
    program: &Path,
    options: &Options,
    state: &State,
    port: Option<u16>,
    token: &str,
) -> Result<ApiServer> {
    let port = port.map_or_else(free_port, Ok)?;
    let endpoint = format!("https://127.0.0.1:{port}");
    let ca_file = state.join("ca.crt");
    let text = kubeconfig::text(&endpoint, &ca_file, &json!({"token": token}));
    let kubeconfig = state.write("kubeconfig", &text)?;
    let mut command = Command::new(program);
    command.args(arguments(state, port, options.node)).args(&options.api_server_arguments);
    if options.audit {
        command.args(audit(state)?);
    }
    if let Some(version) = &options.emulated_version {
        command.arg(format!("--emulated-version={version}"));
    }
    Ok(ApiServer {
        part: Part::start("kube-apiserver", &mut command, state, None)?,
        endpoint,
        token: token.to_owned(),
        ca_file,
        kubeconfig,
    })
}

async fn wait(mut server: ApiServer, etcd: &mut Part) -> Result<ApiServer> {
    let client = kubeconfig::client(&server.kubeconfig).await?;
    ready(&mut [etcd, &mut server.part], async || is_ready(&client).await).await?;
    Ok(server)
}

async fn is_ready(client: &Client) -> std::result::Result<(), String> {
    let request = Request::get("/readyz").body(Vec::new()).map_err(|error| error.to_string())?;
    let answer = tokio::time::timeout(ANSWER, client.request_text(request)).await;
    answer.map_err(|_| "no answer".to_owned())?.map(drop).map_err(|error| error.to_string())
}

/// The keys of everything, written to the state folder; the administrator's token is returned.
fn write_keys(state: &State, authority: &Authority) -> Result<String> {
    let server = authority.server(&["127.0.0.1", "localhost", "kubernetes.default.svc", "10.96.0.1"])?;
    state.write("ca.crt", &authority.certificate)?;
    state.write("api-server.crt", &server.certificate)?;
    state.write("api-server.key", &server.key)?;
    let client = authority.client("kube-apiserver", &[])?;
    state.write("kubelet-client.crt", &client.certificate)?;
    state.write("kubelet-client.key", &client.key)?;
    let (private, public) = pki::signing_keys()?;
    state.write("service-accounts.key", &private)?;
    state.write("service-accounts.pub", &public)?;
    let token = pki::token()?;
    state.write("tokens.csv", &format!("{token},admin,admin,{ADMINISTRATORS}\n"))?;
    Ok(token)
}

fn arguments(state: &State, port: u16, node: bool) -> Vec<String> {
    let file = |flag: &str, name: &str| format!("--{flag}={}", state.join(name).display());
    let mut arguments = vec![
        format!("--etcd-servers={}", etcd::address(state)),
        // Both loopback: the second would otherwise be that of the default route, which a machine need not have.
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        file("tls-cert-file", "api-server.crt"),
        file("tls-private-key-file", "api-server.key"),
        file("client-ca-file", "ca.crt"),
        file("token-auth-file", "tokens.csv"),
        format!("--authorization-mode={}", if node { "Node,RBAC" } else { "RBAC" }),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
        file("service-account-key-file", "service-accounts.pub"),
        file("service-account-signing-key-file", "service-accounts.key"),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        "--endpoint-reconciler-type=none".into(),
        "--profiling=false".into(),
    ];
    if node {
        arguments.extend([
            "--enable-admission-plugins=NodeRestriction".into(),
            // The name of the node, which leads to where its kubelet listens.
            "--kubelet-preferred-address-types=Hostname".into(),
            file("kubelet-certificate-authority", "ca.crt"),
            file("kubelet-client-certificate", "kubelet-client.crt"),
            file("kubelet-client-key", "kubelet-client.key"),
        ]);
    }
    arguments
}

pub(crate) const AUDIT_LOG: &str = "audit.log";

/// Every request once, without its content: when its answer is there, or begins where it is a watch. Everyone with the
/// answer finds the request in the log.
const AUDIT_POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
  "rules": [{"level": "Metadata", "verbs": ["watch"], "omitStages": ["ResponseComplete"]}, {"level": "Metadata"}]}"#;

fn audit(state: &State) -> Result<Vec<String>> {
    let policy = state.write("audit-policy.json", AUDIT_POLICY)?;
    Ok(vec![
        format!("--audit-policy-file={}", policy.display()),
        format!("--audit-log-path={}", state.join(AUDIT_LOG).display()),
        "--audit-log-mode=blocking".into(),
    ])
}

/// A port that nobody has now.
pub(crate) fn free_port() -> Result<u16> {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    taken.map(|address| address.port()).map_err(Error::file("find a free port of", "127.0.0.1"))
}

fn is_port_taken(log: &str) -> bool {
    log.contains("address already in use")
}
