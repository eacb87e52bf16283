//! What is planned where a resource belongs to another object.

use crate::action::{Next, Plan, Verdict};
use crate::owner::Other;
use crate::reasons::Reason;

/// A plan where the resource is another object's. That object may be about to go: where it is one of this cluster its end wakes
/// this one, else Azure is looked at again soon, and less often the longer it stays.
#[must_use]
pub fn taken(id: &impl std::fmt::Display, owner: &Other, remedy: &str) -> Plan {
    let message = format!("{id} belongs to {owner}; {remedy}, or delete the other one");
    let plan = Plan::say(Verdict::stalled(Reason::OWNED_BY_ANOTHER, message), Next::Again);
    Plan { taken_by: owner.holder.clone(), ..plan }
}
