//! The operator as a platform team has it: the image just built, installed by Helm on a real node, with Azure's simulator
//! reachable from its pods by a name. In: a profile and a setting. Out: Helm, the leader's name, its pods.
//!
//! It signs in by workload identity: with the token that the cluster gives to its account.

use crate::image::{self, Image};
use crate::operator::SOON;
use crate::scene::GRANTS;
use crate::{PATIENCE, Scene, Setting, cluster};
use anyhow::{Context as _, Result, bail, ensure};
use azureml_control_plane::{Node, Options};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, ContainerStatus, Namespace, Pod};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::runtime::wait::await_condition;
use serde_json::json;
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The namespace of the operator.
pub const SYSTEM: &str = "azureml-system";
/// The release, and with it everything that it installs.
pub const RELEASE: &str = "azureml-operator";
/// The name of Azure for pods.
const AZURE: &str = "azure.test";
/// Where the image has the authorities that it trusts.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";
const CLIENT: &str = "aaaaaaaa-0000-4000-8000-000000000099";

/// A node, an Azure, an image, and Helm with the values that bring them together.
pub struct Installed {
    /// The namespace of a team, and Azure.
    pub scene: Scene,
    /// The node.
    pub node: Node,
    /// The image that was built.
    pub image: Image,
    folder: TempDir,
}

impl Installed {
    /// Prepares everything but the installation.
    ///
    /// # Errors
    /// When a part does not start, or the image cannot be built.
    pub async fn prepare(name: &str, profile: &str, mut setting: Setting) -> Result<Self> {
        cluster::wish(Options { node: true, ..Options::default() });
        setting.azure.host = Some(AZURE.to_owned());
        let scene = Scene::set(name, setting).await?;
        let node = Node::start(cluster::shared()).await?;
        let port = scene.azure.endpoint().rsplit(':').next().unwrap_or_default();
        node.offer(port.parse()?)?;
        let folder = tempfile::tempdir()?;
        let (profile, registry) = (profile.to_owned(), node.registry().address().to_owned());
        let output = folder.path().join("image");
        let built = tokio::task::spawn_blocking(move || image::build(&profile, Some(&registry), &output));
        let installed = Self { scene, node, image: built.await??, folder };
        installed.make_namespace().await?;
        std::fs::write(installed.values(), installed.values_text())?;
        Ok(installed)
    }

    /// The namespace admits only pods that Pod Security calls restricted. In it lie the authorities of the image with
    /// Azure's among them, which take the place of the image's own: that the program trusts them without a word in its
    /// configuration shows that it reads the image's.
    async fn make_namespace(&self) -> Result<()> {
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let namespace = json!({"metadata": {"name": SYSTEM, "labels": labels}});
        let namespace: Namespace = serde_json::from_value(namespace)?;
        let create = PostParams::default();
        Api::all(self.scene.kube.clone()).create(&create, &namespace).await?;
        let own = self.folder.path().join("image/rootfs").join(AUTHORITIES);
        let all =
            std::fs::read_to_string(own).context("the image has no authorities")? + self.scene.azure.ca_pem();
        let authorities = json!({"metadata": {"name": "authorities"}, "data": {"all.crt": all}});
        let authorities: ConfigMap = serde_json::from_value(authorities)?;
        Api::namespaced(self.scene.kube.clone(), SYSTEM).create(&create, &authorities).await?;
        Ok(())
    }

    fn values(&self) -> std::path::PathBuf {
        self.folder.path().join("values.yaml")
    }

    fn values_text(&self) -> String {
        let azure = self.scene.azure.endpoint();
        let host = azure.trim_start_matches("https://");
        // The lease has its default: what is measured is what is shipped.
        let soon: Vec<_> = SOON.lines().filter(|line| !line.starts_with("lease")).collect();
        let config = format!(
            "clouds: [{{name: AzurePublic, authority: '{azure}', resourceManager: '{azure}', hosts: ['{host}'], storageHosts: ['{host}']}}]\n\
             registries: {{mirrors: [{{hosts: ['*'], endpoint: '{azure}'}}]}}\n{GRANTS}{}",
            soon.join("\n")
        );
        let mut values = format!(
            "image: {{repository: {}/azureml-operator, digest: '{}'}}\n\
             workloadIdentity: {{enabled: true, clientId: {CLIENT}, tenantId: {}}}\n\
             extraVolumes: [{{name: authorities, configMap: {{name: authorities}}}}]\n\
             extraVolumeMounts: [{{name: authorities, mountPath: /{AUTHORITIES}, subPath: all.crt, readOnly: true}}]\n\
             config:\n",
            self.node.registry().address(),
            self.image.digest,
            self.scene.azure.tenant_id()
        );
        for line in config.lines() {
            let _ = writeln!(values, "  {line}");
        }
        values
    }

