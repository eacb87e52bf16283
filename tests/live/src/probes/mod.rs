//! The probes: what they ask of Azure for one assumption each, with things of their own that carry the check's tag.

pub mod assets;
pub mod invocation;
pub mod jobs;
pub mod open;
pub mod passive;
pub mod schedules;
