//! The story in Kubernetes: what is applied, when it is as it should be, and how it ends.
//!
//! In: the names and the arguments. Out: objects that are `Ready`, or the operator's own words why they are not.

use crate::args::Args;
use crate::names::Names;
use crate::operator::Operator;
use crate::setup::Setup;
use anyhow::{Context as _, Result, bail};
use azureml_plan::shell;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How often an object is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long an object may say that it cannot go on before the check gives up.
const STALLED: Duration = Duration::from_secs(90);

/// The objects, in the order of their making: all at once would do as well.
#[must_use]
pub fn objects(args: &Args, setup: &Setup, names: &Names) -> Vec<Value> {
    let dockerfile = format!("FROM {}\nRUN echo {} > /live\n", args.base_image, names.cluster());
    let workspace_ref = json!({"name": "azure"});
    let workspace = json!({
        "subscriptionId": setup.segment("subscriptions"), "resourceGroup": setup.segment("resourceGroups"),
        "workspaceName": setup.workspace.name(), "cloud": setup.cloud.name,
    });
    let compute = json!({
        "workspaceRef": workspace_ref, "vmSize": args.vm_size, "scale": {"min": 0, "max": 1, "idle": "2m"},
        "deletionPolicy": "Delete", "driftPolicy": "Report",
    });
    let environment = json!({
        "workspaceRef": workspace_ref, "build": {"dockerfile": dockerfile}, "deletionPolicy": "Delete",
    });
    let schedule = json!({
        "pipelineRef": {"name": "hello"}, "cron": "0 3 * * MON", "timeZone": "Europe/Zurich", "suspend": true,
    });
    vec![
        object("MLWorkspace", "azure", &workspace),
        object("MLCompute", "node", &compute),
        object("MLEnvironment", "tiny", &environment),
        object("MLPipeline", "hello", &pipeline(names)),
        object("MLSchedule", "never", &schedule),
    ]
}

fn pipeline(names: &Names) -> Value {
    let namespace = names.namespace();
    json!({
        "workspaceRef": {"name": "azure"},
        "inputs": {"word": {"type": "string", "default": "hello"}},
        "defaults": {"compute": {"ref": "node"}, "environment": {"ref": "tiny"}},
        "steps": [{
            "name": "say",
            // As typed steps are sent, so that this says whether Azure carries them out.
            "command": shell::line(&["bash", "say.sh"], &["${{inputs.word}}".to_owned()]),
            "code": {"files": {"say.sh": format!("echo \"$1 from {namespace}\"\n")}},
            "inputs": {"word": "${{parent.inputs.word}}"},
        }],
        "publish": {"endpoint": namespace},
    })
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "azureml.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// The run.
#[must_use]
pub fn run() -> Value {
    let spec =
        json!({"pipelineRef": {"name": "hello"}, "inputs": {"word": "once"}, "deletionPolicy": "Delete"});
    object("MLRun", "once", &spec)
}

/// The story's hands in Kubernetes.
pub struct Story<'a> {
    client: Client,
    namespace: String,
    operator: &'a mut Operator,
    until: Instant,
}

