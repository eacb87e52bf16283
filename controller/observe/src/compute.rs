//! What an MLCompute sees in Azure: its cluster.

use crate::looks::{Collection, Look};
use crate::{Eyes, Observe};
use azureml_client::Error;
use azureml_crds::MLCompute;
use azureml_plan::compute::{Address, Refs, Wanted, is_overwritten};
use serde_json::Value;
use tokio::time::Instant;

impl Observe for MLCompute {
    async fn observe(
        &self,
        eyes: &Eyes<'_>,
        refs: &Refs,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Option<Value>, Error> {
        let of = Collection { parent: &refs.workspace.id, name: "computes", query: &[] };
        let began = Instant::now();
        let seen = eyes.looks.resource(eyes.client, of, wanted.id.name(), look).await?;
        let is_overwritten = |have: &Value| look.is_change && is_overwritten(refs, wanted, have);
        if !seen.as_ref().is_some_and(is_overwritten) {
            return Ok(seen);
        }
        // A PATCH of the scale needs no new read; a PUT of the whole cluster could undo a change in the portal.
        let look = Look { since: began, ..look };
        eyes.looks.resource(eyes.client, of, wanted.id.name(), look).await
    }

    async fn left(&self, eyes: &Eyes<'_>, address: &Address) -> Result<Option<Value>, Error> {
        eyes.looks.fresh(eyes.client, &address.id).await
    }
}
