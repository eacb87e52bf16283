//! Paths of Azure Resource Manager, taken apart without regard to case, and ids in Azure's own casing.

/// Where a request below a subscription goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The subscription.
    pub subscription: &'a str,
    /// The resource group, absent for what belongs to the whole subscription.
    pub group: Option<&'a str>,
    /// The resource provider.
    pub provider: Option<&'a str>,
    /// What follows the provider: types and names by turns.
    pub rest: Vec<&'a str>,
}

impl<'a> Target<'a> {
    /// Takes the segments of a path apart; `None` when it is no path below a subscription.
    pub fn parse(segments: &[&'a str]) -> Option<Self> {
        let is = |at: usize, word: &str| {
            segments.get(at).is_some_and(|segment| segment.eq_ignore_ascii_case(word))
        };
        if !is(0, "subscriptions") {
            return None;
        }
        let subscription = segments.get(1)?;
        let (group, at) = if is(2, "resourceGroups") { (Some(*segments.get(3)?), 4) } else { (None, 2) };
        let provider = if is(at, "providers") { Some(*segments.get(at + 1)?) } else { None };
        let rest = if provider.is_some() { segments.get(at + 2..)?.to_vec() } else { Vec::new() };
        Some(Self { subscription, group, provider, rest })
    }
}

/// A map key for a thing that ARM addresses without regard to case.
pub fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The id of a resource of a provider.
pub fn resource(subscription: &str, group: &str, path: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{path}")
}

/// The id of a workspace.
pub fn workspace(subscription: &str, group: &str, name: &str) -> String {
    resource(subscription, group, &format!("Microsoft.MachineLearningServices/workspaces/{name}"))
}

/// The id of a registry.
pub fn registry(subscription: &str, group: &str, name: &str) -> String {
    resource(subscription, group, &format!("Microsoft.ContainerRegistry/registries/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart_in_any_case() {
        let path =
            ["SUBSCRIPTIONS", "s", "resourcegroups", "Rg", "Providers", "P", "workspaces", "w", "computes"];
        let target = Target::parse(&path).unwrap();
        assert_eq!((target.subscription, target.group, target.provider), ("s", Some("Rg"), Some("P")));
        assert_eq!(target.rest, ["workspaces", "w", "computes"]);
    }

    #[test]
    fn a_path_without_a_group_or_a_provider_is_still_one() {
        let target = Target::parse(&["subscriptions", "s", "providers", "P", "workspaces"]).unwrap();
        assert_eq!((target.group, target.rest), (None, vec!["workspaces"]));
        assert_eq!(Target::parse(&["subscriptions", "s"]).unwrap().provider, None);
        assert_eq!(Target::parse(&["providers", "s"]), None);
    }
}
