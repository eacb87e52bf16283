//! What the contract accepts and refuses: recorded requests of real clients, published examples, and requests and
//! answers that are wrong in one place. The data are `contract/requests.json`; the definitions themselves are optional.

#![expect(clippy::panic, reason = "the helpers of a test end it as the test itself does")]

mod answers;
mod drift;
mod page;
mod published;
mod refusals;
mod requests;
mod support;
