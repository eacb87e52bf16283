//! MLEnvironment in the loop.

use super::in_workspace;
use crate::clock;
use crate::engine::relations::Name;
use crate::engine::{Context, Kind};
use crate::metrics::{BUILDS, Done};
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::MLEnvironmentStatus;
use azureml_crds::shared::DeletionPolicy;
use azureml_plan::environment::is_open;
use jiff::SignedDuration;
use std::hash::Hash;
use std::time::Duration;

impl Kind for MLEnvironment {
    const KIND: &'static str = "MLEnvironment";

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

    /// A build that has ended since the last pass. One that ended long ago was another object's, or another cluster's.
    fn done(&self, after: &MLEnvironmentStatus) -> Option<Done> {
        let before = self.status.as_ref().and_then(|status| status.build.as_ref());
        let build = after.build.as_ref().filter(|build| !is_open(&build.state))?;
        let is_told =
            before.is_some_and(|before| before.run_id == build.run_id && before.state == build.state);
        let age = clock::now().duration_since(build.finished_at.as_ref()?.0);
        if is_told || age > LONG_AGO {
            return None;
        }
        let result = BUILDS.into_iter().find(|word| build.state.eq_ignore_ascii_case(word))?;
        let took = build.duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Some(Done::Build { result, took: took.map(Duration::from_secs) })
    }
}

/// Longer than any wait between two looks at a build.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(1);
