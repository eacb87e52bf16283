//! Traces: what one change needed is one trace, and its spans are the requests that Azure received.

use super::collector::{Collector, Span};
use anyhow::{Context as _, Result, ensure};
use azureml_client::told::REQUEST;
use azureml_crds::{MLCompute, MLWorkspace};
use azureml_e2e::scene::Object;
use azureml_e2e::{Operator, Scene, Setting};
use azureml_simulator::Entry;
use std::collections::BTreeSet;

const WORKSPACE: &str = "{apiVersion: azureml.dev/v1alpha1, kind: MLWorkspace, metadata: {name: team-a}, spec: \
                         {subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg-ml, workspaceName: mlw-team-a}}\n";
const COMPUTE: &str = "{apiVersion: azureml.dev/v1alpha1, kind: MLCompute, metadata: {name: cpu}, spec: \
                       {workspaceRef: {name: team-a}, vmSize: Standard_DS3_v2, scale: {max: 4}}}\n";

async fn ready<K: Object>(scene: &Scene, name: &str) -> Result<()> {
    let is_ready = |object: &K| {
        let object = serde_json::to_value(object).unwrap_or_default();
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && conditions
                .iter()
                .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    scene.wait::<K>(name, "ready", is_ready).await.map(drop)
}

async fn started(scene: &mut Scene, environment: Vec<(&'static str, String)>) -> Result<Operator> {
    scene.start.log = Some("info,azureml_client=debug".to_owned());
    scene.start.environment =
        environment.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect();
    scene.operator().await
}

/// What identifies a request on both sides.
type Sent = (String, String, String);

fn of_log(entry: &Entry) -> Sent {
    let id = entry.headers.iter().find(|(name, _)| name == "x-ms-client-request-id");
    let status = entry.status.map(|status| status.to_string()).unwrap_or_default();
    (entry.method.clone(), id.map(|(_, id)| id.clone()).unwrap_or_default(), status)
}

fn of_span(span: &Span) -> Sent {
    let text = |name| span.get(name).to_owned();
    (text("http.request.method"), text("azure.client_request_id"), text("http.response.status_code"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_apply_is_one_trace_and_its_spans_are_what_azure_received() -> Result<()> {
    let collector = Collector::start().await?;
    let mut scene = Scene::set("traces", Setting::default()).await?;
    let environment = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.clone()),
        ("OTEL_RESOURCE_ATTRIBUTES", "k8s.cluster.name=test".to_owned()),
    ];
    let operator = started(&mut scene, environment).await?;
    scene.apply_objects(WORKSPACE).await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    let since = scene.azure.requests().len();
    scene.apply_objects(COMPUTE).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let lines = operator.lines();
    // The last spans are sent when it stops.
    operator.stop()?;
    let spans = collector.spans();
    let passes: Vec<&Span> = spans.iter().filter(|span| span.name == "pass MLCompute").collect();
    let trace = passes.first().context("no pass was traced")?.trace.clone();
    one_tree(&passes)?;
    let log = scene.azure.requests();
    let received: BTreeSet<Sent> =
        log[since..].iter().filter(|entry| entry.url.contains("/computes")).map(of_log).collect();
    let requests: Vec<&Span> = spans
        .iter()
        .filter(|span| span.trace == trace && span.attributes.contains_key("http.request.method"))
        .collect();
    ensure!(received.len() >= 3, "a cluster is looked for, made and looked at: {received:?}");
    assert_eq!(requests.iter().map(|span| of_span(span)).collect::<BTreeSet<_>>(), received);
    assert_eq!(requests.len(), received.len(), "a request has one span");
    what_spans_tell(&passes, &requests)?;
    // A reader of a line finds the trace.
    let of_cpu = |line: &&serde_json::Value| line["kind"] == "MLCompute" && line["message"] == REQUEST;
    ensure!(
        lines.iter().filter(of_cpu).count() >= 3
            && lines.iter().filter(of_cpu).all(|line| line["trace_id"] == trace.as_str())
    );
    Ok(())
}

/// The first pass is the root, and all others are its children.
fn one_tree(passes: &[&Span]) -> Result<()> {
    let mut in_order = passes.to_vec();
    in_order.sort_by_key(|span| span.time.0);
    let root = in_order[0];
    ensure!(root.parent.is_empty() && in_order.len() > 1, "{in_order:?}");
    for pass in &in_order[1..] {
        ensure!(pass.parent == root.id && pass.trace == root.trace, "{pass:?} is no child of {root:?}");
    }
    let last = in_order[in_order.len() - 1];
    assert_eq!((last.get("outcome"), last.get("reason")), ("ready", "Succeeded"));
    Ok(())
}

fn what_spans_tell(passes: &[&Span], requests: &[&Span]) -> Result<()> {
    for pass in passes {
        assert_eq!((pass.get("kind"), pass.get("name"), pass.get("generation")), ("MLCompute", "cpu", "1"));
        ensure!(!pass.get("namespace").is_empty() && !pass.get("outcome").is_empty(), "{pass:?}");
        assert_eq!(pass.resource.get("service.name").map(String::as_str), Some("azureml-operator"));
        assert_eq!(pass.resource.get("k8s.cluster.name").map(String::as_str), Some("test"));
    }
    for request in requests {
        let parent = passes.iter().find(|pass| pass.id == request.parent);
        let parent = parent.with_context(|| format!("{request:?} is in no pass"))?;
        ensure!(
            parent.time.0 <= request.time.0 && request.time.1 <= parent.time.1,
            "{request:?} outlives its pass"
        );
        for name in ["azure.request_id", "azure.correlation_request_id", "azure.type", "azure.budget_wait_ms"]
        {
            ensure!(!request.get(name).is_empty(), "{name} is missing: {request:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_disturbs_nobody() -> Result<()> {
    let mut scene = Scene::set("silent", Setting::default()).await?;
    let environment = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ];
    let operator = started(&mut scene, environment).await?;
    scene.apply_objects(WORKSPACE).await?;
    ready::<MLWorkspace>(&scene, "team-a").await?;
    let mark = operator.lines().len();
    ensure!(mark > 0);
    operator.line(0, "that spans cannot be sent", |line| {
        line["target"].as_str().is_some_and(|target| target.starts_with("opentelemetry"))
    })?;
    operator.stop()
}
