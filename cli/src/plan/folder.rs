//! Objects from files, by namespace and name, for those who resolve references without Kubernetes.
//!
//! In: objects as JSON, with a status where they have one. Out: what a reference means; the files that lie in objects. Reads nothing.

use anyhow::{Context as _, Result};
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_observe::act::Sources;
use azureml_observe::folder::{self, Texts};
use azureml_plan::change::Change;
use azureml_plan::context::requested;
use azureml_plan::pipeline::computes;
use azureml_plan::resolve::Objects;
use azureml_plan::run::is_finished;
use azureml_source::Entries;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The namespace and the name of an object.
pub type Key = (String, String);

/// The objects of one kind.
pub type Shelf<K> = Mutex<BTreeMap<Key, Arc<K>>>;

/// Objects that were read from files, and what is known of them since.
#[derive(Default)]
pub struct Folder {
    texts: Vec<Texts>,
    maps: BTreeMap<Key, Entries>,
    labels: BTreeMap<String, BTreeMap<String, String>>,
    /// Every MLWorkspace.
    pub workspaces: Shelf<MLWorkspace>,
    /// Every MLCompute.
    pub computes: Shelf<MLCompute>,
    /// Every MLEnvironment.
    pub environments: Shelf<MLEnvironment>,
    /// Every MLData.
    pub data: Shelf<MLData>,
    /// Every MLPipeline.
    pub pipelines: Shelf<MLPipeline>,
    /// Every MLSchedule.
    pub schedules: Shelf<MLSchedule>,
    /// Every MLRun.
    pub runs: Shelf<MLRun>,
}

fn get<K>(shelf: &Shelf<K>, namespace: &str, name: &str) -> Option<Arc<K>> {
    let key = (namespace.to_owned(), name.to_owned());
    shelf.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
}

fn every<K>(shelf: &Shelf<K>) -> Vec<Arc<K>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
}

