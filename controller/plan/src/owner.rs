//! Who owns an Azure resource: which tags say it, and what they mean for a manifest.

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
    /// To nobody who says so.
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
        let mut tags = user.clone();
        tags.insert(OWNER.to_owned(), self.value());
        tags.insert(NAMESPACE.to_owned(), self.namespace.clone());
        tags.insert(NAME.to_owned(), self.name.clone());
        tags
    }

    /// To whom a resource with these tags (or properties) belongs.
    #[must_use]
    pub fn of(&self, tags: &Value) -> Belongs {
        match tags[OWNER].as_str() {
            None => Belongs::Nobody,
            Some(owner) if owner == self.value() => Belongs::Us,
            Some(owner) => match (tags[NAMESPACE].as_str(), tags[NAME].as_str()) {
                (Some(namespace), Some(name)) => Belongs::Another(format!("{namespace}/{name}")),
                _ => Belongs::Another(owner.to_owned()),
            },
        }
    }
}

/// Whether a resource with these tags says that no operator made it.
#[must_use]
pub fn is_foreign(tags: &Value) -> bool {
    !tags[OWNER].is_string()
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
        assert_eq!(owner("a").of(&json!({"team": "x"})), Belongs::Nobody);
        assert_eq!(owner("a").of(&Value::Null), Belongs::Nobody);
    }
}
