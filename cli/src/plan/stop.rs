//! Why an object cannot be compared with Azure.

use super::told::Told;
use azureml_client::image::ImageRef;
use azureml_plan::action::State;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_plan::trouble::Trouble;

/// Why an object cannot be compared.
pub(super) enum Stop {
    /// Something is missing.
    Wait(Wait),
    /// Azure refused, or did not answer.
    Failed(Trouble),
}

impl From<Wait> for Stop {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

impl From<azureml_client::Error> for Stop {
    fn from(error: azureml_client::Error) -> Self {
        Self::Failed(Trouble::of(&error))
    }
}

impl Stop {
    /// What stops a plan, which reads no Secret: also that of an image.
    pub(super) fn unsigned(pulled: Option<(&str, ImageRef)>, error: azureml_client::Error) -> Self {
        match (&error, pulled) {
            (azureml_client::Error::RegistryUnauthorized { .. }, Some((secret, image))) => {
                let message = format!(
                    "imagePullSecretRef: a plan reads no Secret, so it cannot sign in with {secret} to look {image} up; write the image with its \
                     digest, or ask the operator"
                );
                Wait::stalled(Reason::REGISTRY_UNAUTHORIZED, message).into()
            }
            _ => error.into(),
        }
    }

    pub(super) fn told(self) -> Told {
        let (state, reason, message) = match self {
            Self::Wait(wait) if wait.is_stalled => (State::Stalled, wait.reason.into(), wait.message),
            Self::Wait(wait) => (State::Working, wait.reason.into(), wait.message),
            Self::Failed(trouble) => (State::Stalled, trouble.reason.clone(), trouble.told(trouble.remedy())),
        };
        Told { state, reason, message, is_compared: false, held: 0 }
    }
}