impl<'a> Story<'a> {
    /// One that has to be over in time.
    #[must_use]
    pub fn new(client: Client, names: &Names, operator: &'a mut Operator, limit: Duration) -> Self {
        Self { client, namespace: names.namespace(), operator, until: Instant::now() + limit }
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(kind))
    }

    /// Applies an object.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn apply(&self, object: &Value) -> Result<()> {
        let (kind, name) = named(object);
        let params = PatchParams::apply("azureml-live").force();
        self.api(kind)
            .patch(name, &params, &Patch::Apply(object))
            .await
            .with_context(|| format!("{kind} {name}"))?;
        Ok(())
    }

    /// Waits until an object is `Ready`, and gives its status.
    ///
    /// # Errors
    /// When it is not in time, or says for long that it cannot go on.
    pub async fn ready(&mut self, object: &Value) -> Result<Value> {
        let (kind, name) = named(object);
        self.wait(kind, name, |object| {
            let is_seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            is_seen && condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
        })
        .await
    }

    /// Waits until a run is over, and gives its status.
    ///
    /// # Errors
    /// As [`Story::ready`].
    pub async fn finished(&mut self, name: &str) -> Result<Value> {
        let ends = ["Succeeded", "Failed", "Canceled"];
        self.wait("MLRun", name, |run| {
            run["status"]["phase"].as_str().is_some_and(|phase| ends.contains(&phase))
        })
        .await
    }

    async fn wait(&mut self, kind: &str, name: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        let api = self.api(kind);
        let (mut said, mut stalled) = (String::new(), None);
        loop {
            self.operator.check()?;
            let object = serde_json::to_value(api.get(name).await?)?;
            let now = summary(&object);
            if now != said {
                println!("  {kind} {name}: {now}");
                said = now;
            }
            if is_so(&object) {
                return Ok(object["status"].clone());
            }
            let is_stalled = condition(&object, "Stalled").is_some_and(|stalled| stalled["status"] == "True");
            let since = *stalled.get_or_insert_with(Instant::now);
            stalled = is_stalled.then_some(since);
            if stalled.is_some_and(|since| since.elapsed() > STALLED) || Instant::now() > self.until {
                bail!("{kind} {name} does not become what it should: {said}{}", self.operator.tail(10));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Deletes everything, and waits until the operator has taken leave of it in Azure.
    ///
    /// # Errors
    /// When an object stays.
    pub async fn delete(&mut self) -> Result<()> {
        // Those that name others go first.
        let kinds: Vec<String> = azureml_crds::kinds().into_iter().rev().collect();
        for kind in &kinds {
            let api = self.api(kind);
            for object in api.list(&ListParams::default()).await? {
                api.delete(&object.name_any(), &DeleteParams::default()).await?;
            }
        }
        for kind in &kinds {
            let api = self.api(kind);
            while let Some(object) = api.list(&ListParams::default()).await?.items.first() {
                self.operator.check()?;
                if Instant::now() > self.until {
                    let object = serde_json::to_value(object)?;
                    bail!("{kind} does not go: {}{}", summary(&object), self.operator.tail(10));
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }
}

/// Removes the finalizers and then the objects: for a cluster that stays, when the operator is gone.
///
/// # Errors
/// When something is refused.
pub async fn release(client: &Client, namespace: &str) -> Result<()> {
    for definition in azureml_crds::all()? {
        let api: Api<DynamicObject> =
            Api::namespaced_with(client.clone(), namespace, &resource(&definition.spec.names.kind));
        for object in api.list(&ListParams::default()).await? {
            let name = object.name_any();
            let none = Patch::Merge(json!({"metadata": {"finalizers": null}}));
            api.patch(&name, &PatchParams::default(), &none).await?;
            api.delete(&name, &DeleteParams::default()).await.map(drop).or_else(gone)?;
        }
    }
    Ok(())
}

fn gone(error: kube::Error) -> Result<(), kube::Error> {
    let is_gone = matches!(&error, kube::Error::Api(refusal) if refusal.code == 404);
    if is_gone { Ok(()) } else { Err(error) }
}

fn resource(kind: &str) -> ApiResource {
    let plural = azureml_crds::plural(kind).unwrap_or_else(|| format!("{}s", kind.to_lowercase()));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(azureml_crds::GROUP, "v1alpha1", kind), &plural)
}

fn named(object: &Value) -> (&str, &str) {
    (object["kind"].as_str().unwrap_or_default(), object["metadata"]["name"].as_str().unwrap_or_default())
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// What an object says of itself: its phase, or reason and message of `Ready`.
fn summary(object: &Value) -> String {
    let ready = condition(object, "Ready");
    let text = |key: &str| ready.and_then(|ready| ready[key].as_str()).unwrap_or_default();
    match object["status"]["phase"].as_str() {
        Some(phase) => phase.to_owned(),
        None if ready.is_none() => "not looked at yet".to_owned(),
        None => format!("{}: {}", text("reason"), text("message")),
    }
}
