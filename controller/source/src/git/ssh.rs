//! A repository over SSH.
//!
//! In: an address, a key, the keys that the host may have. Out: the bytes of one program on the server, `git-upload-pack`. Trusts no
//! host on first use. Source: git's `gitprotocol-pack`, "SSH Transport".

use super::known::{Known, PORT, fingerprint};
use crate::error::Error;
use crate::login::{Login, SshKey};
use crate::net::Net;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use russh::client::{self, Handle, Msg};
use russh::keys::ssh_key::Kdf;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg, Preferred};
use secrecy::ExposeSecret as _;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use url::{Host, Url};

/// How long it may take until git answers, and how long it may speak.
const CONNECT: Duration = Duration::from_secs(30);
const SPEAK: Duration = Duration::from_mins(10);

/// The most bytes of what the program says beside its answer.
const WORDS: usize = 2 << 10;

/// The most rounds of a key's own protection: `ssh-keygen` writes 16 or 24, and each takes milliseconds.
const ROUNDS: u32 = 256;

/// A repository over SSH.
#[derive(Clone, Debug)]
pub(super) struct Ssh {
    net: Net,
    user: String,
    host: String,
    port: u16,
    path: String,
    key: SshKey,
}

/// Whether an address is one of SSH: `ssh://…`, or `user@host:path` as git writes it.
pub(crate) fn is_address(address: &str) -> bool {
    address.starts_with("ssh://") || (!address.contains("://") && address.contains(':'))
}

impl Ssh {
    pub(super) fn new(net: Net, address: &str, login: Login) -> Result<Self, Error> {
        let (user, host, port, path) = split(address)?;
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        if host.is_empty() || host.starts_with('-') || !host.bytes().all(is_host) {
            return Err(Error::Address("it has no host"));
        }
        if path.trim_matches('/').is_empty() || path.starts_with('-') || path.contains(char::is_control) {
            return Err(Error::Address("it has no path"));
        }
        let Login::Key(key) = login else {
            return Err(Error::Secret(
                "the address is one of SSH; name a Secret in secretRef that has identity, a private key, and known_hosts",
            ));
        };
        Ok(Self { net, user, host: host.to_ascii_lowercase(), port, path, key })
    }

    /// Signs in and starts the program.
    pub(super) async fn connect(&self) -> Result<Connected, Error> {
        let late = |_| Error::unreached(&format!("{} did not answer in time", self.host));
        timeout(CONNECT, self.open()).await.map_err(late)?
    }

    async fn open(&self) -> Result<Connected, Error> {
        let known = Known::of(&self.key.known_hosts, &self.host, self.port)?;
        let key = private(self.key.clone()).await?;
        let settings = client::Config {
            preferred: Preferred { key: Cow::Owned(known.algorithms()), ..Preferred::DEFAULT },
            inactivity_timeout: Some(CONNECT * 2),
            ..client::Config::default()
        };
        let stream = self.net.dial(&self.host, self.port).await?;
        let shown = Arc::new(Mutex::new(None));
        let guard = Guard { known: known.clone(), shown: shown.clone() };
        let connected = client::connect_stream(Arc::new(settings), stream, guard).await;
        let mut handle = connected.map_err(|error| self.no_session(&error, &known, &shown))?;
        self.sign_in(&mut handle, key).await?;
        let channel = handle.channel_open_session().await.map_err(|error| broken(&error))?;
        channel.set_env(false, "GIT_PROTOCOL", "version=2").await.map_err(|error| broken(&error))?;
        let command = format!("git-upload-pack {}", quoted(&self.path));
        channel.exec(true, command).await.map_err(|error| broken(&error))?;
        Ok(Connected { _handle: handle, channel, words: Vec::new(), until: Instant::now() + SPEAK })
    }

    async fn sign_in(&self, handle: &mut Handle<Guard>, key: PrivateKey) -> Result<(), Error> {
        let named = fingerprint(key.public_key());
        // The signature of a key of RSA is by SHA-2, whatever the server says: by SHA-1 it would be worth nothing.
        let mut hash = None;
        if key.algorithm().is_rsa() {
            let said = handle.best_supported_rsa_hash().await.map_err(|error| broken(&error))?;
            hash = Some(said.flatten().unwrap_or(HashAlg::Sha512));
        }
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        let result = handle.authenticate_publickey(&self.user, key).await.map_err(|error| broken(&error))?;
        if result.success() { Ok(()) } else { Err(Error::Key(named)) }
    }

    /// Why there is no session: the host's key is another one, or the two have nothing in common.
    fn no_session(&self, error: &russh::Error, known: &Known, shown: &Mutex<Option<String>>) -> Error {
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (error, shown) {
            (russh::Error::UnknownKey, Some(found)) => Error::HostKey { host: self.host.clone(), found },
            (russh::Error::NoCommonAlgo { .. }, _) => {
                let kinds: Vec<String> = known.algorithms().iter().map(ToString::to_string).collect();
                let found = format!("none of {}", kinds.join(", "));
                Error::HostKey { host: self.host.clone(), found }
            }
            _ => broken(error),
        }
    }
}

