//! What is known of things that are named by the hash of their content. Data alone; `hashed` reads and fills it.

use azureml_client::kept::Kept;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// How long it is remembered that something is there which nobody asks for: longer than most wait between comparisons.
const UNUSED: Duration = Duration::from_hours(24);

/// The most that is remembered, some 20 MB of ids: 10,000 pipelines of four steps. What is forgotten is read once more.
const MOST: usize = 50_000;

/// What is known of it: whose it is, where it says that.
pub(super) struct Hashed {
    pub(super) present: Mutex<Kept<String, Option<String>>>,
    pub(super) absent: Mutex<HashMap<String, Instant>>,
}

impl Default for Hashed {
    fn default() -> Self {
        let present = Mutex::new(Kept::new(UNUSED).at_most(MOST));
        Self { present, absent: Mutex::default() }
    }
}
