//! Nodes against those that Microsoft's client writes for `golden/nodes/pipeline.yml`: equal field by field, but for what
//! `golden/nodes/differences.yaml` lists with its reason.

use crate::compare::{Known, Request, differences, is_meant};
use crate::requests::{pipeline_of, pipeline_refs};
use anyhow::{Result, anyhow};
use azureml_plan::Decide as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The same pipeline, as an MLPipeline.
const PIPELINE: &str = include_str!("../golden/nodes/ours.yaml");

fn read<T: serde::de::DeserializeOwned>(name: &str) -> Result<T> {
    let path = format!("{}/tests/golden/nodes/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_saphyr::from_str(&std::fs::read_to_string(path)?).map_err(|error| anyhow!("{name}: {error}"))
}

fn request(node: &Value) -> Result<Request> {
    Ok(serde_json::from_value(json!({"method": "PUT", "path": "/", "body": node}))?)
}

#[test]
fn we_write_nodes_as_microsofts_client_writes_them() -> Result<()> {
    let theirs: BTreeMap<String, Value> = read("nodes.json")?;
    let known: BTreeMap<String, Known> = read("differences.yaml")?;
    let wanted = pipeline_of(PIPELINE)?.wanted(&pipeline_refs()).map_err(anyhow::Error::msg)?;
    let mut ours: BTreeMap<String, Value> =
        serde_json::from_value(wanted.body["properties"]["componentSpec"]["jobs"].clone())?;
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (name, ours) in &mut ours {
        // Other files compare the component that a command has.
        ours.as_object_mut().and_then(|node| node.remove("componentId"));
        let theirs = theirs.get(name).ok_or_else(|| anyhow!("no {name} in pipeline.yml"))?;
        let found = differences(&request(theirs)?, &request(ours)?);
        let listed = ["everywhere", name].into_iter().filter_map(|name| known.get(name));
        let common = known.get("everywhere").into_iter().flat_map(BTreeMap::keys);
        seen.extend(common.filter(|pattern| found.iter().any(|one| is_meant(pattern, &one.place))).cloned());
        let listed: Vec<&String> = listed.flat_map(BTreeMap::keys).collect();
        let is_known = |place: &str| listed.iter().any(|pattern| is_meant(pattern, place));
        wrong.extend(found.iter().filter(|one| !is_known(&one.place)).map(|one| format!("{name}: {one}")));
        let own = known.get(name.as_str()).into_iter().flat_map(BTreeMap::keys);
        let is_true = |pattern: &&String| found.iter().any(|one| is_meant(pattern, &one.place));
        wrong.extend(own.filter(|pattern| !is_true(pattern)).map(|pattern| format!("{name}: no {pattern}")));
    }
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    let places = known.get("everywhere").into_iter().flat_map(BTreeMap::keys);
    wrong
        .extend(places.filter(|place| !seen.contains(*place)).map(|place| format!("everywhere: no {place}")));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
