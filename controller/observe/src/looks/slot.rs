//! What one list is good for: the list itself, single reads beside it, and how many of those are still cheap.
//!
//! In: what was read, and when. Out: what is known of a resource since a moment. Never asks Azure.

use super::look::{KEPT, Look, locked};
use azureml_client::Error;
use azureml_client::list::{Listed, parsed};
use azureml_client::places::Permit;
use azureml_client::turns::payer;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A list that was read to its end.
#[derive(Debug)]
pub struct Listing {
    pub(super) began: Instant,
    items: HashMap<String, Box<RawValue>>,
    /// Of a large list; given back with it.
    _room: Option<Permit>,
}

/// The part of an item by which it is found.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

impl Listing {
    /// # Errors
    /// When an item has no name: it could be any.
    pub(super) fn new(began: Instant, listed: Listed) -> Result<Self, Error> {
        let Listed { items, room, .. } = listed;
        let named = |item: Box<RawValue>| {
            let name =
                serde_json::from_str::<Named<'_>>(item.get()).map(|named| named.name.to_ascii_lowercase());
            name.map(|name| (name, item)).map_err(|error| unreadable(&error))
        };
        let items = items.into_iter().map(named).collect::<Result<_, _>>()?;
        Ok(Self { began, items, _room: room })
    }

    /// An item by its name.
    ///
    /// # Errors
    /// When it is there and cannot be read: then nobody knows what is there, and it is not absent.
    pub fn get(&self, name: &str) -> Result<Option<Value>, Error> {
        let item = self.items.get(&name.to_ascii_lowercase());
        item.map(|item| parsed(item, name)).transpose()
    }

    /// All items whose text contains something: a cheap search before they are parsed.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn containing(&self, text: &str) -> Result<Vec<Value>, Error> {
        let found = self.items.values().filter(|item| item.get().contains(text));
        found.map(|item| parsed(item, "a list")).collect()
    }
}

fn unreadable(cause: &serde_json::Error) -> Error {
    Error::Unreadable { verb: "GET", what: "an item of a list".to_owned(), cause: cause.to_string() }
}

/// A list and the passes that wait for it.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) listing: tokio::sync::Mutex<Option<Arc<Listing>>>,
    /// How many pages the latest list had.
    pub(super) pages: AtomicUsize,
    /// When the latest list failed, and why.
    failed: Mutex<Option<(Instant, Error)>>,
    /// Of each namespace.
    singles: Mutex<HashMap<Arc<str>, Singles>>,
    glimpses: Mutex<HashMap<String, Glimpse>>,
}

/// What a single read showed, as text, which takes a fraction of the room of a parsed body; nothing where nothing was there.
struct Glimpse {
    began: Instant,
    text: Option<String>,
}

impl Slot {
    pub(super) fn note_failure(&self, error: &Error) {
        *locked(&self.failed) = Some((Instant::now(), error.clone()));
    }

    /// The error of a list that failed while a pass waited for it: a thousand passes that wait do not each ask again. A pass
    /// that comes later does.
    pub(super) fn failure_since(&self, waits: Instant) -> Option<Error> {
        locked(&self.failed).as_ref().filter(|(failed, _)| *failed >= waits).map(|(_, error)| error.clone())
    }

    /// What a list or a single read showed of a resource, where that began late enough; null where it was not there.
    pub(super) fn known(&self, name: &str, since: Instant) -> Option<Value> {
        let name = name.to_ascii_lowercase();
        let listing = self.listing.try_lock().ok().and_then(|latest| latest.clone());
        let listing = listing.filter(|listing| listing.began >= since);
        let glimpses = locked(&self.glimpses);
        let glimpse = glimpses.get(&name).filter(|glimpse| glimpse.began >= since);
        match (listing, glimpse) {
            (Some(listing), glimpse) if glimpse.is_none_or(|glimpse| glimpse.began <= listing.began) => {
                listing.get(&name).ok().map(Option::unwrap_or_default)
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

impl Singles {
    fn is_of_late(&self, now: Instant) -> bool {
        let is_so = |at: &Instant| now.duration_since(*at) <= WINDOW;
        self.changes.back().is_some_and(is_so) || self.others.back().is_some_and(is_so)
    }
}

/// Most single reads of a namespace for changes within [`WINDOW`]; then a list takes their place. A fifth of ARM's burst.
const CHANGES: usize = 50;

/// Most single reads for new or running resources within [`WINDOW`]: as many as the latest list had pages, but never fewer than these.
const OTHERS: usize = 3;
const WINDOW: Duration = Duration::from_secs(2);

/// Drops a list when it expires: lists are large.
pub(super) async fn drop_later(slot: Arc<Slot>, began: Instant) {
    sleep_until(began + KEPT).await;
    let mut latest = slot.listing.lock().await;
    if latest.as_ref().is_some_and(|listing| listing.began == began) {
        *latest = None;
    }
}

/// Whether a single read is still cheap, by how many there were just now.
pub(super) fn take_single(slot: &Slot, look: Look) -> bool {
    let mut all = locked(&slot.singles);
    let now = Instant::now();
    all.retain(|_, singles| singles.is_of_late(now));
    let singles = all.entry(payer()).or_default();
    let pages = slot.pages.load(Ordering::Relaxed);
    let (of_late, most) = if look.is_change {
        (&mut singles.changes, CHANGES.max(pages))
    } else {
        (&mut singles.others, OTHERS.max(pages))
    };
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

    fn listed(items: Vec<Box<RawValue>>) -> Listed {
        Listed { items, pages: 1, room: None }
    }

    fn listing(began: Instant, items: &[Value]) -> Arc<Listing> {
        let items = items.iter().map(|item| RawValue::from_string(item.to_string()).unwrap());
        Arc::new(Listing::new(began, listed(items.collect())).unwrap())
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

    #[test]
    fn what_cannot_be_read_is_unknown_and_not_absent() {
        let item = |text: String| RawValue::from_string(text).unwrap();
        let deep = format!(r#"{{"name":"cpu","tags":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
        let list =
            Listing::new(Instant::now(), listed(vec![item(deep), item(r#"{"name":"gpu"}"#.into())])).unwrap();
        assert!(
            list.get("cpu").is_err()
                && list.get("GPU").unwrap().is_some()
                && list.get("x").unwrap().is_none()
        );
        assert!(Listing::new(Instant::now(), listed(vec![item("{}".into())])).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_list_is_shared_with_the_passes_that_waited_for_it() {
        let (slot, waits) = (Slot::default(), Instant::now());
        assert!(slot.failure_since(waits).is_none(), "nothing failed");
        tokio::time::advance(Duration::from_secs(2)).await;
        slot.note_failure(&Error::NotLeading { verb: "GET", what: "computes".to_owned() });
        assert!(slot.failure_since(waits).is_some(), "it failed while this pass waited");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(slot.failure_since(Instant::now()).is_none(), "a later pass asks again");
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
