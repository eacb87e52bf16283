//! Objects from files, by name, for those who resolve references without Kubernetes.

use anyhow::Result;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_observe::act::Sources;
use azureml_observe::folder::{self, Texts};
use azureml_plan::resolve::Objects;
use kube::core::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The objects of one kind, by name.
pub type Shelf<K> = Mutex<BTreeMap<String, Arc<K>>>;

/// Objects that were read from files, and what is known of them since.
#[derive(Default)]
pub struct Folder {
    texts: Vec<Texts>,
    told: Mutex<BTreeMap<String, String>>,
    pub workspaces: Shelf<MLWorkspace>,
    pub computes: Shelf<MLCompute>,
    pub environments: Shelf<MLEnvironment>,
    pub data: Shelf<MLData>,
    pub pipelines: Shelf<MLPipeline>,
    pub schedules: Shelf<MLSchedule>,
    pub runs: Shelf<MLRun>,
}

fn get<K>(shelf: &Shelf<K>, name: &str) -> Option<Arc<K>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
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
    /// Objects as the API server has them first: in a namespace, of the first generation.
    pub fn of(namespace: &str, objects: impl IntoIterator<Item = Value>) -> Result<Self> {
        let mut folder = Self::default();
        for (number, mut object) in objects.into_iter().enumerate() {
            object["metadata"]["namespace"] = json!(namespace);
            object["metadata"]["generation"] = json!(1);
            object["metadata"]["uid"] = json!(format!("0b7c1e0e-0000-4000-8000-{number:012}"));
            folder.put(&object)?;
        }
        Ok(folder)
    }

    /// Keeps what the last pass said of an object.
    pub fn tell(&self, meta: &ObjectMeta, message: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(meta.name.clone().unwrap_or_default(), message.to_owned());
    }

    /// What the last passes said, by object.
    pub fn told(&self) -> BTreeMap<String, String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&mut self, object: &Value) -> Result<()> {
        fn onto<K: DeserializeOwned>(shelf: &mut Shelf<K>, object: &Value) -> Result<()> {
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let all = shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
            all.insert(name, Arc::new(serde_json::from_value(object.clone())?));
            Ok(())
        }
        let mut found = Vec::new();
        texts(&object["spec"], &mut found);
        for texts in found {
            self.texts.push(serde_json::from_value(texts.clone())?);
        }
        match object["kind"].as_str() {
            Some("MLWorkspace") => onto(&mut self.workspaces, object),
            Some("MLCompute") => onto(&mut self.computes, object),
            Some("MLEnvironment") => onto(&mut self.environments, object),
            Some("MLData") => onto(&mut self.data, object),
            Some("MLPipeline") => onto(&mut self.pipelines, object),
            Some("MLSchedule") => onto(&mut self.schedules, object),
            Some("MLRun") => onto(&mut self.runs, object),
            other => anyhow::bail!("{other:?} is none of the kinds"),
        }
    }
}

impl Objects for Folder {
    fn workspace(&self, _: &str, name: &str) -> Option<Arc<MLWorkspace>> {
        get(&self.workspaces, name)
    }
    fn compute(&self, _: &str, name: &str) -> Option<Arc<MLCompute>> {
        get(&self.computes, name)
    }
    fn environment(&self, _: &str, name: &str) -> Option<Arc<MLEnvironment>> {
        get(&self.environments, name)
    }
    fn data(&self, _: &str, name: &str) -> Option<Arc<MLData>> {
        get(&self.data, name)
    }
    fn pipeline(&self, _: &str, name: &str) -> Option<Arc<MLPipeline>> {
        get(&self.pipelines, name)
    }
    fn environments(&self, _: &str) -> Vec<Arc<MLEnvironment>> {
        let all = self.environments.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }
    fn runs(&self, _: &str) -> Vec<Arc<MLRun>> {
        let all = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }
    fn users(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }
}

impl Sources for &Folder {
    type Place = ();
    async fn place(&self) {}
    async fn read(&self, hash: &str) -> Result<folder::Folder, azureml_client::Error> {
        let found = self.texts.iter().find(|texts| azureml_crds::files::hash(texts) == hash);
        found.cloned().map(folder::Folder::texts).ok_or_else(|| azureml_client::Error::Unreadable {
            verb: "GET",
            what: hash.to_owned(),
            cause: "no step has these files".to_owned(),
        })
    }
}
