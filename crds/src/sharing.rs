//! Which namespaces may use an MLWorkspace, and how an object names one of another namespace: by the words of Gateway API.

use kube::KubeSchema;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The label of every namespace with its name, which the API server keeps.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Names an MLWorkspace.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct WorkspaceReference {
    /// Name of the MLWorkspace.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = crate::rules::object_name("name"))]
    pub name: String,
    /// Namespace of the MLWorkspace. Default: the object's own. Another one allows it in `allowedNamespaces` of the MLWorkspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = crate::rules::object_name("namespace"))]
    pub namespace: Option<String>,
}

impl WorkspaceReference {
    /// An MLWorkspace of the object's own namespace.
    #[must_use]
    pub fn own(name: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: None }
    }

    /// The same in its one form: with a namespace only if that is not `own`, the object's.
    #[must_use]
    pub fn seen_from(&self, own: &str) -> Self {
        Self {
            name: self.name.clone(),
            namespace: self.namespace.clone().filter(|namespace| namespace != own),
        }
    }

    /// The namespace of the MLWorkspace, for an object of the namespace `own`.
    #[must_use]
    pub fn namespace<'a>(&'a self, own: &'a str) -> &'a str {
        self.namespace.as_deref().unwrap_or(own)
    }
}

/// `name`, or `namespace/name`.
impl fmt::Display for WorkspaceReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(out, "{namespace}/{}", self.name),
            None => out.write_str(&self.name),
        }
    }
}

/// The namespaces whose objects may name an MLWorkspace.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    validation = Rule::new("(self.from == 'Selector') == has(self.selector)")
        .message("allowedNamespaces.selector: write it with from: Selector, and only with it"),
)]
pub struct AllowedNamespaces {
    /// Which namespaces.
    pub from: AllowedFrom,
    /// The labels of these namespaces, where `from` is `Selector`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<NamespaceSelector>,
}

/// Which namespaces may name an MLWorkspace, besides its own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum AllowedFrom {
    /// None.
    Same,
    /// Every namespace.
    All,
    /// Those with the labels of `selector`.
    Selector,
}

/// Labels of namespaces. All that is written has to be true.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)")
        .message("allowedNamespaces.selector: name a label; for every namespace write from: All"),
)]
pub struct NamespaceSelector {
    /// Labels with their values, such as `kubernetes.io/metadata.name: team-b` for the namespace `team-b`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(transform = crate::sharing::bound_labels)]
    #[x_kube(validation = Rule::new("self.all(k, k.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'))")
        .message("allowedNamespaces.selector.matchLabels: a key is not the name of a label"),
        validation = crate::rules::yaml_keys("allowedNamespaces.selector.matchLabels"))]
    pub match_labels: BTreeMap<String, String>,
    /// Conditions on labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub match_expressions: Vec<LabelCondition>,
}

/// A condition on a label.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    validation = Rule::new("(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)")
        .message("allowedNamespaces.selector.matchExpressions: write values with In and NotIn, and only with them"),
)]
pub struct LabelCondition {
    /// The name of the label.
    #[schemars(length(min = 1, max = 317))]
    #[x_kube(validation = Rule::new("self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$')")
        .message("allowedNamespaces.selector.matchExpressions: key is not the name of a label"))]
    pub key: String,
    /// What its value has to be.
    pub operator: LabelOperator,
    /// The values, for `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 63)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub values: Vec<String>,
}

/// What the value of a label has to be.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(description = "")]
pub enum LabelOperator {
    /// One of `values`.
    In,
    /// None of `values`; also true without the label.
    NotIn,
    /// Anything: the label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
}

/// The labels of a namespace, as far as they are known.
struct Labels<'a> {
    namespace: &'a str,
    labels: Option<&'a BTreeMap<String, String>>,
}

impl Labels<'_> {
    /// Whether it is known which value a label has, or that it is not there.
    fn knows(&self, key: &str) -> bool {
        key == NAME_LABEL || self.labels.is_some()
    }

    /// The value of a label.
    fn get(&self, key: &str) -> Option<&str> {
        if key == NAME_LABEL {
            return Some(self.namespace);
        }
        self.labels?.get(key).map(String::as_str)
    }
}