/// A program that runs on the server.
pub(super) struct Connected {
    /// Held: the connection ends when this is dropped.
    _handle: Handle<Guard>,
    channel: Channel<Msg>,
    /// What the program says beside its answer.
    words: Vec<u8>,
    until: Instant,
}

impl Connected {
    /// Sends bytes to the program.
    pub(super) async fn send(&self, bytes: Vec<u8>) -> Result<(), Error> {
        let late = |_| Error::unreached("the server did not take the request in time");
        timeout_at(self.until, self.channel.data_bytes(bytes))
            .await
            .map_err(late)?
            .map_err(|error| broken(&error))
    }

    /// The next bytes of the program; none when it has ended.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let late = |_| Error::unreached("the server did not answer in time");
            match timeout_at(self.until, self.channel.wait()).await.map_err(late)? {
                Some(ChannelMsg::Data { data }) => return Ok(Some(data)),
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = WORDS.saturating_sub(self.words.len());
                    self.words.extend(data.iter().take(room));
                }
                Some(ChannelMsg::Failure) => return Err(Error::said("it does not run git-upload-pack")),
                // What the program said may come after its end.
                Some(ChannelMsg::Close) | None if self.words.is_empty() => return Ok(None),
                Some(ChannelMsg::Close) | None => {
                    return Err(Error::said(&String::from_utf8_lossy(&self.words)));
                }
                Some(_) => {}
            }
        }
    }
}

/// Lets only hosts in that are known.
pub(super) struct Guard {
    known: Known,
    /// The key of a host that is another one.
    shown: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Guard {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = shown.public_key();
        let is_known = shown.certificate().is_none() && self.known.has(&key);
        if !is_known {
            *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint(&key));
        }
        Ok(is_known)
    }
}

/// User, host, port and path of an address.
/// Host and port of an address; the port where it is not SSH's own.
pub(crate) fn host(address: &str) -> Result<String, Error> {
    let (_, host, port, _) = split(address)?;
    Ok(if port == PORT { host } else { format!("{host}:{port}") })
}

fn split(address: &str) -> Result<(String, String, u16, String), Error> {
    if !address.starts_with("ssh://") {
        let (place, path) = address.split_once(':').ok_or(Error::Address("it is no URL"))?;
        let (user, host) = place.split_once('@').unwrap_or(("git", place));
        return Ok((user.to_owned(), host.to_owned(), PORT, path.to_owned()));
    }
    let url = Url::parse(address).map_err(|_| Error::Address("it is no URL"))?;
    if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(Error::Address("it has a password, ? or #"));
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(v4)) => v4.to_string(),
        Some(Host::Ipv6(v6)) => v6.to_string(),
        None => String::new(),
    };
    let user = if url.username().is_empty() { "git".to_owned() } else { decoded(url.username()) };
    Ok((user, host, url.port().unwrap_or(PORT), decoded(url.path())))
}

/// A path as one word of a shell, as git quotes it.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''").replace('!', r"'\!'"))
}

/// The private key. Only a format that says what opening it costs may be encrypted.
async fn private(key: SshKey) -> Result<PrivateKey, Error> {
    let unreadable = Error::Secret(
        "identity is no private key that can be read; write one of ssh-keygen, and its passphrase as password",
    );
    let text = key.private.expose_secret();
    let Some(passphrase) = key.passphrase else {
        return russh::keys::decode_secret_key(text, None).map_err(|_| unreadable);
    };
    let Ok(closed) = PrivateKey::from_openssh(text.trim()) else { return Err(unreadable) };
    if !closed.is_encrypted() {
        return Ok(closed);
    }
    if rounds(&closed).is_none_or(|rounds| rounds > ROUNDS) {
        return Err(Error::Secret("identity takes too long to open; write it anew by ssh-keygen -p -a 16"));
    }
    let opened = tokio::task::spawn_blocking(move || closed.decrypt(passphrase.expose_secret().trim_end()));
    opened.await.map_err(std::io::Error::other)?.map_err(|_| unreadable)
}

fn rounds(key: &PrivateKey) -> Option<u32> {
    if let Kdf::Bcrypt { rounds, .. } = key.kdf() { Some(*rounds) } else { None }
}

fn broken(error: &russh::Error) -> Error {
    Error::unreached(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_git_reads_them() {
        for (address, user, host, port, path) in [
            ("git@github.com:org/repo.git", "git", "github.com", 22, "org/repo.git"),
            ("github.com:org/repo", "git", "github.com", 22, "org/repo"),
            ("ssh://git@github.com/org/repo.git", "git", "github.com", 22, "/org/repo.git"),
            ("ssh://a%40b@host:2222/x%20y", "a@b", "host", 2222, "/x y"),
            ("ssh://host/~me/x", "git", "host", 22, "/~me/x"),
            ("ssh://[2001:db8::1]:22/x", "git", "2001:db8::1", 22, "/x"),
        ] {
            let expected = (user.to_owned(), host.to_owned(), port, path.to_owned());
            assert_eq!(split(address).unwrap(), expected, "{address}");
        }
        assert_eq!(quoted("/it's!"), r"'/it'\''s'\!''");
        assert!(!is_address("https://host:1/x") && is_address("ssh://x") && is_address("git@host:x"));
    }
}
