//! Identifiers: new ones, made of a seed and a counter, and lasting ones, made of the name of what they identify.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Lower-case hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 as hexadecimal text.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The identifier, in the form of a UUID, that always belongs to `name`.
pub fn uuid_of(name: &str) -> String {
    let text = sha256(name.as_bytes());
    format!("{}-{}-4{}-8{}-{}", &text[..8], &text[8..12], &text[13..16], &text[17..20], &text[20..32])
}

/// A source of new identifiers.
#[derive(Clone, Debug)]
pub struct Ids {
    seed: String,
    made: u64,
}

impl Ids {
    /// Identifiers that differ from those of every other seed.
    pub fn new(seed: String) -> Self {
        Self { seed, made: 0 }
    }

    /// A new identifier in the form of a UUID.
    pub fn uuid(&mut self) -> String {
        self.made += 1;
        uuid_of(&format!("{}/{}", self.seed, self.made))
    }
}
