//! A simulator of the parts of Azure that Azure Machine Learning pipelines need: Entra ID, the resource manager, Azure
//! ML, container registries and blobs behind one TLS address. It answers as the public documentation and definitions
//! say, and knows nothing of its clients. In: HTTP requests and controls. Out: answers, and a log of what was asked.
//!
//! ```text
//! server ─▶ front ─▶ world ─▶ arm ─▶ ml, acr        front: log, faults, delay   world: data + time, one lock
//!             │        └────▶ entra, blob, acr, ml (data planes)
//!             └─▶ control (/_simulator/…)
//! ```

mod acr;
mod arm;
mod blob;
mod clock;
pub mod contract;
mod control;
mod databricks;
mod entra;
mod execute;
pub mod facts;
mod faults;
mod front;

mod ids;
mod json;
mod log;
mod ml;
mod options;
mod server;
mod settings;
mod shared;
mod simulator;
mod state;
mod timers;
mod times;
mod tls;
mod vault;
mod wire;
mod world;

pub use acr::RoleMode;
pub use arm::rights::{Assignment, action};
pub use databricks::HOST as DATABRICKS;
pub use log::Entry;
pub use options::{Options, StorageAccess, Times, WorkspaceSpec};
pub use simulator::{Simulator, StartError};
pub use tls::TlsError;
