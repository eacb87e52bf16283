//! The verbs for a terminal: what they make of objects, as whole texts, and what the program says alone. No cluster is asked.

mod follow;
mod graph;
mod harmless;
mod launch;
mod logs;
mod mark;
mod shells;
mod status;
mod stub;
mod why;
