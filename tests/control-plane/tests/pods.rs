//! A real node beside a control plane: pods run on it, several nodes run side by side, and nothing of one stays behind,
//! also when its owner is killed.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use azureml_control_plane::{ControlPlane, Node, Options};

const DEADLINE: Duration = Duration::from_mins(4);

const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: still, namespace: default}
spec:
  containers: [{name: still, image: "localhost/pause:latest", imagePullPolicy: Never}]
"#;

/// The standard output of a command that succeeds, else its standard error.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Says why a test is not carried out, past the test harness, which would keep it to itself.
fn skipped() -> bool {
    let reason = Node::unavailable();
    if let Some(reason) = &reason {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "skipped: {reason}");
    }
    reason.is_some()
}

async fn started() -> (ControlPlane, Node) {
    let plane = ControlPlane::start(Options { node: true, ..Options::default() }).await.unwrap();
    let node = Node::start(&plane).await.unwrap();
    (plane, node)
}

fn kubectl(plane: &ControlPlane, arguments: &[&str]) -> Result<String, String> {
    output(plane.kubectl().args(arguments))
}

/// Runs a pod and gives the identifier of its container.
fn run_pod(plane: &ControlPlane) -> String {
    // The account that a pod runs as is made a moment after its namespace.
    let file = plane.state().join("pod.yaml");
    fs::write(&file, POD).unwrap();
    kubectl(plane, &["apply", "-f", &file.to_string_lossy()]).unwrap();
    kubectl(plane, &["wait", "pod", "still", "--for=condition=Ready", "--timeout=60s"]).unwrap();
    kubectl(plane, &["get", "pod", "still", "-o=jsonpath={.status.containerStatuses[0].containerID}"])
        .unwrap()
}

/// What the kernel and the file system know of a node under a number.
fn traces(number: u8, state: &Path) -> Vec<String> {
    let mut traces = Vec::new();
    if Path::new("/sys/class/net").join(format!("azureml{number}")).exists() {
        traces.push("a bridge".to_owned());
    }
    let mut iptables = Command::new("/usr/sbin/iptables");
    if output(iptables.args(["-w", "-t", "nat", "-S"])).unwrap().contains(&format!("AZUREML-{number} ")) {
        traces.push("rules".to_owned());
    }
    let folders = output(
        Command::new("find")
            .args(["/sys/fs/cgroup", "-maxdepth", "2", "-name"])
            .arg(format!("azureml-node-{number}")),
    );
    traces.extend(folders.unwrap_or_default().lines().map(str::to_owned));
    let at = state.to_string_lossy().into_owned();
    traces.extend(
        fs::read_to_string("/proc/mounts")
            .unwrap()
            .lines()
            .filter(|line| line.contains(&at))
            .map(str::to_owned),
    );
    let lines = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read(entry.unwrap().path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    traces.extend(lines.filter(|line| line.contains(&at)));
    if state.exists() {
        traces.push(state.display().to_string());
    }
    traces
}

fn until_without_traces(number: u8, state: &Path) {
    let started = Instant::now();
    while !traces(number, state).is_empty() {
        assert!(started.elapsed() < DEADLINE, "left: {:?}", traces(number, state));
        std::thread::yield_now();
    }
}

/// A process of its own, killed at the latest when this is dropped: also where a test fails.
struct Owner(Child);

impl Owner {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One that has started a control plane with a node.
fn owner() -> (Owner, PathBuf, u8) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_control-plane"));
    let mut owner = owner.arg("--node").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let state = PathBuf::from(said["node"].as_str().unwrap());
    let number = number(&state);
    (Owner(owner), state, number)
}

fn number(state: &Path) -> u8 {
    let address = fs::read_to_string(state.join("node-ip")).unwrap();
    address.split('.').nth(2).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_pod_runs_says_what_it_does_and_ends_with_the_node() {
    if skipped() {
        return;
    }
    let (plane, node) = started().await;
    let container = run_pod(&plane);
    let processes = node.processes(&container).unwrap();
    assert_eq!(processes.len(), 1, "the container's only process: {processes:?}");
    let line = fs::read_to_string(format!("/proc/{}/cmdline", processes[0])).unwrap();
    assert!(line.starts_with("/pause"), "{line}");
    // The API server asks the kubelet, which answers only to the API server.
    assert_eq!(kubectl(&plane, &["logs", "still"]).unwrap(), "");
    let (state, number) = (node.state().to_owned(), number(node.state()));
    assert!(traces(number, &state).len() > 3, "what is looked for is there while the node runs");
    drop(node);
    assert_eq!(traces(number, &state), [""; 0], "nothing is left when the node has been dropped");
}

#[tokio::test]
async fn a_killed_owner_takes_its_node_along_and_leaves_the_one_beside_it_alone() {
    if skipped() {
        return;
    }
    let (mut owner, state, theirs) = owner();
    let (plane, node) = started().await;
    assert_ne!(theirs, number(node.state()));
    owner.kill();
    until_without_traces(theirs, &state);
    run_pod(&plane);
}
