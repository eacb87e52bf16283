//! The namespaces that have series of their own. In: the namespaces that hold objects. Out: the value of `object_namespace`.
//!
//! A namespace has series from its first object to its last. At most [`MOST`] have their own; the rest shares `other`.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The most namespaces with series of their own: each has about forty.
const MOST: usize = 500;
const OTHER: &str = "other";

type Present = Box<dyn Fn() -> BTreeSet<String> + Send + Sync>;

/// The namespaces that have series, once something says which hold objects.
#[derive(Default)]
pub struct Namespaces {
    present: OnceLock<Present>,
    shown: Mutex<BTreeSet<String>>,
}

/// What a look at the namespaces found.
pub(super) struct Shown {
    /// The values that had series and have none any more.
    pub(super) gone: Vec<String>,
    /// The values that have series.
    pub(super) shown: BTreeSet<String>,
}

impl Namespaces {
    /// Sets the function that says which namespaces hold objects.
    pub fn told_by(&self, present: impl Fn() -> BTreeSet<String> + Send + Sync + 'static) {
        let _ = self.present.set(Box::new(present));
    }

    /// Looks which namespaces hold objects; nothing where this process does not know.
    pub(super) fn look(&self) -> Option<Shown> {
        let present = self.present.get()?;
        // The lock is held meanwhile: what is counted in this moment is of an object that the look sees.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let after = values(&shown, &present());
        let gone = shown.difference(&after).cloned().collect();
        shown.clone_from(&after);
        Some(Shown { gone, shown: after })
    }

    /// The value of the label for a namespace.
    pub(super) fn value(&self, namespace: &str) -> String {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if !shown.contains(namespace) {
            let own = shown.len() - usize::from(shown.contains(OTHER));
            let value = if own < MOST { namespace } else { OTHER };
            shown.insert(value.to_owned());
            return value.to_owned();
        }
        namespace.to_owned()
    }
}

/// The values for the namespaces that hold objects. One that has its own keeps it; free places
/// are given by the alphabet.
fn values(before: &BTreeSet<String>, present: &BTreeSet<String>) -> BTreeSet<String> {
    let (kept, new) = (present.intersection(before), present.difference(before));
    // A namespace that is called so shares with the rest.
    let own = kept.chain(new).filter(|namespace| *namespace != OTHER);
    let mut values: BTreeSet<String> = own.take(MOST).cloned().collect();
    if values.len() < present.len() {
        values.insert(OTHER.to_owned());
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn names(numbers: std::ops::Range<usize>) -> BTreeSet<String> {
        numbers.map(|number| format!("team-{number:04}")).collect()
    }

    /// Namespaces, and how to say which hold objects.
    fn stage() -> (Namespaces, Arc<Mutex<BTreeSet<String>>>) {
        let (namespaces, present) = (Namespaces::default(), Arc::<Mutex<BTreeSet<String>>>::default());
        let told = present.clone();
        namespaces.told_by(move || told.lock().unwrap().clone());
        (namespaces, present)
    }

    #[test]
    fn a_namespace_is_shown_from_its_first_object_to_its_last() {
        let (namespaces, present) = stage();
        *present.lock().unwrap() = names(0..2);
        let seen = namespaces.look().unwrap();
        assert_eq!((seen.gone, seen.shown), (Vec::new(), names(0..2)));
        *present.lock().unwrap() = names(1..3);
        let seen = namespaces.look().unwrap();
        assert_eq!((seen.gone, seen.shown), (vec!["team-0000".to_owned()], names(1..3)));
        assert!(Namespaces::default().look().is_none(), "who does not lead knows of none");
    }

    #[test]
    fn beyond_the_most_the_rest_shares_one_value_and_nobody_loses_its_own() {
        let (namespaces, present) = stage();
        *present.lock().unwrap() = names(100..100 + MOST);
        assert!(!namespaces.look().unwrap().shown.contains(OTHER));
        *present.lock().unwrap() = names(0..100 + MOST);
        let seen = namespaces.look().unwrap();
        assert_eq!((seen.gone.len(), seen.shown.len()), (0, MOST + 1));
        assert_eq!(namespaces.value("team-0000"), OTHER, "it came later, whatever its name is");
        assert_eq!(namespaces.value("team-0100"), "team-0100");
        *present.lock().unwrap() = names(0..99 + MOST);
        assert_eq!(namespaces.look().unwrap().gone, [format!("team-{:04}", 99 + MOST)]);
        assert_eq!(namespaces.value("team-0000"), "team-0000", "a place that is free is given");
        *present.lock().unwrap() = names(0..1);
        assert_eq!(namespaces.look().unwrap().shown, names(0..1), "nobody shares any more");
    }

    #[test]
    fn what_is_counted_before_a_look_has_its_value_within_the_same_bound() {
        let namespaces = Namespaces::default();
        for name in names(0..10 * MOST) {
            namespaces.value(&name);
        }
        assert_eq!(namespaces.shown.lock().unwrap().len(), MOST + 1);
    }

    #[test]
    fn a_namespace_that_is_called_like_the_rest_is_one_of_it() {
        let present = BTreeSet::from([OTHER.to_owned(), "a".to_owned()]);
        assert_eq!(values(&BTreeSet::new(), &present), present);
        assert_eq!(values(&present, &present), present);
    }
}
