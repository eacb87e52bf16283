//! GitOps with the real controllers: Flux fetches commits from a Git server on loopback and applies them; the operator
//! makes them true. The manifests for Flux are those of the how-to. Each test has a namespace, a repository and an Azure,
//! and its operator is a user of its own in the API server's audit log.

mod applied;
mod broken;
mod flux;
mod installed;
mod manifests;
mod pruned;
mod sources;
mod substituted;
mod witness;

use anyhow::Result;
use azureml_control_plane::Options;
use azureml_e2e::git::Repository;
use azureml_e2e::{Operator, Scene, Setting, cluster};
use serde_json::Value;
use std::collections::BTreeMap;
use witness::Witness;

/// A scene with a repository that Flux watches.
struct Stage {
    scene: Scene,
    operator: Operator,
    user: String,
    repository: Repository,
    witness: Witness,
}

fn audited() -> Options {
    Options { audit: true, crds: cluster::definitions(), ..Options::default() }
}

impl Stage {
    /// Sets a scene with the first folders in the first commit; gives the commit's revision.
    async fn set(name: &str, folders: &[&str]) -> Result<(Self, String)> {
        let plane = tokio::task::spawn_blocking(|| {
            cluster::wish(audited());
            cluster::shared()
        })
        .await?;
        // No comparison with Azure by the clock falls into the test: it counts what syncs cause.
        let mut setting = Setting::default();
        setting.config = setting.config.replace("resync: 1h", "resync: 1000h");
        // Where the source-controller of the tests gives artifacts out.
        setting.config += "sources: {flux: {hosts: ['127.0.0.1:*']}}\n";
        let (mut scene, repository) = (Scene::set(name, setting).await?, Repository::serve().await?);
        let user = format!("operator-{}", scene.namespace);
        scene.start.kubeconfig = Some(plane.user(&user, &["system:masters"])?.kubeconfig);
        // The operator first: once it leads, the API server has begun to serve every kind.
        let (operator, witness) = (scene.operator().await?, Witness::of(&scene).await?);
        for folder in folders {
            repository.copy(folder)?;
        }
        let revision = repository.commit("Begin")?;
        flux::running().await?;
        Ok((Self { scene, operator, user, repository, witness }, revision))
    }

    /// Ends the test: the contract was kept, and every state that was seen is one of the table.
    async fn end(self) -> Result<()> {
        self.scene.check_contract()?;
        self.witness.judge().await?;
        self.operator.stop()
    }

    /// Applies the how-to's account, its repository, and those of its Kustomizations that are named.
    async fn watch(&self, kustomizations: &[&str]) -> Result<()> {
        let wanted = manifests::of_the_how_to(&self.scene.namespace, &self.repository.url, kustomizations)?;
        self.scene.apply(&wanted).await.map(drop)
    }

    /// Commits, has Flux fetch, and gives the revision.
    async fn push(&self, message: &str) -> Result<String> {
        let revision = self.repository.commit(message)?;
        self.request("gitrepository/ml", &revision).await?;
        Ok(revision)
    }

    /// Asks Flux to look at something now.
    async fn request(&self, what: &str, value: &str) -> Result<()> {
        let annotation = format!("reconcile.fluxcd.io/requestedAt={value}");
        self.scene.kubectl(&["annotate", "--overwrite", what, &annotation]).await.map(drop)
    }

    /// Waits until a Kustomization is ready at a revision.
    async fn ready(&self, name: &str, revision: &str) -> Result<Value> {
        let is_so = |kustomization: &Value| {
            kustomization["status"]["lastAppliedRevision"] == revision
                && flux::condition(kustomization, "Ready")["status"] == "True"
        };
        flux::wait(&self.scene, name, &format!("ready at {revision}"), is_so).await
    }

    /// Waits until a Kustomization has failed at a revision, and gives what it says.
    async fn failed(&self, name: &str, revision: &str) -> Result<String> {
        let is_so = |kustomization: &Value| {
            kustomization["status"]["lastAttemptedRevision"] == revision
                && flux::condition(kustomization, "Ready")["status"] == "False"
        };
        let failed = flux::wait(&self.scene, name, &format!("failed at {revision}"), is_so).await?;
        Ok(flux::condition(&failed, "Ready")["message"].as_str().unwrap_or_default().to_owned())
    }

    /// Every object of ours, as `Kind/name`, with its `Ready` condition: status and reason.
    async fn objects(&self) -> Result<BTreeMap<String, String>> {
        let mut objects = BTreeMap::new();
        for name in self.scene.versions().await?.keys() {
            let object: Value =
                serde_json::from_str(&self.scene.kubectl(&["get", name, "-o", "json"]).await?)?;
            let ready = flux::condition(&object, "Ready");
            let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
            objects.insert(name.clone(), format!("{} {}", text("status"), text("reason")));
        }
        Ok(objects)
    }

    /// What was said of objects of ours, as events.
    async fn told(&self) -> Result<Vec<(String, String)>> {
        let mut events = self.scene.events().await?;
        events.retain(|(object, _)| object.starts_with("ML"));
        events.sort();
        Ok(events)
    }

    /// How often Azure was asked to change each type of thing since a place in its log.
    fn counted(&self, since: usize) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.scene.writes(since) {
            *counts.entry(entry.operation).or_insert(0) += 1;
        }
        counts
    }
}
