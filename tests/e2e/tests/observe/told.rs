//! The whole: a real Prometheus scrapes two real replicas through a scenario, and every expression of the dashboard and of the
//! alert rules is run on what it has.

use super::dashboard::{targets, variables};
use super::exposition::{compare, families, scrape, table};
use super::prometheus::Prometheus;
use super::promql::{Asked, names};
use super::scenario::Scenario;
use super::{alerts, chart, logs, printed, program};
use anyhow::{Context as _, Result, ensure};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_and_every_alert_reads_what_two_real_replicas_export() -> Result<()> {
    let Some(program) = program("prometheus")? else { return Ok(()) };
    let scenario = Scenario::begin().await?;
    let prometheus = Prometheus::start(&program, &scenario.addresses()?, &chart("files/alerts.yaml")).await?;
    scenario.play().await?;
    for happened in [
        "azureml_operator_schedule_firings_total{result=\"fired\"} > 0",
        "azureml_operator_runs_total{result=\"failed\"} > 0",
        "azureml_operator_builds_total{result=\"failed\"} > 0",
        "azureml_operator_leader == 0",
    ] {
        prometheus
            .until(happened, |it| async move { Ok((!it.query(happened).await?.is_empty()).then_some(())) })
            .await?;
    }
    // Rates are of the last seconds: something becomes ready while they are looked at.
    tokio::select! {
        seen = panels_have_data(&prometheus) => seen?,
        changed = scenario.keep_changing() => changed?,
    }
    names_are_exported(&prometheus).await?;
    what_fires(&prometheus, &scenario.scene.namespace).await?;
    exemplars_name_traces(&prometheus, &scenario).await?;
    what_is_exported(&scenario).await?;
    logs::check(&scenario.leader.lines(), &scenario.scene)?;
    what_is_deleted_is_not_counted(&scenario).await?;
    scenario.standby.stop()?;
    scenario.leader.stop()
}

async fn panels_have_data(prometheus: &Prometheus) -> Result<()> {
    for target in targets()? {
        let what = format!("{} to have data: {}", target.place, target.expression);
        let expression = target.expression.as_str();
        prometheus
            .until(&what, |it| async move { Ok((it.values(expression).await? > 0).then_some(())) })
            .await?;
    }
    Ok(())
}

/// No expression names a metric that is not exported, asks of one a label that it does not have, or compares one with a
/// value that is never there.
async fn names_are_exported(prometheus: &Prometheus) -> Result<()> {
    let exported = prometheus.metrics().await?;
    let mut expressions: Vec<(String, String, String)> = Vec::new();
    for rule in alerts::rules()? {
        let expression = rule["expr"].as_str().context("no expression")?;
        prometheus.query(expression).await?;
        let words =
            ["summary", "description"].map(|key| rule["annotations"][key].as_str().unwrap_or_default());
        let legend = words.join(" ").replace("{{ $labels.", "{{").replace(" }}", "}}");
        expressions.push((alerts::name(&rule).to_owned(), expression.to_owned(), legend));
    }
    expressions.extend(targets()?.into_iter().map(|target| (target.place, target.expression, target.legend)));
    for (metric, label) in variables()? {
        expressions.push((format!("variable {label}"), metric, format!("{{{{{label}}}}}")));
    }
    for (place, expression, legend) in expressions {
        let names = names(&expression);
        ensure!(!names.metrics.is_empty(), "{place}: no metric in {expression}");
        let mut known = BTreeSet::from(["le".to_owned()]);
        for (metric, asked) in &names.metrics {
            ensure!(exported.contains(metric), "{place}: {metric} is not exported");
            let labels = prometheus.labels(metric).await?;
            for asked in asked {
                let label = &asked.label;
                ensure!(labels.contains(label), "{place}: {metric} has no label {label}, it has {labels:?}");
                values_are_exported(prometheus, metric, asked).await.with_context(|| place.clone())?;
            }
            known.extend(labels);
        }
        let missing: Vec<&String> = names.labels.difference(&known).collect();
        ensure!(missing.is_empty(), "{place}: no metric of {expression} has the label {missing:?}");
        for part in legend.split("{{").skip(1) {
            let label = part.split("}}").next().unwrap_or_default();
            ensure!(label.starts_with(" $value") || known.contains(label), "{place}: {label} in {legend}");
        }
    }
    Ok(())
}

/// Every value that a label is compared with is one that was there; of Azure's answers, one of HTTP, or 0 for none.
async fn values_are_exported(prometheus: &Prometheus, metric: &str, asked: &Asked) -> Result<()> {
    let mut exported = prometheus.label_values(metric, &asked.label).await?;
    if asked.label == "status" && metric.contains("_azure_") {
        exported.extend((100..600).chain([0]).map(|status: u16| status.to_string()));
    }
    for value in &asked.values {
        let value = Regex::new(&format!("^(?:{value})$"))?;
        ensure!(
            exported.iter().any(|exported| value.is_match(exported)),
            "{metric} never has a {} like {value}; it has {exported:?}",
            asked.label
        );
    }
    Ok(())
}

