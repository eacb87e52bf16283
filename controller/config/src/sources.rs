//! How files are fetched from elsewhere: where they are kept meanwhile, how many, and from which hosts.

use azureml_plan::flux::FluxConfig;
use azureml_plan::hosts::HostGrant;
use azureml_plan::tree::Bounds;
use serde::Deserialize;
use std::path::PathBuf;

/// How files are fetched from elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Sources {
    /// The folder in which files are kept until they are uploaded. Default: the system's folder for temporary files.
    pub folder: PathBuf,
    /// Bytes that are kept there; what was used least recently goes.
    pub cache_bytes: u64,
    /// The most bytes of one source, unpacked.
    pub max_bytes: u64,
    /// The most files of one source.
    pub max_files: usize,
    /// Which hosts namespaces may fetch from. A namespace that none names: every public host.
    pub hosts: Vec<HostGrant>,
    /// Whose artifacts of Flux are fetched, and from where.
    pub flux: FluxConfig,
}

impl Default for Sources {
    fn default() -> Self {
        let Bounds { bytes, files } = Bounds::default();
        Self {
            folder: std::env::temp_dir(),
            cache_bytes: 1 << 30,
            max_bytes: bytes,
            max_files: files,
            hosts: Vec::new(),
            flux: FluxConfig::default(),
        }
    }
}

impl Sources {
    /// How much one source may hold.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds { bytes: self.max_bytes, files: self.max_files }
    }
}
