//! What an MLEnvironment refers to, and the environment that should be there. Plain data: nothing is decided here.

use super::images::Images;
use crate::context::Workspace;
use crate::owner::Owner;
use crate::source::Sources;
use azureml_client::ArmId;
use azureml_client::image::ImageRef;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an MLEnvironment refers to.
#[derive(Clone, Debug)]
pub struct Refs {
    /// The workspace.
    pub workspace: Workspace,
    /// This object as an owner.
    pub owner: Owner,
    /// What the context held.
    pub sources: Sources,
    /// What the tags mean that are followed.
    pub images: Images,
}

impl Refs {
    /// What is known before anything is fetched or looked up.
    #[must_use]
    pub fn new(workspace: Workspace, owner: Owner) -> Self {
        Self { workspace, owner, sources: Sources::default(), images: Images::default() }
    }
}

/// The environment that should be there, and where its image comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The environment.
    pub id: ArmId,
    /// The name of the content: the beginning of every version of it.
    pub content: String,
    /// Where the image comes from.
    pub source: Source,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// It is built.
    Built {
        /// The task run that builds this content.
        task_run: ArmId,
        /// The image by its tag, the content's hash.
        image: ImageRef,
        /// The body of the task run, but for the source and the tag that forces another run.
        body: Value,
        /// The files of the build that are written here.
        files: BTreeMap<String, String>,
        /// The hash of the context that they lie above; none where there is none.
        context: Option<String>,
    },
    /// It is given.
    Given {
        /// The image.
        image: ImageRef,
        /// The conda file with which Azure ML completes it at the first job.
        conda_file: Option<String>,
    },
}

impl Source {
    /// The conda file with which Azure ML completes the image.
    #[must_use]
    pub fn conda_file(&self) -> Option<&str> {
        match self {
            Self::Built { .. } => None,
            Self::Given { conda_file, .. } => conda_file.as_deref(),
        }
    }

    /// The image by its tag (or digest, where one was written).
    #[must_use]
    pub fn image(&self) -> &ImageRef {
        match self {
            Self::Built { image, .. } | Self::Given { image, .. } => image,
        }
    }
}
