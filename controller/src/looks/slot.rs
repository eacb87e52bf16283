//! What one list is good for: the list itself, single reads beside it, and how many of those are still cheap.
//!
//! In: what was read, and when. Out: what is known of a resource since a moment. Never asks Azure.

use super::{KEPT, Look, locked};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A list that was read to its end.
#[derive(Debug)]
pub struct Listing {
    pub(super) began: Instant,
    items: HashMap<String, Box<RawValue>>,
}

/// The part of an item by which it is found.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

impl Listing {
    pub(super) fn new(began: Instant, items: Vec<Box<RawValue>>) -> Self {
        let named = |item: Box<RawValue>| {
            let name = serde_json::from_str::<Named<'_>>(item.get()).ok()?.name.to_ascii_lowercase();
            Some((name, item))
        };
        Self { began, items: items.into_iter().filter_map(named).collect() }
    }

    /// An item by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        self.items.get(&name.to_ascii_lowercase()).and_then(|item| serde_json::from_str(item.get()).ok())
    }

    /// All items whose text contains something: a cheap search before they are parsed.
    #[must_use]
    pub fn containing(&self, text: &str) -> Vec<Value> {
        let found = self.items.values().filter(|item| item.get().contains(text));
        found.filter_map(|item| serde_json::from_str(item.get()).ok()).collect()
    }
}

/// A list and who waits for it.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) listing: tokio::sync::Mutex<Option<Arc<Listing>>>,
    singles: Mutex<Singles>,
    glimpses: Mutex<HashMap<String, Glimpse>>,
}

/// What a single read showed, as text, which takes a fraction of the room of a parsed body; nothing where nothing was there.
struct Glimpse {
    began: Instant,
    text: Option<String>,
}

impl Slot {
    /// What a list or a single read showed of a resource, where that began late enough; null where it was not there.
    pub(super) fn known(&self, name: &str, since: Instant) -> Option<Value> {
        let name = name.to_ascii_lowercase();
        let listing = self.listing.try_lock().ok().and_then(|latest| latest.clone());
        let listing = listing.filter(|listing| listing.began >= since);
        let glimpses = locked(&self.glimpses);
        let glimpse = glimpses.get(&name).filter(|glimpse| glimpse.began >= since);
        match (listing, glimpse) {
            (Some(listing), glimpse) if glimpse.is_none_or(|glimpse| glimpse.began <= listing.began) => {
                Some(listing.get(&name).unwrap_or_default())
            }
            (_, Some(glimpse)) => {
                let parsed = glimpse.text.as_deref().and_then(|text| serde_json::from_str(text).ok());
                Some(parsed.unwrap_or_default())
            }
            (_, None) => None,
        }
    }

    pub(super) fn remember(&self, name: &str, began: Instant, body: Option<&Value>) {
        let mut glimpses = locked(&self.glimpses);
        glimpses.retain(|_, glimpse| glimpse.began.elapsed() < KEPT);
        let glimpse = Glimpse { began, text: body.map(ToString::to_string) };
        glimpses.insert(name.to_ascii_lowercase(), glimpse);
    }
}

/// Single reads of late, by what they were for.
#[derive(Default)]
struct Singles {
    changes: VecDeque<Instant>,
    others: VecDeque<Instant>,
}

/// So many single reads within [`WINDOW`] are made before a list takes their place: for changes a fifth of what ARM lets
/// pass at once; for what is new or goes on, as many as a list costs.
const CHANGES: usize = 50;
const OTHERS: usize = 10;
const WINDOW: Duration = Duration::from_secs(2);

/// Lists are large, and of use for a moment only.
pub(super) async fn drop_later(slot: Arc<Slot>, began: Instant) {
    sleep_until(began + KEPT).await;
    let mut latest = slot.listing.lock().await;
    if latest.as_ref().is_some_and(|listing| listing.began == began) {
        *latest = None;
    }
}

/// Whether a single read is still cheap, by how many there were just now.
pub(super) fn take_single(slot: &Slot, look: Look) -> bool {
    let mut singles = locked(&slot.singles);
    let (of_late, most) =
        if look.is_change { (&mut singles.changes, CHANGES) } else { (&mut singles.others, OTHERS) };
    let now = Instant::now();
    while of_late.front().is_some_and(|at| now.duration_since(*at) > WINDOW) {
        of_late.pop_front();
    }
    let is_cheap = of_late.len() < most;
    if is_cheap {
        of_late.push_back(now);
    }
    is_cheap
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listing(began: Instant, items: &[Value]) -> Arc<Listing> {
        let items = items.iter().map(|item| RawValue::from_string(item.to_string()).unwrap());
        Arc::new(Listing::new(began, items.collect()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_that_was_seen_serves_where_it_is_late_enough() {
        let (slot, start) = (Slot::default(), Instant::now());
        let later = |seconds| start + Duration::from_secs(seconds);
        let body = |max: u32| json!({"name": "CPU", "max": max});
        assert_eq!(slot.known("cpu", start), None, "nothing was read");
        *slot.listing.lock().await = Some(listing(later(1), &[body(1)]));
        assert_eq!(slot.known("cpu", later(1)), Some(body(1)));
        assert_eq!(slot.known("gpu", later(1)), Some(Value::Null), "a list shows what is absent too");
        assert_eq!(slot.known("cpu", later(2)), None, "it was written meanwhile");
        slot.remember("cpu", later(3), Some(&body(3)));
        assert_eq!(slot.known("CPU", start), Some(body(3)));
        assert_eq!(slot.known("gpu", later(3)), None);
        *slot.listing.lock().await = Some(listing(later(4), &[]));
        assert_eq!(slot.known("cpu", start), Some(Value::Null), "it is gone since");
        slot.remember("cpu", later(5), None);
        assert_eq!(slot.known("cpu", later(5)), Some(Value::Null));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_forgotten_after_a_while() {
        let slot = Slot::default();
        slot.remember("old", Instant::now(), Some(&json!({})));
        tokio::time::advance(KEPT).await;
        slot.remember("new", Instant::now(), Some(&json!({})));
        assert_eq!(locked(&slot.glimpses).keys().collect::<Vec<_>>(), ["new"]);
    }
}
