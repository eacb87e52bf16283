//! Lists of Resource Manager, page by page. A page may be shorter than asked, and `nextLink` is followed as it is.
//!
//! In: a parent and the name of a collection. Out: its items. Only reads.

use crate::budget::Urgency;
use crate::client::Client;
use crate::error::Error;
use crate::id::ArmId;
use crate::places::Permit;
use crate::verb::Verb;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// One page of a list.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    value: Vec<Box<RawValue>>,
    #[serde(rename = "nextLink")]
    next_link: Option<String>,
}

/// The list to read.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The resource that it belongs to.
    pub parent: &'a ArmId,
    /// Its name, such as `jobs`.
    pub collection: &'a str,
    /// The query that filters it.
    pub query: &'a [(&'a str, &'a str)],
    /// Whose turn it is in the budget.
    pub urgency: Urgency,
}

/// The largest list that is kept, in bytes: 10,000 clusters have 16 MB.
const LARGEST_LIST: usize = 24 << 20;
/// A list that is longer than this waits for its room.
const LARGE_LIST: usize = 2 << 20;
/// The largest list of values: parsed, they take four times as much.
const LARGEST_VALUES: usize = 4 << 20;

/// What was kept of a list.
pub struct Listed {
    /// The items, as the text they came in.
    pub items: Vec<Box<RawValue>>,
    /// The number of pages, each of which costs one request.
    pub pages: usize,
    /// The room of a large list, until it is dropped.
    pub room: Option<Permit>,
}

/// An item of a list. One that cannot be read is unknown, and never absent.
///
/// # Errors
/// When it is no value that can be read.
pub fn parsed(item: &RawValue, what: &str) -> Result<Value, Error> {
    serde_json::from_str(item.get()).map_err(|error| {
        let what = format!("an item of {what}");
        Error::Unreadable { verb: "GET", what, cause: error.to_string() }
    })
}

impl Client {
    /// Reads a list to its end: of the items that are kept, each as a value.
    ///
    /// # Errors
    /// As [`Client::list`], and when an item that is kept cannot be read, or they are too many.
    pub async fn values(
        &self,
        asked: Asked<'_>,
        keep: impl Fn(&RawValue) -> bool + Send,
    ) -> Result<Vec<Value>, Error> {
        let what = format!("{}/{}", asked.parent, asked.collection);
        let Listed { items, room: _room, .. } = self.pages(asked, usize::MAX, keep).await?;
        if items.iter().map(|item| item.get().len()).sum::<usize>() > LARGEST_VALUES {
            let cause = format!(
                "what is asked for is larger than {LARGEST_VALUES} bytes; remove what is not needed of it"
            );
            return Err(Error::Unreadable { verb: "GET", what, cause });
        }
        items.into_iter().map(|item| parsed(&item, &what)).collect()
    }

    /// Reads a list to its end, every item as the text it came in.
    ///
    /// # Errors
    /// When a page is refused, or points to a host that is not the cloud's.
    pub async fn list(
        &self,
        parent: &ArmId,
        collection: &str,
        query: &[(&str, &str)],
        urgency: Urgency,
    ) -> Result<Vec<Box<RawValue>>, Error> {
        let asked = Asked { parent, collection, query, urgency };
        self.pages(asked, usize::MAX, |_| true).await.map(|listed| listed.items)
    }

    /// Reads at most so many pages of a list, and keeps some of its items. Items that are not kept take no memory, so a list that others filled
    /// does no harm.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub async fn pages(
        &self,
        asked: Asked<'_>,
        most: usize,
        keep: impl Fn(&RawValue) -> bool + Send,
    ) -> Result<Listed, Error> {
        self.pages_until(asked, keep, |pages| pages >= most).await
    }

    /// Reads a list, page by page, until so many pages are enough, and keeps some of its items.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub async fn pages_until(
        &self,
        asked: Asked<'_>,
        keep: impl Fn(&RawValue) -> bool + Send,
        is_enough: impl Fn(usize) -> bool + Send,
    ) -> Result<Listed, Error> {
        let Asked { parent, collection, query, urgency } = asked;
        let mut request = self.request(Verb::Get, parent, Some(collection), None)?;
        request.kind = format!("{}/{}", parent.kind(), collection.to_ascii_lowercase());
        request.url.query_pairs_mut().extend_pairs(query);
        let first = request.url.clone();
        let (mut listed, mut size) = (Listed { items: Vec::new(), pages: 0, room: None }, 0);
        loop {
            let bytes = self.arm_raw(&mut request, parent, urgency).await?;
            listed.pages += 1;
            let mut page: Page = serde_json::from_slice(&bytes)
                .map_err(|error| crate::send::unreadable(&request, error.to_string()))?;
            drop(bytes);
            page.value.retain(|item| keep(item));
            size += page.value.iter().map(|item| item.get().len()).sum::<usize>();
            if size > LARGEST_LIST {
                let cause =
                    format!("the list is larger than {LARGEST_LIST} bytes; remove what is not needed of it");
                return Err(crate::send::unreadable(&request, cause));
            }
            if size > LARGE_LIST && listed.room.is_none() {
                // A caller that waits for a room holds nothing meanwhile, and begins anew with it.
                drop((page, std::mem::take(&mut listed.items)));
                (listed.room, size) = (self.transport.rooms.list().await, 0);
                request.url = first.clone();
                request.identify();
                continue;
            }
            listed.items.extend(page.value);
            let next = page.next_link.filter(|link| !link.is_empty() && !is_enough(listed.pages));
            let Some(next) = next else { return Ok(listed) };
            request.url = self.follow(&request, &next)?;
            request.identify();
        }
    }

    /// Reads the first page of a list.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn page(
        &self,
        parent: &ArmId,
        collection: &str,
        query: &[(&str, &str)],
        urgency: Urgency,
    ) -> Result<Vec<Value>, Error> {
        let listed = self.pages(Asked { parent, collection, query, urgency }, 1, |_| true).await?;
        Ok(listed.items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect())
    }
}
