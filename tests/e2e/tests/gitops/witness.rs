//! A watcher: every version of every object of ours that the API server showed has to be a state of the table, and
//! the tools have to say of it what the table says.

use anyhow::{Context as _, Result, bail, ensure};
use azureml_e2e::Scene;
use azureml_e2e::gitops::{State, key, scripts, states};
use futures::StreamExt as _;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// What the API server shows from the beginning.
pub struct Witness {
    seen: UnboundedReceiver<Value>,
    watches: JoinSet<Result<()>>,
}

impl Witness {
    /// Watches every kind in a scene's namespace.
    pub async fn of(scene: &Scene) -> Result<Self> {
        let (sender, seen) = unbounded_channel();
        let mut watches = JoinSet::new();
        for definition in azureml_crds::all()? {
            let names = definition.spec.names;
            let kind = GroupVersionKind::gvk(azureml_crds::GROUP, "v1alpha1", &names.kind);
            let resource = ApiResource::from_gvk_with_plural(&kind, &names.plural);
            let api: Api<DynamicObject> =
                Api::namespaced_with(scene.kube.clone(), &scene.namespace, &resource);
            let listed = api.list(&ListParams::default()).await?;
            let version = listed.metadata.resource_version.context("a list without a version")?;
            watches.spawn(watch(api, version, sender.clone()));
        }
        Ok(Self { seen, watches })
    }

    /// Judges what was seen.
    pub async fn judge(mut self) -> Result<()> {
        // What a watch that failed did not see would be no state that fits.
        if let Some(ended) = self.watches.try_join_next() {
            bail!("a watch ended too early: {:?}", ended?);
        }
        let mut seen: BTreeMap<(String, Signature), Value> = BTreeMap::new();
        while let Ok(object) = self.seen.try_recv() {
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            seen.insert((kind, signature(&object)), object);
        }
        ensure!(seen.len() > 15, "only {} states were seen", seen.len());
        tokio::task::spawn_blocking(move || judge(&seen)).await?
    }
}

async fn watch(api: Api<DynamicObject>, from: String, seen: UnboundedSender<Value>) -> Result<()> {
    let mut events = api.watch(&WatchParams::default(), &from).await?.boxed();
    while let Some(event) = events.next().await {
        if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event? {
            seen.send(serde_json::to_value(object)?)?;
        }
    }
    Ok(())
}

/// What tells states apart: whether the object is being deleted, whether its spec was seen, and its conditions.
type Signature = (bool, bool, Vec<(String, String, String)>);

fn signature(object: &Value) -> Signature {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_leaving = !object["metadata"]["deletionTimestamp"].is_null();
    if object["status"]["observedGeneration"] != object["metadata"]["generation"] {
        return (is_leaving, true, Vec::new());
    }
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let told = conditions.map(|it| (text(&it["type"]), text(&it["status"]), text(&it["reason"])));
    (is_leaving, false, told.collect())
}

fn judge(seen: &BTreeMap<(String, Signature), Value>) -> Result<()> {
    let (states, scripts) = (states()?, scripts()?);
    let ask = |(kind, _): &(String, Signature), object: &Value| json!({"object": object, "script": scripts[key(kind)]});
    let questions = seen.iter().map(|(which, object)| ask(which, object)).collect();
    let said = azureml_control_plane::gitops::verdicts(&questions)?;
    let mut wrong = Vec::new();
    for ((which, object), said) in seen.iter().zip(said.as_array().context("the verdicts are no list")?) {
        let heard = (said["kstatus"]["status"].as_str(), said["health"]["status"].as_str());
        match expected(&states, which) {
            Some((kstatus, health)) if heard == (Some(kstatus), Some(health)) => {}
            Some(expected) => wrong.push(format!("{which:?}: {heard:?}, not {expected:?}")),
            None => wrong.push(format!("{which:?} is not in the table: {}", object["status"])),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What is expected of the state of the table that looks like this one.
fn expected(
    states: &[State],
    (kind, signature): &(String, Signature),
) -> Option<(&'static str, &'static str)> {
    if signature.0 {
        // Whatever else is said of it: the last words before a deletion stay until the operator has seen it.
        return Some(("Terminating", "Progressing"));
    }
    let found = states.iter().find(|it| it.kind == *kind && self::signature(&it.object) == *signature);
    found.map(State::expected)
}
