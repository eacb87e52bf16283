//! How much memory objects take, so that one namespace's do not take it from all: a limit for each object, and one for all
//! objects of a namespace.
//!
//! In: objects as they are kept. Out: whether one may be kept. What may not is as one that cannot be read.

use crate::telemetry::texts::NO_ROOM;
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// The most bytes of an object as JSON, without its files: 100 steps with 2 kB each. The API server takes 1.5 MB.
pub const MOST_OF_ONE: usize = 256 << 10;
/// The most bytes of all objects of a namespace: 12,000 of the usual 2 kB.
pub const MOST_OF_NAMESPACE: usize = 24 << 20;
/// An object that is longer is large: few are worked on at once.
pub const LARGE: usize = 32 << 10;

/// The bytes of an object as JSON.
#[must_use]
pub fn weight(object: &impl Serialize) -> usize {
    let mut count = Count(0);
    // Nothing is written, so nothing fails; what cannot be told is too much.
    serde_json::to_writer(&mut count, object).map_or(usize::MAX, |()| count.0)
}

struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes that are kept of each namespace.
#[derive(Default)]
pub struct Weights(Mutex<HashMap<String, usize>>);

impl Weights {
    /// Takes an object in the place of what was kept of it; says why not, where there is no room.
    ///
    /// # Errors
    /// With the cause, as a part of a sentence, and the remedy.
    pub fn take(&self, namespace: &str, before: usize, weight: usize) -> Result<(), (String, &'static str)> {
        if weight > MOST_OF_ONE {
            let cause = format!("{weight} bytes without its files, and {MOST_OF_ONE} are the most");
            return Err((cause, "shorten its texts, or make several of it"));
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = all.get(namespace).copied().unwrap_or_default().saturating_sub(before);
        if weight > 0 && others + weight > MOST_OF_NAMESPACE {
            let cause = format!(
                "{NO_ROOM}: the objects of its namespace have {others} bytes, and {MOST_OF_NAMESPACE} are the most"
            );
            return Err((cause, "delete some, then change this one"));
        }
        all.insert(namespace.to_owned(), others + weight);
        Ok(())
    }

    /// Gives back what was kept of an object.
    pub fn give_back(&self, namespace: &str, before: usize) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = all.get(namespace).copied().unwrap_or_default().saturating_sub(before);
        if others == 0 {
            all.remove(namespace);
        } else {
            all.insert(namespace.to_owned(), others);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_namespace_has_room_for_what_it_gave_back_and_takes_none_of_others() {
        let weights = Weights::default();
        assert_eq!(weight(&json!({"a": [1, "b"]})), r#"{"a":[1,"b"]}"#.len());
        assert!(weights.take("a", 0, MOST_OF_ONE + 1).is_err());
        let full = MOST_OF_NAMESPACE / MOST_OF_ONE;
        assert!((0..full).all(|_| weights.take("a", 0, MOST_OF_ONE).is_ok()));
        assert!(weights.take("a", 0, 1).is_err());
        assert!(weights.take("a", MOST_OF_ONE, MOST_OF_ONE).is_ok(), "it is the same object");
        assert!(weights.take("b", 0, 1).is_ok());
        weights.give_back("a", MOST_OF_ONE);
        assert!(weights.take("a", 0, MOST_OF_ONE).is_ok());
    }
}
