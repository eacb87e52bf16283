//! The owner of an Azure resource: which tags say it, and what they mean for a manifest.

use crate::action::{Next, Plan, Verdict};
use crate::reasons::Reason;
use crate::tags;
use serde_json::Value;
use std::collections::BTreeMap;

/// The tag by which a resource belongs to one object of one cluster.
pub const OWNER: &str = "azureml-operator-owner";
/// The namespace, to be read by people.
pub const NAMESPACE: &str = "azureml-operator-namespace";
/// The name, to be read by people.
pub const NAME: &str = "azureml-operator-name";

/// An object as the owner of resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The cluster's id.
    pub cluster: String,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

/// To whom a resource belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// To this object.
    Us,
    /// To nobody: no tag says so.
    Nobody,
    /// To another object: namespace and name as the tags give them.
    Another(String),
}

impl Owner {
    /// The value of [`OWNER`]: `<cluster>/<16 hex of sha256(namespace/name)>`.
    #[must_use]
    pub fn value(&self) -> String {
        let hash = crate::hash::text(&format!("{}/{}", self.namespace, self.name));
        format!("{}/{}", self.cluster, crate::hash::cut(&hash, 16))
    }

    /// All tags of a resource: the owner's, over the user's.
    #[must_use]
    pub fn tags(&self, user: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let ours = [OWNER, NAMESPACE, NAME];
        let is_ours = |key: &String| ours.iter().any(|own| key.eq_ignore_ascii_case(own));
        let mut tags: BTreeMap<_, _> = user
            .iter()
            .filter(|(key, _)| !is_ours(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        tags.insert(OWNER.to_owned(), self.value());
        tags.insert(NAMESPACE.to_owned(), self.namespace.clone());
        tags.insert(NAME.to_owned(), self.name.clone());
        tags
    }

    /// To whom a resource with these tags (or properties) belongs.
    #[must_use]
    pub fn of(&self, tags: &Value) -> Belongs {
        match tags::get(tags, OWNER).as_str() {
            None => Belongs::Nobody,
            Some(owner) if owner == self.value() => Belongs::Us,
            Some(owner) => match (tags::get(tags, NAMESPACE).as_str(), tags::get(tags, NAME).as_str()) {
                (Some(namespace), Some(name)) => Belongs::Another(format!("{namespace}/{name}")),
                _ => Belongs::Another(owner.to_owned()),
            },
        }
    }
}

/// A plan where the resource is another object's. That object may be about to go: it is looked again soon, and less often
/// the longer it stays.
#[must_use]
pub fn taken(id: &impl std::fmt::Display, owner: &str, remedy: &str) -> Plan {
    let message = format!("{id} belongs to {owner}; {remedy}, or delete the other one");
    Plan::say(Verdict::stalled(Reason::OWNED_BY_ANOTHER, message), Next::Again)
}

/// Whether a resource with these tags says that no operator made it.
#[must_use]
pub fn is_foreign(tags: &Value) -> bool {
    !tags::get(tags, OWNER).is_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn owner(namespace: &str) -> Owner {
        Owner { cluster: "c1".into(), namespace: namespace.into(), name: "cpu".into() }
    }

    #[test]
    fn a_resource_knows_its_owner() {
        let ours = json!(owner("a").tags(&BTreeMap::new()));
        assert_eq!(owner("a").of(&ours), Belongs::Us);
        assert_eq!(owner("b").of(&ours), Belongs::Another("a/cpu".into()));
        let in_capitals = json!({"AZUREML-OPERATOR-OWNER": owner("a").value()});
        assert_eq!(owner("a").of(&in_capitals), Belongs::Us);
        let user = BTreeMap::from([("Azureml-Operator-Name".to_owned(), "x".to_owned())]);
        assert_eq!(owner("a").tags(&user), owner("a").tags(&BTreeMap::new()));
        assert_eq!(owner("a").of(&json!({"team": "x"})), Belongs::Nobody);
        assert_eq!(owner("a").of(&Value::Null), Belongs::Nobody);
    }
}
