//! A conda environment in an image, where and as Azure ML makes it, so that a job finds the same.
//!
//! Source: the Dockerfile of an image that Azure ML built, in "Azure ML Containers" of Microsoft's cheat sheets for Azure ML.

use super::conda_file::Installed;
use super::text::{Files, Text};
use super::words;
use crate::checks;
use crate::invalid::InvalidSpec;
use azureml_crds::ml_environment::Conda;

/// The Dockerfile of `conda`, with its file.
///
/// # Errors
/// When the image is no name.
pub fn conda(conda: &Conda, file: &Installed<'_>, of: &str, content: &str) -> Result<Files, InvalidSpec> {
    // The file is read already.
    let Conda { image, file: _, from: _, verify, builder: _ } = conda;
    words::image("conda.image", image)?;
    let named = &file.named;
    let mut text = Text::on(image, "conda", of);
    let prefix = environment(&mut text, content, file.text.to_owned());
    let found =
        checks::conda_packages(&prefix, &named.conda).into_iter().chain(checks::distributions(&named.pip));
    Ok(text.with_checks(found.chain(verify.iter().flat_map(checks::asked))))
}

/// Adds a conda environment, which is the one of every later command; its path.
pub(super) fn environment(text: &mut Text, content: &str, file: String) -> String {
    let name = format!("azureml_{content}");
    let prefix = format!("/azureml-envs/{name}");
    text.part("The conda environment, where Azure ML puts its own.");
    let path = text.file("conda.yaml", file);
    text.line(format!(
        "RUN conda env create --prefix {prefix} --file {path} \\\n && conda clean --all --quiet --yes \\\n && rm -rf \"$HOME/.cache/pip\""
    ));
    text.line(format!(
        "ENV PATH=\"{prefix}/bin:$PATH\" \\\n    LD_LIBRARY_PATH=\"{prefix}/lib:$LD_LIBRARY_PATH\" \\\n    \
         AZUREML_CONDA_ENVIRONMENT_PATH=\"{prefix}\" \\\n    CONDA_PREFIX=\"{prefix}\" \\\n    CONDA_DEFAULT_ENV=\"{name}\" \\\n    \
         AZUREML_ENVIRONMENT_IMAGE=\"True\""
    ));
    prefix
}
