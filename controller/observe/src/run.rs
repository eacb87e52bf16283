//! What an MLRun sees in Azure: the job, and run history only when something has changed there.

use crate::history::{History, data_plane};
use crate::looks::Look;
use crate::pin::look_up;
use crate::{Eyes, Observe};
use azureml_client::Error;
use azureml_client::limits::Urgency;
use azureml_crds::MLRun;
use azureml_crds::ml_run::Phase;
use azureml_plan::Ask;
use azureml_plan::resolve::Wait;
use azureml_plan::run::{
    Address, Refs, Seen, Wanted, is_finished, is_restored, job_phase, labels, next, was_seen,
};
use serde_json::Value;

impl Observe for MLRun {
    async fn pin(&self, eyes: &Eyes<'_>, refs: &mut Refs, _: &Ask) -> Result<Option<Wait>, Error> {
        // A run that is cancelled, or whose job is there or was there before a restore, needs no data.
        if is_finished(self) || was_seen(self) || is_restored(self) || self.spec.cancel == Some(true) {
            return Ok(None);
        }
        let labels = labels(self, &refs.current, &refs.workspace.id);
        look_up(eyes, labels, &mut refs.pins).await
    }

    async fn observe(
        &self,
        eyes: &Eyes<'_>,
        refs: &Refs,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        let client = eyes.client;
        if is_finished(self) {
            return Ok(Seen::default());
        }
        let Some(job) = client.get(&wanted.id, Urgency::Change).await? else {
            return Ok(Seen::default());
        };
        let phase = job_phase(self, &job);
        let before = self.status.as_ref().and_then(|status| status.phase);
        let has_changed = before != Some(phase);
        let slow = u32::try_from(SLOW_LOOK).unwrap_or(u32::MAX);
        if !has_changed && look.attempt < slow {
            return Ok(Seen { job: Some(job), ..Seen::default() });
        }
        let history = History { client, base: data_plane(&refs.workspace)?, id: &wanted.id };
        let children = Some(history.children().await?);
        let details = if phase.is_finished() { history.details().await? } else { None };
        let may_be_followed = is_restored(self) && phase == Phase::Failed && self.spec.retry.is_some();
        let is_followed =
            may_be_followed && client.get(&next(self, &refs.workspace.id), Urgency::Change).await?.is_some();
        Ok(Seen { job: Some(job), children, details, is_followed })
    }

    async fn left(&self, eyes: &Eyes<'_>, address: &Address) -> Result<Option<Value>, Error> {
        eyes.client.get(&address.id, Urgency::Change).await
    }
}

/// From this look on the delay is a minute, and the steps are read each time.
const SLOW_LOOK: usize = 4;
