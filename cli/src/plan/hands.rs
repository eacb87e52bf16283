//! Everything that a pass needs, and none of it from Kubernetes.

use super::fetch::Fetching;
use super::known_after;
use anyhow::Result;
use azureml_access::credentials::Who;
use azureml_access::identity::Identities;
use azureml_client::client::Client;
use azureml_client::places::Places;
use azureml_observe::looks::Looks;
use azureml_plan::Action;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::{Settings, Wait};
use std::sync::Arc;
use std::time::Duration;

/// Everything that a pass needs.
pub struct Hands {
    /// The clouds, and the clients that were made for them.
    pub identities: Identities,
    /// The identity that signs in.
    pub who: Who,
    /// What was read before.
    pub looks: Looks,
    /// Questions to registries that anybody named.
    pub strangers: Places,
    /// The configuration.
    pub settings: Settings,
    /// What fetches files from elsewhere.
    pub fetching: Fetching,
    /// What becomes of files.
    pub uploads: Uploads,
    /// Whether the folder has every object of its namespace: then one that it lacks is gone.
    pub knows_all: bool,
}

/// What becomes of files that a plan uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploads {
    /// They are sent.
    Sent,
    /// They stay here, and the place where they would be is not known.
    LeftOut,
}

impl Hands {
    /// Looks that keep nothing longer than a pass: what was just written is read again.
    #[must_use]
    pub fn looks() -> Looks {
        Looks::new(Duration::ZERO)
    }

    /// The client of a cloud.
    ///
    /// # Errors
    /// When the configuration knows no such cloud.
    pub fn client(&self, cloud: &str) -> Result<Arc<Client>, Wait> {
        self.identities.client(cloud, &self.who).ok_or_else(|| {
            let known = self.identities.cloud_names().join(", ");
            let message = format!(
                "there is no cloud {cloud}; name one of {known}, or describe it in clouds of --config"
            );
            Wait::stalled(Reason::UNKNOWN_CLOUD, message)
        })
    }

    /// An action as it is sent.
    pub(super) fn prepared(&self, action: Action) -> Action {
        match (self.uploads, action) {
            (Uploads::LeftOut, Action::Upload { id, mut body, pointer, room, files: _ }) => {
                if let Some((parent, key)) = pointer.rsplit_once('/')
                    && let Some(parent) = body.pointer_mut(parent)
                {
                    parent[key] = known_after::place(&room).into();
                }
                Action::Put { id, body }
            }
            (_, action) => action,
        }
    }
}
