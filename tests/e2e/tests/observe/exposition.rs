//! What `/metrics` says, read as text; and the table of the book that must say the same.

use super::page;
use anyhow::{Context as _, Result, ensure};
use azureml_e2e::Operator;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A family of metrics.
#[derive(Debug, Default)]
pub struct Family {
    help: String,
    kind: String,
    labels: BTreeSet<String>,
    samples: usize,
}

/// The metrics of an operator, in one of both formats.
pub async fn scrape(operator: &Operator, accept: &str) -> Result<(String, String)> {
    let url = format!("http://{}/metrics", operator.address()?);
    let answer = reqwest::Client::builder().build()?.get(url).header("accept", accept).send().await?;
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    Ok((kind.to_owned(), answer.error_for_status()?.text().await?))
}

/// The families of a text in Prometheus' format.
pub fn families(text: &str) -> Result<BTreeMap<String, Family>> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            help.clone_into(&mut families.entry(name.to_owned()).or_default().help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            kind.clone_into(&mut families.entry(name.to_owned()).or_default().kind);
        } else {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let of = ["", "_bucket", "_sum", "_count"].iter().find_map(|suffix| {
                let base = name.strip_suffix(suffix)?;
                families.contains_key(base).then(|| base.to_owned())
            });
            let family = of.and_then(|base| families.get_mut(&base)).context(line.to_owned())?;
            family.samples += 1;
            family.labels.extend(labels(line));
        }
    }
    Ok(families)
}

fn labels(line: &str) -> Vec<String> {
    let inside =
        line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(inside, _)| inside);
    let names = inside.split(',').filter_map(|pair| pair.split_once('=').map(|(name, _)| name.to_owned()));
    names.filter(|name| name != "le").collect()
}

/// The table of the book, made of what is exported.
pub fn table(families: &BTreeMap<String, Family>) -> Result<String> {
    let mut table = String::from("| metric | type | labels | unit | meaning |\n|---|---|---|---|---|\n");
    for (name, family) in families {
        ensure!(family.samples > 0, "the scenario makes no sample of {name}");
        let base = name.trim_end_matches("_total");
        let unit = ["seconds", "bytes", "ratio", "info"].into_iter().find(|unit| base.ends_with(unit));
        let unit = unit.filter(|unit| *unit != "info").unwrap_or_default();
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(
            table,
            "| `{name}` | {} | {} | {unit} | {} |",
            family.kind,
            labels.join(", "),
            family.help.trim_end_matches('.')
        );
    }
    Ok(table)
}

/// The table between its marks in the book is this one; with `UPDATE_DOCS` it becomes it.
pub fn compare(table: &str) -> Result<()> {
    let (file, begin, end) = (page("metrics.md"), "<!-- metrics -->\n", "<!-- /metrics -->");
    let text = std::fs::read_to_string(&file)?;
    let (before, rest) = text.split_once(begin).context("no mark where the table begins")?;
    let (found, after) = rest.split_once(end).context("no mark where the table ends")?;
    if found == table {
        return Ok(());
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return Ok(std::fs::write(&file, [before, begin, table, end, after].concat())?);
    }
    let (found, wanted): (BTreeSet<&str>, BTreeSet<&str>) =
        (found.lines().collect(), table.lines().collect());
    let lines = |rows: Vec<&&str>| rows.into_iter().fold(String::new(), |text, row| text + "\n" + row);
    let (missing, wrong) =
        (lines(wanted.difference(&found).collect()), lines(found.difference(&wanted).collect()));
    anyhow::bail!(
        "the table in {} is not what the operator exports; run with UPDATE_DOCS=1\nmissing:{missing}\nnot exported:{wrong}",
        file.display()
    )
}
