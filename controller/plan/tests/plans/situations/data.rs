//! What is decided for an MLData in every situation.

use super::{Table, with};
use crate::support::{ask, object, owner, plan, workspace};
use anyhow::Result;
use azureml_crds::MLData;
use azureml_crds::ml_data::MLDataStatus;
use azureml_crds::shared::Common;
use azureml_plan::environment::Version;
use azureml_plan::source::Sources;
use azureml_plan::{Decide as _, Leave as _, data};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TAXI: &str = "{workspaceRef: {name: prod}, type: uri_folder, path: 'azureml://datastores/raw/paths/taxi/', description: trips}";

#[test]
fn decided() -> Result<()> {
    insta::assert_snapshot!(table()?.text);
    Ok(())
}

pub fn table() -> Result<Table> {
    let refs = data::Refs { workspace: workspace(), owner: owner("taxi"), sources: Sources::default() };
    let taxi: MLData = object("taxi", TAXI)?;
    let mut table = Table::default();
    let mut row = |situation: &str, data: &MLData, seen: Option<&Value>| -> Result<()> {
        let seen = seen.map(|properties| json!({"properties": properties}));
        table.row(situation, &plan(data, &refs, &seen, &ask()).map_err(anyhow::Error::msg)?);
        Ok(())
    };
    let have = json!({
        "dataType": "uri_folder", "description": "trips", "isArchived": false, "tags": owner("taxi").tags(&BTreeMap::new()),
        "dataUri": "azureml://datastores/raw/paths/taxi/",
    });
    let at = |tail: &str| {
        let place = "subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/RG-MLOPS/workspaces";
        with(&have, "/dataUri", json!(format!("azureml://{place}/{tail}")))
    };
    row("nothing is there", &taxi, None)?;
    row("registered", &taxi, Some(&have))?;
    row("the address with its workspace", &taxi, Some(&at("mlw-prod/datastores/raw/paths/taxi/")))?;
    row("the address in another workspace", &taxi, Some(&at("other/datastores/raw/paths/taxi/")))?;
    row("another address", &taxi, Some(&with(&have, "/dataUri", json!("https://x/taxi/"))))?;
    row("another type", &taxi, Some(&with(&have, "/dataType", json!("mltable"))))?;
    row("nobody's", &taxi, Some(&with(&have, "/tags", json!({}))))?;
    row("another's", &taxi, Some(&with(&have, "/tags", json!(owner("x").tags(&BTreeMap::new())))))?;
    row("archived by somebody", &taxi, Some(&with(&have, "/isArchived", json!(true))))?;
    let mut described = taxi.clone();
    let common = Common {
        azure_id: Some("/subscriptions/s/x".to_owned()),
        applied_hash: Some("before".to_owned()),
        ..Common::default()
    };
    described.status = Some(MLDataStatus { common, ..MLDataStatus::default() });
    let old = with(&have, "/description", json!("old"));
    row("another description is wanted", &described, Some(&old))?;
    row("another description was written by somebody", &taxi, Some(&old))?;
    Ok(table)
}

#[test]
fn deleted() -> Result<()> {
    insta::assert_snapshot!(left()?.text);
    Ok(())
}

pub fn left() -> Result<Table> {
    let taxi: MLData = object("taxi", TAXI)?;
    let gone: MLData = object("taxi", &TAXI.replacen('{', "{deletionPolicy: Delete, ", 1))?;
    let address = data::Address { id: data::id(&taxi, &workspace().id), owner: owner("taxi") };
    let version = |archived: bool| {
        let properties = json!({
            "dataType": "uri_folder", "dataUri": "azureml://datastores/raw/paths/taxi/", "isArchived": archived,
            "tags": owner("taxi").tags(&BTreeMap::new()),
        });
        vec![Version { name: "v1".to_owned(), body: json!({"properties": properties}) }]
    };
    let mut table = Table::default();
    table.leaves("kept", &taxi.farewell(&address, &version(false), &ask()));
    table.leaves("to be deleted", &gone.farewell(&address, &version(false), &ask()));
    table.leaves("to be deleted, archived already", &gone.farewell(&address, &version(true), &ask()));
    Ok(table)
}

#[test]
fn a_version_that_is_archived_keeps_its_type_and_its_address() -> Result<()> {
    let refs = data::Refs { workspace: workspace(), owner: owner("taxi"), sources: Sources::default() };
    let taxi: MLData = object("taxi", TAXI)?;
    let wanted = taxi.wanted(&refs).map_err(anyhow::Error::msg)?;
    let whole = "azureml://subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/rg-mlops/workspaces/mlw-prod/datastores/raw/paths/taxi/";
    let mut properties = wanted.changeable.clone();
    properties["dataType"] = json!("uri_folder");
    properties["dataUri"] = json!(whole);
    let gone: MLData = object("taxi", &TAXI.replacen('{', "{deletionPolicy: Delete, ", 1))?;
    let address = data::Address { id: data::id(&taxi, &workspace().id), owner: owner("taxi") };
    let version =
        Version { name: wanted.id.name().to_owned(), body: json!({"properties": properties.clone()}) };
    let plan = gone.farewell(&address, &vec![version], &ask());
    properties["isArchived"] = json!(true);
    let sent = serde_json::to_value(&plan.actions)?;
    assert!(sent.to_string().contains(&properties["dataUri"].to_string()), "{sent}");
    assert_eq!(sent[0]["put"]["body"]["properties"], properties, "{sent}");
    Ok(())
}
