//! A compute as it is stored, made from the body of a PUT and shown as Azure shows it. No world, no time of its own.

use super::super::{Origin, Provisioning, usages};
use super::cluster;
use super::nodes::{Nodes, Scale};
use crate::arm::errors::{Refusal, arm};
use crate::clock::stamp;
use crate::faults::Failure;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// One compute.
#[derive(Clone, Debug)]
pub struct Compute {
    /// Its name as first written.
    pub name: String,
    /// The type: `AmlCompute`, `Kubernetes`, …
    pub kind: String,
    /// The outer properties that are kept as written: `description`, `disableLocalAuth`, `resourceId`, …
    pub outer: Map<String, Value>,
    /// The properties of the type, defaults filled in.
    pub inner: Map<String, Value>,
    /// The inner properties that the body named; the others are defaults.
    stated: BTreeSet<String>,
    /// Tags.
    pub tags: Value,
    /// The identity, as written.
    pub identity: Option<Value>,
    /// Where it is.
    pub location: String,
    /// How far its provisioning is.
    pub state: Provisioning,
    /// Why provisioning failed.
    pub errors: Vec<Failure>,
    /// Its nodes.
    pub nodes: Nodes,
    /// Who made it, and when.
    pub origin: Origin,
}

/// Properties of a cluster that can be changed after it was made.
pub const MUTABLE: &str = "scaleSettings";

fn bad(message: &str) -> Refusal {
    arm(StatusCode::BAD_REQUEST, "BadRequest", message)
}

impl Compute {
    /// Makes a compute of the body of a PUT.
    pub fn new(name: &str, body: &Map<String, Value>, origin: Origin) -> Result<Self, Refusal> {
        let properties = body.get("properties").and_then(Value::as_object).ok_or_else(|| {
            bad("The property 'properties' is missing; it holds computeType and the properties of that type.")
        })?;
        let text = |key: &str| properties.get(key).and_then(Value::as_str);
        let kind = text("computeType").ok_or_else(|| bad("The property 'computeType' is missing."))?;
        let mut outer = properties.clone();
        outer.retain(|key, value| key != "properties" && key != "computeType" && !value.is_null());
        let mut inner = properties.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        inner.retain(|_, value| !value.is_null());
        let stated = inner.keys().cloned().collect();
        if kind == "AmlCompute" {
            cluster::complete(&mut inner)?;
        }
        let location = body.get("location").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            outer,
            inner,
            stated,
            tags: body.get("tags").filter(|tags| tags.is_object()).cloned().unwrap_or_else(|| json!({})),
            identity: body.get("identity").filter(|identity| identity.is_object()).cloned(),
            location,
            state: Provisioning::Creating,
            errors: Vec::new(),
            nodes: Nodes::new(origin.created),
            origin,
        })
    }

    /// Whether it has nodes of its own.
    pub fn is_cluster(&self) -> bool {
        self.kind == "AmlCompute"
    }

    /// Its scale settings; what is attached has none.
    pub fn scale(&self) -> Scale {
        let settings = self.inner.get(MUTABLE);
        let number = |key: &str| {
            settings
                .and_then(|s| s.get(key))
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(0)
        };
        let idle = settings.and_then(|s| s.get("nodeIdleTimeBeforeScaleDown")).and_then(Value::as_str);
        Scale {
            min: number("minNodeCount"),
            max: number("maxNodeCount"),
            idle: idle.and_then(cluster::duration).unwrap_or(SignedDuration::from_secs(120)),
        }
    }

    /// The cores that its smallest number of nodes takes.
    pub fn cores(&self) -> u64 {
        let size = self.inner.get("vmSize").and_then(Value::as_str).unwrap_or_default();
        self.scale().min as u64 * usages::cores(size)
    }

    /// The compute as a GET shows it; `workspace` is the workspace's id.
    pub fn json(&self, workspace: &str) -> Value {
        let mut properties = self.outer.clone();
        properties.entry("disableLocalAuth").or_insert(Value::Bool(false));
        properties.entry("computeLocation").or_insert(json!(self.location));
        let mut inner = self.inner.clone();
        inner.remove("userAccountCredentials");
        if self.is_cluster() {
            inner.extend(self.nodes.properties().as_object().cloned().unwrap_or_default());
        }
        let errors: Vec<Value> =
            self.errors.iter().map(|failure| json!({ "error": failure.json() })).collect();
        properties.extend(Map::from_iter([
            ("computeType".into(), json!(self.kind)),
            ("provisioningState".into(), json!(self.state.word())),
            ("createdOn".into(), json!(stamp(self.origin.created))),
            ("modifiedOn".into(), json!(stamp(self.origin.modified))),
            ("isAttachedCompute".into(), json!(!self.is_cluster())),
            ("properties".into(), Value::Object(inner)),
        ]));
        if !errors.is_empty() {
            properties.insert("provisioningErrors".into(), errors.into());
        }
        let mut shown = json!({
            "id": format!("{workspace}/computes/{}", self.name), "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/computes",
            "location": self.location, "tags": self.tags, "properties": properties, "systemData": self.origin.json(),
        });
        if let Some(identity) = &self.identity {
            shown["identity"] = cluster::identities(workspace, identity);
        }
        shown
    }

    /// The names of properties that differ from `wanted` although they cannot be changed; what is not said is kept.
    pub fn frozen(&self, wanted: &Self) -> Vec<String> {
        let differs = |have: &Map<String, Value>, key: &String, value: &Value| {
            key != MUTABLE
                && !have.get(key).is_some_and(|old| equal(old, value))
                && !is_default(key, value, have)
        };
        let stated = wanted.inner.iter().filter(|(key, _)| wanted.stated.contains(*key));
        let inner = stated.filter(|(key, value)| differs(&self.inner, key, value));
        let outer = wanted.outer.iter().filter(|(key, value)| differs(&self.outer, key, value));
        let kind = (self.kind != wanted.kind).then(|| "computeType".to_owned());
        kind.into_iter().chain(inner.chain(outer).map(|(key, _)| key.clone())).collect()
    }
}

