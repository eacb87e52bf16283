//! Compute: clusters become MLComputes, and what a job names becomes a reference.
//!
//! In: `amlCompute` files and the texts of `compute`. Out: objects and references.

use super::context::{Context, Object};
use super::fields::Fields;
use super::names::azure;
use super::out::{Map, Out};
use super::read::{Node, Place, Value};
use std::rc::Rc;

/// Ways out for keys of a cluster.
const WAYS: [(&str, &str); 2] = [
    ("description", "write it as a tag"),
    ("resource_id", "attach it with az ml, and name it as compute: {name: <name>}"),
];

/// Makes an MLCompute of a cluster's file.
pub fn cluster(ctx: &mut Context<'_>, root: &Node) {
    let fields = Fields::of(root, "", &mut ctx.findings);
    let azure_name = fields.text("name", &mut ctx.findings).unwrap_or_default();
    fields.entry("type");
    let Some(name) = ctx.known("cluster", &root.place.file).or_else(|| named(ctx, &azure_name, root)) else {
        return;
    };
    let mut spec = ctx.spec();
    match azure(&azure_name, 3, 24, "-") {
        Ok(()) => spec.put("azureName", azure_name.as_str()),
        Err(why) => ctx.findings.note(
            fields.place_of("name"),
            "name",
            &format!("the cluster gets a generated name: {why}"),
        ),
    }
    let size = fields.text("size", &mut ctx.findings);
    spec.put(
        "vmSize",
        size.map_or_else(|| Out::from("STANDARD_DS3_V2").noted("the default of az ml"), Out::from),
    );
    spec.put_some("priority", priority(ctx, &fields));
    spec.put("scale", scale(ctx, &fields));
    spec.put_some("identity", fields.node("identity").map(|node| identity(ctx, node)));
    network(ctx, &fields, &mut spec);
    let location = fields.text("location", &mut ctx.findings);
    spec.put_some("location", location.map(|region| region.to_lowercase().replace(' ', "")));
    spec.put_some("ssh", ssh(ctx, &fields));
    spec.put_full("tags", tags(ctx, &fields));
    let notes = vec![
        "A cluster of this name that exists is used as it is; `adopt: true` lets the operator change it."
            .to_owned(),
    ];
    fields.finish(&WAYS, &mut ctx.findings);
    ctx.objects.push(Object { kind: "MLCompute", name, from: Rc::clone(&root.place.file), notes, spec });
}

/// The name of a cluster's object; the first that asks decides it.
pub fn named(ctx: &mut Context<'_>, azure_name: &str, root: &Node) -> Option<String> {
    if azure_name.is_empty() {
        ctx.findings.fail(&root.place, "name", "a cluster has to have a name");
        return None;
    }
    let name = ctx.name("MLCompute", azure_name);
    ctx.know("cluster", &root.place.file, &name);
    Some(name)
}

fn priority(ctx: &mut Context<'_>, fields: &Fields<'_>) -> Option<Out> {
    let tier = fields.text("tier", &mut ctx.findings)?;
    match tier.to_lowercase().replace('_', "").as_str() {
        "dedicated" => Some("Dedicated".into()),
        "lowpriority" => Some("LowPriority".into()),
        _ => {
            ctx.findings.fail(
                fields.place_of("tier"),
                "tier",
                &format!("{tier:?}: write dedicated or low_priority"),
            );
            None
        }
    }
}

fn scale(ctx: &mut Context<'_>, fields: &Fields<'_>) -> Map {
    let mut scale = Map::new();
    scale.put_some("min", fields.integer("min_instances", &mut ctx.findings).filter(|least| *least != 0));
    let most = fields.integer("max_instances", &mut ctx.findings);
    scale.put("max", most.map_or_else(|| Out::from(4).noted("the default of az ml"), Out::from));
    let idle = fields.integer("idle_time_before_scale_down", &mut ctx.findings);
    if idle.is_some_and(|seconds| !(30..=86_400).contains(&seconds)) {
        let (place, key) = (fields.place_of("idle_time_before_scale_down"), "idle_time_before_scale_down");
        ctx.findings.refuse(place, key, "write 30 to 86400 seconds");
    }
    scale.put_some("idle", idle.map(duration));
    scale
}

/// Seconds as a duration of Kubernetes.
#[must_use]
pub fn duration(seconds: i64) -> String {
    match seconds {
        0 => "0s".to_owned(),
        hours if hours % 3600 == 0 => format!("{}h", hours / 3600),
        minutes if minutes % 60 == 0 => format!("{}m", minutes / 60),
        seconds => format!("{seconds}s"),
    }
}

fn identity(ctx: &mut Context<'_>, node: &Node) -> Map {
    let fields = Fields::of(node, "identity", &mut ctx.findings);
    let kind = fields.text("type", &mut ctx.findings).unwrap_or_default();
    let ids = user_assigned(ctx, &fields);
    let word = match kind.to_lowercase().replace('_', "").as_str() {
        "systemassigned" => "SystemAssigned",
        "userassigned" => "UserAssigned",
        "none" => "None",
        _ => {
            ctx.findings.fail(&node.place, "identity.type", "write system_assigned, user_assigned or none");
            "None"
        }
    };
    fields.finish(&[], &mut ctx.findings);
    let mut identity = Map::new().with("type", word);
    identity.put_some("userAssigned", Some(ids).filter(|ids| !ids.is_empty()));
    identity
}

