//! What the operator would send, for manifests and answers of Azure as they are: no server, no clock.

mod assets;
mod bodies;
mod captured;
mod compare;
mod databricks;
mod golden;
mod jobs;
mod laws;
mod moments;
mod nodes;
mod other;
mod recordings;
mod requests;
mod settings;
mod situations;
mod support;
mod tenancy;
