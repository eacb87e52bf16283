//! Why files could not be had.
//!
//! In: what a source met. Out: words for people: what happened, the cause, what to do. No word of a server is longer than a line.

use azureml_client::address::PrivateAddress;
use azureml_client::image::NotAnImage;
use azureml_plan::tree::Refused;

/// Why files could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry is refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The address is not one that may be asked.
    #[error(
        "the address is refused: {0}; write https://<host>/<path>, or for git ssh://<user>@<host>/<path>, and give what signs in by a Secret"
    )]
    Address(&'static str),
    /// The host is inside of the platform.
    #[error("{0}; name a public host, or allow private addresses in the configuration")]
    Private(#[from] PrivateAddress),
    /// A commit or a name is none.
    #[error(
        "ref is refused: write a commit of 40 hex digits in lower case, or a short name without control characters"
    )]
    Name,
    /// What is named is no image.
    #[error(transparent)]
    Image(#[from] NotAnImage),
    /// A token that no header can carry.
    #[error("the token in the Secret is refused: write it in one line of printable characters")]
    Token,
    /// A Secret of the wrong kind, or with a key that cannot be read.
    #[error("the Secret does not fit: {0}")]
    Secret(&'static str),
    /// A host without a line.
    #[error(
        "known_hosts in the Secret has no key of {0}; add the line that ssh-keyscan prints, once you have compared its fingerprint with what the host publishes"
    )]
    UnknownHost(String),
    /// A host with another key than its line has.
    #[error(
        "the host {host} is not the one of known_hosts: its key is {found}; compare it with what the host publishes, and correct known_hosts in the Secret"
    )]
    HostKey {
        /// The host.
        host: String,
        /// The key that it shows: its kind and fingerprint.
        found: String,
    },
    /// The server does not take the key.
    #[error(
        "the server refuses the key {0}; add its public part to the repository as one that may read, or name another Secret"
    )]
    Key(String),
    /// What is named is not there.
    #[error("{0}")]
    Missing(String),
    /// The credentials are not accepted, or there are none.
    #[error(
        "the server refuses with status {0}; check the address, and the user name and password or the token in the Secret"
    )]
    Denied(u16),
    /// The address has moved; nothing is sent after it.
    #[error("the server has moved to {0}; write that address")]
    Moved(String),
    /// The server says why not.
    #[error("the server refuses: {0}; check that what url and ref name is still there")]
    Said(String),
    /// The server answers with an error.
    #[error("the server answers with status {0}; it is tried again")]
    Failed(u16),
    /// The server could not be reached.
    #[error("the server cannot be reached: {0}")]
    Unreached(String),
    /// The answer is not what the protocol says.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(String),
    /// It failed just now for another object.
    #[error("{words}")]
    Again {
        /// What was said then.
        words: String,
        /// Whether only a change can help.
        is_lasting: bool,
    },
    /// A hash is none.
    #[error("sha256 is refused: write the 64 hex digits that sha256sum prints")]
    Hash,
    /// The files are not those that were named.
    #[error(
        "the archive is refused: its sha256 is {found} instead of {wanted}; compare both with what its author publishes, and correct sha256"
    )]
    Digest {
        /// SHA-256 in hex as it was written.
        wanted: String,
        /// That of what came.
        found: String,
    },
    /// What came is not what its digest says.
    #[error("the registry sent other bytes than {0} names; it is tried again")]
    Mixed(String),
    /// Flux's server does not have what the source's status names.
    #[error(
        "Flux does not give out the artifact: its server answers with status {0}; it is tried again; look whether Flux's controllers run"
    )]
    NotOffered(u16),
    /// Flux's server gave out something else.
    #[error(
        "the artifact of Flux is refused: it is not the one that its source names by its digest; it is tried again; if that does not help, run flux reconcile source"
    )]
    Other,
    /// Flux's server cannot be reached.
    #[error(
        "Flux's server cannot be reached: {0}; let the operator's pods in by a NetworkPolicy in Flux's namespace"
    )]
    Closed(String),
    /// An archive of a kind that is not read.
    #[error("the archive is refused: it is packed by {0}; pack it as tar, tar.gz or zip")]
    Format(&'static str),
    /// An entry of an archive cannot be read.
    #[error("the entry {0} of the archive cannot be read: {1}; pack it anew without a password, by deflate")]
    Entry(String, String),
    /// An artifact without files.
    #[error("the artifact is refused: {0}; push it by flux push artifact, by oras push, or as an image")]
    Artifact(String),
    /// More bytes came than may come.
    #[error("the server sent more than {0} bytes; choose a smaller source")]
    TooMuch(u64),
    /// A file of the commit, or the list of all its files and folders, is larger than all files of a folder may be.
    #[error(
        "the commit is too large: it has a file of more than {0} bytes, or too many files; choose a smaller repository"
    )]
    TooLarge(usize),
    /// The one text that is wanted is not there, or no short text.
    #[error("{0}")]
    Text(String),
    /// The disk.
    #[error("the files cannot be kept on disk: {0}")]
    Disk(#[from] std::io::Error),
}

