//! The example's Application in Kubernetes: made, asked to look again, changed, and waited for on a watch.

use anyhow::{Context as _, Result, bail};
use azureml_e2e::gitops::scripts;
use azureml_e2e::{PATIENCE, Scene};
use kube::api::{Api, Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};

/// The namespace of Argo CD.
const NAMESPACE: &str = "argocd";
const NAME: &str = "r-gbm";

/// The example's Application, made to fit a scene.
pub struct Application {
    api: Api<DynamicObject>,
    manifest: Value,
}

impl Application {
    /// Makes what Argo CD reads at its start; the Application itself comes later.
    pub async fn prepare(scene: &Scene, url: &str) -> Result<Self> {
        let labels = json!({"app.kubernetes.io/part-of": "argocd"});
        let meta = |name: &str| json!({"name": name, "namespace": NAMESPACE, "labels": labels});
        let settings = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("argocd-cm"), "data": scripts()?},
            {"apiVersion": "v1", "kind": "Secret", "metadata": meta("argocd-secret"), "stringData": {"server.secretkey": "not-a-secret"}},
        ]});
        scene
            .kubectl_with(&["--namespace", NAMESPACE, "apply", "-f", "-"], Some(&settings.to_string()))
            .await?;
        let file = azureml_e2e::root().join("examples/argo-cd/application.yaml");
        let mut manifest: Value = serde_saphyr::from_str(&std::fs::read_to_string(file)?)?;
        manifest["spec"]["source"]["repoURL"] = json!(url);
        // The folder of the example has the workspace and the clusters too, which the project of a team does not allow.
        manifest["spec"]["source"]["path"] = json!("examples/r-gbm");
        manifest["spec"]["project"] = json!("default");
        manifest["spec"]["destination"]["namespace"] = json!(scene.namespace);
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let resource = ApiResource::from_gvk_with_plural(&kind, "applications");
        Ok(Self { api: Api::namespaced_with(scene.kube.clone(), NAMESPACE, &resource), manifest })
    }

    /// Makes it, with the project that it belongs to.
    pub async fn apply(&self, scene: &Scene) -> Result<()> {
        let project = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": {"sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}]}});
        let both = json!({"apiVersion": "v1", "kind": "List", "items": [project, self.manifest]});
        scene
            .kubectl_with(&["--namespace", NAMESPACE, "apply", "-f", "-"], Some(&both.to_string()))
            .await
            .map(drop)
    }

    /// Changes it.
    pub async fn patch(&self, patch: &Value) -> Result<()> {
        self.api.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// Has Argo CD compare everything anew, and waits until it has.
    pub async fn refresh(&self) -> Result<Value> {
        self.patch(&json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}})).await?;
        let is_done = |app: &Value| app["metadata"]["annotations"]["argocd.argoproj.io/refresh"].is_null();
        self.wait("refreshed", is_done).await
    }

    /// Deletes it together with what it made.
    pub async fn delete(&self, scene: &Scene) -> Result<()> {
        self.patch(&json!({"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}})).await?;
        scene
            .kubectl(&["--namespace", NAMESPACE, "delete", "application", NAME, "--timeout=90s"])
            .await
            .map(drop)
    }

    /// Waits, on a watch, until it is as it should be.
    pub async fn wait(&self, what: &str, is_so: impl Fn(&Value) -> bool + Send + Sync) -> Result<Value> {
        let condition = |object: Option<&DynamicObject>| {
            object.and_then(|object| serde_json::to_value(object).ok()).is_some_and(|object| is_so(&object))
        };
        let waited =
            tokio::time::timeout(PATIENCE * 2, await_condition(self.api.clone(), NAME, condition)).await;
        if let Ok(found) = waited {
            return Ok(serde_json::to_value(found?.context("it is gone")?)?);
        }
        let object = serde_json::to_value(self.api.get_opt(NAME).await?)?;
        bail!("the Application is not {what}:\n{:#}", object["status"])
    }
}

/// `Synced, Healthy`.
pub fn said(app: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
    format!("{}, {}", text(&app["status"]["sync"]["status"]), text(&app["status"]["health"]["status"]))
}

/// What is said of one object: `MLEnvironment/r-gbm`.
pub fn of(app: &Value, kind: &str, name: &str) -> String {
    let all = app["status"]["resources"].as_array().into_iter().flatten();
    let found = all.into_iter().find(|it| it["kind"] == kind && it["name"] == name).unwrap_or(&Value::Null);
    let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
    format!("{}, {}", text(&found["status"]), text(&found["health"]["status"]))
}
