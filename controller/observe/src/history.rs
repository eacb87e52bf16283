//! Run history of one job: its steps and the run itself (data plane of Azure ML, `history/v1.0`, as azure-ai-ml reads it).
//!
//! In: the data plane's address, the job. Out: what the service says. Only reads.

use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use azureml_plan::context::Workspace;
use serde_json::Value;

/// The most child runs that are read.
const MOST_CHILDREN: usize = 200;

/// The address of the data plane.
///
/// # Errors
/// When it was not found yet.
pub(crate) fn data_plane(workspace: &Workspace) -> Result<String, Error> {
    workspace.data_plane.clone().ok_or_else(|| Error::Unreadable {
        verb: "GET",
        what: format!("run history of MLWorkspace {}", workspace.reference),
        cause: "the workspace's data plane is not known; the discovery document has no address".to_owned(),
    })
}

/// Run history of one job.
pub struct History<'a> {
    /// By what it is read.
    pub client: &'a Client,
    /// The address of the data plane.
    pub base: String,
    /// The job.
    pub id: &'a ArmId,
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

    /// The run itself; `None` where there is none.
    ///
    /// # Errors
    /// When it is refused, or the address is not the cloud's.
    pub async fn details(&self) -> Result<Option<Value>, Error> {
        self.get(&self.address("details")).await
    }

    /// The runs below it, which are the steps of a pipeline.
    ///
    /// # Errors
    /// As for the run itself.
    pub async fn children(&self) -> Result<Vec<Value>, Error> {
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
