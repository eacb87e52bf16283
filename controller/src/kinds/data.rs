//! MLData in the loop.

use super::in_workspace;
use crate::engine::relations::Name;
use crate::engine::{Context, Kind};
use azureml_crds::MLData;
use azureml_crds::shared::DeletionPolicy;
use std::hash::Hash;

impl Kind for MLData {
    const KIND: &'static str = "MLData";

    fn refers_to(&self) -> Vec<Name> {
        vec![in_workspace(self, &self.spec.workspace_ref)]
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