/// Whether a property that was never set is now said to be what it is anyway, or is shown only by GET.
fn is_default(key: &str, value: &Value, have: &Map<String, Value>) -> bool {
    const READ_ONLY: [&str; 10] = [
        "provisioningState",
        "createdOn",
        "modifiedOn",
        "isAttachedCompute",
        "provisioningErrors",
        "allocationState",
        "allocationStateTransitionTime",
        "currentNodeCount",
        "targetNodeCount",
        "nodeStateCounts",
    ];
    let unset = !have.contains_key(key);
    READ_ONLY.contains(&key)
        || key == "errors"
        || (unset && (key == "computeLocation" || *value == json!(false) || *value == json!([])))
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (_, _) => a == b,
    }
}

/// When a compute was made is kept while the rest of it changes.
pub fn replace(old: &mut Compute, new: Compute, at: Timestamp) {
    if let Some(settings) = new.inner.get(MUTABLE).filter(|_| new.stated.contains(MUTABLE)) {
        old.inner.insert(MUTABLE.into(), settings.clone());
    }
    old.outer.extend(new.outer.into_iter().filter(|(key, value)| !is_default(key, value, &Map::new())));
    old.tags = new.tags;
    old.identity = new.identity;
    old.origin.modified = at;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compute(inner: &Value) -> Result<Compute, Refusal> {
        let body = json!({ "location": "westeurope", "properties": { "computeType": "AmlCompute", "properties": inner } });
        Compute::new("cpu", body.as_object().unwrap(), Origin::by("app", Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn sizes_come_back_in_upper_case_and_defaults_are_filled_in() {
        let shown = compute(&json!({ "vmSize": "Standard_DS3_v2" })).unwrap().json("/ws");
        let inner = &shown["properties"]["properties"];
        assert_eq!(inner["vmSize"], "STANDARD_DS3_V2");
        assert_eq!(inner["enableNodePublicIp"], true);
        assert_eq!(inner["scaleSettings"]["nodeIdleTimeBeforeScaleDown"], "PT120S");
    }

    #[test]
    fn only_scale_tags_and_identity_can_change() {
        let have =
            compute(&json!({ "vmSize": "Standard_DS3_v2", "scaleSettings": { "maxNodeCount": 4 } })).unwrap();
        let scaled =
            compute(&json!({ "vmSize": "STANDARD_DS3_V2", "scaleSettings": { "maxNodeCount": 8 } })).unwrap();
        assert!(have.frozen(&scaled).is_empty());
        let other = compute(&json!({ "vmSize": "Standard_DS4_v2", "vmPriority": "LowPriority" })).unwrap();
        assert_eq!(have.frozen(&other), ["vmPriority", "vmSize"]);
    }

    #[test]
    fn a_cluster_without_a_size_or_with_turned_limits_is_refused() {
        assert!(compute(&json!({})).is_err());
        let turned =
            json!({ "vmSize": "Standard_D2s_v3", "scaleSettings": { "minNodeCount": 3, "maxNodeCount": 2 } });
        assert!(compute(&turned).is_err());
    }
}
