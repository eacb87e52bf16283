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
    /// The idle time as the last body said it, null where it did not.
    asked_idle: Option<Value>,
    /// Whether it was made as it was asked for.
    pub was_ready: bool,
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
    /// Its maker, and the time.
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
        inner.remove("propertyBag");
        let stated = inner.keys().cloned().collect();
        let asked_idle = inner.get(MUTABLE).map(|settings| settings["nodeIdleTimeBeforeScaleDown"].clone());
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
            asked_idle,
            was_ready: false,
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

    /// Whether it was made elsewhere, and is known here alone. A compute instance is made here too.
    pub fn is_attached(&self) -> bool {
        !self.is_cluster() && self.kind != "ComputeInstance"
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
        for key in ["description", "resourceId"] {
            properties.entry(key).or_insert(Value::Null);
        }
        let errors: Vec<Value> =
            self.errors.iter().map(|failure| json!({ "error": failure.json() })).collect();
        properties.extend(Map::from_iter([
            ("computeType".into(), json!(self.kind)),
            ("provisioningState".into(), json!(self.state.word())),
            ("provisioningErrors".into(), if errors.is_empty() { Value::Null } else { errors.into() }),
            ("createdOn".into(), json!(stamp(self.origin.created))),
            ("modifiedOn".into(), json!(stamp(self.origin.modified))),
            ("isAttachedCompute".into(), json!(self.is_attached())),
            ("properties".into(), Value::Object(self.shown_inner())),
        ]));
        let mut shown = json!({
            "id": format!("{workspace}/computes/{}", self.name), "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/computes",
            "location": self.location, "tags": self.tags, "properties": properties,
        });
        if let Some(identity) = &self.identity {
            shown["identity"] = cluster::identities(workspace, identity);
        }
        shown
    }

    /// The compute as the answer to a PUT shows it: the first has neither tags nor a place yet.
    pub fn answered(&self, workspace: &str, is_new: bool) -> Value {
        let mut shown = self.json(workspace);
        if is_new && self.is_cluster() {
            shown["tags"] = Value::Null;
            if let Some(properties) = shown["properties"].as_object_mut() {
                properties.remove("computeLocation");
            }
        }
        shown
    }

    /// The properties of the type. Until a cluster is ready nothing is known of its nodes, and what was not asked for
    /// is null instead of its default.
    fn shown_inner(&self) -> Map<String, Value> {
        let mut inner = self.inner.clone();
        if !self.is_cluster() {
            inner.remove("userAccountCredentials");
            return inner;
        }
        for key in ["subnet", "virtualMachineImage", "errors"] {
            inner.entry(key).or_insert(Value::Null);
        }
        if self.was_ready && matches!(self.state, Provisioning::Succeeded | Provisioning::Deleting) {
            inner.extend(self.nodes.properties().as_object().cloned().unwrap_or_default());
            inner.insert("propertyBag".into(), json!({}));
            if let Some(account) = inner.get_mut("userAccountCredentials").and_then(Value::as_object_mut) {
                account.insert("adminUserPassword".into(), Value::Null);
            }
            return inner;
        }
        inner.remove("userAccountCredentials");
        for key in super::nodes::VOLATILE.iter().filter(|key| **key != "allocationStateTransitionTime") {
            inner.insert((*key).to_owned(), Value::Null);
        }
        if !self.stated.contains("vmPriority") {
            inner.insert("vmPriority".into(), Value::Null);
        }
        if let Some(asked) = &self.asked_idle {
            inner[MUTABLE]["nodeIdleTimeBeforeScaleDown"] = asked.clone();
        }
        inner
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
        old.asked_idle = new.asked_idle;
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
        let mut made = compute(&json!({ "vmSize": "Standard_DS3_v2" })).unwrap();
        let answer = made.answered("/ws", true);
        let inner = &answer["properties"]["properties"];
        assert!(
            answer["tags"].is_null() && inner["vmPriority"].is_null() && inner["currentNodeCount"].is_null()
        );
        assert!(inner["scaleSettings"].is_object() && answer["properties"]["provisioningErrors"].is_null());
        (made.state, made.was_ready) = (Provisioning::Succeeded, true);
        let shown = made.json("/ws");
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
