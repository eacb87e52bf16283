//! MLCompute in the loop.

use super::named;
use crate::engine::relations::Name;
use crate::engine::watch::name_of;
use crate::engine::{Context, Kind};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLCompute, MLPipeline, MLWorkspace};
use std::hash::Hash;

impl Kind for MLCompute {
    const KIND: &'static str = "MLCompute";
    const CARES: bool = true;

    fn refers_to(&self) -> Vec<Name> {
        vec![named::<_, MLWorkspace>(self, &self.spec.workspace_ref.name)]
    }

    fn offer(&self) -> impl Hash {
        let status = self.status.as_ref();
        let ready = status.is_some_and(|status| azureml_plan::report::is_ready(&status.common.conditions));
        (ready, status.and_then(|status| status.common.azure_id.clone()))
    }

    fn holds(&self) -> bool {
        true
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy != Some(DeletionPolicy::Delete)
    }

    fn kept_by(&self, ctx: &Context) -> Vec<String> {
        if self.is_retained() { Vec::new() } else { ctx.holders(&name_of(self), &[MLPipeline::KIND]) }
    }
}
