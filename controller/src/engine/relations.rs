//! Which objects name which: plain data, kept from the watches, that says what a change wakes.
//!
//! In: an object's references and what it offers. Out: the names to wake. No kind is known here.

use std::collections::{BTreeSet, HashMap};

/// An object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Name {
    /// `MLPipeline/iris`; of another namespace than `own`: `MLPipeline/iris of team-b`.
    #[must_use]
    pub fn seen_from(&self, own: &str) -> String {
        let of = if self.namespace == own { String::new() } else { format!(" of {}", self.namespace) };
        format!("{}/{}{of}", self.kind, self.name)
    }
}

/// What was known of an object.
#[derive(Debug, Default)]
struct Known {
    refers_to: BTreeSet<Name>,
    offer: u64,
    state: u64,
    tells: u64,
    holds: bool,
    cares: bool,
}

/// What the watch says of an object.
#[derive(Debug, Default)]
pub struct Sight {
    /// Those that it names.
    pub refers_to: Vec<Name>,
    /// What others see of it, as a number.
    pub offer: u64,
    /// How it is, as a number: what waits for a name that it has in Azure is woken when that changes.
    pub state: u64,
    /// What those that it names are told of it, as a number.
    pub tells: u64,
    /// Whether it keeps those that it names from going.
    pub holds: bool,
    /// Whether it wants to know which objects name it.
    pub cares: bool,
}

/// Which objects name which.
#[derive(Debug, Default)]
pub struct Relations {
    known: HashMap<Name, Known>,
    referrers: HashMap<Name, BTreeSet<Name>>,
    waits: Waits,
}

/// Which objects wait for what another one has.
#[derive(Debug, Default)]
struct Waits {
    holders: HashMap<Name, Name>,
    waiting: HashMap<Name, BTreeSet<Name>>,
}

impl Waits {
    fn set(&mut self, object: &Name, holder: Option<Name>) {
        if let Some(before) = self.holders.remove(object)
            && let Some(waiting) = self.waiting.get_mut(&before)
        {
            waiting.remove(object);
            if waiting.is_empty() {
                self.waiting.remove(&before);
            }
        }
        if let Some(holder) = holder {
            self.waiting.entry(holder.clone()).or_default().insert(object.clone());
            self.holders.insert(object.clone(), holder);
        }
    }

    fn on(&self, holder: &Name) -> impl Iterator<Item = Name> {
        self.waiting.get(holder).into_iter().flatten().cloned()
    }
}

impl Relations {
    /// An object was seen: wakes those that it names or named, when that changed and they care, and those that name it,
    /// when what it offers changed.
    pub fn seen(&mut self, object: &Name, sight: Sight) -> BTreeSet<Name> {
        let Sight { refers_to, offer, state, tells, holds, cares } = sight;
        let now = Known { refers_to: refers_to.into_iter().collect(), offer, state, tells, holds, cares };
        let before = self.known.remove(object);
        let mut woken = BTreeSet::new();
        let nothing = BTreeSet::new();
        let named_before = before.as_ref().map_or(&nothing, |known| &known.refers_to);
        let is_told = |known: &Known| (known.holds, known.tells) == (now.holds, now.tells);
        if before.as_ref().is_none_or(|known| !is_told(known) || known.refers_to != now.refers_to) {
            woken.extend(named_before.union(&now.refers_to).filter(|named| self.cares(named)).cloned());
        }
        if before.as_ref().is_none_or(|known| known.offer != now.offer) {
            woken.extend(self.referrers.get(object).into_iter().flatten().cloned());
        }
        if before.as_ref().is_none_or(|known| known.state != now.state) {
            woken.extend(self.waits.on(object));
        }
        for gone in named_before.difference(&now.refers_to) {
            self.forget(gone, object);
        }
        for named in &now.refers_to {
            self.referrers.entry(named.clone()).or_default().insert(object.clone());
        }
        self.known.insert(object.clone(), now);
        woken
    }

    /// An object is gone: wakes those that it named and those that name it.
    pub fn gone(&mut self, object: &Name) -> BTreeSet<Name> {
        let mut woken: BTreeSet<Name> = self.referrers.get(object).into_iter().flatten().cloned().collect();
        woken.extend(self.waits.on(object));
        self.waits.set(object, None);
        if let Some(known) = self.known.remove(object) {
            for named in known.refers_to {
                self.forget(&named, object);
                if self.cares(&named) {
                    woken.insert(named);
                }
            }
        }
        woken
    }

