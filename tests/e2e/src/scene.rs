//! A scene: a namespace of its own, a simulated workspace of its own, and an operator that serves only these.

use crate::kubectl::kubectl;
use crate::operator::{Operator, SOON, Start, configure};
use crate::{PATIENCE, cluster};
use anyhow::{Context as _, Result, anyhow, bail};
use azureml_simulator::{Entry, Options, Simulator, WorkspaceSpec};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind, ObjectMeta};
use kube::runtime::wait::await_condition;
use kube::{Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
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
            ..Options::default()
        };
        Self { azure, config: format!("{GRANTS}{SOON}") }
    }
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
        let azure = Simulator::start(setting.azure)
            .await
            .map_err(|error| anyhow!("the simulator does not start: {error}"))?;
        Self::set_in(name, Arc::new(azure), WORKSPACE, &setting.config).await
    }

    /// Sets a scene in a workspace of an Azure that others use too.
    ///
    /// # Errors
    /// When a part cannot be started.
    pub async fn set_in(name: &str, azure: Arc<Simulator>, workspace: &str, config: &str) -> Result<Self> {
        let plane = tokio::task::spawn_blocking(cluster::shared).await?;
        let kube = plane.client().await?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{name}-{number}");
        make_namespace(&kube, &namespace).await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("config.yaml");
        configure(&file, azure.endpoint(), azure.ca_file(), config)?;
        let client = format!("aaaaaaaa-0000-4000-8000-{number:012}");
        let start = Start {
            namespace: namespace.clone(),
            config: file,
            client,
            tenant: azure.tenant_id().to_owned(),
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
        let kind = object.types.as_ref().map(|types| types.kind.clone()).unwrap_or_default();
        let definitions = azureml_crds::all()?;
        let definition = definitions
            .iter()
            .find(|definition| definition.spec.names.kind == kind)
            .with_context(|| format!("no kind {kind}"))?;
        let resource = resource(definition);
        Ok(Api::namespaced_with(self.kube.clone(), &self.namespace, &resource))
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

    /// Waits, on a watch, until an object is as it should be.
    ///
    /// # Errors
    /// When it does not become so in time; the error shows the object and what Azure received.
    pub async fn wait<K>(&self, name: &str, what: &str, is_so: impl Fn(&K) -> bool + Send + Sync) -> Result<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + Sync
            + serde::Serialize
            + 'static,
    {
        let condition = |object: Option<&K>| object.is_some_and(&is_so);
        let waited = tokio::time::timeout(PATIENCE, await_condition(self.api::<K>(), name, condition)).await;
        match waited {
            Ok(found) => found?.with_context(|| format!("{name} is gone")),
            Err(_) => {
                let object = self.api::<K>().get_opt(name).await?;
                bail!(
                    "{name} is not {what}:\n{}\nAzure received:{}",
                    shown(object.as_ref()),
                    self.requests_shown(40)
                )
            }
        }
    }

    /// Waits, on a watch, until an object is gone.
    ///
    /// # Errors
    /// When it does not go in time.
    pub async fn wait_gone<K>(&self, name: &str) -> Result<()>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + Sync
            + serde::Serialize
            + 'static,
    {
        let condition = |object: Option<&K>| object.is_none();
        if tokio::time::timeout(PATIENCE, await_condition(self.api::<K>(), name, condition)).await.is_err() {
            let object = self.api::<K>().get_opt(name).await?;
            bail!(
                "{name} is not gone:\n{}\nAzure received:{}",
                shown(object.as_ref()),
                self.requests_shown(40)
            );
        }
        Ok(())
    }

    /// Somebody changes a thing in the portal: `kind` is `computes` or `schedules`.
    ///
    /// # Errors
    /// When there is no such thing.
    pub async fn portal(&self, kind: &str, name: &str, patch: &Value) -> Result<()> {
        let (http, _) = self.azure_client().await?;
        let url = format!("{}/_simulator/{kind}/{GROUP}/{}/{name}", self.azure.endpoint(), self.workspace);
        let answer = http.post(url).json(patch).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if status.is_success() { Ok(()) } else { bail!("the simulator answered {status}: {text}") }
    }

    /// An HTTP client that trusts the simulator, and a token of its own: for what neither the operator nor kubectl reads.
    ///
    /// # Errors
    /// When no token is given.
    pub async fn azure_client(&self) -> Result<(reqwest::Client, String)> {
        let ca = reqwest::Certificate::from_pem(self.azure.ca_pem().as_bytes())?;
        let http = reqwest::Client::builder().tls_certs_only([ca]).build()?;
        let endpoint = self.azure.endpoint();
        let scope = format!("{endpoint}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "onlooker"),
            ("client_secret", "s"),
            ("scope", &scope),
        ];
        let answer = http
            .post(format!("{endpoint}/{}/oauth2/v2.0/token", self.azure.tenant_id()))
            .form(&form)
            .send()
            .await?;
        let token: Value = answer.error_for_status()?.json().await?;
        Ok((http, token["access_token"].as_str().unwrap_or_default().to_owned()))
    }

    /// The steps of a job as run history tells them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn children(&self, job: &str) -> Result<Vec<Value>> {
        let (http, token) = self.azure_client().await?;
        let workspace = format!(
            "/subscriptions/{}/resourceGroups/{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{}",
            self.azure.subscription_id(),
            self.workspace
        );
        let url =
            format!("{}/history/v1.0{workspace}/runs/{job}/children?api-version=v1.0", self.azure.endpoint());
        let mut page: Value =
            http.get(url).bearer_auth(token).send().await?.error_for_status()?.json().await?;
        Ok(page["value"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// The end of Azure's request log, for messages.
    #[must_use]
    pub fn requests_shown(&self, count: usize) -> String {
        let requests = self.azure.requests();
        let skip = requests.len().saturating_sub(count);
        let line = |entry: &Entry| {
            format!(
                "\n  {:?} {} {} {}",
                entry.status,
                entry.method,
                entry.url,
                entry.error.as_deref().unwrap_or("")
            )
        };
        requests[skip..].iter().map(line).collect()
    }

    /// What changed Azure, since a place in the log.
    #[must_use]
    pub fn writes(&self, since: usize) -> Vec<Entry> {
        self.azure.requests().into_iter().skip(since).filter(Entry::is_write).collect()
    }

    /// The versions of all objects of the operator's kinds: equal means that nothing was written.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn versions(&self) -> Result<BTreeMap<String, String>> {
        let mut versions = BTreeMap::new();
        for definition in azureml_crds::all()? {
            let resource = resource(&definition);
            let api: Api<DynamicObject> = Api::namespaced_with(self.kube.clone(), &self.namespace, &resource);
            for object in api.list(&ListParams::default()).await? {
                let version = object.resource_version().unwrap_or_default();
                versions.insert(format!("{}/{}", resource.kind, object.name_any()), version);
            }
        }
        Ok(versions)
    }

    /// How many events there are.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn events(&self) -> Result<Vec<(String, String)>> {
        let api: Api<k8s_openapi::api::events::v1::Event> = self.api();
        let events = api.list(&ListParams::default()).await?;
        let told = |event: k8s_openapi::api::events::v1::Event| {
            let object = event.regarding.unwrap_or_default();
            let who = format!("{}/{}", object.kind.unwrap_or_default(), object.name.unwrap_or_default());
            (who, format!("{}: {}", event.reason.unwrap_or_default(), event.note.unwrap_or_default()))
        };
        Ok(events.into_iter().map(told).collect())
    }

    /// No request of the operator broke Azure's published contract, and the simulator kept to it too.
    ///
    /// # Errors
    /// With every violation.
    pub fn check_contract(&self) -> Result<()> {
        let violations: Vec<String> = self
            .azure
            .requests()
            .iter()
            .filter(|entry| !entry.violations.is_empty() || !entry.answer_violations.is_empty())
            .map(|entry| {
                format!(
                    "{} {}: {:?} {:?}",
                    entry.method, entry.url, entry.violations, entry.answer_violations
                )
            })
            .collect();
        if violations.is_empty() {
            Ok(())
        } else {
            bail!("Azure's contract is broken:\n{}", violations.join("\n"))
        }
    }
}

fn resource(definition: &CustomResourceDefinition) -> ApiResource {
    let kind = GroupVersionKind::gvk(&definition.spec.group, "v1alpha1", &definition.spec.names.kind);
    ApiResource::from_gvk_with_plural(&kind, &definition.spec.names.plural)
}

/// The objects of a YAML stream.
///
/// # Errors
/// When it is no YAML, or an object has no kind.
pub fn objects(manifests: &str) -> Result<Vec<DynamicObject>> {
    serde_saphyr::from_multiple(manifests).context("the manifests cannot be read")
}

async fn make_namespace(kube: &Client, name: &str) -> Result<()> {
    let namespace = Namespace {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        ..Namespace::default()
    };
    Api::<Namespace>::all(kube.clone()).create(&PostParams::default(), &namespace).await?;
    Ok(())
}

fn shown<K: serde::Serialize>(object: Option<&K>) -> String {
    let value = object.map(|object| serde_json::to_value(object).unwrap_or_default()).unwrap_or_default();
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

/// Whether conditions, as JSON, hold one of a type with a status.
#[must_use]
pub fn has_condition(object: &Value, r#type: &str, status: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == r#type && condition["status"] == status)
}
