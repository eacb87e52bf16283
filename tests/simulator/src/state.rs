//! A canonical dump of everything in a workspace, for comparing end states: sorted, without times and random ids.

use crate::ml;
use crate::world::World;
use serde_json::{Value, json};

/// The end state of one workspace.
pub fn dump(world: &World, key: &str) -> Value {
    world
        .workspaces
        .get(key)
        .map_or(Value::Null, |workspace| json!({ "computes": ml::canonical_computes(workspace) }))
}
