//! Azure Container Registry: which part answers a request of the provider.
//! In: calls that passed the front door. Out: answers. Rules of one type are in that type's file.

mod registries;

use crate::arm::Call;
use crate::arm::errors::{self, Reply};
use crate::arm::ids::Target;
use crate::world::World;
use http::Method;

pub use registries::{Registry, RoleMode};

/// Answers a request of the provider `Microsoft.ContainerRegistry`.
pub fn answer(world: &mut World, call: &Call<'_>, target: &Target<'_>, rest: &[&str]) -> Reply {
    let part = |at: usize| rest.get(at).map(|segment| segment.to_ascii_lowercase()).unwrap_or_default();
    let key = match (part(0).as_str(), rest.len()) {
        ("registries", 2..) => registries::find(world, target, rest)?,
        (_, _) => return Err(errors::no_route(call)),
    };
    let registry = world.registries.get(&key).ok_or_else(|| errors::no_route(call))?;
    match (&call.request.method, rest.get(2..).unwrap_or_default()) {
        (&Method::GET, []) => Ok(registry.answer(call)),
        (_, []) => Err(errors::no_method(call)),
        (_, _) => Err(errors::no_route(call)),
    }
}
