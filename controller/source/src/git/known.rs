//! The lines of `known_hosts`: which keys a host may have.
//!
//! In: the text, a host and its port. Out: keys, or that there are none. Trusts nothing on first use. Source: sshd(8),
//! "SSH_KNOWN_HOSTS FILE FORMAT".

use crate::error::Error;
use azureml_plan::pattern;
use ring::hmac;
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, KnownHosts, Marker};
use russh::keys::{Algorithm, HashAlg, PublicKey};

/// The port of SSH.
pub(super) const PORT: u16 = 22;

/// The most bytes of the text.
const LONGEST: usize = 256 << 10;

/// The keys of a host.
#[derive(Clone, Debug)]
pub(super) struct Known {
    keys: Vec<PublicKey>,
    revoked: Vec<PublicKey>,
}

impl Known {
    /// The keys that the text has for a host. Lines that cannot be read count for nothing, as with OpenSSH.
    pub(super) fn of(text: &str, host: &str, port: u16) -> Result<Self, Error> {
        let name = if port == PORT { host.to_owned() } else { format!("[{host}]:{port}") };
        let text = if text.len() > LONGEST { "" } else { text };
        let lines = KnownHosts::new(text).filter_map(Result::ok).filter(|line| has(line, &name));
        let (mut keys, mut revoked) = (Vec::new(), Vec::new());
        for line in lines {
            match line.marker() {
                None => keys.push(line.public_key().clone()),
                Some(Marker::Revoked) => revoked.push(line.public_key().clone()),
                // Certificates of hosts are not asked for.
                Some(Marker::CertAuthority) => {}
            }
        }
        if keys.is_empty() { Err(Error::UnknownHost(name)) } else { Ok(Self { keys, revoked }) }
    }

    /// Whether the host may have this key.
    pub(super) fn has(&self, key: &PublicKey) -> bool {
        let is_in = |keys: &[PublicKey]| keys.iter().any(|one| one.key_data() == key.key_data());
        is_in(&self.keys) && !is_in(&self.revoked)
    }

    /// The kinds of the keys: a server that has several shows one of these.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let mut all = Vec::new();
        for key in &self.keys {
            // One key of RSA signs by either hash, and by SHA-1 never.
            let hashes = [HashAlg::Sha512, HashAlg::Sha256];
            let kinds = if key.algorithm().is_rsa() {
                hashes.map(|hash| Algorithm::Rsa { hash: Some(hash) }).to_vec()
            } else {
                vec![key.algorithm()]
            };
            all.extend(kinds.into_iter().filter(|kind| !all.contains(kind)).collect::<Vec<_>>());
        }
        all
    }
}

/// Whether a line is of a host.
fn has(line: &Entry, name: &str) -> bool {
    match line.host_patterns() {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, name.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let is_out = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!'));
            let mut is_in = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
            !is_out.into_iter().any(|pattern| fits(pattern, name)) && is_in.any(|pattern| fits(pattern, name))
        }
    }
}

/// Whether a name fits a pattern with `*` and `?`, in any case.
fn fits(pattern: &str, name: &str) -> bool {
    pattern::fits(&pattern.to_ascii_lowercase(), &name.to_ascii_lowercase())
}

/// A key in words, as `ssh-keygen -l` prints it.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn key() -> PublicKey {
        ONE.parse().unwrap()
    }

    #[test]
    fn lines_count_for_the_hosts_that_they_name() {
        // The hashed line was made by `ssh-keygen -H` of OpenSSH 9.2.
        let hashed = "|1|w4ezhlfWNjWxDou9d14b673ZgrA=|3+UJNrp/J2sSlN+Hq/QwUGkPDIY=";
        for (hosts, is_known) in [
            ("github.com", true),
            ("GitHub.com,140.82.121.3", true),
            ("*.com", true),
            ("*.com,!github.com", false),
            ("git?ub.*", true),
            ("github.co", false),
            ("[github.com]:2222", false),
            ("@revoked github.com", false),
            ("@cert-authority github.com", false),
            ("# github.com", false),
            (hashed, true),
        ] {
            let known = Known::of(&format!("nonsense\n\n{hosts} {ONE} a comment\n"), "github.com", PORT);
            assert_eq!(known.is_ok_and(|known| known.has(&key())), is_known, "{hosts}");
        }
        let known = Known::of(&format!("[github.com]:2222 {ONE}"), "github.com", 2222).unwrap();
        assert!(known.has(&key()));
        let revoked = Known::of(&format!("a {ONE}\n@revoked * {ONE}\n"), "a", PORT).unwrap();
        assert!(!revoked.has(&key()));
        let unknown = Known::of("", "github.com", 2222).unwrap_err().to_string();
        assert!(unknown.contains("[github.com]:2222") && unknown.contains("ssh-keyscan"), "{unknown}");
    }
}