/// The files in place of an object, wherever its spec has them: of steps, contexts and data.
fn texts<'a>(spec: &'a Value, found: &mut Vec<&'a Value>) {
    match spec {
        Value::Object(fields) => {
            found.extend(fields.get("files").filter(|files| {
                files
                    .as_object()
                    .is_some_and(|files| !files.is_empty() && files.values().all(Value::is_string))
            }));
            fields.values().for_each(|field| texts(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Folder {
    /// Adds an object of one of our kinds, a ConfigMap, or a Namespace. What the API server would add is added: a namespace where it has none, a first
    /// generation, a UID. Whether it was added; what is neither is left out.
    ///
    /// # Errors
    /// When the object cannot be read as its kind.
    pub fn add(&mut self, namespace: &str, object: &Value) -> Result<bool> {
        let mut object = object.clone();
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        let name = object["metadata"]["name"].as_str().context("an object has no metadata.name")?.to_owned();
        if kind == "Namespace" {
            let labels = serde_json::from_value(object["metadata"]["labels"].clone()).unwrap_or_default();
            self.labels.insert(name, labels);
            return Ok(true);
        }
        if object["metadata"]["namespace"].as_str().is_none_or(str::is_empty) {
            object["metadata"]["namespace"] = json!(namespace);
        }
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        let key = (namespace, name);
        if object["metadata"]["generation"].is_null() {
            object["metadata"]["generation"] = json!(1);
        }
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(uid(&kind, &format!("{}/{}", key.0, key.1)));
        }
        if kind == "ConfigMap" {
            self.maps.insert(key, entries(&object));
            return Ok(true);
        }
        let mut found = Vec::new();
        texts(&object["spec"], &mut found);
        for texts in found {
            self.texts.push(serde_json::from_value(texts.clone())?);
        }
        self.put(&kind, key, object)
    }

    fn put(&mut self, kind: &str, key: Key, object: Value) -> Result<bool> {
        fn onto<K: DeserializeOwned>(shelf: &mut Shelf<K>, key: Key, object: Value) -> Result<bool> {
            let what = format!("{}/{}", object["kind"].as_str().unwrap_or_default(), key.1);
            let all = shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
            all.insert(
                key,
                Arc::new(serde_json::from_value(object).with_context(|| format!("{what} is none"))?),
            );
            Ok(true)
        }
        match kind {
            "MLWorkspace" => onto(&mut self.workspaces, key, object),
            "MLCompute" => onto(&mut self.computes, key, object),
            "MLEnvironment" => onto(&mut self.environments, key, object),
            "MLData" => onto(&mut self.data, key, object),
            "MLPipeline" => onto(&mut self.pipelines, key, object),
            "MLSchedule" => onto(&mut self.schedules, key, object),
            "MLRun" => onto(&mut self.runs, key, object),
            _ => Ok(false),
        }
    }

    /// Carries out what a plan changes in the cluster, as far as a plan can see it: runs that are made, and those that are cancelled.
    pub(super) fn change(&self, changes: &[Change]) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            match change {
                Change::Create { run, due: _ } => {
                    let Ok(mut run) = serde_json::from_value::<MLRun>(run.clone()) else { continue };
                    run.metadata.uid.get_or_insert_with(|| uid("MLRun", change.name()));
                    run.metadata.generation.get_or_insert(1);
                    let key = (run.metadata.namespace.clone().unwrap_or_default(), change.name().to_owned());
                    runs.entry(key).or_insert_with(|| Arc::new(run));
                }
                Change::Cancel(which) => {
                    let known = runs.values_mut().find(|run| run.metadata.uid.as_ref() == Some(&which.uid));
                    if let Some(known) = known {
                        Arc::make_mut(known).spec.cancel = Some(true);
                    }
                }
                // The object goes, and its job has ended.
                Change::Delete(_) => {}
            }
        }
    }

    /// Whether a run has ended, and nobody asks for it.
    pub(super) fn has_ended(&self, namespace: &str, name: &str) -> bool {
        get(&self.runs, namespace, name).is_some_and(|run| {
            let handled =
                run.status.as_ref().and_then(|status| status.common.last_handled_reconcile_at.clone());
            is_finished(&run) && requested(&run.metadata) == handled
        })
    }

    /// The files in place that have this hash.
    #[must_use]
    pub fn files(&self, hash: &str) -> Option<&Texts> {
        self.texts.iter().find(|texts| azureml_crds::files::hash(texts) == hash)
    }

    /// The entries of a ConfigMap.
    #[must_use]
    pub fn map(&self, namespace: &str, name: &str) -> Option<&Entries> {
        self.maps.get(&(namespace.to_owned(), name.to_owned()))
    }
}

/// A UID of the shape that the API server gives; it differs from object to object.
fn uid(kind: &str, name: &str) -> String {
    let digest = azureml_plan::hash::text(&format!("{kind}/{name}"));
    format!("0b7c1e0e-0000-4000-8000-{}", azureml_plan::hash::cut(&digest, 12))
}

/// What a ConfigMap holds: texts, and bytes in base64.
fn entries(map: &Value) -> Entries {
    use base64::Engine as _;
    let part = |name: &str| map[name].as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().as_bytes().to_vec();
    let bytes = |value: &Value| base64::prelude::BASE64_STANDARD.decode(text(value)).unwrap_or_default();
    let texts = part("data").map(|(name, value)| (name.clone(), text(value)));
    texts.chain(part("binaryData").map(|(name, value)| (name.clone(), bytes(value)))).collect()
}

impl Objects for Folder {
    fn workspace(&self, namespace: &str, name: &str) -> Option<Arc<MLWorkspace>> {
        get(&self.workspaces, namespace, name)
    }
    fn labels(&self, namespace: &str) -> Option<BTreeMap<String, String>> {
        self.labels.get(namespace).cloned()
    }
    fn compute(&self, namespace: &str, name: &str) -> Option<Arc<MLCompute>> {
        get(&self.computes, namespace, name)
    }
    fn environment(&self, namespace: &str, name: &str) -> Option<Arc<MLEnvironment>> {
        get(&self.environments, namespace, name)
    }
    fn data(&self, namespace: &str, name: &str) -> Option<Arc<MLData>> {
        get(&self.data, namespace, name)
    }
    fn pipeline(&self, namespace: &str, name: &str) -> Option<Arc<MLPipeline>> {
        get(&self.pipelines, namespace, name)
    }
    fn environments(&self) -> Vec<Arc<MLEnvironment>> {
        every(&self.environments)
    }
    fn runs(&self) -> Vec<Arc<MLRun>> {
        every(&self.runs)
    }
    fn users(&self, namespace: &str, compute: &str) -> Vec<String> {
        let names = |pipeline: &Arc<MLPipeline>| pipeline.metadata.name.clone();
        let uses = |pipeline: &&Arc<MLPipeline>| computes(pipeline).into_iter().any(|name| name == compute);
        let is_here = |pipeline: &&Arc<MLPipeline>| pipeline.metadata.namespace.as_deref() == Some(namespace);
        every(&self.pipelines).iter().filter(is_here).filter(uses).filter_map(names).collect()
    }
}

impl Sources for Folder {
    type Place = ();
    async fn place(&self) {}
    async fn read(&self, hash: &str) -> Result<folder::Folder, azureml_client::Error> {
        let found = self.files(hash).cloned().map(folder::Folder::texts);
        found.ok_or_else(|| azureml_client::Error::Unreadable {
            verb: "GET",
            what: hash.to_owned(),
            cause: "no object has these files".to_owned(),
        })
    }
}