impl Error {
    /// Whether only a change of the manifest, or of what it names, can help.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Again { is_lasting, .. } => *is_lasting,
            Self::Refused(_)
            | Self::Address(_)
            | Self::Private(_)
            | Self::Name
            | Self::Image(_)
            | Self::Token
            | Self::Secret(_)
            | Self::UnknownHost(_)
            | Self::HostKey { .. }
            | Self::Key(_)
            | Self::Missing(_)
            | Self::Denied(_)
            | Self::Moved(_)
            | Self::TooMuch(_)
            | Self::TooLarge(_)
            | Self::Hash
            | Self::Digest { .. }
            | Self::Format(_)
            | Self::Entry(..)
            | Self::Text(_)
            | Self::Artifact(_) => true,
            Self::Said(_)
            | Self::Failed(_)
            | Self::Unreached(_)
            | Self::Unreadable(_)
            | Self::Mixed(_)
            | Self::NotOffered(_)
            | Self::Other
            | Self::Closed(_)
            | Self::Disk(_) => false,
        }
    }

    /// Whether the bytes of a revision are the reason: they are the same at the next try.
    #[must_use]
    pub(crate) fn is_of_bytes(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::TooMuch(_)
                | Self::TooLarge(_)
                | Self::Digest { .. }
                | Self::Format(_)
                | Self::Entry(..)
                | Self::Text(_)
                | Self::Artifact(_)
        )
    }

    /// The words of a server, or of a library about them, on one line and not too long.
    pub(crate) fn unreadable(words: &str) -> Self {
        Self::Unreadable(line(words))
    }

    /// What a reader of an archive says: words of ours, or of a library.
    pub(crate) fn of_reader(error: std::io::Error) -> Self {
        let words = error.to_string();
        let inner = error.into_inner().and_then(|inner| inner.downcast::<Self>().ok());
        inner.map_or_else(|| Self::unreadable(&words), |inner| *inner)
    }

    /// What a server says of a request that it refuses.
    pub(crate) fn said(words: &str) -> Self {
        Self::Said(line(words))
    }

    /// An entry of an archive, by its name.
    pub(crate) fn entry(name: &str, words: &str) -> Self {
        Self::Entry(name.escape_debug().take(200).collect(), line(words))
    }

    /// Why there is no connection.
    pub(crate) fn unreached(words: &str) -> Self {
        Self::Unreached(line(words))
    }

    /// What is wrong with an artifact.
    pub(crate) fn artifact(words: &str) -> Self {
        Self::Artifact(line(words))
    }

    /// Where a server sends others.
    pub(crate) fn moved(place: &str) -> Self {
        Self::Moved(line(place))
    }
}

impl From<reqwest::Error> for Error {
    /// Without the address, and with the cause below the cause: "connection refused" stands at the end of the chain.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut words = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(below) = cause {
            if let Some(private) = below.downcast_ref::<PrivateAddress>() {
                return Self::Private(private.clone());
            }
            words = format!("{words}: {below}");
            cause = below.source();
        }
        Self::Unreached(line(&words))
    }
}

fn line(words: &str) -> String {
    words.trim().chars().map(|one| if one.is_control() { ' ' } else { one }).take(300).collect()
}
