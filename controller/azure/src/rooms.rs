//! What the requests of one process may take at once, together and for each namespace: connections, and memory for large answers.
//!
//! In: the payer of the task. Out: permits. The budget counts requests; this counts those that are under way.

use crate::places::{Permit, Places};
use crate::turns::payer;

/// Limits for the requests of all namespaces and for those of each.
pub struct Rooms {
    sent: Places,
    answers: Places,
    lists: Places,
}

/// An answer that is longer than this waits for its room, in bytes.
pub(crate) const LARGE: usize = 1 << 20;

impl Default for Rooms {
    /// Servers usually let 100 requests of an HTTP/2 connection go at once (RFC 9113 advises no less). One namespace has two thirds.
    fn default() -> Self {
        Self { sent: Places::new(64, 96), answers: Places::new(1, 4), lists: Places::new(2, 3) }
    }
}

impl Rooms {
    /// Waits until one more request of this payer may be under way.
    pub(crate) async fn send(&self) -> Option<Permit> {
        self.sent.permit(&payer()).await
    }

    /// Waits until one more large answer may be read.
    pub(crate) async fn answer(&self) -> Option<Permit> {
        self.answers.permit(&payer()).await
    }

    /// Waits until one more large list may be kept.
    pub(crate) async fn list(&self) -> Option<Permit> {
        self.lists.permit(&payer()).await
    }
}
