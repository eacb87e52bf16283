//! Git over HTTPS against git's own server: what is fetched, what is refused, and in which words.
//!
//! In: repositories made by git. Out: trees as Azure would get them.

#![allow(clippy::unwrap_used, reason = "a test")]

mod server;

use anyhow::Result;
use azureml_plan::tree::Bounds;
use azureml_source::git::{Folder, Found, Login, Reference, Remote};
use azureml_source::{Error, Kept, Means, Origin, Store, Wanted};
use server::{PASSWORD, Server};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

fn branch() -> Reference {
    Reference::Branch("main".to_owned())
}

async fn found(remote: &Remote, path: &str, known: Option<&str>, store: &Store) -> Result<Found, Error> {
    let commit = remote.look(&branch()).await?;
    remote.fetch(&Folder { commit, path: path.to_owned() }, known, store).await
}

async fn files(server: &Server, path: &str) -> Result<Arc<Kept>, Error> {
    files_within(server, path, Bounds::default()).await
}

async fn files_within(server: &Server, path: &str, bounds: Bounds) -> Result<Arc<Kept>, Error> {
    let store = server.store(bounds);
    Ok(found(&server.remote().unwrap(), path, None, &store).await?.files.unwrap())
}

fn text(kept: &Kept, path: &str) -> String {
    let mut text = String::new();
    kept.open(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn files_are_those_of_the_folder_and_equal_files_in_place_have_the_same_hash() -> Result<()> {
    let server = Server::start().await?;
    server.write("src/b.py", "print(1)\n")?;
    server.write("src/sub/A.py", "x\n")?;
    server.write("other/c.py", "y\n")?;
    let commit = server.commit()?;
    for can_filter in ["true", "false"] {
        server.git(&["config", "uploadpack.allowFilter", can_filter])?;
        let store = server.store(Bounds::default());
        let remote = server.remote()?;
        assert_eq!(remote.look(&branch()).await?, commit);
        let found = found(&remote, "src", None, &store).await?;
        assert_eq!(found.tree, server.git(&["rev-parse", "HEAD:src"])?);
        let kept = found.files.unwrap();
        assert_eq!(kept.tree.0.keys().collect::<Vec<_>>(), ["b.py", "sub/A.py"]);
        assert_eq!((text(&kept, "b.py"), text(&kept, "sub/A.py")), ("print(1)\n".into(), "x\n".into()));
        let in_place = [("b.py", "print(1)\n"), ("sub/A.py", "x\n")];
        let in_place = BTreeMap::from(in_place.map(|(path, text)| (path.to_owned(), text.to_owned())));
        assert_eq!(kept.asset_hash, azureml_crds::files::hash(&in_place));
        assert!(store.get(&kept.hash).is_some() && store.get_by_asset_hash(&kept.asset_hash).is_some());
    }
    Ok(())
}

#[tokio::test]
async fn a_branch_that_moves_changes_nothing_while_the_tree_below_the_path_is_equal() -> Result<()> {
    let server = Server::start().await?;
    server.write("src/a.py", "1")?;
    server.commit()?;
    let (remote, store) = (server.remote()?, server.store(Bounds::default()));
    let first = found(&remote, "src", None, &store).await?;
    server.write("readme", "news")?;
    let moved = server.commit()?;
    assert_eq!(remote.look(&branch()).await?, moved);
    let second = found(&remote, "src", Some(&first.tree), &store).await?;
    assert!(second.files.is_none() && second.tree == first.tree);
    server.write("src/a.py", "2")?;
    server.commit()?;
    let third = found(&remote, "src", Some(&first.tree), &store).await?;
    assert_ne!(third.files.unwrap().hash, first.files.unwrap().hash, "one changed byte");
    Ok(())
}

#[tokio::test]
async fn references_mean_what_git_says_also_when_they_are_moved_by_force() -> Result<()> {
    let server = Server::start().await?;
    let one = server.commit()?;
    server.git(&["tag", "v1.2.0"])?;
    let two = server.commit()?;
    server.git(&["tag", "--annotate", "v1.10.0", "--message", "x"])?;
    let remote = server.remote()?;
    let tag = |name: &str| Reference::Tag(name.to_owned());
    assert_eq!(remote.look(&tag("v1.2.0")).await?, one);
    assert_eq!(remote.look(&tag("v1.10.0")).await?, two, "an annotated tag is its commit");
    assert_eq!(remote.look(&Reference::semver("^1.0")?).await?, two);
    assert_eq!(remote.look(&Reference::commit(&one)?).await?, one);
    server.git(&["tag", "--force", "v1.2.0", &two])?;
    assert_eq!(remote.look(&tag("v1.2.0")).await?, two);
    server.git(&["reset", "--quiet", "--hard", &one])?;
    assert_eq!(remote.look(&branch()).await?, one);
    for missing in [tag("v3"), Reference::semver("^2")?, Reference::Branch("mai".to_owned())] {
        let refused = remote.look(&missing).await.unwrap_err().to_string();
        assert!(refused.contains(&missing.words()) && refused.contains("correct ref"), "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_said_in_words() -> Result<()> {
    let server = Server::start().await?;
    server.write("src/a.py", "1")?;
    let commit = server.commit()?;
    let (remote, store) = (server.remote()?, server.store(Bounds::default()));
    let fetch = async |commit: &str, path: &str| {
        let folder = Folder { commit: commit.to_owned(), path: path.to_owned() };
        remote.fetch(&folder, None, &store).await.unwrap_err().to_string()
    };
    for path in ["lib", "src/a.py", "src/lib"] {
        assert!(fetch(&commit, path).await.contains(&format!("has no folder {path}")));
    }
    let refused = fetch(&"1".repeat(40), "src").await;
    assert!(refused.contains("not our ref") && refused.contains("still there"), "{refused}");
    for name in ["a\0", "a\nref-prefix refs/", "a".repeat(70_000).as_str()] {
        let refused = remote.look(&Reference::Branch(name.to_owned())).await.unwrap_err();
        assert!(matches!(refused, Error::Name), "{refused}");
    }
    for commit in ["../../evil", "HEAD", "1\n"] {
        let refused = fetch(commit, "src").await;
        assert!(refused.contains("40 hex digits"), "{commit}: {refused}");
    }
    let left = std::fs::read_dir(store.folder())?.count();
    assert_eq!(left, 0);
    let none = server.remote_at("none", Login::Anonymous)?.look(&branch()).await.unwrap_err().to_string();
    assert!(none.contains("there is no repository"), "{none}");
    let moved = server.remote_at("moved", Login::Anonymous)?.look(&branch()).await.unwrap_err().to_string();
    assert!(moved.contains("moved to https://elsewhere.invalid/work"), "{moved}");
    Ok(())
}

#[tokio::test]
async fn a_password_is_asked_for_and_never_said() -> Result<()> {
    let server = Server::start().await?;
    let commit = server.commit()?;
    assert_eq!(server.private(PASSWORD)?.look(&branch()).await?, commit);
    let wrong = server.private("wrong-horse")?;
    let refused = wrong.look(&branch()).await.unwrap_err();
    assert!(matches!(refused, Error::Denied(401)));
    assert!(!format!("{refused} {refused:?} {wrong:?}").contains("horse"));
    Ok(())
}

#[tokio::test]
async fn links_and_executables_and_patterns_count_as_for_azures_command_line() -> Result<()> {
    let server = Server::start().await?;
    server.write("src/run.sh", "#!/bin/sh\n")?;
    server.write("src/notes.md", "n")?;
    server.write("src/__pycache__/run.pyc", "n")?;
    server.write("src/.amlignore", "*.md\n")?;
    server.write("src/.gitignore", "run.sh\n")?;
    std::os::unix::fs::symlink("run.sh", server.work().join("src/link"))?;
    server.git(&["add", "--force", "src/run.sh"])?;
    server.git(&["update-index", "--chmod=+x", "src/run.sh"])?;
    server.git(&["config", "core.fileMode", "false"])?;
    server.commit()?;
    let kept = files(&server, "src").await?;
    assert_eq!(kept.tree.0.keys().collect::<Vec<_>>(), [".amlignore", ".gitignore", "link", "run.sh"]);
    assert!(kept.tree.0["run.sh"].is_executable && kept.tree.0["link"].is_executable);
    assert_eq!(text(&kept, "link"), "#!/bin/sh\n");
    Ok(())
}

#[tokio::test]
async fn entries_that_leave_the_folder_or_are_no_files_are_refused_by_name() -> Result<()> {
    for (target, word) in [
        ("/etc/passwd", "leaves"),
        ("../../a", "leaves"),
        ("../b", "no file"),
        ("link", "no file"),
        (".", "no file"),
    ] {
        let server = Server::start().await?;
        server.write("a", "1")?;
        server.write("src/x/y", "1")?;
        std::os::unix::fs::symlink(target, server.work().join("src/x/link"))?;
        server.commit()?;
        let refused = files(&server, "src").await.unwrap_err().to_string();
        assert!(refused.contains("x/link") && refused.contains(word), "{target}: {refused}");
    }
    Ok(())
}

#[tokio::test]
async fn submodules_and_pointers_of_lfs_are_refused_by_name_unless_they_are_left_out() -> Result<()> {
    let server = Server::start().await?;
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    server.write("src/model.bin", pointer)?;
    server.write("src/notes.md", format!("{}{}", pointer, "no pointer is so long\n".repeat(50)))?;
    server.write("src/a", "1")?;
    let commit = server.commit()?;
    server.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},src/module")])?;
    server.git(&["commit", "--quiet", "--message", "x"])?;
    let wanted = |ignore: &[&str]| Wanted {
        origin: Origin::Git { url: server.url("work"), reference: branch() },
        path: "src".to_owned(),
        ignore: ignore.iter().map(ToString::to_string).collect(),
    };
    let (login, net, store) = (Login::Anonymous, server.net(), server.store(Bounds::default()));
    let revision = wanted(&[]).origin.revision(&login, &net).await?;
    let fetch = async |ignore: &[&str], known: Option<&str>| {
        wanted(ignore).fetch(&revision, known, Means { login: &login, net: &net, store: &store }).await
    };
    for (ignore, word) in [
        (["module"].as_slice(), "the entry model.bin is a pointer of Git LFS"),
        (&["*.bin"], "the entry module is a submodule"),
    ] {
        let refused = fetch(ignore, None).await.unwrap_err().to_string();
        assert!(refused.contains(word) && refused.contains("by ignore"), "{refused}");
    }
    let all = ["module", "*.bin"];
    let found = fetch(&all, None).await?;
    assert_eq!(found.files.unwrap().tree.0.keys().collect::<Vec<_>>(), ["a", "notes.md"]);
    assert!(fetch(&all, Some(&found.content)).await?.files.is_none(), "known");
    let other = fetch(&["module", "model.bin", "a"], Some(&found.content)).await?;
    assert!(other.files.is_some() && other.content != found.content, "other patterns are other content");
    Ok(())
}

#[tokio::test]
async fn a_commit_that_is_gone_is_said_and_the_branch_leads_to_the_next() -> Result<()> {
    let server = Server::start().await?;
    server.write("a", "1")?;
    let first = server.commit()?;
    let (remote, store) = (server.remote()?, server.store(Bounds::default()));
    server.write("a", "2")?;
    server.git(&["add", "--all"])?;
    server.git(&["commit", "--quiet", "--amend", "--message", "x"])?;
    server.git(&["reflog", "expire", "--expire=now", "--all"])?;
    server.git(&["gc", "--quiet", "--prune=now"])?;
    let folder = Folder { commit: first.clone(), path: String::new() };
    let refused = remote.fetch(&folder, None, &store).await.unwrap_err().to_string();
    assert!(
        refused.contains(&first) && refused.contains("check that what url and ref name is still there"),
        "{refused}"
    );
    let found = found(&remote, "", None, &store).await?;
    assert_eq!(text(&found.files.unwrap(), "a"), "2");
    Ok(())
}

#[tokio::test]
async fn folders_have_bounds_and_ten_thousand_files_are_within_them() -> Result<()> {
    let server = Server::start().await?;
    for number in 0..10_000 {
        server.write(&format!("src/{}/{number}.txt", number % 100), format!("{number}"))?;
    }
    server.commit()?;
    let kept = files(&server, "src").await?;
    assert_eq!((kept.tree.0.len(), kept.tree.size()), (10_000, 38_890));
    server.write("src/one-more", "")?;
    server.commit()?;
    let refused = files(&server, "src").await.unwrap_err().to_string();
    assert!(refused.contains("more than 10000 files"), "{refused}");
    server.write("large/zeros", vec![0; 3 << 20])?;
    server.commit()?;
    let bounds = Bounds { bytes: 2 << 20, ..Bounds::default() };
    let refused = files_within(&server, "large", bounds).await.unwrap_err().to_string();
    assert!(refused.contains("a file of more than 2097152 bytes"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn addresses_that_may_not_be_asked_are_refused_before_they_are() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::new;
    for (address, word) in [
        ("http://example.com/a", "https"),
        ("ssh://git@example.com/a", "known_hosts"),
        ("https://a:b@example.com/c", "password"),
        ("https://example.com/a?b", "?"),
        ("https://127.0.0.1/a", "private"),
        ("https://[::1]/a", "private"),
        ("https://169.254.169.254/a", "private"),
        ("nothing", "URL"),
    ] {
        let refused = Remote::new(http(), address, Login::Anonymous, false, 1).unwrap_err().to_string();
        assert!(refused.contains(word), "{address}: {refused}");
    }
}
