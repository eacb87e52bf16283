//! Which files of a folder are left out, by what they are for.
//!
//! In: a purpose, patterns of a manifest, the folder's own files of patterns. Out: whether a path is left out.

use crate::docker_ignored::{BadPattern, DockerIgnored};
use crate::error::Error;
use crate::ignored::{FILES, Ignored};
use azureml_plan::source::Purpose;
use azureml_plan::tree::{Fault, Refused};

/// Docker's file of patterns, and the end of the name of one that is of one Dockerfile, which wins.
const DOCKERIGNORE: &str = ".dockerignore";

/// The Dockerfile's name where none is said.
const DOCKERFILE: &str = "Dockerfile";

/// Which files are left out.
pub enum LeftOut {
    /// Of code and data: as Azure's command line counts them.
    Code(Ignored),
    /// Of a context.
    Context {
        /// As Docker counts them.
        docker: DockerIgnored,
        /// As the manifest says.
        said: Ignored,
        /// The Dockerfile, which stays in any case: it is read before anything is left out.
        dockerfile: String,
        /// Whether the file of patterns for all Dockerfiles goes, so that no builder reads it after ours.
        drops_file: bool,
    },
    /// All but one file.
    Others(String),
}

impl LeftOut {
    /// Reads the patterns of a folder. `read` gives the text of a small file.
    pub fn of(
        purpose: &Purpose,
        said: &[String],
        read: impl Fn(&str) -> Result<Option<String>, Error>,
    ) -> Result<Self, Error> {
        match purpose {
            Purpose::File { path } => Ok(Self::Others(path.clone())),
            Purpose::Code | Purpose::Data => code(said, read).map(Self::Code),
            Purpose::Context { dockerfile } => {
                let dockerfile = dockerfile.clone().unwrap_or_else(|| DOCKERFILE.to_owned());
                let own = format!("{dockerfile}{DOCKERIGNORE}");
                let (name, text, drops_file) = match read(&own)? {
                    Some(text) => (own.as_str(), Some(text), true),
                    None => (DOCKERIGNORE, read(DOCKERIGNORE)?, false),
                };
                let docker = text.map_or(Ok(DockerIgnored::nothing()), |text| DockerIgnored::of(&text));
                let docker = docker.map_err(|bad| match bad {
                    BadPattern::Many => refused(name, Fault::Patterns),
                    BadPattern::Form => refused(name, Fault::Pattern),
                })?;
                Ok(Self::Context { docker, said: Ignored::said(said), dockerfile, drops_file })
            }
        }
    }

    /// Whether a file is left out.
    pub fn has(&self, path: &str) -> bool {
        match self {
            Self::Code(ignored) => ignored.has(path),
            Self::Others(file) => path != file,
            Self::Context { docker, said, dockerfile, drops_file } => {
                path != dockerfile
                    && (docker.has(path) || said.has(path) || *drops_file && path == DOCKERIGNORE)
            }
        }
    }
}

/// The patterns that the folder itself brings, and those beside it.
fn code(said: &[String], read: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Ignored, Error> {
    for name in FILES {
        if let Some(text) = read(name)? {
            return Ignored::of(&text, said).ok_or_else(|| refused(name, Fault::Patterns));
        }
    }
    Ignored::of("", said).ok_or_else(|| refused("ignore", Fault::Patterns))
}

fn refused(entry: &str, fault: Fault) -> Error {
    Refused { entry: entry.to_owned(), fault }.into()
}
