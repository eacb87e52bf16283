//! The command: one line when it is ready, controls over TLS, an end by signal that leaves nothing behind.

use serde_json::Value;
use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

/// Ends the command also when a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> (Running, Value) {
    let command = env!("CARGO_BIN_EXE_azureml-simulator");
    let mut child = Command::new(command).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Running(child), serde_json::from_str(&line).unwrap())
}

#[tokio::test]
async fn the_command_prints_where_it_is_reached_and_ends_by_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let (mut running, ready) = start(&[
        "--listen",
        "127.0.0.1:0",
        "--dir",
        folder,
        "--workspace",
        "rg/ws@northeurope",
        "--clock",
        "virtual",
    ]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(ready["caFile"].as_str().unwrap()).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
        .build()
        .unwrap();
    let control = format!("{}/_simulator", ready["endpoint"].as_str().unwrap());
    let moved = http
        .post(format!("{control}/clock"))
        .json(&serde_json::json!({ "advance": "PT1H" }))
        .send()
        .await
        .unwrap();
    assert!(moved.status().is_success());
    let state: Value = http.get(format!("{control}/state/rg/ws")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["computes"], serde_json::json!({}));
    assert!(ready["tenantId"].is_string() && ready["subscriptionId"].is_string());

    let id = running.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn flags_that_mean_nothing_are_refused_with_the_remedy() {
    let refused = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_azureml-simulator")).args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--workspace", "ws"]).contains("RESOURCE-GROUP/NAME"));
    assert!(refused(&["--latency", "PUT"]).contains("METHOD=DURATION"));
    assert!(refused(&["--step-time", "soon"]).contains("250ms"));
}
