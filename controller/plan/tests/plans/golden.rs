//! Our requests against those that Microsoft's own client sent (azure-ai-ml 1.35.2): equal field by field, but for what
//! `golden/differences.yaml` lists with its reason.

use crate::compare::{Known, Request, differences, is_meant};
use crate::{bodies, requests};
use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

/// A captured request; of several the one whose place the name ends in (`#1`), or the last, which all others prepare.
fn captured(name: &str) -> Result<Request> {
    let (file, place) = name.split_once('#').map_or((name, None), |(file, place)| (file, Some(place)));
    let text = std::fs::read_to_string(folder().join(format!("{file}.json"))).context(name.to_owned())?;
    if text.trim_start().starts_with('[') {
        let mut all: Vec<Request> = serde_json::from_str(&text).context(name.to_owned())?;
        let last = all.len().checked_sub(1).context("an empty list")?;
        let place = place.map_or(Ok(last), str::parse)?;
        anyhow::ensure!(place <= last, "{name}: there are {} requests", all.len());
        return Ok(all.swap_remove(place));
    }
    serde_json::from_str(&text).context(name.to_owned())
}

/// What is known everywhere, and what of one request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    everywhere: Known,
    requests: BTreeMap<String, Known>,
}

#[test]
fn we_send_what_microsofts_client_sends() -> Result<()> {
    let text = std::fs::read_to_string(folder().join("differences.yaml"))?;
    let listed: Listed =
        serde_saphyr::from_str(&text).map_err(|error| anyhow!("differences.yaml: {error}"))?;
    let ours: BTreeMap<_, _> = requests::all()?.into_iter().chain(bodies::all()?).collect();
    let (mut wrong, mut true_everywhere) = (Vec::new(), BTreeSet::new());
    for (name, request) in &ours {
        let known =
            listed.requests.get(*name).with_context(|| format!("{name} is not in differences.yaml"))?;
        let found = differences(&captured(name)?, request);
        for difference in &found {
            let everywhere = listed.everywhere.keys().find(|pattern| is_meant(pattern, &difference.place));
            let is_known = known.keys().any(|pattern| is_meant(pattern, &difference.place));
            true_everywhere.extend(everywhere);
            if everywhere.is_none() && !is_known {
                wrong.push(format!("{name}: {difference}"));
            }
        }
        let is_true = |pattern: &&String| found.iter().any(|difference| is_meant(pattern, &difference.place));
        wrong.extend(
            known.keys().filter(|pattern| !is_true(pattern)).map(|pattern| no_difference(name, pattern)),
        );
    }
    let untrue = listed.everywhere.keys().filter(|pattern| !true_everywhere.contains(pattern));
    wrong.extend(untrue.map(|pattern| no_difference("everywhere", pattern)));
    let stray = listed.requests.keys().filter(|name| !ours.contains_key(name.as_str()));
    wrong.extend(stray.map(|name| format!("{name}: listed, and nothing of ours is compared with it")));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

fn no_difference(name: &str, pattern: &str) -> String {
    format!("{name}: {pattern} is listed as a difference, and there is none")
}
