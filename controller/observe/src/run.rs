//! What an MLRun sees in Azure: the job, and run history only when something has changed there.

use crate::looks::Look;
use crate::pin::look_up;
use crate::{Eyes, Observe};
use azureml_client::client::Client;
use azureml_client::limits::Urgency;
use azureml_client::{ArmId, Error};
use azureml_crds::MLRun;
use azureml_plan::context::Workspace;
use azureml_plan::resolve::Wait;
use azureml_plan::run::{Address, Refs, Seen, Wanted, is_finished, job_phase, labels, was_seen};
use serde_json::Value;

impl Observe for MLRun {
    async fn pin(&self, eyes: &Eyes<'_>, refs: &mut Refs) -> Result<Option<Wait>, Error> {
        // A run that is cancelled, or whose job is there, needs no data.
        if is_finished(self) || was_seen(self) || self.spec.cancel == Some(true) {
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
        Ok(Seen { job: Some(job), children, details })
    }

    async fn left(&self, eyes: &Eyes<'_>, address: &Address) -> Result<Option<Value>, Error> {
        eyes.client.get(&address.id, Urgency::Change).await
    }
}

/// The most child runs that are read.
const MOST_CHILDREN: usize = 200;

/// From this look on the delay is a minute, and the steps are read each time.
const SLOW_LOOK: usize = 4;

/// The address of the data plane.
fn data_plane(workspace: &Workspace) -> Result<String, Error> {
    workspace.data_plane.clone().ok_or_else(|| Error::Unreadable {
        verb: "GET",
        what: format!("run history of MLWorkspace {}", workspace.name),
        cause: "the workspace's data plane is not known; the discovery document has no address".to_owned(),
    })
}

/// Run history of one job (data plane of Azure ML, `history/v1.0`, as azure-ai-ml reads it).
struct History<'a> {
    client: &'a Client,
    base: String,
    id: &'a ArmId,
}

impl History<'_> {
    fn address(&self, what: &str) -> String {
        let workspace = self.id.enclosing_workspace().unwrap_or_else(|| self.id.clone());
        format!("{}/history/v1.0{workspace}/runs/{}/{what}", self.base.trim_end_matches('/'), self.id.name())
    }

    async fn get(&self, address: &str) -> Result<Option<Value>, Error> {
        self.client
            .get_data("history/runs", address, self.id.segment("subscriptions").unwrap_or_default())
            .await
    }

    async fn details(&self) -> Result<Option<Value>, Error> {
        self.get(&self.address("details")).await
    }

    async fn children(&self) -> Result<Vec<Value>, Error> {
        let first = format!("{}?api-version=v1.0", self.address("children"));
        let (mut children, mut address) = (Vec::new(), first.clone());
        // A pipeline has at most 100 steps, whatever else was put below its job.
        while children.len() < MOST_CHILDREN {
            let Some(mut page) = self.get(&address).await? else { break };
            if let Some(items) = page["value"].as_array_mut() {
                if items.is_empty() {
                    break;
                }
                children.append(items);
            }
            match page["continuationToken"].as_str().filter(|token| !token.is_empty()) {
                Some(token) => address = format!("{first}&$continuationToken={token}"),
                None => break,
            }
        }
        Ok(children)
    }
}
