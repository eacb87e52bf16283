//! What is decided for an MLCompute in every situation.

use super::{Table, failure, with};
use crate::support::{ask, object, owner, plan, workspace};
use anyhow::Result;
use azureml_crds::MLCompute;
use azureml_crds::shared::Common;
use azureml_plan::{Ask, Decide as _, Leave as _, compute};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CLUSTER: &str =
    "{workspaceRef: {name: prod}, azureName: cpu, vmSize: Standard_DS3_v2, scale: {max: 4}}";

const ELSEWHERE: &str =
    "location: northeurope, ssh: {adminUserName: azureuser, publicKey: ssh-rsa AAAA me@desk}, azureName";

/// As Azure shows a cluster with an account: as recorded, no password; and a key whose comment is another.
fn shown(made: &Value) -> Value {
    let account = json!({"adminUserName": "azureuser", "adminUserPassword": null, "adminUserSshPublicKey": "ssh-rsa AAAA"});
    with(made, "/properties/properties/userAccountCredentials", account)
}

/// A compute whose status speaks of what is wanted now.
fn settled(spec: &str, refs: &compute::Refs) -> Result<(MLCompute, Value)> {
    let mut compute: MLCompute = object("cpu", spec)?;
    let wanted = compute.wanted(refs).map_err(anyhow::Error::msg)?;
    let common = Common { applied_hash: Some(wanted.hash), ..Common::default() };
    compute.status = Some(azureml_crds::ml_compute::MLComputeStatus { common, ..Default::default() });
    Ok((compute, with(&wanted.body, "/properties/provisioningState", json!("Succeeded"))))
}

