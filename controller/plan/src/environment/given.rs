//! An image that exists, by its name.
//!
//! In: a spec, what was fetched. Out: the image, or why it is none.

use super::context;
use super::wanted::Source;
use crate::invalid::InvalidSpec;
use crate::source::Held;
use azureml_client::image::ImageRef;
use azureml_crds::ml_environment::MLEnvironmentSpec;

/// An image that exists, with the conda file that Azure ML completes it with.
pub(super) fn given(spec: &MLEnvironmentSpec, held: Option<&Held>) -> Result<Source, InvalidSpec> {
    let (field, image, conda_file) = match (&spec.image, &spec.conda) {
        (Some(image), _) => ("image", image, None),
        (None, Some(conda)) => {
            let file = context::conda_file(conda, held)?;
            ("conda.image", &conda.image, Some(file.text.to_owned()))
        }
        (None, None) => {
            return Err(InvalidSpec::new("spec", "set one of build, conda, packages, image"));
        }
    };
    let image = ImageRef::parse(image).map_err(|error| InvalidSpec::new(field, error.to_string()))?;
    Ok(Source::Given { image, conda_file })
}
