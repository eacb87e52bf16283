//! The expressions of the dashboard, as Grafana would send them.

use super::chart;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// An expression of a panel.
pub struct Target {
    /// The panel and the letter of the query.
    pub place: String,
    /// The expression, with its variables filled in.
    pub expression: String,
    /// What its legend names.
    pub legend: String,
}

fn dashboard() -> Result<Value> {
    Ok(serde_json::from_str(&std::fs::read_to_string(chart("files/dashboard.json"))?)?)
}

fn filled(expression: &str) -> String {
    ["$namespace", "$job", "$kind", "$object_namespace"]
        .iter()
        .fold(expression.replace("$__rate_interval", "10s"), |text, name| text.replace(name, ".*"))
}

/// Every expression of every panel.
pub fn targets() -> Result<Vec<Target>> {
    let dashboard = dashboard()?;
    let mut targets = Vec::new();
    for panel in dashboard["panels"].as_array().context("no panels")? {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let place = format!("panel {} {}", text(&panel["title"]), text(&target["refId"]));
            let expression = filled(target["expr"].as_str().context(place.clone())?);
            ensure!(!expression.contains('$'), "{place}: an unknown variable in {expression}");
            targets.push(Target { place, expression, legend: text(&target["legendFormat"]) });
        }
    }
    ensure!(targets.len() > 20, "the panels are not found");
    Ok(targets)
}

/// The queries of the variables: the metric and the label whose values are offered.
pub fn variables() -> Result<Vec<(String, String)>> {
    let dashboard = dashboard()?;
    let variables = dashboard["templating"]["list"].as_array().context("no variables")?;
    let queries = variables.iter().filter_map(|variable| variable["query"]["query"].as_str());
    let read = |query: &str| {
        let inside = query.strip_prefix("label_values(")?.strip_suffix(')')?;
        let (metric, label) = inside.rsplit_once(", ")?;
        Some((filled(metric), label.to_owned()))
    };
    queries.map(|query| read(query).with_context(|| format!("{query} is not understood"))).collect()
}

#[test]
fn every_panel_has_a_place_a_title_and_words_of_its_own() -> Result<()> {
    let dashboard = dashboard()?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let mut seen = std::collections::BTreeSet::new();
    let mut cells = std::collections::BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap_or_default();
        ensure!(!title.is_empty() && seen.insert(title), "{title:?} is there twice, or nothing");
        ensure!(panel["type"] == "row" || panel["description"].is_string(), "{title} is not described");
        let place = |key: &str| panel["gridPos"][key].as_u64().with_context(|| format!("{title}: {key}"));
        for x in place("x")?..place("x")? + place("w")? {
            for y in place("y")?..place("y")? + place("h")? {
                ensure!(x < 24 && cells.insert((x, y)), "{title} covers another panel, or leaves the page");
            }
        }
    }
    Ok(())
}
