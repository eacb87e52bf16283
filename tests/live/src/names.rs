//! The names of one check, from which everything that it made is found again: in a namespace, in a cluster id, in tags.
//!
//! In: eight hexadecimal digits. Out: names. What does not carry them is never touched.

use azureml_plan::owner::OWNER;
use serde_json::{Value, json};

/// How the cluster id of every check begins; it stands in the owner's tag of all that the operator makes.
const CLUSTER: &str = "azureml-live-";

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    id: String,
}

impl Names {
    /// Names that nobody else has.
    #[must_use]
    pub fn new() -> Self {
        Self { id: random() }
    }

    /// The names of a check by its namespace, `live-` and eight hexadecimal digits.
    #[must_use]
    pub fn of(namespace: &str) -> Option<Self> {
        let id = namespace.strip_prefix("live-")?;
        let is_id = id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| Self { id: id.to_owned() })
    }

    /// The namespace in Kubernetes, and the beginning of the names in Azure.
    #[must_use]
    pub fn namespace(&self) -> String {
        format!("live-{}", self.id)
    }

    /// The cluster id.
    #[must_use]
    pub fn cluster(&self) -> String {
        format!("{CLUSTER}{}", self.id)
    }

    /// A name for something that a probe makes.
    #[must_use]
    pub fn probe(&self, what: &str) -> String {
        format!("live-{}-{what}", self.id)
    }

    /// The tags of something that a probe makes: an owner, as the operator's things have.
    #[must_use]
    pub fn tags(&self, what: &str) -> Value {
        json!({OWNER: format!("{}/{what}", self.cluster()), "azureml-live-probe": what})
    }

    /// Whether text speaks of something of this check.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        text.contains(&self.namespace())
            || text.contains(&format!("live_{}", self.id))
            || text.contains(&self.cluster())
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

/// Eight random hexadecimal digits.
fn random() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    // The standard library's source of randomness; a clash would be found by the check that nothing is there yet.
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:08x}", hasher.finish() & 0xffff_ffff)
}

/// Of which check a resource with these tags (or properties) is.
#[must_use]
pub fn owner_in(tags: &Value) -> Option<Names> {
    let owner = tags[OWNER].as_str()?.strip_prefix(CLUSTER)?;
    Names::of(&format!("live-{}", owner.split('/').next()?))
}

/// Which checks are to be cleaned away.
#[derive(Clone, Debug)]
pub enum Whose {
    /// One.
    Of(Names),
    /// All that are found.
    Everybody,
}

impl Whose {
    /// Whether a resource with these tags is one to be cleaned away.
    #[must_use]
    pub fn owns(&self, tags: &Value) -> bool {
        match (self, owner_in(tags)) {
            (Self::Of(names), Some(found)) => *names == found,
            (Self::Everybody, found) => found.is_some(),
            (Self::Of(_), None) => false,
        }
    }

    /// Whether a repository of images is one: `azureml-operator/<cluster>/live-<id>/<name>`.
    #[must_use]
    pub fn owns_image(&self, image: &str) -> bool {
        let namespace = image.strip_prefix("azureml-operator/").and_then(|rest| rest.split('/').nth(1));
        match (self, namespace.and_then(Names::of)) {
            (Self::Of(names), Some(found)) => *names == found,
            (Self::Everybody, found) => found.is_some(),
            (Self::Of(_), None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_carries_the_tag_of_a_check_is_found() {
        let names = Names::of("live-0a1b2c3d").unwrap();
        assert!(Whose::Of(names.clone()).owns(&names.tags("q1")));
        assert!(Whose::Everybody.owns(&names.tags("q1")));
        let other = Names::of("live-ffffffff").unwrap();
        assert!(!Whose::Of(other).owns(&names.tags("q1")));
        for tags in
            [json!({}), json!({OWNER: "prod/abc"}), json!({OWNER: "azureml-live-team/abc"}), Value::Null]
        {
            assert!(!Whose::Everybody.owns(&tags), "{tags}");
        }
        assert!(Whose::Everybody.owns_image("azureml-operator/0a1b2c3d/live-0a1b2c3d/env:abc"));
        assert!(!Whose::Everybody.owns_image("azureml-operator/0a1b2c3d/live-team/env:abc"));
        assert!(!Whose::Everybody.owns_image("mlops/0a1b2c3d/live-0a1b2c3d/env:abc"));
    }

    #[test]
    fn two_checks_have_names_of_their_own() {
        assert_ne!(Names::new(), Names::new());
        let names = Names::new();
        assert_eq!(Names::of(&names.namespace()), Some(names));
    }
}
