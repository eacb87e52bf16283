//! What a manifest names of a repository, and which of the server's refs it means.
//!
//! In: a branch, a tag, a range of versions or a commit; the refs of a server. Out: a commit. Asks nothing.

use semver::{Version, VersionReq};

/// What is named of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The newest commit of a branch.
    Branch(String),
    /// The commit of a tag.
    Tag(String),
    /// The commit of the tag with the highest version in a range.
    Semver(VersionReq),
    /// A commit, in 40 hex digits.
    Commit(String),
}

/// A folder of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The commit, in hex.
    pub commit: String,
    /// The path in it; empty for the whole.
    pub path: String,
}

/// A text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    /// No range of versions.
    #[error("{0}; write a range as >=1.2.0, <2.0.0")]
    Semver(String),
    /// No commit.
    #[error("a commit has 40 hex digits in lower case")]
    Commit,
}

/// A ref as a server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// `refs/heads/main`.
    pub name: String,
    /// Its commit: for an annotated tag the one that it is put on.
    pub commit: String,
}

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

impl Reference {
    /// A range of versions.
    ///
    /// # Errors
    /// When the text is none.
    pub fn semver(range: &str) -> Result<Self, BadReference> {
        VersionReq::parse(range).map(Self::Semver).map_err(|error| BadReference::Semver(error.to_string()))
    }

    /// A commit.
    ///
    /// # Errors
    /// When the text is none.
    pub fn commit(id: &str) -> Result<Self, BadReference> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_commit = id.len() == 40 && id.bytes().all(is_hex);
        if is_commit { Ok(Self::Commit(id.to_owned())) } else { Err(BadReference::Commit) }
    }

    /// The prefix of the refs to ask for; none where nothing is to be asked.
    #[must_use]
    pub fn prefix(&self) -> Option<String> {
        match self {
            Self::Branch(name) => Some(format!("{BRANCHES}{name}")),
            Self::Tag(name) => Some(format!("{TAGS}{name}")),
            Self::Semver(_) => Some(TAGS.to_owned()),
            Self::Commit(_) => None,
        }
    }

    /// The commit that is meant.
    #[must_use]
    pub fn choose(&self, refs: &[Listed]) -> Option<String> {
        let named = |wanted: String| refs.iter().find(|one| one.name == wanted).map(|one| one.commit.clone());
        match self {
            Self::Branch(name) => named(format!("{BRANCHES}{name}")),
            Self::Tag(name) => named(format!("{TAGS}{name}")),
            Self::Commit(id) => Some(id.clone()),
            Self::Semver(range) => {
                let versions = refs.iter().filter_map(|one| Some((version(&one.name)?, one)));
                let matching = versions.filter(|(version, _)| range.matches(version));
                matching.max_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, one)| one.commit.clone())
            }
        }
    }

    /// The reference in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Branch(name) => format!("branch {name}"),
            Self::Tag(name) => format!("tag {name}"),
            Self::Semver(range) => format!("tag with a version in {range}"),
            Self::Commit(id) => format!("commit {id}"),
        }
    }
}

/// The version that a tag names: `v1.2.3` or `1.2.3`.
fn version(name: &str) -> Option<Version> {
    let tag = name.strip_prefix(TAGS)?;
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_mean_the_ref_of_their_name_or_the_highest_version() {
        let refs = [
            "heads/main",
            "heads/main2",
            "tags/v1.9.0",
            "tags/v1.10.0",
            "tags/2.0.0",
            "tags/v2.0.1-rc.1",
            "tags/x",
        ];
        let refs: Vec<Listed> = refs
            .iter()
            .map(|name| Listed { name: format!("refs/{name}"), commit: format!("commit of {name}") })
            .collect();
        let semver = |range| Reference::semver(range).unwrap();
        for (reference, means) in [
            (Reference::Branch("main".into()), Some("heads/main")),
            (Reference::Branch("mai".into()), None),
            (Reference::Tag("x".into()), Some("tags/x")),
            (Reference::Tag("main".into()), None),
            (semver(">=1.0.0, <2.0.0"), Some("tags/v1.10.0")),
            (semver("*"), Some("tags/2.0.0")),
            (semver("~3"), None),
        ] {
            let means = means.map(|name| format!("commit of {name}"));
            assert_eq!(reference.choose(&refs), means, "{}", reference.words());
        }
        assert!(Reference::semver("newest").is_err());
        assert!(Reference::commit(&"a".repeat(40)).is_ok());
        assert!(Reference::commit("main").is_err());
    }
}
