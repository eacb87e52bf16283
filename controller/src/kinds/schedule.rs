//! MLSchedule in the loop.

use super::named;
use crate::engine::relations::Name;
use crate::engine::{Context, Kind};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLPipeline, MLSchedule, MLWorkspace};
use std::hash::Hash;

impl Kind for MLSchedule {
    const KIND: &'static str = "MLSchedule";

    const WRITES_ADDRESS_FIRST: bool = true;

    fn refers_to(&self) -> Vec<Name> {
        let workspace = self.status.as_ref().and_then(|status| status.workspace_ref.as_ref());
        let workspace = workspace.map(|workspace| named::<_, MLWorkspace>(self, &workspace.name));
        [named::<_, MLPipeline>(self, &self.spec.pipeline_ref.name)].into_iter().chain(workspace).collect()
    }

    fn offer(&self) -> impl Hash {}

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy == Some(DeletionPolicy::Retain)
    }
    fn kept_by(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }
}
