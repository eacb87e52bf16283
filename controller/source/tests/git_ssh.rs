//! Git over SSH against OpenSSH's own server: keys of every kind, hosts that are known and hosts that are not.
//!
//! In: repositories made by git. Out: trees as over HTTPS, or what is wrong with the host or the key.

#![allow(clippy::unwrap_used, reason = "a test")]

mod server;
mod sshd;

use anyhow::Result;
use azureml_plan::tree::Bounds;
use azureml_source::git::Reference;
use azureml_source::{Error, Login, Means, Net, Origin, SshKey, Wanted};
use secrecy::SecretString;
use server::Server;
use sshd::{Sshd, login};
use std::sync::Arc;

const VERSION_2: &str = "AcceptEnv GIT_PROTOCOL";

fn wanted(url: &str) -> Wanted {
    let origin = Origin::Git { url: url.to_owned(), reference: Reference::Branch("main".to_owned()) };
    Wanted { origin, path: "src".to_owned(), ignore: vec![] }
}

/// The way to servers, of which none is over HTTP.
fn net(allow_private: bool) -> Net {
    drop(rustls::crypto::ring::default_provider().install_default());
    Net::new(Arc::new(reqwest::Client::new()), allow_private, 64 << 20)
}

async fn look(url: &str, login: &Login) -> Result<String, Error> {
    wanted(url).origin.revision(login, &net(true)).await
}

#[tokio::test]
async fn files_are_the_same_over_ssh_and_over_https() -> Result<()> {
    let Some(sshd) = Sshd::start(&["ed25519"], VERSION_2)? else { return Ok(()) };
    let server = Server::start().await?;
    server.write("src/a.py", "print(1)\n")?;
    server.write("src/it's/b", vec![7; 300 << 10])?;
    server.write("beside", "x")?;
    let commit = server.commit()?;
    let signed = login(&sshd.key("ed25519", &[])?, &sshd.known("ed25519")?);
    let store = server.store(Bounds::default());
    let (over_ssh, over_https) = (net(true), server.net());
    let (by_ssh, by_https) = (wanted(&sshd.url(&server.work())), wanted(&server.url("work")));
    for can_filter in ["true", "false"] {
        server.git(&["config", "uploadpack.allowFilter", can_filter])?;
        assert_eq!(by_ssh.origin.revision(&signed, &over_ssh).await?, commit);
        let means = Means { login: &signed, net: &over_ssh, store: &store };
        let found = by_ssh.fetch(&commit, None, means).await?;
        let again = by_ssh.fetch(&commit, Some(&found.content), means).await?;
        assert!(again.files.is_none());
        let other = Means { login: &Login::Anonymous, net: &over_https, store: &store };
        let expected = by_https.fetch(&commit, None, other).await?;
        assert_eq!(found.content, expected.content);
        assert_eq!(found.files.unwrap().hash, expected.files.unwrap().hash);
    }
    assert_eq!(std::fs::read_dir(store.folder())?.count(), 0);
    Ok(())
}

