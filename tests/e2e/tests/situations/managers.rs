//! The writer: `managedFields` name one field manager for everything that the operator writes.

use super::{compute, ready, workspace};
use anyhow::{Result, ensure};
use azureml_crds::MLCompute;
use azureml_e2e::{Scene, Setting};
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt as _;
use kube::api::ListParams;
use std::collections::BTreeSet;

fn managers(object: &impl kube::Resource) -> BTreeSet<String> {
    object.managed_fields().iter().filter_map(|entry| entry.manager.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_written_by_one_manager() -> Result<()> {
    let scene = Scene::set("managers", Setting::default()).await?;
    let operator = scene.operator().await?;
    scene.apply_objects(&(workspace("") + &compute(""))).await?;
    ready::<MLCompute>(&scene, "cpu").await?;
    let cluster = scene.api::<MLCompute>().get("cpu").await?;
    ensure!(cluster.finalizers().iter().any(|finalizer| finalizer == azureml_crds::FINALIZER), "{cluster:?}");
    // The test applied it; finalizer and status are the operator's.
    let (ours, tests) = ("azureml-controller".to_owned(), "test".to_owned());
    assert_eq!(managers(&cluster), BTreeSet::from([ours.clone(), tests]));
    operator.stop()?;
    let events = scene.api::<Event>().list(&ListParams::default()).await?;
    ensure!(!events.items.is_empty(), "there are no events");
    for event in events {
        assert_eq!(managers(&event), BTreeSet::from([ours.clone()]), "{event:?}");
    }
    Ok(())
}
