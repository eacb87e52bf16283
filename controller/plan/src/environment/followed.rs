//! The images whose tags an environment follows.
//!
//! In: a spec, its Dockerfile as it was fetched. Out: images as they are written. Looks nothing up.

use super::given::given;
use super::recipe::Recipe;
use super::wanted::Refs;
use super::{context, tenancy};
use crate::invalid::InvalidSpec;
use azureml_crds::MLEnvironment;

/// So many images of one environment are followed at most; status has room for no more.
const MOST: usize = 32;

/// The images with a tag that an environment follows, each once. None where the spec is refused anyway: nothing is asked of a registry
/// for it.
#[must_use]
pub fn followed(environment: &MLEnvironment, refs: &Refs) -> Vec<String> {
    if environment.spec.rebuild.is_none() {
        return Vec::new();
    }
    let mut images = written(environment, refs).unwrap_or_default();
    images.truncate(MOST);
    images
}

fn written(environment: &MLEnvironment, refs: &Refs) -> Result<Vec<String>, InvalidSpec> {
    let held = context::fetched(&environment.spec, &refs.sources)?;
    tenancy::check(&environment.spec, held, &refs.owner)?;
    if let Some(recipe) = Recipe::of(environment, "", held)? {
        return Ok(recipe.bases());
    }
    let image = given(&environment.spec, held)?.image().clone();
    Ok(if image.digest.is_none() { vec![image.to_string()] } else { Vec::new() })
}
