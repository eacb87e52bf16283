//! Dockerfiles that the operator writes: a conda environment, or packages, on an image.
//!
//! In: `conda` or `packages` of a spec. Out: the Dockerfile and the files beside it, the same for the same spec. Every name is checked
//! before it stands in a line.

mod conda;
mod conda_file;
mod packages;
mod python;
mod text;
mod words;

pub(super) use self::conda::conda;
pub(super) use self::conda_file::{CondaFile, Installed, is_same};
pub(super) use self::packages::packages;
pub(super) use self::text::DOCKERFILE;

#[cfg(test)]
mod tests;
