//! What Azure shows of a cluster: errors, counts and nodes, read one by one.
//!
//! In: a part of the answer. Out: values. Decides nothing.

use azureml_crds::ml_compute::Nodes;
use serde_json::Value;

/// The first of a list of errors, with or without the `error` around it.
pub(super) fn first_error(list: &Value) -> Option<&Value> {
    let first = list.as_array()?.first()?;
    Some(if first["error"].is_object() { &first["error"] } else { first })
}

/// A count; none is 0.
pub(super) fn count(value: &Value) -> i32 {
    value.as_i64().and_then(|count| i32::try_from(count).ok()).unwrap_or(0)
}

/// The nodes by state.
pub(super) fn nodes(inner: &Value) -> Nodes {
    let states = &inner["nodeStateCounts"];
    Nodes {
        current: count(&inner["currentNodeCount"]),
        target: count(&inner["targetNodeCount"]),
        idle: count(&states["idleNodeCount"]),
        running: count(&states["runningNodeCount"]),
        preparing: count(&states["preparingNodeCount"]),
        unusable: count(&states["unusableNodeCount"]),
        leaving: count(&states["leavingNodeCount"]),
        preempted: count(&states["preemptedNodeCount"]),
    }
}
