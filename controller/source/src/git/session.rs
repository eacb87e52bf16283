//! A conversation with a server of git, by version 2 of its protocol or an older one.
//!
//! In: a server that answers, over HTTPS or SSH. Out: refs and packs. Source: git's `gitprotocol-v2`.

use super::https::Https;
use super::older::Older;
use super::packet::{self, DELIMITER, FLUSH, Packet, Packets};
use super::reference::{Listed, Reference};
use super::ssh::Connected;
use crate::error::Error;
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt as _;

/// What carries the conversation.
pub(super) enum Wire<'a> {
    /// Each command is a request.
    Https(&'a Https),
    /// The commands follow one another on one connection.
    Ssh(Box<Connected>),
}

/// Which version the server speaks.
enum Speech {
    /// Version 2, and what the server can do.
    Two(Vec<String>),
    /// An older one.
    Older(Older),
}

/// A conversation.
pub(super) struct Session<'a> {
    wire: Wire<'a>,
    speech: Speech,
    /// The most bytes of a pack.
    most: u64,
}

const AGENT: &str = concat!("agent=azureml-operator/", env!("CARGO_PKG_VERSION"));

/// The most bytes of a list of refs.
const REFS: u64 = 16 << 20;

impl<'a> Session<'a> {
    /// Begins a conversation: the server says what it can do.
    pub(super) async fn begin(mut wire: Wire<'a>, most: u64) -> Result<Self, Error> {
        let mut packets = match &mut wire {
            Wire::Https(https) => Packets::of(https.hello().await?, REFS),
            Wire::Ssh(connected) => Packets::on(connected, REFS),
        };
        let speech = speech(&mut packets).await?;
        Ok(Self { wire, speech, most })
    }

    /// The refs with a prefix.
    pub(super) async fn refs(&mut self, prefix: &str) -> Result<Vec<Listed>, Error> {
        if let Speech::Older(older) = &mut self.speech {
            return Ok(std::mem::take(&mut older.refs));
        }
        let arguments = ["peel".to_owned(), format!("ref-prefix {prefix}")];
        let mut packets = self.ask("ls-refs", &arguments, REFS).await?;
        let mut refs = Vec::new();
        while let Some(line) = packets.line().await? {
            refs.extend(listed(&line));
        }
        Ok(refs)
    }

    /// Whether the server can leave the contents of files out. With an older version they could not be asked for afterwards.
    pub(super) fn can_filter(&self) -> bool {
        let Speech::Two(capabilities) = &self.speech else { return false };
        let fetch = capabilities.iter().find_map(|line| line.strip_prefix("fetch="));
        fetch.is_some_and(|features| features.split(' ').any(|feature| feature == "filter"))
    }

    /// Fetches objects into a file: commits without their past, and without the contents of files where that is asked.
    pub(super) async fn pack(
        &mut self,
        ids: &[String],
        is_bare: bool,
        folder: &Path,
    ) -> Result<PathBuf, Error> {
        let mut packets = self.ask_pack(ids, is_bare).await?;
        let path = folder.join(if is_bare { "trees" } else { "files" });
        let mut file = tokio::fs::File::create(&path).await?;
        while let Packet::Data(data) = packets.next().await? {
            match data.split_first() {
                Some((1, bytes)) => file.write_all(bytes).await?,
                Some((2, _)) => {}
                Some((3, words)) => return Err(Error::said(&String::from_utf8_lossy(words))),
                Some(_) | None => return Err(Error::unreadable("a packet belongs to no band")),
            }
        }
        file.flush().await?;
        Ok(path)
    }

    /// Asks for objects, and reads on until they come.
    async fn ask_pack(&mut self, ids: &[String], is_bare: bool) -> Result<Packets<'_>, Error> {
        if let Speech::Older(older) = &self.speech {
            let body = older.request(ids, AGENT)?;
            let mut packets = sent(&mut self.wire, body, self.most).await?;
            older.until_pack(&mut packets).await?;
            return Ok(packets);
        }
        let mut arguments: Vec<String> = ["no-progress", "ofs-delta", "deepen 1"].map(str::to_owned).to_vec();
        arguments.extend(is_bare.then(|| "filter blob:none".to_owned()));
        arguments.extend(ids.iter().map(|id| format!("want {id}")));
        arguments.push("done".to_owned());
        let mut packets = self.ask("fetch", &arguments, self.most).await?;
        loop {
            match packets.line().await?.as_deref() {
                Some("packfile") => return Ok(packets),
                Some(_) => {}
                None => return Err(Error::unreadable("there is no pack in it")),
            }
        }
    }

    async fn ask(&mut self, command: &str, arguments: &[String], most: u64) -> Result<Packets<'_>, Error> {
        let mut body = Vec::new();
        packet::line(&mut body, &format!("command={command}"))?;
        packet::line(&mut body, AGENT)?;
        body.extend(DELIMITER);
        for argument in arguments {
            packet::line(&mut body, argument)?;
        }
        body.extend(FLUSH);
        sent(&mut self.wire, body, most).await
    }
}

async fn sent<'a>(wire: &'a mut Wire<'_>, body: Vec<u8>, most: u64) -> Result<Packets<'a>, Error> {
    Ok(match wire {
        Wire::Https(https) => Packets::of(https.ask(body).await?, most),
        Wire::Ssh(connected) => {
            connected.send(body).await?;
            Packets::on(connected, most)
        }
    })
}

/// What the server says first.
async fn speech(packets: &mut Packets<'_>) -> Result<Speech, Error> {
    let mut first = packets.line().await?;
    if first.as_deref() == Some("# service=git-upload-pack") {
        // An empty section follows, as with older versions.
        packets.line().await?;
        first = packets.line().await?;
    }
    // An empty repository has nothing to list.
    let Some(first) = first else { return Ok(Speech::Older(Older::default())) };
    if first != "version 2" {
        return Older::read(&first, packets).await.map(Speech::Older);
    }
    let mut lines = Vec::new();
    while let Some(line) = packets.line().await? {
        lines.push(line);
    }
    let is_sha1 = |line: &String| line.strip_prefix("object-format=").is_none_or(|format| format == "sha1");
    if !lines.iter().all(is_sha1) {
        return Err(Error::unreadable("the repository's ids are not SHA-1; use one with SHA-1"));
    }
    Ok(Speech::Two(lines))
}

/// A line of `ls-refs`: the id, the name, and for an annotated tag what it is put on.
fn listed(line: &str) -> Option<Listed> {
    let mut words = line.split(' ');
    let (id, name) = (words.next()?, words.next()?);
    let peeled = words.find_map(|word| word.strip_prefix("peeled:"));
    let commit = peeled.unwrap_or(id).to_owned();
    Reference::commit(&commit).is_ok().then(|| Listed { name: name.to_owned(), commit })
}
