//! Files from elsewhere: fetched, checked and kept on disk until they are uploaded. Knows nothing of Kubernetes or of Azure ML.
//!
//! In: where files are, bounds, an HTTP client. Out: a tree of files with its hashes, and their bytes as they are read.
//! Decides nothing: what may be in a tree is in `azureml-plan`.
//!
//! ```text
//!   git, tar ──► Draft ──finish──► Kept { tree, hashes, bytes on disk } ──► Store (least recently used goes)
//! ```

pub mod archive;
mod draft;
mod error;
mod fetcher;
pub mod git;
mod ignored;
mod kept;
mod store;

pub use draft::Draft;
pub use error::Error;
pub use fetcher::{Entries, Fetcher, Found, Place};
pub use kept::Kept;
pub use store::Store;