    /// An object waits for what another one has in Azure, or for nothing any more. Says whether that one is known: then its end wakes
    /// the object, and any other change of how it is.
    pub fn waits(&mut self, object: &Name, holder: Option<Name>) -> bool {
        let is_known = holder.as_ref().is_some_and(|holder| self.known.contains_key(holder));
        self.waits.set(object, holder.filter(|_| is_known));
        is_known
    }

    /// Those that name an object and hold it.
    #[must_use]
    pub fn holders(&self, object: &Name) -> Vec<&Name> {
        let referrers = self.referrers.get(object).into_iter().flatten();
        referrers.filter(|name| self.known.get(name).is_some_and(|known| known.holds)).collect()
    }

    /// Those that name an object.
    #[must_use]
    pub fn referrers(&self, object: &Name) -> Vec<&Name> {
        self.referrers.get(object).into_iter().flatten().collect()
    }

    fn cares(&self, name: &Name) -> bool {
        self.known.get(name).is_some_and(|known| known.cares)
    }

    fn forget(&mut self, named: &Name, referrer: &Name) {
        if let Some(referrers) = self.referrers.get_mut(named) {
            referrers.remove(referrer);
            if referrers.is_empty() {
                self.referrers.remove(named);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(kind: &'static str, name: &str) -> Name {
        Name { kind, namespace: "n".into(), name: name.into() }
    }

    fn woken(set: BTreeSet<Name>) -> Vec<String> {
        set.into_iter().map(|name| format!("{}/{}", name.kind, name.name)).collect()
    }

    fn sight(refers_to: &[&Name], offer: u64) -> Sight {
        Sight {
            refers_to: refers_to.iter().map(|name| (*name).clone()).collect(),
            offer,
            state: 0,
            tells: 0,
            holds: true,
            cares: true,
        }
    }

    #[test]
    fn a_pipeline_is_woken_by_the_environment_that_it_waits_for() {
        let mut relations = Relations::default();
        let (pipeline, environment) = (name("P", "iris"), name("E", "r"));
        assert!(relations.seen(&pipeline, sight(&[&environment], 0)).is_empty());
        assert_eq!(woken(relations.seen(&environment, sight(&[], 1))), ["P/iris"]);
        assert!(relations.seen(&environment, sight(&[], 1)).is_empty());
        assert_eq!(woken(relations.seen(&environment, sight(&[], 2))), ["P/iris"]);
        assert_eq!(woken(relations.gone(&environment)), ["P/iris"]);
    }

    #[test]
    fn an_object_that_waits_for_a_name_is_woken_when_the_holder_changes_and_when_it_goes() {
        let mut relations = Relations::default();
        let (old, new) = (name("C", "old"), name("C", "new"));
        assert!(!relations.waits(&new, Some(old.clone())), "it was never seen");
        relations.seen(&old, sight(&[], 0));
        relations.seen(&new, sight(&[], 0));
        assert!(relations.waits(&new, Some(old.clone())));
        assert!(relations.seen(&old, sight(&[], 1)).is_empty(), "what it offers is nothing to the other");
        assert_eq!(woken(relations.seen(&old, Sight { state: 1, ..sight(&[], 1) })), ["C/new"]);
        assert_eq!(woken(relations.gone(&old)), ["C/new"]);
        relations.seen(&old, sight(&[], 0));
        relations.waits(&new, None);
        assert!(relations.gone(&old).is_empty() && relations.waits.waiting.is_empty());
        relations.seen(&old, sight(&[], 0));
        relations.waits(&new, Some(old.clone()));
        relations.gone(&new);
        assert!(relations.waits.waiting.is_empty() && relations.gone(&old).is_empty());
    }

    #[test]
    fn an_object_that_cares_is_woken_when_a_name_of_it_comes_and_when_it_goes() {
        let mut relations = Relations::default();
        let (pipeline, a, b) = (name("P", "iris"), name("E", "a"), name("E", "b"));
        relations.seen(&a, sight(&[], 0));
        relations.seen(&b, Sight { cares: false, ..sight(&[], 0) });
        assert_eq!(woken(relations.seen(&pipeline, sight(&[&a], 0))), ["E/a"]);
        assert_eq!(woken(relations.seen(&pipeline, sight(&[&b], 0))), ["E/a"]);
        assert!(relations.referrers(&a).is_empty());
        assert_eq!(relations.holders(&b), [&pipeline]);
        relations.seen(&b, sight(&[], 0));
        let told = Sight { tells: 1, ..sight(&[&b], 0) };
        assert_eq!(woken(relations.seen(&pipeline, told)), ["E/b"]);
        relations.seen(&pipeline, Sight { holds: false, ..sight(&[&b], 0) });
        assert!(relations.holders(&b).is_empty());
        relations.gone(&pipeline);
        assert!(relations.referrers(&b).is_empty());
    }
}