/// ARM ids of user-assigned identities.
fn user_assigned(ctx: &mut Context<'_>, fields: &Fields<'_>) -> Vec<String> {
    let mut ids = Vec::new();
    let Some(Value::List(items)) = fields.node("user_assigned_identities").map(|node| &node.value) else {
        return ids;
    };
    for item in items {
        let own = Fields::of(item, "identity.user_assigned_identities", &mut ctx.findings);
        let id = own.text("resource_id", &mut ctx.findings).unwrap_or_default();
        if !id.to_lowercase().starts_with("/subscriptions/") {
            let message = format!(
                "{id:?} is not the ARM id of an identity; write /subscriptions/…/userAssignedIdentities/<name>"
            );
            ctx.findings.fail(own.place_of("resource_id"), "identity.user_assigned_identities", &message);
        }
        ids.push(id);
        own.finish(&[], &mut ctx.findings);
    }
    ids
}

fn network(ctx: &mut Context<'_>, fields: &Fields<'_>, spec: &mut Map) {
    if let Some(node) = fields.node("network_settings") {
        let own = Fields::of(node, "network_settings", &mut ctx.findings);
        let subnet = own.text("subnet", &mut ctx.findings).unwrap_or_default();
        if subnet.to_lowercase().starts_with("/subscriptions/") {
            own.entry("vnet_name");
            spec.put("subnetId", subnet);
        } else {
            let message = "write the ARM id of the subnet, which says its network and resource group too";
            ctx.findings.refuse(own.place_of("subnet"), "network_settings.subnet", message);
            own.entry("vnet_name");
        }
        own.finish(&[], &mut ctx.findings);
    }
    spec.put_some("publicIp", fields.boolean("enable_node_public_ip", &mut ctx.findings));
}

/// The account for SSH. Of a cluster without one the port is closed, whatever the file says of it.
fn ssh(ctx: &mut Context<'_>, fields: &Fields<'_>) -> Option<Map> {
    let open = fields.boolean("ssh_public_access_enabled", &mut ctx.findings);
    let Some(node) = fields.node("ssh_settings") else {
        if open == Some(true) {
            let (place, key) = (fields.place_of("ssh_public_access_enabled"), "ssh_public_access_enabled");
            ctx.findings.refuse(
                place,
                key,
                "write ssh_settings beside it: without an account nobody signs in",
            );
        }
        return None;
    };
    let own = Fields::of(node, "ssh_settings", &mut ctx.findings);
    let name = own.text("admin_username", &mut ctx.findings);
    let key = own.text("ssh_key_value", &mut ctx.findings).map(|key| key.trim().to_owned());
    if key.is_none() {
        ctx.findings.refuse(
            &node.place,
            "ssh_settings",
            "write ssh_key_value: an account signs in with a key",
        );
    }
    own.finish(
        &[("admin_password", "sign in with ssh_key_value; a manifest holds no password")],
        &mut ctx.findings,
    );
    let mut ssh = Map::new();
    ssh.put_some("adminUserName", name);
    ssh.put_some("publicKey", key);
    ssh.put_some("publicAccess", open.filter(|open| *open));
    Some(ssh)
}

/// The tags of a file.
pub fn tags(ctx: &mut Context<'_>, fields: &Fields<'_>) -> Map {
    let entries = fields.named("tags", &mut ctx.findings);
    let path = fields.path("tags");
    let mut tags = Vec::new();
    for entry in entries {
        let value = super::fields::text(&entry.node, &path, &mut ctx.findings);
        tags.extend(value.map(|value| (entry.key.clone(), Out::from(value))));
    }
    tags.into_iter().collect::<Map>().sorted()
}

/// The compute that a job names.
pub fn reference(ctx: &mut Context<'_>, text: &str, place: &Place, key: &str) -> Option<Map> {
    let name = text.strip_prefix("azureml:").unwrap_or(text);
    if let Some(path) = ctx.given("compute", &format!("azureml:{name}")) {
        let root = ctx.document(&path, place, key)?;
        let object = ctx.known("cluster", &path).or_else(|| named(ctx, name, &root))?;
        return Some(Map::new().with("ref", object));
    }
    if name == "serverless" {
        return Some(Map::new().with("serverless", Map::new()));
    }
    if let Some((_, name)) = name.rsplit_once("/computes/") {
        return Some(Map::new().with("name", name));
    }
    if name == "local" || name.contains(['/', '$', '{']) {
        let message = format!(
            "compute {text:?} is not one of the workspace; write the name of a cluster, or serverless"
        );
        ctx.findings.refuse(place, key, &message);
        return None;
    }
    Some(Map::new().with("name", name))
}
