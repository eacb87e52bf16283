//! The example as files: objects by name, for those who resolve references without Kubernetes.

use anyhow::Result;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLSchedule, MLWorkspace};
use azureml_e2e::scene::objects;
use azureml_observe::act::Sources;
use azureml_observe::folder::{self, Texts};
use azureml_plan::resolve::Objects;
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
    pub workspaces: Shelf<MLWorkspace>,
    pub computes: Shelf<MLCompute>,
    pub environments: Shelf<MLEnvironment>,
    pub pipelines: Shelf<MLPipeline>,
    pub schedules: Shelf<MLSchedule>,
}

fn get<K>(shelf: &Shelf<K>, name: &str) -> Option<Arc<K>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
}

impl Folder {
    pub fn read(namespace: &str) -> Result<Self> {
        let mut folder = Self::default();
        for file in ["workspace", "computes", "environment", "pipeline", "schedule"] {
            let path = azureml_e2e::root().join(format!("examples/r-gbm/{file}.yaml"));
            for object in objects(&std::fs::read_to_string(path)?)? {
                let mut object = serde_json::to_value(object)?;
                object["metadata"]["namespace"] = json!(namespace);
                object["metadata"]["generation"] = json!(1);
                folder.put(&object)?;
            }
        }
        Ok(folder)
    }

    fn put(&mut self, object: &Value) -> Result<()> {
        fn onto<K: DeserializeOwned>(shelf: &mut Shelf<K>, object: &Value) -> Result<()> {
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let all = shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
            all.insert(name, Arc::new(serde_json::from_value(object.clone())?));
            Ok(())
        }
        for step in object["spec"]["steps"].as_array().into_iter().flatten() {
            self.texts.push(serde_json::from_value(step["code"]["files"].clone())?);
        }
        match object["kind"].as_str() {
            Some("MLWorkspace") => onto(&mut self.workspaces, object),
            Some("MLCompute") => onto(&mut self.computes, object),
            Some("MLEnvironment") => onto(&mut self.environments, object),
            Some("MLPipeline") => onto(&mut self.pipelines, object),
            Some("MLSchedule") => onto(&mut self.schedules, object),
            other => anyhow::bail!("{other:?} is not in the example"),
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
    fn data(&self, _: &str, _: &str) -> Option<Arc<MLData>> {
        None
    }
    fn pipeline(&self, _: &str, name: &str) -> Option<Arc<MLPipeline>> {
        get(&self.pipelines, name)
    }
    fn environments(&self, _: &str) -> Vec<Arc<MLEnvironment>> {
        let all = self.environments.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }
    fn runs(&self, _: &str) -> Vec<Arc<MLRun>> {
        Vec::new()
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
