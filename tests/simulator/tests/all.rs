//! Every test of the simulator, in one program: linking takes longer than most of them.

#![allow(clippy::unwrap_used, reason = "the lint takes helpers of tests for code outside of tests")]

mod assets;
mod binary;
mod components;
mod computes;
#[path = "contract/main.rs"]
mod contract;
mod databricks;
mod endpoints;
mod execute;
mod front;
mod jobs;
mod jobs_refused;
mod jobs_shown;
mod recorded_registry;
mod refusals;
mod registry;
mod schedules;
mod storage;
mod support;
