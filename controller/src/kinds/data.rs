//! MLData in the loop.

use super::named;
use crate::engine::relations::Name;
use crate::engine::{Context, Kind};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLData, MLWorkspace};
use std::hash::Hash;

impl Kind for MLData {
    const KIND: &'static str = "MLData";

    fn refers_to(&self) -> Vec<Name> {
        vec![named::<_, MLWorkspace>(self, &self.spec.workspace_ref.name)]
    }

    fn offer(&self) -> impl Hash {
        let status = self.status.as_ref();
        (status.and_then(|status| status.common.azure_id.clone()), self.metadata.generation)
    }

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy != Some(DeletionPolicy::Delete)
    }

    fn kept_by(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }
}
