//! What an MLData sees in Azure: its version.

use crate::looks::Look;
use crate::versions::left_of;
use crate::{Eyes, Observe};
use azureml_client::Error;
use azureml_crds::MLData;
use azureml_plan::data::{Address, Refs, Wanted, told, version_name};
use azureml_plan::environment::Version;
use serde_json::Value;

impl Observe for MLData {
    async fn observe(
        &self,
        eyes: &Eyes<'_>,
        _: &Refs,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Option<Value>, Error> {
        eyes.client.get(&wanted.id, look.urgency()).await
    }

    async fn left(&self, eyes: &Eyes<'_>, address: &Address) -> Result<Vec<Version>, Error> {
        let in_force = told(self).map(|content| version_name(&self.spec, &content));
        left_of(eyes, (&address.id, &address.owner), in_force.as_deref()).await
    }
}
