//! What is decided for an MLPipeline in every situation.

use super::{Table, with};
use crate::support::{ask, object, owner, plan, workspace};
use anyhow::Result;
use azureml_crds::MLPipeline;
use azureml_plan::asset_name::Pins;
use azureml_plan::environment::Version;
use azureml_plan::pipeline::Presence;
use azureml_plan::publish::Publication;
use azureml_plan::source::Sources;
use azureml_plan::{Decide as _, Leave as _, pipeline, publish};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PIPELINE: &str = "{workspaceRef: {name: prod}, azureName: p, publish: {endpoint: ep}, defaults: {compute: {name: cpu}, environment: {id: /subscriptions/s/e}, code: {files: {a.R: x}}},
    steps: [{name: a, r: {script: a.R}}, {name: b, command: echo}]}";

#[test]
fn decided() -> Result<()> {
    insta::assert_snapshot!(table()?.text);
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "one row after the other")]
pub fn table() -> Result<Table> {
    let (environments, computes) = (BTreeMap::new(), BTreeMap::new());
    let refs = pipeline::Refs {
        pins: Pins::default(),
        sources: Sources::default(),
        data: BTreeMap::new(),
        pipelines: BTreeMap::new(),
        workspace: workspace(),
        owner: owner("p"),
        environments,
        computes,
        deployments: pipeline::Deployments::Text,
    };
    let pipeline: MLPipeline = object("p", PIPELINE)?;
    let wanted = pipeline.wanted(&refs).map_err(anyhow::Error::msg)?;
    let ours = json!(owner("p").tags(&BTreeMap::new()));
    let name = publish::deployment_name(&wanted);
    let endpoint = json!({"name": "ep", "location": "westeurope", "tags": ours, "properties": {"authMode": "AADToken", "provisioningState": "Succeeded", "scoringUri": "https://ep/jobs", "defaults": {"deploymentName": name}}});
    let deployment = |name: &str, state: &str| json!({"name": name, "tags": ours, "properties": {"provisioningState": state}});
    let published = |endpoint: Option<Value>, deployments: Vec<Value>| Publication {
        endpoint,
        deployments,
        is_complete: true,
        ..Publication::default()
    };
    let registered = |publication: Publication| pipeline::Seen::of(Presence::Here, publication);
    let nothing = pipeline::Seen { whole: Presence::Absent, ..registered(Publication::default()) };
    let mut table = Table::default();
    let mut row = |situation: &str, seen: &pipeline::Seen| -> Result<()> {
        table.row(situation, &plan(&pipeline, &refs, seen, &ask()).map_err(anyhow::Error::msg)?);
        Ok(())
    };
    let code = wanted.codes().first().map(|code| (code.hash.clone(), code.id.clone()));
    let with_code = pipeline::Seen { codes: code.into_iter().collect(), ..nothing.clone() };
    let archived =
        Presence::Archived(json!({"properties": {"isArchived": true, "componentSpec": {"name": "p_a"}}}));
    let steps = |a: Presence| BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), Presence::Here)]);
    row("nothing is there", &nothing)?;
    row("the files are there", &with_code)?;
    row("one step is archived", &pipeline::Seen { steps: steps(archived.clone()), ..nothing.clone() })?;
    row("the steps are there", &pipeline::Seen { steps: steps(Presence::Here), ..nothing.clone() })?;
    row(
        "the whole is archived",
        &pipeline::Seen { whole: archived, steps: steps(Presence::Here), ..nothing },
    )?;
    row("registered, no endpoint", &registered(published(None, Vec::new())))?;
    let creating = with(&endpoint, "/properties/provisioningState", json!("Creating"));
    row("the endpoint is being made", &registered(published(Some(creating), Vec::new())))?;
    let bare = with(&endpoint, "/properties/defaults", Value::Null);
    row("no deployment", &registered(published(Some(bare.clone()), Vec::new())))?;
    for state in ["Creating", "Failed", "Succeeded"] {
        row(
            &format!("the deployment is {state}"),
            &registered(published(Some(bare.clone()), vec![deployment(&name, state)])),
        )?;
    }
    let served = registered(published(Some(endpoint.clone()), vec![deployment(&name, "Succeeded")]));
    row("served", &served)?;
    row(
        "served, and its default is a compute instance",
        &pipeline::Seen { instances: vec!["cpu".to_owned()], ..served },
    )?;
    let many: Vec<Value> = ["d-1", "d-2", "d-3", "d-4"]
        .map(|old| deployment(old, "Succeeded"))
        .into_iter()
        .chain([deployment(&name, "Succeeded")])
        .collect();
    row("served, with old deployments", &registered(published(Some(endpoint.clone()), many)))?;
    row(
        "somebody else's default",
        &registered(published(
            Some(with(&endpoint, "/properties/defaults/deploymentName", json!("d-1"))),
            vec![deployment(&name, "Succeeded")],
        )),
    )?;
    row("nobody's endpoint", &registered(published(Some(with(&endpoint, "/tags", json!({}))), Vec::new())))?;
    row(
        "another's endpoint",
        &registered(published(
            Some(with(&endpoint, "/tags", json!(owner("q").tags(&BTreeMap::new())))),
            Vec::new(),
        )),
    )?;
    let stray = Publication {
        strays: vec![(workspace().id.child("batchEndpoints", "old"), endpoint)],
        ..Publication::default()
    };
    row("an endpoint of ours that the spec does not name", &registered(stray))?;
    let moved = Publication {
        strays: vec![(workspace().id.child("batchEndpoints", "old"), json!({}))],
        ..Publication::default()
    };
    row("the same, and a new version", &pipeline::Seen { whole: Presence::Absent, ..registered(moved) })?;
    Ok(table)
}

#[test]
fn deleted() -> Result<()> {
    insta::assert_snapshot!(left()?.text);
    Ok(())
}

pub fn left() -> Result<Table> {
    let pipeline: MLPipeline = object("p", PIPELINE)?;
    let kept: MLPipeline = object("p", &PIPELINE.replace("azureName", "deletionPolicy: Retain, azureName"))?;
    let address = pipeline::Address { workspace: workspace().id, owner: owner("p") };
    let endpoint = (workspace().id.child("batchEndpoints", "ep"), json!({"properties": {}}));
    let properties = json!({"isArchived": false, "tags": owner("p").tags(&BTreeMap::new())});
    let version = Version { name: "v1".to_owned(), body: json!({"properties": properties}) };
    let component = (workspace().id.child("components", "p"), vec![version]);
    let all = pipeline::Left { endpoints: vec![endpoint], components: vec![component.clone()] };
    let components = pipeline::Left { endpoints: Vec::new(), components: vec![component] };
    let mut table = Table::default();
    table.leaves("kept", &kept.farewell(&address, &all, &ask()));
    table.leaves("to be deleted", &pipeline.farewell(&address, &all, &ask()));
    table.leaves("to be deleted, its endpoint is gone", &pipeline.farewell(&address, &components, &ask()));
    table.leaves(
        "to be deleted, all is gone",
        &pipeline.farewell(&address, &pipeline::Left::default(), &ask()),
    );
    Ok(table)
}
