//! What an MLSchedule sees in Azure: its schedule, and the jobs that it made.

use crate::looks::{Collection, Look};
use crate::pin::look_up;
use crate::scheduled;
use crate::{Eyes, Observe};
use azureml_client::Error;
use azureml_crds::MLSchedule;
use azureml_plan::Ask;
use azureml_plan::asset_name::Pins;
use azureml_plan::resolve::Wait;
use azureml_plan::schedule::{Address, Jobs, Refs, Seen, Wanted, is_fired_here, is_ours, labels};
use serde_json::Value;

/// Disabled schedules are listed too.
const ALL: [(&str, &str); 1] = [("listViewType", "All")];

impl Observe for MLSchedule {
    async fn pin(&self, eyes: &Eyes<'_>, refs: &mut Refs, _: &Ask) -> Result<Option<Wait>, Error> {
        if is_fired_here(self) {
            // Its runs look up what they need.
            return Ok(None);
        }
        let labels = labels(self, refs);
        if self.spec.suspend == Some(true) {
            // It fires nothing: what it named before will do, so that what is missing keeps nobody from suspending it.
            let told = self.status.as_ref().map(|status| status.resolved.as_slice());
            refs.pins = Pins::told(told.unwrap_or_default(), &labels);
        }
        look_up(eyes, labels, &mut refs.pins).await
    }

    async fn observe(
        &self,
        eyes: &Eyes<'_>,
        refs: &Refs,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        if is_fired_here(self) {
            return Ok(Seen::default());
        }
        let of = Collection { parent: &refs.workspace.id, name: "schedules", query: &ALL };
        let schedule = eyes.looks.resource(eyes.client, of, wanted.id.name(), look).await?;
        let jobs = match &schedule {
            Some(have) if is_ours(refs, have) => scheduled::jobs(self, eyes, refs, look).await,
            _ => Jobs::default(),
        };
        Ok(Seen { schedule, jobs })
    }

    async fn left(&self, eyes: &Eyes<'_>, address: &Address) -> Result<Option<Value>, Error> {
        eyes.looks.fresh(eyes.client, &address.id).await
    }
}