impl AllowedNamespaces {
    /// Whether a namespace is one of them. Where its labels are not known, no condition on them is true, whatever it asks for.
    #[must_use]
    pub fn has(&self, namespace: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
        match (self.from, &self.selector) {
            (AllowedFrom::Same, _) | (AllowedFrom::Selector, None) => false,
            (AllowedFrom::All, _) => true,
            (AllowedFrom::Selector, Some(selector)) => selector.matches(&Labels { namespace, labels }),
        }
    }
}

impl NamespaceSelector {
    /// As Kubernetes selects by labels.
    fn matches(&self, labels: &Labels<'_>) -> bool {
        let is_same = |(key, value): (&String, &String)| labels.get(key) == Some(value.as_str());
        let is_empty = self.match_labels.is_empty() && self.match_expressions.is_empty();
        !is_empty
            && self.match_labels.iter().all(is_same)
            && self.match_expressions.iter().all(|one| one.is_true(labels))
    }
}

impl LabelCondition {
    fn is_true(&self, labels: &Labels<'_>) -> bool {
        if !labels.knows(&self.key) {
            return false;
        }
        let value = labels.get(&self.key);
        let is_listed = value.is_some_and(|value| self.values.iter().any(|listed| listed == value));
        match self.operator {
            LabelOperator::In => is_listed,
            LabelOperator::NotIn => !is_listed,
            LabelOperator::Exists => value.is_some(),
            LabelOperator::DoesNotExist => value.is_none(),
        }
    }
}

/// Bounds for a map of labels.
pub(crate) fn bound_labels(schema: &mut Schema) {
    schema.insert("maxProperties".into(), 16.into());
    if let Some(values) = schema.get_mut("additionalProperties") {
        values["maxLength"] = 63.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn allowed(value: Value, labels: &[(&str, &str)]) -> bool {
        let allowed: AllowedNamespaces = serde_json::from_value(value).unwrap();
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        allowed.has("team-b", Some(&labels))
    }

    #[test]
    fn a_namespace_is_allowed_by_its_labels_as_kubernetes_selects() {
        let b = [("team", "b"), ("stage", "dev")];
        let by = |selector: Value| allowed(json!({"from": "Selector", "selector": selector}), &b);
        let is = |key: &str, operator: &str, values: Value| {
            by(json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}))
        };
        assert!(allowed(json!({"from": "All"}), &[]) && !allowed(json!({"from": "Same"}), &b));
        assert!(by(json!({"matchLabels": {"team": "b"}})) && !by(json!({"matchLabels": {"team": "c"}})));
        assert!(!by(json!({"matchLabels": {"team": "b", "stage": "prod"}})), "all have to match");
        assert!(is("team", "In", json!(["a", "b"])) && !is("team", "In", json!(["a"])));
        assert!(is("team", "NotIn", json!(["a"])) && !is("team", "NotIn", json!(["b"])));
        assert!(is("cost", "NotIn", json!(["a"])) && !is("cost", "In", json!(["a"])), "without the label");
        assert!(is("team", "Exists", json!([])) && !is("cost", "Exists", json!([])));
        assert!(!is("team", "DoesNotExist", json!([])) && is("cost", "DoesNotExist", json!([])));
        // What no rule of the schema lets through allows nobody.
        assert!(!by(json!({})) && !allowed(json!({"from": "Selector"}), &b));
    }

    #[test]
    fn of_a_namespace_whose_labels_are_not_known_only_the_name_is() {
        let known = |condition: Value| {
            let selector = json!({"from": "Selector", "selector": {"matchExpressions": [condition]}});
            let allowed: AllowedNamespaces = serde_json::from_value(selector).unwrap();
            allowed.has("team-b", None)
        };
        for operator in ["In", "NotIn", "Exists", "DoesNotExist"] {
            assert!(!known(json!({"key": "tier", "operator": operator, "values": ["a"]})), "{operator}");
        }
        let by_name = |operator: &str| json!({"key": NAME_LABEL, "operator": operator, "values": ["team-b"]});
        assert!(known(by_name("In")) && !known(by_name("NotIn")));
    }

    #[test]
    fn a_reference_has_one_form() {
        let reference = WorkspaceReference { name: "w".into(), namespace: Some("a".into()) };
        assert_eq!(reference.seen_from("a"), WorkspaceReference::own("w"));
        assert_eq!(reference.seen_from("b").to_string(), "a/w");
        assert_eq!((reference.namespace("b"), WorkspaceReference::own("w").namespace("b")), ("a", "b"));
    }
}
