//! A scene that plays the story in three acts: apply, run, delete.

use super::Act;
use super::names::{is_account_of, same_names};
use anyhow::{Context as _, Result, ensure};
use azureml_crds::shared::HasCommon as _;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::operator::SOON;
use azureml_e2e::scene::{GRANTS, GROUP};
use azureml_e2e::{Operator, Scene};
use azureml_plan::report::is_ready;
use azureml_simulator::{Entry, Simulator, WorkspaceSpec};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The example as one text, in a workspace of its own, with everything to be deleted at the end.
fn manifests(workspace: &str) -> Result<String> {
    let mut all = String::new();
    for file in ["schedule", "pipeline", "environment", "computes", "workspace"] {
        let text = std::fs::read_to_string(azureml_e2e::root().join(format!("examples/r-gbm/{file}.yaml")))?;
        let text = text.replace("mlw-team-a", workspace).replace("r-gbm-team-a", &format!("ep-{workspace}"));
        let text = text.replace("  vmSize:", "  deletionPolicy: Delete\n  vmSize:");
        let text = text.replace("  description: R 4.4", "  deletionPolicy: Delete\n  description: R 4.4");
        all = all + "---\n" + &text;
    }
    Ok(all)
}

const RUN: &str = "{apiVersion: azureml.dev/v1alpha1, kind: MLRun, metadata: {name: one}, spec: {pipelineRef: {name: r-gbm}, inputs: {trees: 50}}}";

/// How often an operator lost its lease, in all cases.
static RESTARTS: AtomicUsize = AtomicUsize::new(0);
/// More than a busy machine explains: one in ten of the operators.
const MOST_RESTARTS: usize = 20;

/// A scene that plays the whole story.
pub struct Stage {
    pub scene: Scene,
    manifests: String,
}

/// As all tests have it.
fn config() -> String {
    format!("{GRANTS}{SOON}")
}

/// The lease's name where no flag names one.
const LEASE: &str = "azureml-operator";

impl Stage {
    pub async fn set(azure: &Arc<Simulator>, workspace: &str) -> Result<Self> {
        let _ = azure.add_workspace(&WorkspaceSpec::new(GROUP, workspace));
        let scene = Scene::set_in("crash", azure.clone(), workspace, &config()).await?;
        Ok(Self { scene, manifests: manifests(workspace)? })
    }

    /// Lets the lease of an operator that was killed expire soon. The next one waits for that and takes it over, as it does after
    /// longer: how long is for `replicas::`.
    pub async fn expire_lease(&self) -> Result<()> {
        let soon = Patch::Merge(json!({"spec": {"leaseDurationSeconds": 1}}));
        self.scene.api::<Lease>().patch(LEASE, &PatchParams::default(), &soon).await?;
        Ok(())
    }

    pub async fn applied(&self) -> Result<()> {
        let scene = &self.scene;
        macro_rules! ready {
            ($($kind:ty: $name:literal),*) => {$(
                scene.wait::<$kind>($name, "ready", |object| {
                    object.status.as_ref().is_some_and(|status| is_ready(&status.common().conditions))
                }).await?;
            )*};
        }
        ready!(MLWorkspace: "team-a", MLCompute: "cpu", MLCompute: "big", MLEnvironment: "r-gbm", MLPipeline: "r-gbm", MLSchedule: "r-gbm-weekdays");
        Ok(())
    }

    pub async fn ran(&self) -> Result<()> {
        let is_done = |run: &MLRun| {
            run.status
                .as_ref()
                .is_some_and(|status| status.phase.is_some_and(azureml_crds::ml_run::Phase::is_finished))
        };
        self.scene.wait::<MLRun>("one", "finished", is_done).await?;
        Ok(())
    }

    pub async fn deleted(&self) -> Result<()> {
        let scene = &self.scene;
        scene.wait_gone::<MLSchedule>("r-gbm-weekdays").await?;
        scene.wait_gone::<MLPipeline>("r-gbm").await?;
        scene.wait_gone::<MLEnvironment>("r-gbm").await?;
        scene.wait_gone::<MLCompute>("cpu").await?;
        scene.wait_gone::<MLCompute>("big").await?;
        scene.wait_gone::<MLWorkspace>("team-a").await
    }

    pub async fn begin(&self, act: Act) -> Result<()> {
        match act {
            Act::Apply => self.scene.apply_objects(&self.manifests).await.map(drop),
            Act::Run => self.scene.apply_objects(RUN).await.map(drop),
            Act::Delete => self.scene.delete_objects(&self.manifests).await,
        }
    }

    pub async fn end(&self, act: Act) -> Result<()> {
        match act {
            Act::Apply => self.applied().await,
            Act::Run => self.ran().await,
            Act::Delete => self.deleted().await,
        }
    }

    /// Lets an act end. Where the machine is so busy that the operator loses its lease, another is started, as a kubelet does.
    pub async fn end_with(&self, act: Act, operator: &mut Operator) -> Result<()> {
        let mut end = std::pin::pin!(self.end(act));
        let mut beat = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                ended = &mut end => return ended,
                _ = beat.tick() => {
                    if operator.has_lost_its_lease() {
                        let restarts = RESTARTS.fetch_add(1, Ordering::Relaxed) + 1;
                        ensure!(restarts <= MOST_RESTARTS, "operators lost their lease {restarts} times: {}", operator.tail(20));
                        println!("{}: the operator lost its lease and is started again", self.scene.namespace);
                        *operator = self.scene.operator().await?;
                    }
                }
            }
        }
    }

    /// The requests of this stage alone.
    pub fn requests(&self) -> Vec<Entry> {
        let scene = &self.scene;
        let is_ours = |entry: &Entry| {
            entry.client.as_deref() == Some(&scene.start.client)
                || is_account_of(&entry.url, &scene.workspace)
        };
        scene.azure.requests_that(is_ours)
    }

    /// The end state, in which every hash and name of the case is made the same.
    pub fn state(&self) -> Result<Value> {
        let state = self.scene.azure.state(GROUP, &self.scene.workspace).context("no state")?;
        Ok(same_names(&state, &self.scene))
    }
}
