//! The objects of the stores, for those who resolve references.

use crate::engine::relations::Name;
use crate::engine::{Context, Kind as _};
use crate::stores::find;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLWorkspace};
use azureml_plan::resolve::Objects;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Objects for Context {
    fn workspace(&self, namespace: &str, name: &str) -> Option<Arc<MLWorkspace>> {
        find(&self.stores.workspaces, namespace, name)
    }

    fn labels(&self, namespace: &str) -> Option<BTreeMap<String, String>> {
        self.namespace_labels.labels(namespace)
    }

    fn is_known(&self, namespace: &str) -> bool {
        !self.shut.has(namespace)
    }

    fn compute(&self, namespace: &str, name: &str) -> Option<Arc<MLCompute>> {
        find(&self.stores.computes, namespace, name)
    }

    fn environment(&self, namespace: &str, name: &str) -> Option<Arc<MLEnvironment>> {
        find(&self.stores.environments, namespace, name)
    }

    fn data(&self, namespace: &str, name: &str) -> Option<Arc<MLData>> {
        find(&self.stores.data, namespace, name)
    }

    fn pipeline(&self, namespace: &str, name: &str) -> Option<Arc<MLPipeline>> {
        find(&self.stores.pipelines, namespace, name)
    }

    fn environments(&self) -> Vec<Arc<MLEnvironment>> {
        self.stores.environments.state()
    }

    fn runs(&self) -> Vec<Arc<MLRun>> {
        self.stores.runs.state()
    }

    fn users(&self, namespace: &str, compute: &str) -> Vec<String> {
        let name = Name { kind: MLCompute::KIND, namespace: namespace.to_owned(), name: compute.to_owned() };
        self.relations().referrers(&name).into_iter().map(|name| name.name.clone()).collect()
    }
}
