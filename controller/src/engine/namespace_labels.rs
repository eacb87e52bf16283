//! The labels of namespaces: plain data, kept from the watch. They decide which namespaces may use an MLWorkspace that is shared by labels.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The labels of a namespace.
pub type Labels = BTreeMap<String, String>;

/// The labels of namespaces, as the watch has seen them.
#[derive(Debug, Default)]
pub struct NamespaceLabels(Mutex<HashMap<String, Labels>>);

impl NamespaceLabels {
    /// The labels of a namespace; none where they are not known.
    #[must_use]
    pub fn labels(&self, namespace: &str) -> Option<Labels> {
        self.locked().get(namespace).cloned()
    }

    /// Forgets all but these. Gives those that were forgotten.
    pub fn keep(&self, only: &BTreeSet<String>) -> Vec<String> {
        let mut all = self.locked();
        let gone: Vec<String> = all.keys().filter(|name| !only.contains(*name)).cloned().collect();
        all.retain(|name, _| only.contains(name));
        gone
    }

    /// A namespace has these labels, or is gone. Says whether that is news.
    pub fn set(&self, namespace: &str, labels: Option<&Labels>) -> bool {
        let mut all = self.locked();
        match labels {
            Some(labels) => all.insert(namespace.to_owned(), labels.clone()).as_ref() != Some(labels),
            None => all.remove(namespace).is_some(),
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Labels>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_made_anew_has_no_label_of_the_old_one() {
        let (all, labels) = (NamespaceLabels::default(), Labels::from([("team".to_owned(), "b".to_owned())]));
        assert!(all.set("b", Some(&labels)) && !all.set("b", Some(&labels)), "news once");
        assert_eq!((all.labels("b"), all.labels("a")), (Some(labels.clone()), None));
        assert!(all.set("b", None) && !all.set("b", None));
        assert_eq!(all.labels("b"), None);
    }

    #[test]
    fn what_a_list_does_not_show_is_not_known_any_more() {
        let (all, labels) = (NamespaceLabels::default(), Labels::default());
        all.set("a", Some(&labels));
        all.set("b", Some(&labels));
        assert_eq!(all.keep(&BTreeSet::from(["a".to_owned()])), ["b"]);
        assert_eq!((all.labels("a"), all.labels("b")), (Some(labels), None));
    }
}
