//! What goes over the wire, byte for byte, where a server speaks HTTP/1.1: a proxy does, and ARM answers 411 without a length.

mod support;

use anyhow::{Result, ensure};
use azureml_client::ArmId;
use serde_json::json;
use support::{Raw, client_of_host};

#[tokio::test]
async fn every_write_says_how_long_its_body_is() -> Result<()> {
    let server = Raw::start("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await?;
    let client = client_of_host(&server.host, server.http()?)?;
    let job = ArmId::workspace("s", "g", "w").child("jobs", "j");
    client.post(&job, "cancel", None).await?;
    client.post(&job, "resume", Some(&json!({}))).await?;
    client.put(&job, &json!({"a": "b"})).await?;
    client.put_blob(&format!("https://{}/c/b?sig=s", server.host), Vec::new(), false).await?;
    client.delete(&job, &[]).await?;
    let seen = server.seen();
    let lengths: Vec<(String, Vec<String>)> = seen.iter().map(|head| lengths(head)).collect();
    let expected = [("POST", "0"), ("POST", "2"), ("PUT", "9"), ("PUT", "0")];
    for ((verb, found), (expected_verb, length)) in lengths.iter().zip(expected) {
        ensure!(verb == expected_verb && *found == [format!("content-length: {length}")], "{seen:?}");
    }
    ensure!(lengths[4].0 == "DELETE" && seen.len() == 5, "{seen:?}");
    Ok(())
}

/// The method of a request's head, and its lines that tell the length of its body.
fn lengths(head: &str) -> (String, Vec<String>) {
    ensure_is_http_1(head);
    let verb = head.split(' ').next().unwrap_or_default().to_owned();
    let lines = head.to_ascii_lowercase();
    let about = |line: &&str| line.starts_with("content-length") || line.starts_with("transfer-encoding");
    (verb, lines.lines().filter(about).map(str::to_owned).collect())
}

fn ensure_is_http_1(head: &str) {
    assert!(head.lines().next().is_some_and(|line| line.ends_with("HTTP/1.1")), "{head}");
}
