//! The check against a subscription, whole, against the simulator: it asks, tells the story, answers, records, and leaves nothing.

mod leave;
mod page;
mod redaction;
mod replay;
mod stage;
mod states;
mod tokens;
mod whole;
