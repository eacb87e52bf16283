//! Time zones: from the name that people write to the Windows name that Azure ML takes, and to the rules of its clock.
//!
//! Source of the table: CLDR's `windowsZones`, cut to the names that Microsoft's client accepts (`data/windows_zones.py`).

use crate::invalid::InvalidSpec;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A time zone in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// The name that Azure ML takes.
    pub windows: String,
    /// Its clock.
    pub clock: TimeZone,
}

type Table = BTreeMap<String, Vec<String>>;

static WINDOWS_TO_IANA: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/windows-zones.json")).unwrap_or_default());

/// The zone that a name means; UTC when none is written.
///
/// # Errors
/// When Azure ML has no name for it.
pub fn zone(name: Option<&str>) -> Result<Zone, InvalidSpec> {
    let name = name.unwrap_or("UTC");
    let windows = windows_name(name).ok_or_else(|| unknown(name))?;
    let iana = if WINDOWS_TO_IANA.contains_key(name) { canonical(&windows) } else { Some(name) };
    let clock = iana.and_then(|iana| TimeZone::get(iana).ok()).ok_or_else(|| unknown(name))?;
    Ok(Zone { windows, clock })
}

fn windows_name(name: &str) -> Option<String> {
    if WINDOWS_TO_IANA.contains_key(name) {
        return Some(name.to_owned());
    }
    let entry = WINDOWS_TO_IANA.iter().find(|(_, iana)| iana.iter().any(|one| one == name))?;
    Some(entry.0.clone())
}

fn canonical(windows: &str) -> Option<&'static str> {
    WINDOWS_TO_IANA.get(windows)?.first().map(String::as_str)
}

fn unknown(name: &str) -> InvalidSpec {
    InvalidSpec::new(
        "timeZone",
        format!(
            "Azure ML has no name for the time zone {name:?}; write a Windows name that has the same clock, such as \
             \"W. Europe Standard Time\", or move the schedule to UTC"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iana_and_windows_names_mean_the_same_zone() {
        for (name, windows) in [
            (Some("Europe/Zurich"), "W. Europe Standard Time"),
            (Some("W. Europe Standard Time"), "W. Europe Standard Time"),
            (Some("Asia/Kolkata"), "India Standard Time"),
            (None, "UTC"),
            (Some("UTC"), "UTC"),
        ] {
            assert_eq!(zone(name).unwrap().windows, windows);
        }
    }

    #[test]
    fn a_zone_that_azure_ml_does_not_know_is_refused() {
        assert!(zone(Some("America/Vancouver")).unwrap_err().message.contains("America/Vancouver"));
        assert!(zone(Some("No Such Time")).is_err());
    }

    #[test]
    fn every_zone_that_still_exists_has_a_clock() {
        let gone: Vec<&String> =
            WINDOWS_TO_IANA.keys().filter(|windows| zone(Some(windows)).is_err()).collect();
        assert_eq!(gone, ["Kamchatka Standard Time", "Mid-Atlantic Standard Time"]);
    }
}