/// The failures of the scenario raise their alerts, which name the namespace of what failed, and nothing else does.
async fn what_fires(prometheus: &Prometheus, namespace: &str) -> Result<()> {
    let wanted = ["AzureMLOperatorBuildFailed", "AzureMLOperatorRunFailed"];
    let wanted = BTreeSet::from(wanted.map(|alert| (alert.to_owned(), namespace.to_owned())));
    let wanted = &wanted;
    prometheus
        .until("the alerts of what failed", |it| async move {
            let alerts = it.get("alerts", &[]).await?;
            let firing = alerts["alerts"].as_array().into_iter().flatten();
            let firing = firing.filter(|alert| alert["state"] == "firing");
            let text = |label: &Value| label.as_str().unwrap_or_default().to_owned();
            let firing = firing.map(|alert| &alert["labels"]);
            let firing: BTreeSet<(String, String)> = firing
                .map(|labels| (text(&labels["alertname"]), text(&labels["object_namespace"])))
                .collect();
            Ok((&firing == wanted).then_some(()))
        })
        .await
}

async fn exemplars_name_traces(prometheus: &Prometheus, scenario: &Scenario) -> Result<()> {
    for metric in
        ["azureml_operator_azure_request_duration_seconds", "azureml_operator_pass_duration_seconds"]
    {
        let query = format!("{metric}_bucket");
        let (query, collector) = (query.as_str(), &scenario.collector);
        prometheus
            .until(&format!("an exemplar of {metric} whose trace was collected"), |it| async move {
                let range = [("query", query), ("start", "0"), ("end", "4102444800")];
                let found = it.get("query_exemplars", &range).await?.to_string();
                let traces: BTreeSet<String> = collector.spans().into_iter().map(|span| span.trace).collect();
                Ok(traces.iter().any(|trace| found.contains(trace.as_str())).then_some(()))
            })
            .await?;
    }
    Ok(())
}

/// Both formats, promtool's judgement, and the table of the book.
async fn what_is_exported(scenario: &Scenario) -> Result<()> {
    let (kind, open) = scrape(&scenario.leader, OPEN_METRICS).await?;
    ensure!(kind.starts_with("application/openmetrics-text") && open.ends_with("# EOF\n"), "{kind}");
    ensure!(open.contains(" # {trace_id="), "no exemplar");
    let (kind, text) = scrape(&scenario.leader, "*/*").await?;
    ensure!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    if let Some(promtool) = program("promtool")? {
        let (is_fine, said) = printed(&promtool, &["check", "metrics"], &text)?;
        ensure!(is_fine && said.is_empty(), "promtool: {said}");
    }
    let (_, standby) = scrape(&scenario.standby, "*/*").await?;
    ensure!(standby.contains("\nazureml_operator_leader 0\n"), "the standby leads");
    for family in ["azureml_operator_objects{", "workqueue_depth{"] {
        ensure!(text.contains(family) && !standby.contains(family), "{family}: a standby counts nothing");
    }
    compare(&table(&families(&text)?)?)
}

async fn what_is_deleted_is_not_counted(scenario: &Scenario) -> Result<()> {
    let stalled = format!(
        "azureml_operator_object_conditions{{object_namespace=\"{}\",kind=\"MLEnvironment\",type=\"Stalled\",status=\"True\"}} ",
        scenario.scene.namespace
    );
    let (_, before) = scrape(&scenario.leader, "*/*").await?;
    ensure!(before.contains(&format!("{stalled}1\n")), "{before}");
    // As the alert of stalled objects writes its command.
    let listed = scenario.scene.kubectl(&["get", "MLEnvironment"]).await?;
    ensure!(listed.contains("broken"), "{listed}");
    scenario.scene.kubectl(&["delete", "mlenvironment", "broken", "--wait=true"]).await?;
    let mark = scenario.leader.mark();
    // Its own watch may be a moment behind; another change is not before it has seen the deletion.
    scenario.scene.kubectl(&["annotate", "mlenvironment", "r-gbm", &asked("1")]).await?;
    scenario.leader.pass(mark, "MLEnvironment", "r-gbm")?;
    let (_, after) = scrape(&scenario.leader, "*/*").await?;
    ensure!(after.contains(&format!("{stalled}0\n")), "{after}");
    Ok(())
}

fn asked(value: &str) -> String {
    format!("{}={value}", azureml_crds::RECONCILE_REQUESTED_AT)
}
