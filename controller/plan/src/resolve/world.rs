//! What references are resolved in: objects, wherever they come from, and what the configuration adds.

use crate::grants::Grant;
use crate::job::Form;
use crate::owner::Owner;
use crate::pipeline::Deployments;
use azureml_crds::{MLCompute, MLData, MLEnvironment, MLPipeline, MLRun, MLWorkspace};
use jiff::SignedDuration;
use kube::core::ObjectMeta;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Finds objects by namespace and name.
pub trait Objects {
    /// An MLWorkspace.
    fn workspace(&self, namespace: &str, name: &str) -> Option<Arc<MLWorkspace>>;
    /// The labels of a namespace; none where they are not known.
    fn labels(&self, namespace: &str) -> Option<BTreeMap<String, String>>;
    /// Whether every MLWorkspace of a namespace is known.
    fn is_known(&self, _namespace: &str) -> bool {
        true
    }
    /// An MLCompute.
    fn compute(&self, namespace: &str, name: &str) -> Option<Arc<MLCompute>>;
    /// An MLEnvironment.
    fn environment(&self, namespace: &str, name: &str) -> Option<Arc<MLEnvironment>>;
    /// An MLData.
    fn data(&self, namespace: &str, name: &str) -> Option<Arc<MLData>>;
    /// An MLPipeline.
    fn pipeline(&self, namespace: &str, name: &str) -> Option<Arc<MLPipeline>>;
    /// Every MLEnvironment.
    fn environments(&self) -> Vec<Arc<MLEnvironment>>;
    /// Every MLRun.
    fn runs(&self) -> Vec<Arc<MLRun>>;
    /// The names of the objects that name an MLCompute: MLPipelines.
    fn users(&self, namespace: &str, compute: &str) -> Vec<String>;
}

/// What the configuration adds to every resolution.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This cluster, in the tags of Azure resources.
    pub cluster: String,
    /// Which namespaces may use the controller's identities.
    pub grants: Vec<Grant>,
    /// The cloud of an MLWorkspace that names none.
    pub default_cloud: String,
    /// The interval of comparison where an MLWorkspace sets none.
    pub resync: SignedDuration,
    /// How the job of a schedule says what it runs.
    pub schedule_form: Form,
    /// How the settings of a deployment are written.
    pub deployments: Deployments,
    /// Whether a change of a cluster's scale is a PATCH.
    pub scales_by_patch: bool,
}

/// Everything that a resolution may look at.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The objects.
    pub objects: &'a dyn Objects,
    /// The configuration.
    pub settings: &'a Settings,
}

impl World<'_> {
    /// An object as the owner of Azure resources.
    #[must_use]
    pub fn owner(&self, meta: &ObjectMeta) -> Owner {
        let (namespace, name) = place(meta);
        Owner { cluster: self.settings.cluster.clone(), namespace, name, predecessors: Vec::new() }
    }
}

/// The namespace and the name of an object.
pub(super) fn place(meta: &ObjectMeta) -> (String, String) {
    (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
}
