//! The chart's rules, dashboard and tracing, as Helm renders them and the API server takes them.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use azureml_control_plane::{ControlPlane, Options, crds};
use serde_json::Value;
use support::{crate_file, output};

const NAMESPACE: &str = "watched";

fn chart() -> PathBuf {
    crate_file("../../charts/azureml-operator")
}

/// The CRDs of the Prometheus operator that the chart makes objects of, from a pinned Go module.
fn definitions() -> Options {
    let folder = crate_file("go/prometheus-operator");
    let module = fs::read_to_string(folder.join("go.mod")).unwrap();
    let (name, version) = module.split_once("require ").unwrap().1.trim().split_once(' ').unwrap();
    let mut go = Command::new("go");
    go.args(["mod", "download", "-json", &format!("{name}@{version}")]).current_dir(folder);
    go.envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly"), ("GOWORK", "off")]);
    let said: Value = serde_json::from_str(&output(&mut go).unwrap()).unwrap();
    let folder = PathBuf::from(said["Dir"].as_str().unwrap()).join("example/prometheus-operator-crd");
    let read = |kind| crds::read(folder.join(format!("monitoring.coreos.com_{kind}.yaml"))).unwrap();
    Options { crds: [read("servicemonitors"), read("prometheusrules")].concat(), ..Options::default() }
}

fn rendered(plane: &ControlPlane, values: &[&str]) -> Vec<Value> {
    let mut helm = plane.helm().unwrap();
    helm.args(["template", "mine"]).arg(chart()).args(["--namespace", NAMESPACE]).args(values);
    serde_saphyr::from_multiple(&output(&mut helm).unwrap()).unwrap()
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name).unwrap()
}

fn file(name: &str) -> String {
    fs::read_to_string(chart().join("files").join(name)).unwrap()
}

fn alerts(groups: &Value) -> Vec<Value> {
    groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// What the API server says to objects, with strict validation and without effect.
fn dry_run(plane: &ControlPlane, objects: &[&Value]) -> String {
    let mut kubectl = plane.kubectl();
    kubectl.args(["apply", "--dry-run=server", "--validate=strict", "-f", "-"]);
    let mut child =
        kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
    child.stdin.take().unwrap().write_all(list.to_string().as_bytes()).unwrap();
    let answer = child.wait_with_output().unwrap();
    String::from_utf8([answer.stdout, answer.stderr].concat()).unwrap()
}

#[tokio::test]
async fn rules_dashboard_and_traces_are_as_the_values_say_and_the_api_server_takes_them() {
    let plane = ControlPlane::start(definitions()).await.unwrap();
    output(plane.kubectl().args(["create", "namespace", NAMESPACE])).unwrap();
    let values = chart().join("ci/observe-values.yaml");
    let objects = rendered(&plane, &["--values", values.to_str().unwrap()]);
    let rule = find(&objects, "PrometheusRule", "mine-azureml-operator");
    let dashboard = find(&objects, "ConfigMap", "mine-azureml-operator-dashboard");
    let deployment = find(&objects, "Deployment", "mine-azureml-operator");
    let service = find(&objects, "Service", "mine-azureml-operator-metrics");

    assert_eq!(rule["metadata"]["labels"]["release"], "prometheus");
    let source: Value = serde_saphyr::from_str(&file("alerts.yaml")).unwrap();
    let (all, made) = (alerts(&source["groups"]), alerts(&rule["spec"]["groups"]));
    assert_eq!(made.len() + 1, all.len());
    assert!(made.iter().all(|alert| alert["alert"] != "AzureMLOperatorRunFailed"));
    for alert in &made {
        let anchor = alert["alert"].as_str().unwrap().to_lowercase();
        let link = format!("https://runbooks.example/azureml#{anchor}");
        assert_eq!(alert["annotations"]["runbook_url"], link.as_str());
        assert_eq!(alert["labels"], serde_json::json!({"team": "ml", "severity": "page"}));
    }
    // Prometheus' own templates are left to it, and the job is that of the Service.
    let text = rule.to_string();
    assert!(text.contains("{{ $labels.kind }}"), "{text}");
    let job = service["metadata"]["name"].as_str().unwrap();
    assert!(text.contains(&format!("job=\\\"{job}\\\",namespace=\\\"{NAMESPACE}\\\"")), "{text}");

    assert_eq!(dashboard["metadata"]["namespace"], "default");
    assert_eq!(dashboard["metadata"]["labels"]["grafana_dashboard"], "1");
    assert_eq!(dashboard["metadata"]["labels"]["example.com/team"], "platform");
    assert_eq!(dashboard["metadata"]["annotations"]["grafana_folder"], "Machine learning");
    let json: Value =
        serde_json::from_str(dashboard["data"]["azureml-operator.json"].as_str().unwrap()).unwrap();
    assert_eq!(json, serde_json::from_str::<Value>(&file("dashboard.json")).unwrap());

    let environment = &deployment["spec"]["template"]["spec"]["containers"][0]["env"];
    let endpoint =
        environment.as_array().unwrap().iter().find(|one| one["name"] == "OTEL_EXPORTER_OTLP_ENDPOINT");
    assert_eq!(endpoint.unwrap()["value"], "http://otel-collector.monitoring:4318");
    let monitor = find(&objects, "ServiceMonitor", "mine-azureml-operator");
    let said = dry_run(&plane, &[rule, dashboard, deployment, service, monitor]);
    assert_eq!(said.matches(" created (server dry run)").count(), 5, "{said}");
}

#[tokio::test]
async fn by_default_nothing_of_it_is_there_and_wrong_values_are_refused() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let objects = rendered(&plane, &[]);
    let kinds: Vec<&str> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    assert!(kinds.contains(&"Deployment"), "{kinds:?}");
    for kind in ["ServiceMonitor", "PrometheusRule"] {
        assert!(!kinds.contains(&kind), "{kind}");
    }
    assert!(!serde_json::to_string(&objects).unwrap().contains("OTEL_"));
    let all = rendered(&plane, &["--set", "metrics.prometheusRule.enabled=true"]);
    let rule = find(&all, "PrometheusRule", "mine-azureml-operator");
    let source: Value = serde_saphyr::from_str(&file("alerts.yaml")).unwrap();
    for (made, alert) in alerts(&rule["spec"]["groups"]).iter().zip(alerts(&source["groups"])) {
        assert_eq!(
            made["annotations"]["runbook_url"], alert["annotations"]["runbook_url"],
            "the default is the file's"
        );
        assert_eq!(made["labels"], alert["labels"]);
    }
    for (wrong, named) in [
        ("tracing.otlpEndpoint=collector:4318", "/tracing/otlpEndpoint"),
        ("metrics.prometheusRule.runbookUrl=here", "/metrics/prometheusRule/runbookUrl"),
        ("metrics.prometheusRule.disabled={Watchdog}", "/metrics/prometheusRule/disabled"),
        ("metrics.dashboard.enable=true", "enable"),
    ] {
        let mut helm = plane.helm().unwrap();
        let said = output(helm.args(["template", "mine"]).arg(chart()).args(["--set", wrong])).unwrap_err();
        assert!(said.contains(named), "{wrong}: {said}");
    }
}
