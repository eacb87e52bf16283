//! The body that makes a cluster, and the hash of what the user wrote.

use super::wanted::Refs;
use crate::invalid::InvalidSpec;
use crate::{hash, time};
use azureml_crds::ml_compute::{ComputeIdentity, ComputeIdentityType, MLComputeSpec, Priority, Scale, Ssh};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const IDLE: SignedDuration = SignedDuration::from_mins(2);

/// What of a spec the cluster is made of: what is sent, and what is hashed.
struct Content<'a> {
    vm_size: &'a str,
    priority: Option<Priority>,
    scale: &'a Scale,
    identity: Option<&'a ComputeIdentity>,
    subnet_id: Option<&'a str>,
    public_ip: Option<bool>,
    location: Option<&'a str>,
    ssh: Option<&'a Ssh>,
    tags: &'a BTreeMap<String, String>,
}

impl<'a> Content<'a> {
    fn of(spec: &'a MLComputeSpec) -> Self {
        let MLComputeSpec {
            vm_size,
            priority,
            scale,
            identity,
            subnet_id,
            public_ip,
            location,
            ssh,
            tags,
            // The id has them.
            workspace_ref: _,
            azure_name: _,
            // What the operator does with a cluster, and not what it is.
            deletion_policy: _,
            drift_policy: _,
            adopt: _,
        } = spec;
        let (identity, subnet_id) = (identity.as_ref(), subnet_id.as_deref());
        let (priority, public_ip) = (*priority, *public_ip);
        let (location, ssh) = (location.as_deref(), ssh.as_ref());
        Self { vm_size, priority, scale, identity, subnet_id, public_ip, location, ssh, tags }
    }
}

/// The body that makes a cluster.
pub(super) fn body(spec: &MLComputeSpec, refs: &Refs) -> Result<Value, InvalidSpec> {
    let Content { vm_size, priority, scale, identity, subnet_id, public_ip, location, ssh, tags } =
        Content::of(spec);
    let mut cluster = json!({
        "osType": "Linux",
        "vmSize": vm_size,
        "vmPriority": priority_word(priority),
        "scaleSettings": scale_settings(scale)?,
        "remoteLoginPortPublicAccess": port(ssh),
    });
    if let Some(Ssh { admin_user_name, public_key, public_access: _ }) = ssh {
        cluster["userAccountCredentials"] =
            json!({"adminUserName": admin_user_name, "adminUserSshPublicKey": public_key});
    }
    if let Some(subnet) = subnet_id {
        cluster["subnet"] = json!({"id": subnet});
    }
    if let Some(public) = public_ip {
        cluster["enableNodePublicIp"] = json!(public);
    }
    let mut body = json!({
        "location": refs.workspace.region,
        "properties": {"computeType": "AmlCompute", "disableLocalAuth": ssh.is_none(), "properties": cluster},
        "tags": refs.owner.tags(tags),
    });
    if let Some(location) = location {
        body["properties"]["computeLocation"] = json!(location);
    }
    if let Some(identity) = identity {
        body["identity"] = identity_body(identity);
    }
    Ok(body)
}

/// Whether the port of SSH is open on public addresses.
fn port(ssh: Option<&Ssh>) -> &'static str {
    if ssh.is_some_and(|ssh| ssh.public_access == Some(true)) { "Enabled" } else { "Disabled" }
}

fn priority_word(priority: Option<Priority>) -> &'static str {
    match priority {
        None | Some(Priority::Dedicated) => "Dedicated",
        Some(Priority::LowPriority) => "LowPriority",
    }
}

fn scale_settings(Scale { min, max, idle }: &Scale) -> Result<Value, InvalidSpec> {
    let idle = idle.as_deref().map_or(Ok(IDLE), |text| time::duration("scale.idle", text))?;
    Ok(json!({
        "minNodeCount": min.unwrap_or(0),
        "maxNodeCount": max,
        "nodeIdleTimeBeforeScaleDown": time::iso(idle),
    }))
}

fn identity_body(ComputeIdentity { r#type, user_assigned }: &ComputeIdentity) -> Value {
    match r#type {
        ComputeIdentityType::SystemAssigned => json!({"type": "SystemAssigned"}),
        ComputeIdentityType::None => json!({"type": "None"}),
        ComputeIdentityType::UserAssigned => {
            let ids: serde_json::Map<_, _> = user_assigned.iter().map(|id| (id.clone(), json!({}))).collect();
            json!({"type": "UserAssigned", "userAssignedIdentities": ids})
        }
    }
}

/// The hash of what the user wrote.
pub(super) fn content_hash(spec: &MLComputeSpec) -> String {
    let Content { vm_size, priority, scale, identity, subnet_id, public_ip, location, ssh, tags } =
        Content::of(spec);
    let content = json!({"scale": scale, "identity": identity, "tags": tags, "vmSize": vm_size,
        "priority": priority, "subnetId": subnet_id, "publicIp": public_ip, "location": location, "ssh": ssh});
    hash::content("compute", &content)
}
