//! ARM ids: the only place that knows what a resource path looks like.
//!
//! In: text from Azure or names from a spec. Out: ids that compare as Azure compares them, without regard to case.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::{Hash, Hasher};

/// The id of an Azure resource, `/subscriptions/…`.
///
/// Azure answers with unpredictable casing, so two ids are equal when they differ in case only; the text is kept as it came.
#[derive(Clone)]
pub struct ArmId(String);

/// The provider of Azure Machine Learning.
pub const MACHINE_LEARNING: &str = "Microsoft.MachineLearningServices";
/// The provider of Azure Container Registry.
pub const CONTAINER_REGISTRY: &str = "Microsoft.ContainerRegistry";

/// Text that is not an ARM id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not an ARM id; expected /subscriptions/<id>/resourceGroups/<group>/providers/<provider>/<type>/<name>"
)]
pub struct NotAnId(String);

/// Whether a part of a path is a name: an address leaves out `.`, goes up at `..`, takes `\` for `/`, and ends at `?` and `#`.
fn stays(part: &str) -> bool {
    let leads_elsewhere = |one: char| one.is_control() || "\\%?#".contains(one);
    !part.is_empty() && part != "." && part != ".." && !part.contains(leads_elsewhere)
}

impl ArmId {
    /// Reads an id.
    ///
    /// # Errors
    /// When the text does not begin with `/subscriptions/`, a type has no name, or a part would lead elsewhere.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let text = text.trim_end_matches('/');
        let parts: Vec<&str> = text.split('/').skip(1).collect();
        let is_whole =
            parts.len() >= 2 && parts.len().is_multiple_of(2) && parts.iter().all(|part| stays(part));
        if is_whole && text.starts_with('/') && parts[0].eq_ignore_ascii_case("subscriptions") {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId(text.to_owned()))
        }
    }

    /// Whether every part stays where it stands when the id becomes the path of an address.
    #[cfg(feature = "http")]
    #[must_use]
    pub(crate) fn is_path(&self) -> bool {
        self.0.split('/').skip(1).all(stays)
    }

    /// The id of an Azure ML workspace.
    #[must_use]
    pub fn workspace(subscription: &str, resource_group: &str, name: &str) -> Self {
        Self(format!(
            "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/{MACHINE_LEARNING}/workspaces/{name}"
        ))
    }

    /// The id of a resource below this one.
    #[must_use]
    pub fn child(&self, kind: &str, name: &str) -> Self {
        Self(format!("{}/{kind}/{name}", self.0))
    }

    /// The id of the resource above this one, where there is one.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (rest, _) = self.0.rsplit_once('/')?;
        let (parent, _) = rest.rsplit_once('/')?;
        (!parent.is_empty()).then(|| Self(parent.to_owned()))
    }

    /// The last part: the resource's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The value that follows a part such as `subscriptions` or `workspaces`, compared without regard to case.
    #[must_use]
    pub fn segment(&self, key: &str) -> Option<&str> {
        let mut parts = self.0.split('/').skip(1);
        while let (Some(found), Some(value)) = (parts.next(), parts.next()) {
            if found.eq_ignore_ascii_case(key) {
                return Some(value);
            }
        }
        None
    }

    /// The id of the workspace that this resource is in.
    #[must_use]
    pub fn enclosing_workspace(&self) -> Option<Self> {
        Some(Self::workspace(
            self.segment("subscriptions")?,
            self.segment("resourceGroups")?,
            self.segment("workspaces")?,
        ))
    }

    /// The type without its provider, in lower case: `workspaces/environments/versions`.
    #[must_use]
    pub fn kind(&self) -> String {
        let mut parts =
            self.0.split('/').skip(1).skip_while(|part| !part.eq_ignore_ascii_case("providers")).skip(2);
        let mut kind = String::new();
        while let Some(part) = parts.next() {
            if !kind.is_empty() {
                kind.push('/');
            }
            kind.push_str(&part.to_ascii_lowercase());
            parts.next();
        }
        kind
    }

    /// The provider, `Microsoft.MachineLearningServices`.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.segment("providers")
    }

    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text by which ids are compared.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ArmId {}

impl Hash for ArmId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl Serialize for ArmId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ArmId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPUTE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/cpu";

    #[test]
    fn ids_that_differ_in_case_only_are_equal() {
        let id = ArmId::parse(COMPUTE).unwrap();
        assert_eq!(id, ArmId::parse(&COMPUTE.to_uppercase()).unwrap());
        assert_ne!(id, id.parent().unwrap());
    }

    #[test]
    fn an_id_knows_its_parts() {
        let id = ArmId::workspace("s", "g", "w").child("computes", "cpu");
        assert_eq!(id.as_str(), COMPUTE);
        assert_eq!(id.kind(), "workspaces/computes");
        assert_eq!(id.name(), "cpu");
        assert_eq!(id.segment("RESOURCEGROUPS"), Some("g"));
        assert_eq!(id.enclosing_workspace(), id.parent());
        assert_eq!(ArmId::parse("/subscriptions/s").unwrap().parent(), None);
    }

    #[test]
    fn text_that_is_not_an_id_is_refused() {
        for text in
            ["", "/", "subscriptions/s", "/subscriptions", "/subscriptions//resourceGroups/g", "/tenants/x"]
        {
            assert!(ArmId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_whose_parts_lead_elsewhere_is_none() {
        let workspace = ArmId::workspace("s", "g", "w");
        for part in ["..", ".", "a\\..\\b", "a%2fb", "a?b", "a#b", "a\nb", ""] {
            let child = workspace.child("environments", part);
            assert!(ArmId::parse(child.as_str()).is_err(), "{child}");
            assert!(!child.is_path(), "{child}");
        }
        assert!(ArmId::parse(workspace.child("environments", "a-b_c.d (1)").as_str()).is_ok());
        // A name that brings parts of its own is found by them.
        assert!(!workspace.child("environments", "x/../../y/versions").is_path());
    }
}
