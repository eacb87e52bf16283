//! Files from elsewhere: fetched, checked and kept on disk until they are uploaded. Knows nothing of Kubernetes or of Azure ML.
//!
//! In: where files are, bounds, an HTTP client. Out: a tree of files with its hashes, and their bytes as they are read.
//! Decides nothing: what may be in a tree is in `azureml-plan`.
//!
//! ```text
//!   Wanted ──revision──► commit, digest, sha256 ──fetch──► git, oci, web, flux ──► Draft ──finish──► Kept ──► Store
//!   Kept { tree, hashes, bytes on disk }; of the store, the least recently used goes
//! ```

pub mod archive;
mod dial;
mod docker_ignored;
mod download;
mod draft;
mod error;
mod failures;
mod fetcher;
mod flux;
pub mod git;
mod ignored;
mod kept;
mod layers;
mod left_out;
mod login;
mod named;
mod net;
pub mod oci;
mod store;
mod text;
mod wanted;
pub mod web;

pub use dial::{Connection, Dial};
pub use draft::Draft;
pub use error::Error;
pub use fetcher::{Entries, Fetched, Fetcher, Place};
pub use kept::Kept;
pub use login::{Login, SshKey};
pub use named::{Named, folder, named};
pub use net::Net;
pub use store::Store;
pub use wanted::{Found, Means, Origin, Wanted};
