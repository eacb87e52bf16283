//! The log of an operator, line by line, while it grows.

use serde_json::Value;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The lines so far, and a bell for each new one.
#[derive(Default)]
pub(crate) struct Log {
    lines: Mutex<Lines>,
    /// Rings when a line comes, and when the log ends.
    pub more: Condvar,
}

/// What was read.
#[derive(Default)]
pub(crate) struct Lines {
    /// Every line; what is no JSON is a text.
    pub all: Vec<Value>,
    /// Whether no more can come.
    pub ended: bool,
}

impl Log {
    /// The lines so far.
    pub fn locked(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all lines, until there can be no more.
    pub fn fill(&self, lines: impl std::io::BufRead) {
        for line in lines.lines().map_while(Result::ok) {
            let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            self.locked().all.push(value);
            self.more.notify_all();
        }
        self.locked().ended = true;
        self.more.notify_all();
    }
}
