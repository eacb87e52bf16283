//! A canonical dump of everything in a workspace, for comparing end states: sorted, without times and random ids.

use crate::arm::ids;
use crate::world::World;
use crate::{acr, ml};
use serde_json::Value;

/// The end state of one workspace and its registry.
pub fn dump(world: &World, key: &str) -> Value {
    let Some(workspace) = world.workspaces.get(key) else { return Value::Null };
    let registry = ids::key(&ids::registry(&workspace.subscription, &workspace.group, &workspace.registry));
    let mut state = ml::canonical(workspace);
    state["registry"] = acr::canonical(world, &registry);
    state
}
