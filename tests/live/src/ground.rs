//! What the probes and the cleaning stand on: the workspace and its registry as Azure shows them, and what the story made.
//!
//! In: the door. Out: ids. Read once, before anything is made.

use crate::door::Door;
use crate::names::Names;
use crate::recorder::Recorder;
use crate::setup::Setup;
use anyhow::{Context as _, Result, bail};
use azureml_client::ArmId;
use serde_json::Value;
use std::time::Duration;

/// The workspace as Azure shows it.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its id.
    pub id: ArmId,
    /// Its region.
    pub region: String,
    /// Its registry.
    pub registry: Option<Registry>,
}

/// A registry.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Its id.
    pub id: ArmId,
    /// The host of its images.
    pub login_server: String,
}

impl Workspace {
    /// Reads it: the first request, and the proof that the sign-in works.
    ///
    /// # Errors
    /// When there is none, or it may not be read; the error says what to do.
    pub async fn read(door: &Door, setup: &Setup) -> Result<Self> {
        let answer = door.get(setup.workspace.as_str()).await.context(
            "failed to sign in or to reach Azure; sign in as the operator does: AZURE_TENANT_ID, AZURE_CLIENT_ID and \
             AZURE_CLIENT_SECRET, or `az login`",
        )?;
        match answer.status {
            200 => {}
            401 | 403 => bail!(
                "the workspace may not be read ({}); give this identity the roles AzureML Data Scientist and AzureML \
                 Compute Operator on it",
                answer.said()
            ),
            404 => bail!("there is no workspace {} ({})", setup.workspace, answer.said()),
            _ => bail!("Azure answers {} for {}", answer.said(), setup.workspace),
        }
        let region = answer.body["location"].as_str().unwrap_or_default().to_owned();
        let registry = match answer.body["properties"]["containerRegistry"].as_str() {
            Some(id) => Some(Registry::read(door, &ArmId::parse(id)?).await?),
            None => None,
        };
        Ok(Self { id: setup.workspace.clone(), region, registry })
    }
}

impl Registry {
    async fn read(door: &Door, id: &ArmId) -> Result<Self> {
        let answer = door.get(id.as_str()).await?;
        let login_server = answer.body["properties"]["loginServer"].as_str();
        let login_server = login_server.with_context(|| {
            format!("the registry {id} may not be read ({}); give this identity Reader on it", answer.said())
        })?;
        Ok(Self { id: id.clone(), login_server: login_server.to_owned() })
    }
}

/// What the probes stand on.
pub struct Ground<'a> {
    /// The way to Azure.
    pub door: &'a Door,
    /// What was seen.
    pub recorder: &'a Recorder,
    /// The names of this check.
    pub names: &'a Names,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// How long to look whether something happens that should not.
    pub settle: Duration,
    /// What the story made.
    pub made: Made,
}

/// What the story made.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// The id of the pipeline component.
    pub component: String,
    /// The id of the cluster.
    pub compute: String,
    /// The address of the endpoint.
    pub scoring_uri: String,
    /// The image of the environment.
    pub image: String,
    /// The runs of the build before and after its task run was sent again.
    pub builds: Option<(String, String)>,
}

impl Ground<'_> {
    /// The id of something in the workspace.
    #[must_use]
    pub fn id(&self, kind: &str, name: &str) -> String {
        self.workspace.id.child(kind, name).to_string()
    }

    /// The properties of a body that the operator sent, and that Azure took.
    ///
    /// # Errors
    /// When it sent none.
    pub fn sent(&self, kind: &str) -> Result<Value> {
        let exchanges = self.recorder.exchanges();
        let taken = |exchange: &&crate::recorder::Exchange| {
            exchange.is_operators() && exchange.is_put(kind) && matches!(exchange.status, 200 | 201)
        };
        let found = exchanges.iter().find(taken);
        let found = found.with_context(|| format!("the operator sent no {kind} that Azure took"))?;
        Ok(found.body.json()["properties"].clone())
    }

    /// The path and the body of the operator's last PUT of a type that Azure took.
    ///
    /// # Errors
    /// When it sent none.
    pub fn last_put(&self, kind: &str) -> Result<(String, Value)> {
        let exchanges = self.recorder.exchanges();
        let is_it = |exchange: &&crate::recorder::Exchange| {
            let is_below = exchange.path().rsplit(kind).next().is_some_and(|rest| rest.contains('/'));
            exchange.is_operators()
                && exchange.is_put(kind)
                && !is_below
                && matches!(exchange.status, 200 | 201)
        };
        let found = exchanges.iter().rev().find(is_it);
        let found = found.with_context(|| format!("the operator sent no {kind} that Azure took"))?;
        Ok((found.path().to_owned(), found.body.json().clone()))
    }
}
