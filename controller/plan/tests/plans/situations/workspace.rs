//! What is decided for an MLWorkspace in every situation.

use super::{Table, with};
use crate::support::{ask, object, plan};
use anyhow::Result;
use azureml_crds::MLWorkspace;
use azureml_plan::Leave as _;
use azureml_plan::grants::Rights;
use azureml_plan::resolve::Wait;
use azureml_plan::workspace::{Refs, Seen};
use jiff::SignedDuration;
use serde_json::json;

const IDS: &str =
    "subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: rg-ml, workspaceName: mlw";
const REGISTRY: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-ml/providers/Microsoft.ContainerRegistry/registries/acr";

#[test]
fn decided() -> Result<()> {
    insta::assert_snapshot!(table()?.text);
    Ok(())
}

pub fn table() -> Result<Table> {
    let refs = Refs {
        resync: SignedDuration::from_mins(10),
        rights: Rights::Own,
        build: azureml_plan::preflight::Asked::Open,
        has_run: false,
    };
    let plain: MLWorkspace = object("prod", &format!("{{{IDS}}}"))?;
    let with_registry: MLWorkspace =
        object("prod", &format!("{{{IDS}, registry: {{resourceId: {REGISTRY}}}}}"))?;
    let have = json!({"location": "westeurope", "properties": {"provisioningState": "Succeeded"}});
    let seen = Seen {
        workspace: Some(have.clone()),
        registry: None,
        data_plane: Some("https://dp".into()),
        preflight: None,
    };
    let of = |pointer: &str, value| Seen { workspace: Some(with(&have, pointer, value)), ..seen.clone() };
    let mut table = Table::default();
    let mut row = |situation: &str, workspace: &MLWorkspace, seen: &Seen| -> Result<()> {
        table.row(situation, &plan(workspace, &refs, seen, &ask()).map_err(anyhow::Error::msg)?);
        Ok(())
    };
    row("it is there", &plain, &seen)?;
    row("it is nowhere", &plain, &Seen::default())?;
    row("it is being made", &plain, &of("/properties/provisioningState", json!("Creating")))?;
    row("it refuses the present API", &plain, &of("/properties/v1LegacyMode", json!(true)))?;
    row("the registry of its spec is nowhere", &with_registry, &seen)?;
    row("its data plane cannot be found", &plain, &Seen { data_plane: None, ..seen.clone() })?;
    table.leaves("deleted while it is used", &Wait::in_use(&["MLCompute/cpu".to_owned()]).plan());
    table.leaves("deleted", &plain.farewell(&(), &(), &ask()));
    Ok(table)
}
