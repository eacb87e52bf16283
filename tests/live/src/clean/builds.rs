//! Builds: their task runs, and the images that they pushed. In: whose. Out: what was removed, and what was not.

use super::{Sweep, Swept, name};
use anyhow::Result;
use azureml_client::ArmId;
use serde_json::Value;

impl Sweep<'_> {
    /// Task runs, and the images that they pushed: what still builds would push after its image was removed.
    pub(super) async fn builds(&self, swept: &mut Swept) {
        let Some(registry) = &self.workspace.registry else { return };
        let runs = match self.door.list(&format!("{}/taskRuns", registry.id)).await {
            Ok(runs) => runs,
            Err(error) => return swept.left.push(format!("whatever was built: {error:#}")),
        };
        for run in runs {
            let named = run["properties"]["runRequest"]["imageNames"].as_array().into_iter().flatten();
            let images: Vec<&str> =
                named.filter_map(Value::as_str).filter(|image| self.whose.owns_image(image)).collect();
            if images.is_empty() {
                continue;
            }
            let id = format!("{}/taskRuns/{}", registry.id, name(&run));
            let mut ended = self.end_build(&registry.id, &id, &run).await;
            let left = swept.left.len();
            for image in &images {
                let removed = crate::registry::remove(self.door, self.setup, &registry.login_server, image);
                let outcome = std::mem::replace(&mut ended, Ok(())).and(removed.await);
                swept.note(format!("image {image}"), outcome);
            }
            // By it the next cleaning finds an image that is left.
            if swept.left.len() == left {
                let outcome = self.delete(&id, "").await;
                swept.note(format!("task run {}", name(&run)), outcome);
            }
        }
    }

    /// Cancels a build that goes on, and waits until it is over.
    async fn end_build(&self, registry: &ArmId, id: &str, run: &Value) -> Result<()> {
        if is_built(run) {
            return Ok(());
        }
        if let Some(run) = run["properties"]["runResult"]["properties"]["runId"].as_str() {
            // Refused when it has ended meanwhile; the next look tells.
            self.door.post(&format!("{registry}/runs/{run}/cancel")).await?;
        }
        self.until(id, is_built).await
    }
}

fn is_built(task_run: &Value) -> bool {
    let state = task_run["properties"]["runResult"]["properties"]["status"].as_str();
    state.is_some_and(|state| !matches!(state, "Queued" | "Started" | "Running"))
}
