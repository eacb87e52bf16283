//! The chart with values at the edge of what they may be: names that read as numbers, lists with nothing in them, a value
//! that is taken away; and what its notes say then. Judged by the real Helm, and where it counts by a real API server.
use crate::support;

use std::fs;
use std::process::Command;

use azureml_control_plane::{ControlPlane, Options, helm};
use serde_json::Value;
use support::{crate_file, output};

fn helm(arguments: &[&str]) -> Result<String, String> {
    let mut helm = Command::new(helm::find().map_err(|error| error.to_string())?);
    output(helm.args(arguments).arg(crate_file("../../charts/azureml-operator")))
}

/// The objects of a kind, with some arguments.
fn rendered(kind: &str, arguments: &[&str]) -> Vec<Value> {
    let text = helm(&[&["template", "azureml-operator"], arguments].concat()).unwrap();
    let objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    objects.into_iter().filter(|object| object["kind"] == kind).collect()
}

/// What a person reads after the installation.
fn notes(arguments: &[&str]) -> String {
    let install = ["install", "azureml-operator", "--dry-run=client", "--namespace", "azureml-system"];
    let said = helm(&[&install, arguments].concat()).unwrap();
    said.split_once("NOTES:").unwrap().1.to_owned()
}

#[tokio::test]
async fn names_that_read_as_numbers_stay_names() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    output(plane.kubectl().args(["create", "namespace", "2024"])).unwrap();
    // `null` takes the default away.
    let set = ["--set-string", "serviceAccount.name=1e3", "--set", "config=null", "--skip-tests"];
    let text = helm(&[&["template", "123", "--namespace", "2024"], &set[..]].concat()).unwrap();
    let file = plane.state().join("rendered.yaml");
    fs::write(&file, text).unwrap();
    let apply = ["apply", "--dry-run=server", "--validate=strict", "-f"];
    let said = output(plane.kubectl().args(apply).arg(&file)).unwrap();
    assert!(said.contains("deployment.apps/123-azureml-operator created"), "{said}");
    assert!(said.contains("serviceaccount/1e3 created"), "{said}");
}

#[test]
fn a_network_policy_without_ports_opens_none() {
    let policy = |ports: &str| {
        let set = format!("networkPolicy.egressPorts={ports}");
        let of_kind = rendered("NetworkPolicy", &["--set", "networkPolicy.enabled=true", "--set-json", &set]);
        of_kind.into_iter().next().unwrap()["spec"]["egress"].as_array().unwrap().clone()
    };
    let ports = |rule: &Value| rule["ports"].as_array().map(Vec::len);
    let closed = policy("[]");
    assert_eq!(closed.iter().map(ports).collect::<Vec<_>>(), [Some(2)], "DNS alone: {closed:?}");
    let open = policy("[443]");
    assert_eq!(open.iter().map(ports).collect::<Vec<_>>(), [Some(2), Some(1)], "{open:?}");
}

#[test]
fn the_notes_show_the_next_step_and_delete_nothing() {
    let bare = notes(&[]);
    assert!(bare.contains("config: {grants: [{namespaces: [TEAM]"), "{bare}");
    let granted = notes(&[
        "--set-json",
        r#"config={"grants": [{"namespaces": ["team-*"]}, {"namespaces": ["team-a"]}]}"#,
    ]);
    assert!(
        granted.contains("kubectl --namespace team-a apply") && granted.contains("kind: MLWorkspace"),
        "{granted}"
    );
    let pattern = notes(&["--set-json", r#"config={"grants": [{"namespaces": ["team-*"]}]}"#]);
    assert!(pattern.contains("kubectl --namespace TEAM apply"), "{pattern}");
    for said in [bare, granted, pattern] {
        assert!(!said.contains("kubectl delete") && said.contains("helm test azureml-operator"), "{said}");
    }
}

#[test]
fn the_notes_say_that_alerts_would_link_to_no_address() {
    let rule = "metrics.prometheusRule.enabled=true";
    let unset = notes(&["--set", rule]);
    assert!(unset.contains("set metrics.prometheusRule.runbookUrl"), "{unset}");
    let served = format!("{rule},metrics.prometheusRule.runbookUrl=https://runbooks.example/alerts.html");
    let set = notes(&["--set", &served]);
    assert!(!set.contains("runbookUrl"), "{set}");
}
