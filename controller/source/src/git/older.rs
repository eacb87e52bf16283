//! Git's protocol before version 2, for servers that speak nothing newer: Azure DevOps, and OpenSSH's server as it comes.
//!
//! In: the list of refs with which such a server begins. Out: refs, and the request for a commit. Sources: git's `gitprotocol-pack`;
//! Azure DevOps refuses a client that does not say `multi_ack` (TF401041), though without a past there is nothing to negotiate.

use super::packet::{self, FLUSH, Packets};
use super::reference::{Listed, Reference};
use crate::error::Error;

/// What is asked for where the server has it; of the first two, one.
const ACKS: [&str; 2] = ["multi_ack_detailed", "multi_ack"];
const WANTED: [&str; 3] = ["side-band-64k", "no-progress", "ofs-delta"];

/// What the name of a ref ends with that says what an annotated tag is put on.
const PEELED: &str = "^{}";

/// What such a server says first.
#[derive(Debug, Default)]
pub(super) struct Older {
    /// Its refs.
    pub refs: Vec<Listed>,
    features: Vec<String>,
}

impl Older {
    /// Reads the list, of which the first line has come.
    pub(super) async fn read(first: &str, packets: &mut Packets<'_>) -> Result<Self, Error> {
        let (head, features) = first.split_once('\0').ok_or_else(unknown)?;
        let features: Vec<String> = features.split(' ').map(str::to_owned).collect();
        let mut older = Self { refs: Vec::new(), features };
        if older.features.iter().any(|one| one.starts_with("object-format=") && !one.ends_with("=sha1")) {
            return Err(Error::unreadable("the repository's ids are not SHA-1; use one with SHA-1"));
        }
        older.add(head)?;
        while let Some(line) = packets.line().await? {
            older.add(&line)?;
        }
        Ok(older)
    }

    fn add(&mut self, line: &str) -> Result<(), Error> {
        let (commit, name) = line.split_once(' ').ok_or_else(unknown)?;
        if Reference::commit(commit).is_err() {
            return Err(unknown());
        }
        let commit = commit.to_owned();
        match (name.strip_suffix(PEELED), self.refs.last_mut()) {
            (None, _) => self.refs.push(Listed { name: name.to_owned(), commit }),
            (Some(name), Some(last)) if last.name == name => last.commit = commit,
            // An empty repository lists a name of this kind alone.
            (Some(_), _) => {}
        }
        Ok(())
    }

    fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|one| one == feature)
    }

    /// The request for commits, without their past where the server can leave that out.
    pub(super) fn request(&self, ids: &[String], agent: &str) -> Result<Vec<u8>, Error> {
        if !self.has("side-band-64k") {
            return Err(Error::unreadable("the server is older than git 1.5.2; use a newer one"));
        }
        let ack = ACKS.into_iter().find(|ack| self.has(ack));
        let features: Vec<&str> =
            ack.into_iter().chain(WANTED.into_iter().filter(|one| self.has(one))).chain([agent]).collect();
        let mut features = format!(" {}", features.join(" "));
        let mut body = Vec::new();
        for id in ids {
            // The first line alone says what the client can do.
            packet::line(&mut body, &format!("want {id}{}", std::mem::take(&mut features)))?;
        }
        if self.has("shallow") {
            packet::line(&mut body, "deepen 1")?;
        }
        body.extend(FLUSH);
        packet::line(&mut body, "done")?;
        Ok(body)
    }

    /// Reads on until the pack: where the past ends, and that there is nothing in common.
    pub(super) async fn until_pack(&self, packets: &mut Packets<'_>) -> Result<(), Error> {
        if self.has("shallow") {
            while packets.line().await?.is_some() {}
        }
        let is_ack = |line: &str| line == "NAK" || line.starts_with("ACK ");
        let line = packets.line().await?;
        line.is_some_and(|line| is_ack(&line))
            .then_some(())
            .ok_or_else(|| Error::unreadable("there is no pack in it"))
    }
}

fn unknown() -> Error {
    Error::unreadable("the server speaks neither version 2 of git's protocol nor an older one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn older(features: &str) -> Older {
        Older { refs: vec![], features: features.split(' ').map(str::to_owned).collect() }
    }

    #[test]
    fn a_request_says_what_the_server_has_and_multi_ack_where_it_must() {
        let ids = ["1".repeat(40), "2".repeat(40)];
        let request =
            |features| String::from_utf8(older(features).request(&ids, "agent=a").unwrap()).unwrap();
        let (one, two) = (&ids[0], &ids[1]);
        assert_eq!(
            request("multi_ack multi_ack_detailed side-band-64k ofs-delta shallow thin-pack"),
            format!(
                "0065want {one} multi_ack_detailed side-band-64k ofs-delta agent=a\n0032want {two}\n000ddeepen 1\n00000009done\n"
            )
        );
        assert!(request("multi_ack side-band-64k").contains(" multi_ack side-band-64k agent=a\n"));
        assert!(!request("side-band-64k").contains("deepen"));
        assert!(older("multi_ack").request(&ids, "").unwrap_err().to_string().contains("older than"));
    }

    #[test]
    fn an_annotated_tag_is_the_commit_that_it_is_put_on() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let mut read = older("");
        for line in [
            format!("{one} refs/tags/a"),
            format!("{two} refs/tags/a^{{}}"),
            format!("{one} refs/tags/b^{{}}"),
        ] {
            read.add(&line).unwrap();
        }
        assert_eq!(read.refs, [Listed { name: "refs/tags/a".to_owned(), commit: two }]);
        let mut empty = older("");
        empty.add(&format!("{} capabilities^{{}}", "0".repeat(40))).unwrap();
        assert!(empty.refs.is_empty());
        assert!(older("").add("../../x refs/heads/a").is_err());
    }
}
