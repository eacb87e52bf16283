//! Durations as people write them: `90s`, `1h30m`.

use jiff::SignedDuration;
use serde::{Deserialize as _, Deserializer};
use std::time::Duration;

pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = text.parse::<SignedDuration>().ok().filter(SignedDuration::is_positive);
    parsed.ok_or_else(|| {
        serde::de::Error::custom(format!("{text:?} is no duration; write one such as 90s or 1h30m"))
    })
}

pub(super) fn three_durations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[SignedDuration; 3], D::Error> {
    let texts = <[String; 3]>::deserialize(deserializer)?;
    let mut parsed = [SignedDuration::ZERO; 3];
    for (slot, text) in parsed.iter_mut().zip(texts) {
        let error =
            || serde::de::Error::custom(format!("{text:?} is no duration; write one such as 90s or 1h30m"));
        *slot = text.parse().map_err(|_| error())?;
    }
    Ok(parsed)
}

/// A duration that is positive by configuration.
#[must_use]
pub fn std_duration(duration: SignedDuration) -> Duration {
    duration.unsigned_abs()
}
