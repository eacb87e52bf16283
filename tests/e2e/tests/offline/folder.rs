//! Objects of a plan without Kubernetes, and what the last pass said of each.

use anyhow::Result;
use azureml_cli::plan::folder::Folder as Objects;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

/// Objects that were read from files, and what is known of them since.
#[derive(Default)]
pub struct Folder {
    objects: Objects,
    told: Mutex<BTreeMap<String, String>>,
}

impl Deref for Folder {
    type Target = Objects;

    fn deref(&self) -> &Objects {
        &self.objects
    }
}

impl Folder {
    /// Objects as the API server has them first: in a namespace, of the first generation.
    pub fn of(namespace: &str, objects: impl IntoIterator<Item = Value>) -> Result<Self> {
        let mut folder = Self::default();
        for object in objects {
            anyhow::ensure!(
                folder.objects.add(namespace, &object)?,
                "{} is none of the kinds",
                object["kind"]
            );
        }
        Ok(folder)
    }

    /// Keeps what the last pass said of an object.
    pub fn tell(&self, name: &str, message: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(name.to_owned(), message.to_owned());
    }

    /// What the last passes said, by object.
    pub fn told(&self) -> BTreeMap<String, String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
