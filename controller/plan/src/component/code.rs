//! The files of a step, and the code version that holds them.

use crate::names;
use azureml_client::ArmId;
use azureml_crds::MLPipeline;
use azureml_crds::step::Step;

/// Files of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// The hash by which Azure ML finds equal files.
    pub hash: String,
    /// The code version that we would make.
    pub id: ArmId,
}

/// The files of a step, where it has some.
#[must_use]
pub fn code(pipeline: &MLPipeline, step: &Step, workspace: &ArmId) -> Option<Code> {
    let defaults = pipeline.spec.defaults.as_ref();
    let code = step.code.as_ref().or_else(|| defaults.and_then(|defaults| defaults.code.as_ref()))?;
    let hash = code.files.hash().to_owned();
    let id = workspace.child("codes", &names::code(&hash)).child("versions", "1");
    Some(Code { hash, id })
}
