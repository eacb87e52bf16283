//! CRDs: read from YAML, installed, and waited for until the API server serves them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, ResourceExt as _};

use crate::error::{Error, Result};

const WITHIN: Duration = Duration::from_mins(2);
const FIELD_MANAGER: &str = "azureml-control-plane";

/// The CRDs in a YAML file, or in all files `*.yaml` and `*.yml` of a folder, in the order of their names.
///
/// # Errors
/// When a file cannot be read, or holds something else than CRDs.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<CustomResourceDefinition>> {
    let mut crds = Vec::new();
    for file in files(path.as_ref())? {
        let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
        let read: Vec<CustomResourceDefinition> = serde_saphyr::from_multiple(&text)
            .map_err(|error| Error::Syntax { path: file.clone(), reason: error.to_string() })?;
        crds.extend(read);
    }
    Ok(crds)
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(Error::file("read", path))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.extension().is_some_and(|end| end == "yaml" || end == "yml"))
        .collect();
    files.sort();
    Ok(files)
}

/// Applies the CRDs and waits until each is established.
///
/// # Errors
/// When the API server refuses one, or does not serve it within half a minute.
pub async fn install(client: &Client, crds: &[CustomResourceDefinition]) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let manager = PatchParams::apply(FIELD_MANAGER).force();
    for crd in crds {
        let name = crd.name_any();
        let applied = api.patch(&name, &manager, &Patch::Apply(crd)).await;
        applied.map_err(Error::kube(format!("install CRD {name:?}")))?;
    }
    for crd in crds {
        let name = crd.name_any();
        let established = await_condition(api.clone(), &name, conditions::is_crd_established());
        let late = || Error::Late { what: format!("CRD {name:?} to be established"), waited: WITHIN };
        match tokio::time::timeout(WITHIN, established).await {
            Err(_) | Ok(Err(_)) => return Err(late()),
            Ok(Ok(_)) => {}
        }
    }
    Ok(())
}
