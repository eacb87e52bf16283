//! The check against a subscription: the story with the real operator and the real Azure, what only Azure can answer, and a
//! recording of both. In: a workspace, and the word of its user. Out: a table, a recording, and nothing left in Azure.
//! May not hold a token longer than a request, write one down, or leave the run without removing what it made.

mod answer;
pub mod args;
pub mod assumptions;
pub mod clean;
pub mod cost;
pub mod door;
pub mod entry;
pub mod ground;
pub mod kubernetes;
pub mod names;
pub mod observed;
pub mod operator;
pub mod page;
pub mod probes;
pub mod recorder;
pub mod recording;
pub mod redact;
pub mod registry;
pub mod report;
pub mod run;
pub mod setup;
pub mod shape;
pub mod story;
