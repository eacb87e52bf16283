//! A workspace as Azure shows it: the bodies that were read, by collection.
//!
//! In: bodies. Out: the same, in an order that two runs share, and the ids that they name. Asks nothing.

use azureml_client::ArmId;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a workspace has.
#[derive(Clone, Debug)]
pub struct Live {
    /// The workspace's id.
    pub id: ArmId,
    /// The workspace itself.
    pub workspace: Value,
    /// Computes of every type.
    pub computes: Vec<Value>,
    /// The newest version of each environment.
    pub environments: Vec<Value>,
    /// The newest version of each data asset.
    pub data: Vec<Value>,
    /// The newest version of each component.
    pub components: Vec<Value>,
    /// Batch endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Schedules, also disabled ones.
    pub schedules: Vec<Value>,
    /// What the kinds have no place for, by its collection.
    pub others: Vec<(&'static str, Value)>,
    /// Components and jobs that others name, by [`ArmId::key`].
    pub named: BTreeMap<String, Value>,
    /// Collections that could not be read, and why.
    pub unread: Vec<(String, String)>,
}

/// A batch endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The endpoint itself.
    pub body: Value,
    /// Its deployments.
    pub deployments: Vec<Value>,
}

/// Where a deployment says which component it runs.
pub const COMPONENT: &str = "/properties/deploymentConfiguration/componentId/assetId";

impl Live {
    /// A workspace of which nothing more is known than itself.
    #[must_use]
    pub fn new(id: ArmId, workspace: Value) -> Self {
        Self {
            id,
            workspace,
            computes: Vec::new(),
            environments: Vec::new(),
            data: Vec::new(),
            components: Vec::new(),
            endpoints: Vec::new(),
            schedules: Vec::new(),
            others: Vec::new(),
            named: BTreeMap::new(),
            unread: Vec::new(),
        }
    }

    /// Sorts what Azure lists in any order, so that a second run gives the same.
    pub fn sort(&mut self) {
        for bodies in [
            &mut self.computes,
            &mut self.environments,
            &mut self.data,
            &mut self.components,
            &mut self.schedules,
        ] {
            bodies.sort_by_key(place);
        }
        self.endpoints.sort_by_key(|endpoint| place(&endpoint.body));
        for endpoint in &mut self.endpoints {
            endpoint.deployments.sort_by_key(place);
        }
        self.others.sort_by_key(|(collection, body)| (*collection, place(body)));
        self.unread.sort();
    }

    /// What schedules, deployments and the jobs that were read name, and what is not known yet: components and jobs.
    #[must_use]
    pub fn asked(&self) -> Vec<ArmId> {
        let jobs = self.schedules.iter().filter_map(|one| one.pointer("/properties/action/jobDefinition"));
        let jobs: Vec<&Value> = jobs.chain(self.named.values().map(|body| &body["properties"])).collect();
        let deployments = self.endpoints.iter().flat_map(|endpoint| &endpoint.deployments);
        let components = deployments.filter_map(|one| one.pointer(COMPONENT));
        let components = components.chain(jobs.iter().map(|job| &job["componentId"]));
        let components = components.filter_map(|id| component_id(&self.id, id.as_str()?));
        let sources = jobs.iter().filter_map(|job| job_id(&self.id, job["sourceJobId"].as_str()?));
        let ids: BTreeMap<String, ArmId> = components.chain(sources).map(|id| (id.key(), id)).collect();
        // Only what is below this workspace is read.
        ids.into_values()
            .filter(|id| id.enclosing_workspace().as_ref() == Some(&self.id))
            .filter(|id| !self.named.contains_key(&id.key()) && self.body(id).is_none())
            .collect()
    }

    /// A component by what names it, as far as it was read.
    #[must_use]
    pub fn component(&self, text: &str) -> Option<&Value> {
        self.body(&component_id(&self.id, text)?)
    }

    /// A job by what names it, as far as it was read.
    #[must_use]
    pub fn job(&self, text: &str) -> Option<&Value> {
        self.body(&job_id(&self.id, text)?)
    }

    fn body(&self, id: &ArmId) -> Option<&Value> {
        let is_it =
            |body: &&Value| body["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id.as_str()));
        self.named
            .get(&id.key())
            .filter(|body| !body.is_null())
            .or_else(|| self.components.iter().find(is_it))
    }
}

/// The id of a component: clients name one of the workspace by `<name>:<version>` too, and Azure shows what they sent.
#[must_use]
pub fn component_id(workspace: &ArmId, text: &str) -> Option<ArmId> {
    let text = bare(text);
    if text.starts_with('/') {
        return ArmId::parse(text).ok();
    }
    let (name, version) = text.strip_prefix("azureml:").unwrap_or(text).split_once(':')?;
    let id = workspace.child("components", name).child("versions", version);
    (!name.contains('/') && !version.contains('/')).then_some(id)
}

/// The id of a job, which may be named by its name alone.
fn job_id(workspace: &ArmId, text: &str) -> Option<ArmId> {
    let text = bare(text);
    if text.starts_with('/') {
        return ArmId::parse(text).ok();
    }
    (!text.is_empty() && !text.contains([':', '/'])).then(|| workspace.child("jobs", text))
}

/// An id without the word that Azure ML writes before it at some places.
#[must_use]
pub fn bare(id: &str) -> &str {
    id.strip_prefix("azureml:").filter(|rest| rest.starts_with("/subscriptions/")).unwrap_or(id)
}

/// By what a body is sorted: its id, or its name where it says no id.
fn place(body: &Value) -> String {
    body["id"].as_str().or_else(|| body["name"].as_str()).unwrap_or_default().to_ascii_lowercase()
}
