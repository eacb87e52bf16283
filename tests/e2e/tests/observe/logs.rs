//! Logs: every line of a pass names the object and the pass, every request its ids at Azure, and none a secret.

use anyhow::{Result, ensure};
use azureml_client::told::REQUEST;
use azureml_e2e::Scene;
use serde_json::Value;
use std::collections::BTreeSet;

/// What must not be in any line: the client's secret, tokens (JSON, base64), signatures, headers that carry one.
const SECRETS: [&str; 6] = ["not-a-secret", "eyJ", "sig=", "Bearer", "client_secret", "refresh_token="];

/// Checks the lines of an operator that logged what its client to Azure says too.
pub fn check(lines: &[Value], scene: &Scene) -> Result<()> {
    for line in lines {
        let text = line.to_string();
        ensure!(line["timestamp"].is_string() && line["message"].is_string(), "no line of the log: {text}");
        let secret = SECRETS.iter().find(|secret| text.contains(**secret));
        ensure!(secret.is_none(), "{secret:?} is in {text}");
    }
    let requests: Vec<&Value> = lines.iter().filter(|line| line["message"] == REQUEST).collect();
    ensure!(requests.len() > 20, "the requests are not in the log");
    for line in &requests {
        for field in ["verb", "type", "target_id"] {
            ensure!(line[field].is_string(), "{field} is missing: {line}");
        }
        ensure!(line["status"].is_u64() && line["ms"].is_u64() && line["waited_ms"].is_u64(), "{line}");
        let is_of_arm = line["target_id"].as_str().is_some_and(|id| id.starts_with("/subscriptions/"));
        // What a fault answers instead of Azure has no ids.
        let is_fault = [0, 429, 503].iter().any(|status| line["status"] == *status);
        if is_of_arm && !is_fault {
            for field in ["client_request_id", "request_id", "correlation_id"] {
                ensure!(line[field].is_string(), "{field} is missing: {line}");
            }
        }
    }
    let in_passes = lines.iter().filter(|line| line["pass"].is_string());
    let mut kinds = BTreeSet::new();
    for line in in_passes {
        for field in ["kind", "namespace", "name"] {
            ensure!(line[field].is_string(), "{field} is missing: {line}");
        }
        assert_eq!(line["namespace"], scene.namespace.as_str(), "{line}");
        kinds.insert(line["kind"].as_str().unwrap_or_default());
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    let outside = requests.iter().filter(|line| !line["pass"].is_string());
    // Only whether schedules fired is asked for outside of a pass.
    let outside: Vec<_> = outside.filter(|line| line["type"] != "workspaces/jobs").collect();
    ensure!(outside.is_empty(), "requests in no pass: {outside:?}");
    Ok(())
}
