//! The owner of an Azure resource: which tags say it, and what they mean for a manifest.

use crate::tags;
use serde::Serialize;
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
    /// Objects of this namespace that are gone, and whose names in Azure this one has now: what is theirs is taken over.
    pub predecessors: Vec<Holder>,
}

/// An object of this cluster that owns resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// To whom a resource belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// To this object.
    Us,
    /// To an object that is gone, and whose place this one takes.
    Inherited,
    /// To nobody: no tag says so.
    Nobody,
    /// To another object.
    Another(Other),
}

/// Another owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Namespace and name as the tags give them, or what else is known.
    pub said: String,
    /// The object, where it is one of this cluster.
    pub holder: Option<Holder>,
}

impl Other {
    /// Of whom nothing more is known than these words.
    #[must_use]
    pub fn unknown(said: &str) -> Self {
        Self { said: said.to_owned(), holder: None }
    }
}

impl std::fmt::Display for Other {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.said)
    }
}

/// The value of [`OWNER`]: `<cluster>/<16 hex of sha256(namespace/name)>`.
fn value(cluster: &str, namespace: &str, name: &str) -> String {
    let hash = crate::hash::text(&format!("{namespace}/{name}"));
    format!("{cluster}/{}", crate::hash::cut(&hash, 16))
}

impl Owner {
    /// The value of [`OWNER`]: `<cluster>/<16 hex of sha256(namespace/name)>`.
    #[must_use]
    pub fn value(&self) -> String {
        value(&self.cluster, &self.namespace, &self.name)
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
                (Some(namespace), Some(name)) => self.named(owner, namespace, name),
                _ => Belongs::Another(Other::unknown(owner)),
            },
        }
    }

    /// To whom a resource belongs that names its owner. The names are for people: they count where the owner's value is theirs.
    fn named(&self, owner: &str, namespace: &str, name: &str) -> Belongs {
        let said = format!("{namespace}/{name}");
        let is_here = owner == value(&self.cluster, namespace, name);
        let holder = is_here.then(|| Holder { namespace: namespace.to_owned(), name: name.to_owned() });
        if holder.as_ref().is_some_and(|holder| self.predecessors.contains(holder)) {
            return Belongs::Inherited;
        }
        Belongs::Another(Other { said, holder })
    }
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
        Owner {
            cluster: "c1".into(),
            namespace: namespace.into(),
            name: "cpu".into(),
            predecessors: Vec::new(),
        }
    }

    fn another(tags: &Value, owner: &Owner) -> Other {
        let Belongs::Another(other) = owner.of(tags) else { panic!("it is no other's: {tags}") };
        other
    }

    #[test]
    fn a_resource_knows_its_owner() {
        let ours = json!(owner("a").tags(&BTreeMap::new()));
        assert_eq!(owner("a").of(&ours), Belongs::Us);
        let holder = Holder { namespace: "a".into(), name: "cpu".into() };
        let said = Other { said: "a/cpu".into(), holder: Some(holder) };
        assert_eq!(another(&ours, &owner("b")), said);
        let in_capitals = json!({"AZUREML-OPERATOR-OWNER": owner("a").value()});
        assert_eq!(owner("a").of(&in_capitals), Belongs::Us);
        let user = BTreeMap::from([("Azureml-Operator-Name".to_owned(), "x".to_owned())]);
        assert_eq!(owner("a").tags(&user), owner("a").tags(&BTreeMap::new()));
        assert_eq!(owner("a").of(&json!({"team": "x"})), Belongs::Nobody);
        assert_eq!(owner("a").of(&Value::Null), Belongs::Nobody);
    }

    #[test]
    fn what_belongs_to_a_predecessor_is_inherited_and_names_that_are_not_the_owners_say_nothing() {
        let before = Owner { name: "old".into(), ..owner("a") };
        let gone = Holder { namespace: "a".into(), name: "old".into() };
        let heir = Owner { predecessors: vec![gone], ..owner("a") };
        let tags = json!(before.tags(&BTreeMap::new()));
        assert_eq!(heir.of(&tags), Belongs::Inherited);
        assert!(another(&tags, &owner("a")).holder.is_some());
        let elsewhere = json!(Owner { cluster: "c2".into(), ..before }.tags(&BTreeMap::new()));
        let forged = json!({OWNER: "c1/0123456789abcdef", NAMESPACE: "a", NAME: "old"});
        for tags in [elsewhere, forged] {
            assert_eq!(another(&tags, &heir), Other::unknown("a/old"), "{tags}");
        }
    }
}