#[test]
fn decided() -> Result<()> {
    insta::assert_snapshot!(table()?.text);
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "one row after the other")]
pub fn table() -> Result<Table> {
    let refs = compute::Refs {
        workspace: workspace(),
        owner: owner("cpu"),
        used_by: Vec::new(),
        scales_by_patch: true,
    };
    let (compute, have) = settled(CLUSTER, &refs)?;
    let mut table = Table::default();
    let mut row = |situation: &str, compute: &MLCompute, have: Option<Value>, ask: &Ask| -> Result<()> {
        table.row(situation, &plan(compute, &refs, &have, ask).map_err(anyhow::Error::msg)?);
        Ok(())
    };
    let max = "/properties/properties/scaleSettings/maxNodeCount";
    row("absent", &compute, None, &ask())?;
    for state in ["Creating", "Updating", "Deleting", "Succeeded"] {
        row(state, &compute, Some(with(&have, "/properties/provisioningState", json!(state))), &ask())?;
    }
    row("somebody changed the scale", &compute, Some(with(&have, max, json!(9))), &ask())?;
    let (reporting, _) = settled(&CLUSTER.replace("azureName", "driftPolicy: Report, azureName"), &refs)?;
    row("the same, only to be reported", &reporting, Some(with(&have, max, json!(9))), &ask())?;
    let (larger, _) = settled(&CLUSTER.replace("max: 4", "max: 8"), &refs)?;
    let larger = MLCompute { status: compute.status.clone(), ..larger };
    row("the spec changed the scale", &larger, Some(have.clone()), &ask())?;
    let (tagged, _) = settled(&CLUSTER.replace("azureName", "tags: {a: b}, azureName"), &refs)?;
    let tagged = MLCompute { status: compute.status.clone(), ..tagged };
    row("the spec changed a tag", &tagged, Some(have.clone()), &ask())?;
    row(
        "another size",
        &compute,
        Some(with(&have, "/properties/properties/vmSize", json!("STANDARD_NC6"))),
        &ask(),
    )?;
    row(
        "the same size in upper case",
        &compute,
        Some(with(&have, "/properties/properties/vmSize", json!("STANDARD_DS3_V2"))),
        &ask(),
    )?;
    let (elsewhere, made) = settled(&CLUSTER.replace("azureName", ELSEWHERE), &refs)?;
    row("in another region and with an account", &elsewhere, None, &ask())?;
    row("the same, made", &elsewhere, Some(shown(&made)), &ask())?;
    let account = "/properties/properties/userAccountCredentials/adminUserSshPublicKey";
    row(
        "the same, with another key",
        &elsewhere,
        Some(with(&shown(&made), account, json!("ssh-rsa BBBB me"))),
        &ask(),
    )?;
    row(
        "the same, in the region of the workspace",
        &elsewhere,
        Some(with(&shown(&made), "/properties/computeLocation", json!("westeurope"))),
        &ask(),
    )?;
    row("nobody's", &compute, Some(with(&have, "/tags", json!({}))), &ask())?;
    let (adopting, _) = settled(&CLUSTER.replace("azureName", "adopt: true, azureName"), &refs)?;
    row("nobody's, to be taken over", &adopting, Some(with(&have, "/tags", json!({}))), &ask())?;
    row(
        "another's",
        &compute,
        Some(with(&have, "/tags", json!(owner("gpu").tags(&BTreeMap::new())))),
        &ask(),
    )?;
    let errors = json!([{"error": {"code": "ClusterCoreQuotaReached", "message": "Operation results in exceeding quota limits of Total Cluster Dedicated Regional vCPUs."}}]);
    // As Azure answers: tags in another case, and neither an identity nor what was given when it was made.
    let more = "tags: {CostCenter: '1'}, publicIp: false, identity: {type: None}, azureName";
    let (shown, body) = settled(&CLUSTER.replace("azureName", more), &refs)?;
    let mut body = with(&body, "/identity", Value::Null);
    body["properties"]["properties"]["enableNodePublicIp"] = Value::Null;
    let tags: BTreeMap<String, Value> = body["tags"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_uppercase(), value.clone()))
        .collect();
    row("as Azure shows it", &shown, Some(with(&body, "/tags", json!(tags))), &ask())?;
    let failed = with(&have, "/properties/provisioningState", json!("Failed"));
    row("failed", &compute, Some(failed.clone()), &ask())?;
    row(
        "failed for quota",
        &compute,
        Some(with(&failed, "/properties/provisioningErrors", errors.clone())),
        &ask(),
    )?;
    let starved = |errors: Value| {
        let waiting = with(&have, "/properties/properties/targetNodeCount", json!(9));
        Some(with(&waiting, "/properties/properties/errors", errors))
    };
    row("Azure gives it no nodes for want of quota", &compute, starved(errors), &ask())?;
    let full = json!([{"error": {"code": "DiskFull", "message": "The disk of a node is full."}}]);
    row("Azure gives it no nodes", &compute, starved(full), &ask())?;
    let mut again = compute.clone();
    if let Some(status) = &mut again.status {
        status.common.last_failure = Some(failure("ProvisioningFailed", 1));
    }
    row("failed once, two minutes ago", &again, Some(failed), &ask())?;
    Ok(table)
}

#[test]
fn deleted() -> Result<()> {
    insta::assert_snapshot!(left()?.text);
    Ok(())
}

pub fn left() -> Result<Table> {
    let refs = compute::Refs {
        workspace: workspace(),
        owner: owner("cpu"),
        used_by: Vec::new(),
        scales_by_patch: true,
    };
    let (compute, have) = settled(CLUSTER, &refs)?;
    let (deleting, _) = settled(&CLUSTER.replace("azureName", "deletionPolicy: Delete, azureName"), &refs)?;
    let id = compute::id(&compute, &workspace().id);
    let free = compute::Address { id, owner: owner("cpu") };
    let busy = with(&have, "/properties/properties/nodeStateCounts", json!({"runningNodeCount": 2}));
    let mut table = Table::default();
    table.leaves("kept", &compute.farewell(&free, &Some(have.clone()), &ask()));
    table.leaves("to be deleted, gone already", &deleting.farewell(&free, &None, &ask()));
    table.leaves("to be deleted", &deleting.farewell(&free, &Some(have.clone()), &ask()));
    table.leaves("to be deleted, nodes at work", &deleting.farewell(&free, &Some(busy), &ask()));
    let going = with(&have, "/properties/provisioningState", json!("Deleting"));
    table.leaves("being deleted", &deleting.farewell(&free, &Some(going), &ask()));
    let others = with(&have, "/tags", json!({}));
    table.leaves("to be deleted, not ours", &deleting.farewell(&free, &Some(others), &ask()));
    Ok(table)
}