    /// Runs `helm COMMAND azureml-operator …`: `install` and `upgrade` with the chart and its values, and every command
    /// until what it does is done.
    ///
    /// # Errors
    /// With what Helm prints, and what the pods are like, when it fails.
    pub async fn helm(&self, command: &str, arguments: &[&str]) -> Result<String> {
        let mut helm = cluster::shared().helm()?;
        helm.args([command, RELEASE]).current_dir(crate::root());
        if ["install", "upgrade"].contains(&command) {
            helm.arg("charts/azureml-operator").arg("--values").arg(self.values());
        }
        if command != "test" {
            helm.arg("--wait");
        }
        helm.args(["--timeout", "90s", "--namespace", SYSTEM]).args(arguments);
        let output =
            tokio::task::spawn_blocking(move || helm.output()).await?.context("failed to start Helm")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        bail!("helm {command}: {}{}\n{}", text(&output.stdout), text(&output.stderr), described())
    }

    /// The operator's pods that are ready.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn pods(&self) -> Result<Vec<Pod>> {
        let selector = ListParams::default().labels("app.kubernetes.io/name=azureml-operator");
        let pods = self.pod_api().list(&selector).await?;
        let is_ready = |pod: &Pod| {
            let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
            let mut conditions = conditions.into_iter().flatten();
            conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
        };
        Ok(pods.into_iter().filter(is_ready).collect())
    }

    /// The pods of the operator's namespace.
    #[must_use]
    pub fn pod_api(&self) -> Api<Pod> {
        Api::namespaced(self.scene.kube.clone(), SYSTEM)
    }

    /// Waits, on a watch, until a process leads that is not this one; gives who: the name of its pod, and of itself.
    ///
    /// # Errors
    /// When nobody does in time.
    pub async fn leader_after(&self, before: &str) -> Result<(String, String)> {
        let api: Api<Lease> = Api::namespaced(self.scene.kube.clone(), SYSTEM);
        let other = |lease: Option<&Lease>| holder(lease).is_some_and(|holder| holder != before);
        let waited = tokio::time::timeout(PATIENCE, await_condition(api, RELEASE, other)).await;
        let lease = waited.with_context(|| format!("nobody leads: {}", described()))??;
        let holder = holder(lease.as_ref()).context("nobody leads")?.to_owned();
        // Behind the pod's name there is a hyphen and 36 characters of the process's own.
        ensure!(holder.len() > 37, "{holder:?} does not say its pod");
        Ok((holder[..holder.len() - 37].to_owned(), holder))
    }

    /// Deletes the leader's pod, which hands the lease over before it ends; gives the time until another process leads.
    ///
    /// # Errors
    /// When nobody takes over, or the pod that was deleted leads again.
    pub async fn delete_leader(&self) -> Result<Duration> {
        let (pod, holder) = self.leader_after("").await?;
        let began = Instant::now();
        self.pod_api().delete(&pod, &DeleteParams::default()).await?;
        let (next, _) = self.leader_after(&holder).await?;
        ensure!(next != pod, "the pod that was deleted leads again");
        Ok(began.elapsed())
    }

    /// Kills the leader's process with SIGKILL, which hands nothing over; gives the time until another process leads.
    ///
    /// # Errors
    /// When the process is not found, or nobody takes over.
    pub async fn kill_leader(&self) -> Result<Duration> {
        let (pod, holder) = self.leader_after("").await?;
        let pod = self.pod_api().get(&pod).await?;
        let id =
            container(&pod).and_then(|container| container.container_id.clone()).context("no container")?;
        let processes = self.node.processes(&id)?;
        ensure!(!processes.is_empty(), "the container has no process");
        let numbers = processes.iter().map(ToString::to_string);
        let began = Instant::now();
        ensure!(Command::new("kill").args(["-s", "KILL"]).args(numbers).status()?.success(), "kill failed");
        self.leader_after(&holder).await?;
        Ok(began.elapsed())
    }
}

/// The state of a pod's only container.
#[must_use]
pub fn container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

fn holder(lease: Option<&Lease>) -> Option<&str> {
    let holder = lease?.spec.as_ref()?.holder_identity.as_deref()?;
    (!holder.is_empty()).then_some(holder)
}

/// What Kubernetes and the operator say, for messages.
fn described() -> String {
    let everything = ["get", "pods,events", "--output=wide"];
    let logs = ["logs", "--selector=app.kubernetes.io/name=azureml-operator", "--tail=20", "--prefix"];
    let run = |arguments: &[&str]| {
        let mut kubectl: Command = cluster::shared().kubectl();
        let output = kubectl.args(["--namespace", SYSTEM]).args(arguments).output();
        let said = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    };
    format!("{}\n{}", run(&everything), run(&logs))
}
