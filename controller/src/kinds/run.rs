//! MLRun: what it reads: the job, and run history only when something has changed there.

use super::{find, named, reach, vouched};
use crate::engine::kind::Rest;
use crate::engine::relations::Name;
use crate::engine::{Context, Kind, Leaving, Reached, Resolved, Wait};
use crate::looks::Look;
use crate::metrics::Done;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::{ArmId, Error};
use azureml_crds::ml_pipeline::Current;
use azureml_crds::ml_run::{MLRunStatus, Phase};
use azureml_crds::shared::DeletionPolicy;
use azureml_crds::{MLPipeline, MLRun, MLWorkspace};
use azureml_plan::context::Workspace;
use azureml_plan::failure::Trouble;
use azureml_plan::run::{
    Address, Refs, Seen, Wanted, id, is_expired, is_finished, job_phase, kept_until, refusal, was_seen,
};
use azureml_plan::workspace::believed;
use azureml_plan::{Ask, Plan};
use jiff::Timestamp;
use kube::ResourceExt as _;
use serde_json::Value;
use std::hash::Hash;
use std::time::Duration;

impl Kind for MLRun {
    const KIND: &'static str = "MLRun";

    fn is_unseen(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.common.azure_id.is_some()) && !was_seen(self)
    }

    fn refers_to(&self) -> Vec<Name> {
        if is_finished(self) {
            return Vec::new();
        }
        let workspace = self.status.as_ref().and_then(|status| status.workspace_ref.as_ref());
        let workspace = workspace.map(|workspace| named::<_, MLWorkspace>(self, &workspace.name));
        [named::<_, MLPipeline>(self, &self.spec.pipeline_ref.name)].into_iter().chain(workspace).collect()
    }

    fn offer(&self) -> impl Hash {}

    fn holds(&self) -> bool {
        !is_finished(self)
    }

    fn is_retained(&self) -> bool {
        self.spec.deletion_policy == Some(DeletionPolicy::Retain) || is_finished(self)
    }

    fn kept_by(&self, _: &Context) -> Vec<String> {
        Vec::new()
    }

    fn rest(&self, now: Timestamp) -> Option<Rest> {
        if !is_finished(self) {
            return None;
        }
        Some(if is_expired(self, now) { Rest::Over } else { Rest::Until(kept_until(self)) })
    }

    fn pace(ctx: &Context) -> (Duration, Duration) {
        (ctx.job_looks_from, ctx.job_looks_to)
    }

    fn done(&self, after: &MLRunStatus) -> Option<Done> {
        let phase = after.phase.filter(|_| !is_finished(self))?;
        let result = match phase {
            Phase::Succeeded => "succeeded",
            Phase::Failed => "failed",
            Phase::Canceled => "canceled",
            Phase::Pending | Phase::Queued | Phase::Preparing | Phase::Running | Phase::Finalizing => {
                return None;
            }
        };
        let took = after.duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Some(Done::Run { result, took: took.map(Duration::from_secs) })
    }

    fn refused(&self, trouble: &Trouble, ask: &Ask) -> Option<Plan> {
        refusal(self, trouble, ask)
    }

    async fn resolve(&self, ctx: &Context) -> Resolved<Reached<Refs>> {
        let namespace = self.namespace().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        let (workspace, current) = match (status.workspace_ref, status.pipeline) {
            (Some(workspace), Some(current)) => (workspace.name, current),
            _ => match self.pipeline(ctx, &namespace) {
                Ok(found) => found,
                Err(wait) => return Resolved::Wait(wait),
            },
        };
        match reach(ctx, &namespace, &workspace).await {
            Ok(found) => {
                let current = match self.version_to_run(ctx, &namespace, current, &found.workspace) {
                    Ok(current) => current,
                    Err(wait) => return Resolved::Wait(wait),
                };
                let refs = Refs {
                    workspace: found.workspace,
                    owner: ctx.owner(&namespace, &self.name_any()),
                    current,
                };
                Resolved::Found(Reached { refs, client: found.client, resync: found.resync })
            }
            Err(wait) => Resolved::Wait(wait),
        }
    }

    async fn observe(
        &self,
        ctx: &Context,
        reached: &Reached<Refs>,
        wanted: &Wanted,
        look: Look,
    ) -> Result<Seen, Error> {
        let client = &reached.client;
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
        let history = History {
            client,
            base: data_plane(ctx, &self.namespace().unwrap_or_default(), &reached.refs.workspace.name)?,
            id: &wanted.id,
        };
        let children = Some(history.children().await?);
        let details = if phase.is_finished() { history.details().await? } else { None };
        Ok(Seen { job: Some(job), children, details })
    }

    async fn leaving(&self, ctx: &Context) -> Leaving<Address> {
        let namespace = self.namespace().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        let (Some(_), Some(workspace)) = (&status.common.azure_id, &status.workspace_ref) else {
            return Leaving::Nothing;
        };
        match reach(ctx, &namespace, &workspace.name).await {
            Ok(found) => {
                let refs = Address { id: id(self, &found.workspace.id) };
                Leaving::Address(Reached { refs, client: found.client, resync: found.resync })
            }
            Err(wait) => Leaving::Blocked(wait),
        }
    }

    async fn left(&self, _: &Context, reached: &Reached<Address>) -> Result<Option<Value>, Error> {
        reached.client.get(&reached.refs.id, Urgency::Change).await
    }
}

