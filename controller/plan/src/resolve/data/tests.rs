//! What a pipeline believes of an MLData: its spec, and that its version is there.

use super::*;
use crate::grants::{Asker, Rights};
use crate::job::Form;
use crate::pipeline::Deployments;
use crate::resolve::{Objects, Settings};
use azureml_client::ArmId;
use azureml_crds::ml_data::MLDataStatus;
use azureml_crds::sharing::WorkspaceReference;
use azureml_crds::{MLCompute, MLEnvironment, MLPipeline, MLRun, MLWorkspace};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

struct Only(MLData);

impl Objects for Only {
    fn workspace(&self, _: &str, _: &str) -> Option<Arc<MLWorkspace>> {
        None
    }
    fn compute(&self, _: &str, _: &str) -> Option<Arc<MLCompute>> {
        None
    }
    fn environment(&self, _: &str, _: &str) -> Option<Arc<MLEnvironment>> {
        None
    }
    fn data(&self, _: &str, name: &str) -> Option<Arc<MLData>> {
        (self.0.metadata.name.as_deref() == Some(name)).then(|| Arc::new(self.0.clone()))
    }
    fn pipeline(&self, _: &str, _: &str) -> Option<Arc<MLPipeline>> {
        None
    }
    fn labels(&self, _: &str) -> Option<BTreeMap<String, String>> {
        None
    }
    fn environments(&self) -> Vec<Arc<MLEnvironment>> {
        Vec::new()
    }
    fn runs(&self) -> Vec<Arc<MLRun>> {
        Vec::new()
    }
    fn users(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// A workspace that one grant lets this namespace use, and no other.
fn workspace() -> Workspace {
    let id = ArmId::workspace("s", "g", "w");
    let grants = [serde_json::from_value(json!({"namespaces": ["n"], "workspaces": ["w"]})).unwrap()];
    let asker =
        Asker { namespace: "n".into(), client: None, cloud: "AzurePublic".into(), is_default_cloud: true };
    let rights = Rights::granted(&grants, asker, id.clone()).unwrap();
    let (registry, data_plane) = (None, None);
    let (reference, region, identity) = (WorkspaceReference::own("w"), "r".to_owned(), "i".to_owned());
    Workspace { reference, id, region, registry, data_plane, rights, identity }
}

fn taxi(workspace: &str, path: &str, version: Option<&str>) -> MLData {
    let spec = json!({"workspaceRef": {"name": workspace}, "type": "uri_file", "path": path});
    let mut data = MLData::new("taxi", serde_json::from_value(spec).unwrap());
    data.metadata.namespace = Some("n".to_owned());
    let version = version.map(str::to_owned);
    data.status = Some(MLDataStatus { version, ..MLDataStatus::default() });
    data
}

fn named(data: &MLData) -> String {
    version_name(&data.spec, &told(data).unwrap())
}

fn found(data: MLData, name: &str) -> Result<Data, Wait> {
    let settings = Settings {
        cluster: "c".to_owned(),
        grants: Vec::new(),
        default_cloud: "AzurePublic".to_owned(),
        resync: SignedDuration::from_mins(5),
        schedule_form: Form::default(),
        deployments: Deployments::default(),
        scales_by_patch: true,
    };
    super::data(World { objects: &Only(data), settings: &settings }, ("n", name), &workspace())
}

#[test]
fn the_version_of_the_present_spec_alone_is_used_whatever_a_status_says() {
    let path = "https://example.com/taxi.csv";
    let version = named(&taxi("w", path, None));
    let data = found(taxi("w", path, Some(&version)), "taxi").unwrap();
    assert!(data.id.ends_with(&format!("/data/n-taxi-24940abf/versions/{version}")), "{}", data.id);
    let other = named(&taxi("w", "https://example.com/other.csv", None));
    for told in [None, Some(other.as_str()), Some("../../x"), Some("")] {
        let wait = found(taxi("w", path, told), "taxi").unwrap_err();
        assert_eq!((wait.reason, wait.is_stalled), (Reason::REFERENCE_NOT_READY, false), "{told:?}");
    }
    assert_eq!(found(taxi("w", path, None), "none").unwrap_err().reason, Reason::REFERENCE_NOT_FOUND);
}

#[test]
fn of_a_source_the_version_of_what_status_tells_is_used() {
    let mut data = taxi("w", "https://example.com/taxi.csv", None);
    (data.spec.path, data.spec.source) =
        (None, Some(serde_json::from_value(json!({"configMap": {"name": "taxi"}})).unwrap()));
    assert_eq!(found(data.clone(), "taxi").unwrap_err().reason, Reason::REFERENCE_NOT_READY);
    let told = json!([{"field": "source", "revision": "1", "hash": "aa", "at": "2026-01-01T00:00:00Z"}]);
    let mut status =
        MLDataStatus { sources: serde_json::from_value(told).unwrap(), ..MLDataStatus::default() };
    data.status = Some(status.clone());
    let version = named(&data);
    status.version = Some(version.clone());
    data.status = Some(status.clone());
    assert!(found(data.clone(), "taxi").unwrap().id.ends_with(&version));
    status.sources[0].hash = "bb".to_owned();
    data.status = Some(status);
    assert_eq!(found(data, "taxi").unwrap_err().reason, Reason::REFERENCE_NOT_READY);
}

#[test]
fn what_is_of_another_workspace_is_refused_also_where_its_version_is_there() {
    let foreign = "azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/d/paths/p";
    for (workspace, path, reason) in [
        ("w", foreign, Reason::WORKSPACE_NOT_GRANTED),
        ("v", "https://example.com/taxi.csv", Reason::INVALID_SPEC),
    ] {
        let version = named(&taxi(workspace, path, None));
        let wait = found(taxi(workspace, path, Some(&version)), "taxi").unwrap_err();
        assert_eq!((wait.reason, wait.is_stalled), (reason, true), "{}", wait.message);
    }
}
