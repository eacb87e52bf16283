//! AmlCompute clusters become MLComputes; other computes are left over.
//!
//! In: a compute as Azure shows it. Out: an object that says what is there, so that nothing differs.

use super::draft::Draft;
use super::object::Object;
use super::shown::{said, user_tags};
use crate::convert::compute::duration;
use crate::convert::out::Map;
use azureml_plan::time;
use serde_json::Value;

const ATTACHED: &str = "keep it with az ml; a step names it as compute: {name: <name>}";
const INSTANCE: &str =
    "keep it with az ml: it belongs to a person; a step runs on a cluster or on serverless compute";

/// Makes the MLCompute of a cluster.
pub fn compute(draft: &mut Draft<'_>, body: &Value) {
    let name = body["name"].as_str().unwrap_or_default();
    let properties = &body["properties"];
    let kind = said(&properties["computeType"]).unwrap_or("compute");
    if kind != "AmlCompute" {
        let way = if kind == "ComputeInstance" { INSTANCE } else { ATTACHED };
        return draft.leave(kind, name, "MLCompute is an AmlCompute cluster", way);
    }
    let cluster = &properties["properties"];
    if said(&cluster["osType"]).is_some_and(|system| !system.eq_ignore_ascii_case("Linux")) {
        return draft.leave(
            "AmlCompute",
            name,
            "its nodes run Windows; MLCompute makes clusters of Linux",
            ATTACHED,
        );
    }
    if draft.is_owned("AmlCompute", name, &body["tags"]) {
        return;
    }
    let mut spec = draft.spec();
    let renamed = draft.put_azure_name(&mut spec, name, (3, 24, "-"));
    if let Some(why) = renamed {
        return draft.leave("AmlCompute", name, &why, ATTACHED);
    }
    let mut notes = vec![note(draft)];
    settings(&mut spec, body, &mut notes);
    draft.put_adopt(&mut spec);
    let is_paused = draft.options.adopts;
    let object =
        Object { folder: "computes", kind: "MLCompute", name: String::new(), notes, is_paused, spec };
    if let Some(object) = draft.keep(name, object) {
        draft.computes.insert(name.to_ascii_lowercase(), object);
    }
}

/// What is said of the nodes.
fn settings(spec: &mut Map, body: &Value, notes: &mut Vec<String>) {
    let cluster = &body["properties"]["properties"];
    spec.put_some("vmSize", said(&cluster["vmSize"]));
    spec.put_some("priority", priority(cluster));
    spec.put("scale", scale(&cluster["scaleSettings"]));
    spec.put_some("identity", identity(&body["identity"], notes));
    spec.put_some("subnetId", said(&cluster["subnet"]["id"]));
    spec.put_some("publicIp", cluster["enableNodePublicIp"].as_bool());
    spec.put_some("location", elsewhere(body));
    spec.put_some("ssh", account(cluster, notes));
    spec.put_full("tags", user_tags(&body["tags"]));
}

fn note(draft: &Draft<'_>) -> String {
    if draft.options.adopts {
        "Without the annotation azureml.dev/paused the operator writes its tags to the cluster, and nothing else.".to_owned()
    } else {
        "The cluster is used as it is, and never written. With adopt: true the operator keeps it as this file says.".to_owned()
    }
}

fn priority(cluster: &Value) -> Option<&'static str> {
    let word = said(&cluster["vmPriority"])?;
    word.eq_ignore_ascii_case("LowPriority").then_some("LowPriority")
}

/// The region of the nodes, where it is not the workspace's.
fn elsewhere(body: &Value) -> Option<&str> {
    let short = |region: &str| region.to_ascii_lowercase().replace(' ', "");
    let own = said(&body["location"]).map(short);
    said(&body["properties"]["computeLocation"]).filter(|region| own != Some(short(region)))
}

/// The account of the nodes. It cannot be set later, so it is said here.
fn account(cluster: &Value, notes: &mut Vec<String>) -> Option<Map> {
    let account = &cluster["userAccountCredentials"];
    let name = said(&account["adminUserName"])?;
    let Some(key) = said(&account["adminUserSshPublicKey"]) else {
        notes.push(format!(
            "Its nodes have the account {name}, which signs in with a password: this kind has none for it."
        ));
        return None;
    };
    let mut ssh = Map::new().with("adminUserName", name).with("publicKey", key.trim());
    let is_open = said(&cluster["remoteLoginPortPublicAccess"]) == Some("Enabled");
    ssh.put_some("publicAccess", is_open.then_some(true));
    Some(ssh)
}

fn scale(settings: &Value) -> Map {
    let mut scale = Map::new();
    scale.put_some("min", settings["minNodeCount"].as_i64().filter(|least| *least != 0));
    scale.put_some("max", settings["maxNodeCount"].as_i64());
    let idle = said(&settings["nodeIdleTimeBeforeScaleDown"]).and_then(time::iso_seconds);
    // Two minutes are the kind's default.
    scale.put_some("idle", idle.filter(|seconds| *seconds != 120).map(duration));
    scale
}

fn identity(body: &Value, notes: &mut Vec<String>) -> Option<Map> {
    let kind = said(&body["type"])?;
    let ids: Vec<String> =
        body["userAssignedIdentities"].as_object().into_iter().flatten().map(|(id, _)| id.clone()).collect();
    match kind.to_ascii_lowercase().replace(' ', "").as_str() {
        "systemassigned" => Some(Map::new().with("type", "SystemAssigned")),
        "userassigned" => Some(Map::new().with("type", "UserAssigned").with("userAssigned", ids)),
        "none" => None,
        _ => {
            notes.push(format!("Its identity is {kind}, which MLCompute cannot say; it stays as it is while identity is not written here."));
            None
        }
    }
}
