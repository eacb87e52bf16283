//! Packets, the lines of git's protocol: four hex digits of length, then bytes.
//!
//! In: an answer as it comes. Out: packets, and no more bytes than may come. Sources: git's `gitprotocol-common`, `gitprotocol-v2`.

use super::ssh::Connected;
use crate::error::Error;
use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// Bytes.
    Data(Bytes),
    /// The end of a section.
    Delimiter,
    /// The end of an answer.
    End,
}

/// The end of a section of a request.
pub(super) const DELIMITER: &[u8] = b"0001";
/// The end of a request.
pub(super) const FLUSH: &[u8] = b"0000";

/// The longest line, of the 65,520 bytes that a packet may have.
const LONGEST: usize = 65_515;

/// Adds a line to a request. A name of somebody's choosing is one line, and no second one.
pub(super) fn line(request: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    if text.len() > LONGEST || text.contains(char::is_control) {
        return Err(Error::Name);
    }
    request.extend(format!("{:04x}{text}\n", text.len() + 5).into_bytes());
    Ok(())
}

/// The length that four digits say; a sign is no digit.
fn length(digits: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    usize::from_str_radix(digits, 16).ok()
}

/// The packets of an answer.
pub(super) struct Packets<'a> {
    input: Input<'a>,
    bytes: BytesMut,
    left: u64,
    most: u64,
}

/// Where an answer comes from.
enum Input<'a> {
    Https(Response),
    Ssh(&'a mut Connected),
}

impl Packets<'static> {
    /// Reads an answer of at most so many bytes.
    pub(super) fn of(answer: Response, most: u64) -> Self {
        Self { input: Input::Https(answer), bytes: BytesMut::new(), left: most, most }
    }
}

impl<'a> Packets<'a> {
    /// The same on a connection that goes on after it.
    pub(super) fn on(connected: &'a mut Connected, most: u64) -> Self {
        Self { input: Input::Ssh(connected), bytes: BytesMut::new(), left: most, most }
    }

    /// The next packet.
    pub(super) async fn next(&mut self) -> Result<Packet, Error> {
        let head = self.take(4).await?;
        match length(&head) {
            Some(0 | 2) => Ok(Packet::End),
            Some(1) => Ok(Packet::Delimiter),
            Some(length @ 4..) => {
                let data = self.take(length - 4).await?;
                match data.strip_prefix(b"ERR ") {
                    Some(words) => Err(Error::said(&String::from_utf8_lossy(words))),
                    None => Ok(Packet::Data(data)),
                }
            }
            Some(_) | None => Err(Error::unreadable("a packet has no length; is this a repository of git?")),
        }
    }

    /// The next packet as text; none at the end.
    pub(super) async fn line(&mut self) -> Result<Option<String>, Error> {
        Ok(match self.next().await? {
            Packet::Data(data) => Some(String::from_utf8_lossy(&data).trim_end().to_owned()),
            Packet::Delimiter => Some(String::new()),
            Packet::End => None,
        })
    }

    async fn take(&mut self, length: usize) -> Result<Bytes, Error> {
        while self.bytes.len() < length {
            let more = match &mut self.input {
                Input::Https(answer) => answer.chunk().await?,
                Input::Ssh(connected) => connected.piece().await?,
            };
            let Some(more) = more else {
                return Err(Error::unreadable("it ends early"));
            };
            self.left = self.left.checked_sub(more.len() as u64).ok_or(Error::TooMuch(self.most))?;
            self.bytes.extend_from_slice(&more);
        }
        Ok(self.bytes.split_to(length).freeze())
    }
}