#[tokio::test]
async fn keys_of_every_kind_sign_in_and_other_keys_do_not() -> Result<()> {
    let kinds = ["ed25519", "ecdsa", "rsa"];
    let Some(sshd) = Sshd::start(&kinds, VERSION_2)? else { return Ok(()) };
    let server = Server::start().await?;
    let commit = server.commit()?;
    let url = sshd.url(&server.work());
    for kind in kinds {
        let signed = login(&sshd.key(kind, &[])?, &sshd.known(kind)?);
        assert_eq!(look(&url, &signed).await?, commit, "{kind}");
    }
    // PEM as older programs write it.
    for kind in ["rsa", "ecdsa"] {
        let signed = login(&sshd.key(kind, &["-m", "PEM"])?, &sshd.known("ed25519")?);
        assert_eq!(look(&url, &signed).await?, commit, "{kind} in PEM");
    }
    let closed = sshd.key("ed25519", &["-N", "correct-horse"])?;
    let with = |passphrase: Option<&str>| SshKey {
        private: closed.clone(),
        passphrase: passphrase.map(SecretString::from),
        known_hosts: sshd.known("ed25519").unwrap(),
    };
    assert_eq!(look(&url, &Login::Key(with(Some("correct-horse\n")))).await?, commit);
    for passphrase in [Some("wrong"), None] {
        let refused = look(&url, &Login::Key(with(passphrase))).await.unwrap_err().to_string();
        assert!(refused.contains("identity") && !refused.contains("horse"), "{refused}");
    }
    let slow = sshd.key("ed25519", &["-N", "x", "-a", "300"])?;
    let slow = SshKey { private: slow, ..with(Some("x")) };
    assert!(look(&url, &Login::Key(slow)).await.unwrap_err().to_string().contains("too long to open"));
    let stranger = login(&sshd.key("ed25519", &[])?, &sshd.known("ed25519")?);
    sshd.key("ecdsa", &[])?;
    let refused = look(&url, &stranger).await.unwrap_err().to_string();
    assert!(refused.contains("refuses the key ssh-ed25519 SHA256:"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_host_that_is_not_known_is_told_nothing() -> Result<()> {
    let Some(sshd) = Sshd::start(&["ed25519", "ecdsa"], VERSION_2)? else { return Ok(()) };
    let Some(other) = Sshd::start(&["ed25519", "rsa"], VERSION_2)? else { return Ok(()) };
    let server = Server::start().await?;
    let commit = server.commit()?;
    let (url, key) = (sshd.url(&server.work()), sshd.key("ed25519", &[])?);
    let as_ours = |line: String| line.replace(&other.port.to_string(), &sshd.port.to_string());
    let wrong = as_ours(other.known("ed25519")?);
    let refused = look(&url, &login(&key, &wrong)).await.unwrap_err().to_string();
    assert!(
        refused.contains("its key is ssh-ed25519 SHA256:") && refused.contains("correct known_hosts"),
        "{refused}"
    );
    let refused = look(&url, &login(&key, &as_ours(other.known("rsa")?))).await.unwrap_err().to_string();
    assert!(refused.contains("none of rsa-sha2-512"), "{refused}");
    for nothing in [String::new(), other.known("ed25519")?] {
        let refused = look(&url, &login(&key, &nothing)).await.unwrap_err();
        assert!(matches!(refused, Error::UnknownHost(_)), "{refused}");
    }
    let both = format!("{wrong}{}", sshd.known("ed25519")?);
    assert_eq!(look(&url, &login(&key, &both)).await?, commit, "a host may have several keys");
    Ok(())
}

#[tokio::test]
async fn what_the_server_does_not_have_is_said_in_its_words() -> Result<()> {
    let Some(sshd) = Sshd::start(&["ed25519"], VERSION_2)? else { return Ok(()) };
    let server = Server::start().await?;
    let signed = login(&sshd.key("ed25519", &[])?, &sshd.known("ed25519")?);
    let none = sshd.url(&server.work().join("none"));
    let refused = look(&none, &signed).await.unwrap_err().to_string();
    assert!(refused.contains("not appear to be a git repository") && refused.contains("check"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_server_as_it_comes_speaks_an_older_version_and_is_read_as_well() -> Result<()> {
    let Some(sshd) = Sshd::start(&["ed25519"], "")? else { return Ok(()) };
    let server = Server::start().await?;
    server.write("src/a.py", "1")?;
    let commit = server.commit()?;
    let signed = login(&sshd.key("ed25519", &[])?, &sshd.known("ed25519")?);
    let (wanted, net) = (wanted(&sshd.url(&server.work())), net(true));
    assert_eq!(wanted.origin.revision(&signed, &net).await?, commit);
    let store = server.store(Bounds::default());
    let found = wanted.fetch(&commit, None, Means { login: &signed, net: &net, store: &store }).await?;
    assert_eq!(found.content, server.git(&["rev-parse", "HEAD:src"])?);
    assert_eq!(found.files.unwrap().tree.0.len(), 1);
    Ok(())
}

#[tokio::test]
async fn addresses_and_secrets_that_do_not_fit_are_refused_before_anything_is_sent() {
    let key = |private: &str| SshKey {
        private: SecretString::from(private),
        passphrase: None,
        known_hosts: "* ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
            .to_owned(),
    };
    for (address, word) in [
        ("ssh:///x", "no host"),
        ("-oProxyCommand=x:y", "no host"),
        ("git@ho/st:x", "no host"),
        ("ssh://host", "no path"),
        ("ssh://host/", "no path"),
        ("host:-x", "no path"),
        ("host:a\nb", "no path"),
        ("ssh://a:b@host/x", "a password"),
    ] {
        let refused = look(address, &Login::Key(key("x"))).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{address}: {refused}");
    }
    let refused = look("ssh://127.0.0.1/a", &Login::Key(key("nonsense"))).await.unwrap_err().to_string();
    assert!(refused.contains("identity is no private key"), "{refused}");
    let refused = look("https://127.0.0.1/a", &Login::Key(key("x"))).await.unwrap_err().to_string();
    assert!(refused.contains("write ssh://"), "{refused}");
    let refused = look("ssh://127.0.0.1/a", &Login::Anonymous).await.unwrap_err().to_string();
    assert!(refused.contains("identity") && refused.contains("known_hosts"), "{refused}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key").display().to_string();
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f", &path])
        .status();
    assert!(made.unwrap().success());
    let login = Login::Key(key(&std::fs::read_to_string(&path).unwrap()));
    for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]"] {
        let url = format!("ssh://{host}/a");
        let refused = wanted(&url).origin.revision(&login, &net(false)).await.unwrap_err();
        assert!(matches!(refused, Error::Private(_)), "{host}: {refused}");
    }
}
