//! A scene: a namespace of its own, a simulated workspace of its own, and an operator that serves only these.

use crate::cluster;
use crate::evidence::CLIENT;
use crate::kubectl::kubectl;
use crate::operator::{Operator, SOON, Start, configure};
use anyhow::{Context as _, Result, anyhow};
use azureml_control_plane::ControlPlane;
use azureml_simulator::{Options, Simulator, WorkspaceSpec};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, ObjectMeta};
use kube::{Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// The subscription of the examples.
pub const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";
/// The resource group of the examples.
pub const GROUP: &str = "rg-ml";
/// The workspace of the examples.
pub const WORKSPACE: &str = "mlw-team-a";

/// Everything is granted to everybody.
pub const GRANTS: &str = "grants: [{namespaces: ['*']}]\n";

/// What a scene is set with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// How the simulator behaves.
    pub azure: Options,
    /// More of the operator's configuration, as YAML. The default grants everything to everybody, and does everything soon.
    pub config: String,
}

impl Default for Setting {
    fn default() -> Self {
        let azure = Options {
            subscription_id: SUBSCRIPTION.to_owned(),
            workspaces: vec![WorkspaceSpec::new(GROUP, WORKSPACE)],
            strict: true,
            http1: crate::is_http1(),
            ..Options::default()
        };
        Self { azure, config: format!("{GRANTS}{SOON}") }
    }
}

/// An object of one of the operator's kinds.
pub trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static
{
}

/// A namespace, a simulator, and how an operator is started for them.
pub struct Scene {
    /// The namespace.
    pub namespace: String,
    /// Azure.
    pub azure: Arc<Simulator>,
    /// The workspace in Azure.
    pub workspace: String,
    /// Kubernetes.
    pub kube: Client,
    /// How the operator is started.
    pub start: Start,
    _folder: TempDir,
}

static NUMBER: AtomicU32 = AtomicU32::new(1);

impl Scene {
    /// Sets a scene with an Azure of its own; the operator is not started yet.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub async fn set(name: &str, setting: Setting) -> Result<Self> {
        let azure = simulator(setting.azure).await?;
        Self::set_in(name, azure, WORKSPACE, &setting.config).await
    }

    /// Sets a scene on a control plane of the test's own; kubectl reaches the shared one alone.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub async fn set_on(plane: &ControlPlane, name: &str, setting: Setting) -> Result<Self> {
        let (kube, azure) = (plane.client().await?, simulator(setting.azure).await?);
        let mut scene = Self::with(kube, name, azure, WORKSPACE, &setting.config).await?;
        scene.start.kubeconfig = Some(plane.kubeconfig().to_owned());
        Ok(scene)
    }

    /// Sets a scene in a workspace of an Azure that others use too.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub async fn set_in(name: &str, azure: Arc<Simulator>, workspace: &str, config: &str) -> Result<Self> {
        Self::with(cluster::client().await?, name, azure, workspace, config).await
    }

    async fn with(
        kube: Client,
        name: &str,
        azure: Arc<Simulator>,
        workspace: &str,
        config: &str,
    ) -> Result<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{name}-{number}");
        make_namespace(&kube, &namespace).await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("config.yaml");
        configure(&file, azure.endpoint(), azure.ca_file(), config)?;
        let client = format!("{CLIENT}{number:012}");
        let start = Start {
            namespace: namespace.clone(),
            config: file,
            client,
            tenant: azure.tenant_id().to_owned(),
            ..Start::default()
        };
        Ok(Self { namespace, azure, workspace: workspace.to_owned(), kube, start, _folder: folder })
    }

    /// Applies manifests without kubectl, as many scenes side by side do.
    ///
    /// # Errors
    /// When one is refused, or is of a kind that is not the operator's.
    pub async fn apply_objects(&self, manifests: &str) -> Result<Vec<DynamicObject>> {
        let mut applied = Vec::new();
        for object in objects(manifests)? {
            let api = self.dynamic(&object)?;
            let params = PatchParams::apply("test").force();
            applied.push(api.patch(&object.name_any(), &params, &Patch::Apply(&object)).await?);
        }
        Ok(applied)
    }

    /// Deletes the objects of manifests without waiting.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete_objects(&self, manifests: &str) -> Result<()> {
        for object in objects(manifests)? {
            self.dynamic(&object)?.delete(&object.name_any(), &DeleteParams::default()).await?;
        }
        Ok(())
    }

    /// The objects of the kind of an object.
    ///
    /// # Errors
    /// When it is not one of the operator's kinds.
    pub fn dynamic(&self, object: &DynamicObject) -> Result<Api<DynamicObject>> {
        dynamic(&self.kube, &self.namespace, object)
    }

    /// Starts the operator, and waits until it leads.
    ///
    /// # Errors
    /// When it does not.
    pub async fn operator(&self) -> Result<Operator> {
        let start = self.start.clone();
        let started = tokio::task::spawn_blocking(move || {
            let operator = Operator::start(&start)?;
            operator.leads()?;
            Ok::<_, anyhow::Error>(operator)
        });
        started.await?
    }

    /// Runs kubectl in the namespace.
    ///
    /// # Errors
    /// When it fails.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl_with(arguments, None).await
    }

    /// Runs kubectl in the namespace, with something on its standard input.
    ///
    /// # Errors
    /// When it fails.
    pub async fn kubectl_with(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let namespace = self.namespace.clone();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let input = input.map(str::to_owned);
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            kubectl(&namespace, &arguments, input.as_deref())
        };
        tokio::task::spawn_blocking(run).await?
    }

    /// Applies manifests.
    ///
    /// # Errors
    /// When one is refused.
    pub async fn apply(&self, manifests: &str) -> Result<String> {
        self.kubectl_with(&["apply", "-f", "-"], Some(manifests)).await
    }

    /// The objects of a kind.
    #[must_use]
    pub fn api<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.kube.clone(), &self.namespace)
    }
}

