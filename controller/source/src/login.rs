//! How to sign in at a server.
//!
//! In: what a Secret holds. Out: the header of a request. Never printed, and sent to nobody by itself.

use crate::error::Error;
use azureml_plan::hash;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

/// How to sign in.
#[derive(Clone, Debug)]
pub enum Login {
    /// Not at all.
    Anonymous,
    /// With a user name and a password.
    Basic(String, SecretString),
    /// With a token.
    Bearer(SecretString),
    /// With a key, over SSH.
    Key(SshKey),
}

/// A key for SSH, and the hosts that may be asked with it.
#[derive(Clone, Debug)]
pub struct SshKey {
    /// The private key, in the format of OpenSSH or in PEM: Ed25519, ECDSA or RSA.
    pub private: SecretString,
    /// What opens the key, where it is encrypted.
    pub passphrase: Option<SecretString>,
    /// The keys of hosts, as `ssh-keyscan` prints them.
    pub known_hosts: String,
}

impl Login {
    /// Tells it from others, without showing what is secret.
    pub(crate) fn key(&self) -> String {
        let parts: Vec<&str> = match self {
            Self::Anonymous => Vec::new(),
            Self::Basic(name, password) => vec!["basic", name, password.expose_secret()],
            Self::Bearer(token) => vec!["bearer", token.expose_secret()],
            Self::Key(SshKey { private, passphrase, known_hosts }) => {
                let passphrase = passphrase.as_ref().map_or("", |text| text.expose_secret());
                vec!["key", private.expose_secret(), passphrase, known_hosts]
            }
        };
        hash::content("login", &json!(parts))
    }

    /// The value of `Authorization`. A line break at the end of what a Secret holds is none of the password.
    pub(crate) fn header(&self) -> Result<Option<HeaderValue>, Error> {
        let text = match self {
            Self::Anonymous => return Ok(None),
            Self::Basic(name, password) => {
                let password = password.expose_secret().trim_end_matches(['\r', '\n']);
                format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
            }
            Self::Key(_) => {
                return Err(Error::Secret(
                    "it has a key of SSH, and the address is https; write ssh://<user>@<host>/<path>, or give a user name and a password",
                ));
            }
            Self::Bearer(token) => format!("Bearer {}", token.expose_secret().trim()),
        };
        let mut value = HeaderValue::try_from(text).map_err(|_| Error::Token)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_secret_holds_becomes_one_header_that_is_not_printed() {
        let basic = Login::Basic("reader".to_owned(), SecretString::from("correct-horse\n"));
        let value = basic.header().unwrap().unwrap();
        assert_eq!(value, "Basic cmVhZGVyOmNvcnJlY3QtaG9yc2U=");
        assert!(!format!("{basic:?} {value:?}").contains("horse"));
        let bearer = |token: &str| Login::Bearer(SecretString::from(token)).header();
        assert_eq!(bearer("a\n").unwrap().unwrap(), "Bearer a");
        assert!(matches!(bearer("a\nx: y"), Err(Error::Token)));
        assert!(Login::Anonymous.header().unwrap().is_none());
    }
}