/// The most child runs that are read.
const MOST_CHILDREN: usize = 200;

/// From this look on the delay is a minute, and the steps are read each time.
const SLOW_LOOK: usize = 4;

trait OfPipeline {
    fn version_to_run(
        &self,
        ctx: &Context,
        namespace: &str,
        recorded: Current,
        workspace: &Workspace,
    ) -> Result<Current, Wait>;

    fn pipeline(&self, ctx: &Context, namespace: &str) -> Result<(String, Current), Wait>;
}

impl OfPipeline for MLRun {
    /// The version that was written down, whatever became of the pipeline, where its job was seen. Before that it is one that may be sent now: the
    /// pipeline's present one, where the other was accepted under another identity.
    fn version_to_run(
        &self,
        ctx: &Context,
        namespace: &str,
        recorded: Current,
        workspace: &Workspace,
    ) -> Result<Current, Wait> {
        if was_seen(self) {
            return Ok(recorded);
        }
        let is_accepted = recorded.accepted_as.as_ref() == Some(&workspace.identity);
        let current = if is_accepted { recorded } else { self.pipeline(ctx, namespace)?.1 };
        vouched(ctx, (namespace, &self.spec.pipeline_ref.name), &current, workspace)?;
        Ok(current)
    }

    /// The workspace and the current version of the pipeline that the run names.
    fn pipeline(&self, ctx: &Context, namespace: &str) -> Result<(String, Current), Wait> {
        let name = &self.spec.pipeline_ref.name;
        let pipeline = find(&ctx.stores.pipelines, namespace, name).ok_or_else(|| {
            Wait::new("ReferenceNotFound", format!("there is no MLPipeline {name} in this namespace yet"))
        })?;
        let current = pipeline.status.as_ref().and_then(|status| status.current.clone());
        let current = current.ok_or_else(|| {
            Wait::new("ReferenceNotReady", format!("MLPipeline {name} has no version in force yet"))
        })?;
        Ok((pipeline.spec.workspace_ref.name.clone(), current))
    }
}

fn data_plane(ctx: &Context, namespace: &str, workspace: &str) -> Result<String, Error> {
    let found = find(&ctx.stores.workspaces, namespace, workspace);
    let address = found.and_then(|workspace| believed(&workspace).data_plane);
    address.ok_or_else(|| Error::Unreadable {
        verb: "GET",
        what: format!("run history of MLWorkspace {workspace}"),
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
