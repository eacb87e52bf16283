//! A registry of container images on 127.0.0.1: the real one, with its files in the state folder.
//! In: a state folder. Out: an address to push to and to pull from, without TLS and without accounts.

use std::net::TcpStream;
use std::process::Command;

use crate::api_server::free_port;
use crate::error::{Error, Result};
use crate::part::{Part, ready};
use crate::state::State;

/// Another process can take a port between the moment we found it free and the registry's start.
const TRIES: usize = 5;

/// A running registry. It ends when this is dropped.
#[derive(Debug)]
pub struct Registry {
    address: String,
    /// Held: it ends when this is dropped.
    _part: Part,
}

impl Registry {
    pub(super) async fn start(state: &State) -> Result<Self> {
        for _ in 1..TRIES {
            match Self::launch(state).await {
                Err(Error::Ended { tail, .. }) if tail.contains("address already in use") => {}
                outcome => return outcome,
            }
        }
        Self::launch(state).await
    }

    async fn launch(state: &State) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let folder = state.join("registry");
        let settings = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\n\
             http: {{addr: '{address}'}}\n",
            folder.display()
        );
        let file = state.write("registry.yaml", &settings)?;
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(file);
        let mut part = Part::start("registry", &mut command, state, None)?;
        let answers = async || TcpStream::connect(&address).map(drop).map_err(|error| error.to_string());
        ready(&mut [&mut part], answers).await?;
        Ok(Self { address, _part: part })
    }

    /// `127.0.0.1:<port>`, with which the names of its images begin.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}