/// Whatever else a test shows: no request of the operator may break Azure's published contract.
impl Drop for Scene {
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    fn drop(&mut self) {
        let is_kept = self.azure.counters()["contractViolations"] == 0;
        if is_kept || std::thread::panicking() {
            return;
        }
        if let Err(broken) = self.check_contract() {
            panic!("{broken:#}");
        }
    }
}

/// The operator's kinds, as the API server names them. Not from their definitions: to make the schemas of all takes a debug build
/// longer than everything else that a test does with an object.
pub(crate) fn kinds() -> Vec<ApiResource> {
    macro_rules! named {
        ($($many:ident: $kind:path,)*) => { vec![$(ApiResource::erase::<$kind>(&())),*] };
    }
    azureml_crds::for_each_kind!(named)
}

/// The objects of the kind of an object in a namespace.
///
/// # Errors
/// When it is not one of the operator's kinds.
pub fn dynamic(kube: &Client, namespace: &str, object: &DynamicObject) -> Result<Api<DynamicObject>> {
    let kind = object.types.as_ref().map(|types| types.kind.clone()).unwrap_or_default();
    let resource = kinds().into_iter().find(|resource| resource.kind == kind);
    let resource = resource.with_context(|| format!("no kind {kind}"))?;
    Ok(Api::namespaced_with(kube.clone(), namespace, &resource))
}

/// The objects of a YAML stream.
///
/// # Errors
/// When it is no YAML, or an object has no kind.
pub fn objects(manifests: &str) -> Result<Vec<DynamicObject>> {
    serde_saphyr::from_multiple(manifests).context("the manifests cannot be read")
}

async fn simulator(options: Options) -> Result<Arc<Simulator>> {
    let started = Simulator::start(options).await;
    started.map(Arc::new).map_err(|error| anyhow!("the simulator does not start: {error}"))
}

async fn make_namespace(kube: &Client, name: &str) -> Result<()> {
    let namespace = Namespace {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        ..Namespace::default()
    };
    Api::<Namespace>::all(kube.clone()).create(&PostParams::default(), &namespace).await?;
    Ok(())
}
