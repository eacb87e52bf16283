//! One running simulator: started from options, ended when it is dropped, with the controls as methods.

use crate::arm::rights::Assignment;
use crate::clock::Clock;
use crate::contract::{Contract, LoadError};
use crate::entra::Keys;
use crate::log::{self, Entry};
use crate::options::{Options, WorkspaceSpec};
use crate::shared::Shared;
use crate::world::{Settings, World};
use crate::{arm, server, state, tls};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder for files cannot be made.
    #[error("cannot make the folder {dir:?} for the simulator's files; give another with --dir")]
    Dir {
        /// The folder.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}; give another address with --listen, port 0 takes a free one")]
    Listen {
        /// The address.
        listen: std::net::SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The published definitions in the binary are broken.
    #[error("the published definitions in this binary cannot be read")]
    Contract(#[source] &'static LoadError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers to make keys of")]
    Random,
}

/// A running simulator. It ends when this is dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    base: String,
    tenant: String,
    subscription: String,
    ca_file: PathBuf,
    ca_pem: String,
    /// Removes the folder at the end when it was not given.
    _dir: Option<TempDir>,
}

impl Simulator {
    /// Starts a simulator on the current tokio runtime. When this returns, it answers.
    ///
    /// # Errors
    /// When the folder, the address or TLS cannot be set up.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let (dir, temporary) = folder(options.dir.as_ref())?;
        let identity = tls::identity(options.host.as_deref(), options.http1)?;
        let ca_file = dir.join("ca.pem");
        std::fs::write(&ca_file, &identity.ca_pem)
            .map_err(|source| StartError::Dir { dir: dir.clone(), source })?;
        let refused = |source| StartError::Listen { listen: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(refused)?;
        let port = listener.local_addr().map_err(refused)?.port();
        let keys = Keys::new().ok_or(StartError::Random)?;
        let now = options.begins.unwrap_or_else(Timestamp::now);
        let clock = Clock::at(now, options.virtual_clock);
        let mut world =
            World::new(Settings::new(&options, port, dir), clock, keys, published(options.strict)?);
        for spec in &options.workspaces {
            world.add_workspace(spec, now);
        }
        let base = world.settings.base.clone();
        let shared = Shared::new(world, options.latency);
        tokio::spawn(Arc::clone(&shared).clockwork());
        tokio::spawn(server::run(Arc::clone(&shared), listener, TlsAcceptor::from(identity.server)));
        Ok(Self {
            shared,
            base,
            tenant: options.tenant_id,
            subscription: options.subscription_id,
            ca_file,
            ca_pem: identity.ca_pem,
            _dir: temporary,
        })
    }

    /// Answers a request without a connection, for clients in the same process; `None` when a fault cuts it off. With no socket to
    /// wait for, a runtime whose clock is paused does not run ahead of the answer.
    pub async fn answer(&self, request: http::Request<Bytes>) -> Option<http::Response<Bytes>> {
        let answered = server::answered(&self.shared, request);
        tokio::select! {
            answer = answered => answer.ok(),
            () = self.shared.stop.cancelled() => None,
        }
    }

    /// Where it is reached: `https://127.0.0.1:<port>`, or by the name that it was given.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.base
    }

    /// The file with the certificate to trust, PEM.
    #[must_use]
    pub fn ca_file(&self) -> &std::path::Path {
        &self.ca_file
    }

    /// The certificate to trust, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The tenant.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.tenant
    }

    /// The subscription of workspaces that name none.
    #[must_use]
    pub fn subscription_id(&self) -> &str {
        &self.subscription
    }

    /// What the binary prints when it is ready.
    #[must_use]
    pub fn ready(&self) -> Value {
        json!({
            "endpoint": self.base, "caFile": self.ca_file, "tenantId": self.tenant,
            "subscriptionId": self.subscription,
        })
    }

    /// The whole request log.
    #[must_use]
    pub fn requests(&self) -> Vec<Entry> {
        self.shared.look(|world| world.log.entries().to_vec())
    }

    /// The requests of the log that are wanted, without a copy of all others.
    #[must_use]
    pub fn requests_that(&self, is_wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let wanted = |entry: &&Entry| is_wanted(entry);
        self.shared.look(|world| world.log.entries().iter().filter(wanted).cloned().collect())
    }

    /// Counts over the request log.
    #[must_use]
    pub fn counters(&self) -> Value {
        self.shared.look(|world| log::counters(world.log.entries()))
    }

    /// Waits until `f` finds something in the log, looking after every change; `None` after `limit`.
    pub async fn wait_for<T>(&self, limit: Duration, mut f: impl FnMut(&[Entry]) -> Option<T>) -> Option<T> {
        self.shared.wait(limit, |world| f(world.log.entries())).await
    }

    /// Sets a fault, as `POST /_simulator/faults`, and returns its id.
    ///
    /// # Errors
    /// When this is no fault; the text says what is wrong.
    pub fn fault(&self, spec: Value) -> Result<String, String> {
        let spec = serde_json::from_value(spec).map_err(|error| format!("this is no fault: {error}"))?;
        self.shared.with(|world, _| world.faults.add(spec)).map_err(|error| error.to_string())
    }

    /// The faults that are set, with their hits and what they hold.
    #[must_use]
    pub fn faults(&self) -> Value {
        self.shared.look(|world| world.faults.json())
    }

    /// Takes a fault away; what it holds goes on, or with `drop` ends without an answer. False when there is none.
    #[must_use]
    pub fn release(&self, id: &str, drop: bool) -> bool {
        self.shared.with(|world, now| {
            let Some(parked) = world.faults.remove(id, drop) else { return false };
            for event in parked {
                world.timers.set(now, event);
            }
            true
        })
    }

    /// Moves a virtual clock on and lets everything happen that is due; `None` when the clock is the real one.
    #[must_use]
    pub fn advance(&self, by: SignedDuration) -> Option<Timestamp> {
        self.shared.with(|world, _| {
            let now = world.clock.advance(by)?;
            world.settle(now);
            Some(now)
        })
    }

    /// The time of the simulator's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.look(|world| world.clock.now())
    }

    /// Adds a workspace while the simulator runs, and returns its ARM id.
    #[must_use]
    pub fn add_workspace(&self, spec: &WorkspaceSpec) -> String {
        self.shared.with(|world, now| {
            let key = world.add_workspace(spec, now);
            world.workspaces.get(&key).map_or(key, crate::ml::Workspace::id)
        })
    }

    /// Gives an application exactly these roles in Resource Manager. One that was given none may do everything.
    pub fn assign(&self, client: &str, assignments: Vec<Assignment>) {
        self.shared.with(|world, _| world.rights.assign(client, assignments));
    }

    /// Puts a secret into a Key Vault.
    pub fn put_secret(&self, vault: &str, name: &str, value: &str) {
        self.shared.with(|world, _| {
            world.secrets.insert((vault.to_owned(), name.to_owned()), value.to_owned());
        });
    }

    /// Gives an application the role Storage Blob Data Contributor, or takes it away. It matters for storage accounts
    /// that take no keys.
    pub fn give_blob_role(&self, client: &str, has: bool) {
        self.shared.with(|world, _| world.blobs.give_role(client, has));
    }

    /// Everything in a workspace in a canonical form, without times and random ids; `None` when it does not exist.
    #[must_use]
    pub fn state(&self, resource_group: &str, workspace: &str) -> Option<Value> {
        let key = arm::ids::key(&arm::ids::workspace(&self.subscription, resource_group, workspace));
        self.shared.look(|world| world.workspaces.contains_key(&key).then(|| state::dump(world, &key)))
    }

    /// Ends the simulator: open connections are closed, what is held ends without an answer, and no process of a step is left.
    pub fn stop(&self) {
        self.shared.end();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The published definitions, read once for all simulators of a process.
fn published(strict: bool) -> Result<&'static Contract, StartError> {
    static TOLERANT: LazyLock<Result<Contract, LoadError>> = LazyLock::new(Contract::load);
    static STRICT: LazyLock<Result<Contract, LoadError>> = LazyLock::new(Contract::strict);
    let contract = if strict { &STRICT } else { &TOLERANT };
    contract.as_ref().map_err(StartError::Contract)
}

fn folder(given: Option<&PathBuf>) -> Result<(PathBuf, Option<TempDir>), StartError> {
    if let Some(dir) = given {
        let failed = |source| StartError::Dir { dir: dir.clone(), source };
        std::fs::create_dir_all(dir).map_err(failed)?;
        return Ok((dir.canonicalize().map_err(failed)?, None));
    }
    let dir = TempDir::with_prefix("azureml-simulator-")
        .map_err(|source| StartError::Dir { dir: std::env::temp_dir(), source })?;
    Ok((dir.path().to_owned(), Some(dir)))
}
