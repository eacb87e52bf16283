//! What a version of data is: an address, or files by their hash.
//!
//! In: a spec, what was fetched, a status. Out: the content, and where its files go. Fetches nothing.

use crate::dockerfile::Context;
use crate::invalid::InvalidSpec;
use crate::source::{Held, Sources};
use azureml_crds::MLData;
use azureml_crds::ml_data::{DataType, MLDataSpec};
use azureml_crds::source::SourceStatus;
use serde_json::{Value, json};
use std::fmt;

/// The field of a source.
pub const FIELD: &str = "source";

/// What a table is described by.
const TABLE: &str = "MLTable";

/// What a version of data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// What is at an address.
    At(String),
    /// Files.
    Files {
        /// Azure ML's hash of them.
        hash: String,
        /// The only one, where the data is one file.
        file: Option<String>,
    },
}

impl Content {
    /// What names the version: another content is another version.
    pub(super) fn named(&self, r#type: DataType) -> Value {
        match self {
            Self::At(path) => json!({"dataType": r#type.word(), "dataUri": path}),
            // The hash counts names of files as well.
            Self::Files { hash, file: _ } => json!({"dataType": r#type.word(), "files": hash}),
        }
    }

    /// Where files are in their datastore; none of an address.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        match self {
            Self::At(_) => None,
            Self::Files { hash, file } => Some(path(hash, file.as_deref())),
        }
    }
}

/// The path of files in a datastore. Source: azure-ai-ml, `generate_asset_id` (`LocalUpload/<hash>/<name>`): what Microsoft's client
/// uploads from a folder of another name is never among them.
#[must_use]
pub fn path(hash: &str, file: Option<&str>) -> String {
    format!("LocalUpload/{hash}/data/{}", file.unwrap_or_default())
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(path) => f.write_str(path),
            Self::Files { hash, .. } => write!(f, "the source with hash {hash}"),
        }
    }
}

/// The content of data.
///
/// # Errors
/// When its files were not fetched, or are not of its type.
pub fn content(spec: &MLDataSpec, sources: &Sources) -> Result<Content, InvalidSpec> {
    if let Some(path) = &spec.path {
        return Ok(Content::At(path.clone()));
    }
    let held = sources.held(FIELD).ok_or_else(|| InvalidSpec::new(FIELD, "its files were not fetched"))?;
    let Held { hash, context, .. } = held;
    let names = context.as_deref();
    if names.is_none_or(Context::is_empty) {
        return Err(InvalidSpec::new(
            FIELD,
            "there is no file; add one, or correct path and the patterns that leave files out",
        ));
    }
    let file = match spec.r#type {
        DataType::UriFile => {
            let only = names.and_then(Context::only).ok_or_else(|| {
                InvalidSpec::new(FIELD, "type uri_file is one file, and there is another number; leave the others out by path, or write uri_folder")
            })?;
            Some(only.to_owned())
        }
        DataType::MlTable if names.is_none_or(|names| !names.has(TABLE)) => {
            let message =
                format!("type mltable needs a file {TABLE} in the source; add it, or write uri_folder");
            return Err(InvalidSpec::new(FIELD, message));
        }
        DataType::UriFolder | DataType::MlTable => None,
    };
    Ok(Content::Files { hash: hash.clone(), file })
}

/// The content that a status tells of, for those who only name its version.
#[must_use]
pub fn told(data: &MLData) -> Option<Content> {
    if let Some(path) = &data.spec.path {
        return Some(Content::At(path.clone()));
    }
    let is_it = |one: &&SourceStatus| one.field == FIELD;
    let source = data.status.as_ref()?.sources.iter().find(is_it)?;
    Some(Content::Files { hash: source.hash.clone(), file: None })
}
