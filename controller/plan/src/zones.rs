//! Time zones: from the name that people write to the Windows name that Azure ML takes, and to the rules of its clock.
//!
//! Source of the table: CLDR's `windowsZones`, cut to the names that Microsoft's client accepts (`data/windows_zones.py`).

use crate::invalid::InvalidSpec;
use azureml_crds::zones::nearest;
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

/// The zone that a name means where Azure ML is not asked; UTC when none is written. `windows` is the name itself.
///
/// # Errors
/// When there is no such zone.
pub fn direct(name: Option<&str>) -> Result<Zone, InvalidSpec> {
    let name = name.unwrap_or("UTC");
    let iana = if WINDOWS_TO_IANA.contains_key(name) { canonical(name) } else { Some(name) };
    let clock = iana.and_then(|iana| TimeZone::get(iana).ok()).ok_or_else(|| {
        InvalidSpec::new(
            "timeZone",
            format!("there is no time zone {name:?}; write an IANA name such as Europe/Zurich"),
        )
    })?;
    Ok(Zone { windows: name.to_owned(), clock })
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
    let nearest = match nearest(name) {
        Some(nearest) => format!("write {nearest}, the nearest that it has"),
        None => {
            "write a Windows name that has the same clock, such as \"W. Europe Standard Time\"".to_owned()
        }
    };
    let message =
        format!("Azure ML has no name for the time zone {name:?}; {nearest}, or engine: Controller");
    InvalidSpec::new("timeZone", message)
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
        let refused = zone(Some("America/Whitehorse")).unwrap_err().message;
        assert!(
            refused.contains("write America/Mazatlan, the nearest that it has, or engine: Controller"),
            "{refused}"
        );
        assert!(zone(Some("No Such Time")).is_err());
    }

    #[test]
    fn every_zone_that_still_exists_has_a_clock() {
        let gone: Vec<&String> =
            WINDOWS_TO_IANA.keys().filter(|windows| zone(Some(windows)).is_err()).collect();
        assert_eq!(gone, ["Kamchatka Standard Time", "Mid-Atlantic Standard Time"]);
    }

    #[test]
    fn a_zone_is_read_directly_where_azure_ml_is_not_asked() {
        for (name, iana) in [
            (Some("America/Vancouver"), "America/Vancouver"),
            (Some("W. Europe Standard Time"), "Europe/Berlin"),
            (None, "Etc/UTC"),
        ] {
            assert_eq!(direct(name).unwrap().clock.iana_name(), Some(iana));
        }
        assert!(direct(Some("Europe/Zurih")).is_err());
        assert!(direct(Some("Kamchatka Standard Time")).is_err(), "it is no zone any more");
    }

    /// The offsets of a zone in seconds, twice a day for two years.
    fn probes(zone: &str) -> Vec<i32> {
        let zone = TimeZone::get(zone).unwrap();
        let from = jiff::Timestamp::constant(1_796_083_200, 0);
        let at = |half: i64| from + jiff::SignedDuration::from_hours(12 * half);
        (0..1460).map(|half| zone.to_offset(at(half)).seconds()).collect()
    }

    /// How far a zone is from another: moments at which they differ, by how much, whether they are of two continents, the name.
    fn distance(zone: &str, other: &str) -> (usize, i64, bool, String) {
        let pairs: Vec<(i32, i32)> = probes(zone).into_iter().zip(probes(other)).collect();
        let area = |name: &str| name.split('/').next().map(str::to_owned);
        let apart = pairs.iter().map(|(one, another)| i64::from((one - another).abs())).sum();
        let differ = pairs.iter().filter(|(one, another)| one != another).count();
        (differ, apart, area(zone) != area(other), other.to_owned())
    }

    #[test]
    fn the_table_has_every_zone_without_a_name_and_the_nearest_that_has_one() {
        let areas = "Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Etc Europe Indian Mexico Pacific US";
        let is_taken = |name: &str| areas.split(' ').any(|area| name.starts_with(&format!("{area}/")));
        let all: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let without = all.iter().filter(|name| is_taken(name) && windows_name(name).is_none());
        let named: Vec<&str> = WINDOWS_TO_IANA.keys().filter_map(|windows| canonical(windows)).collect();
        let nearest =
            |zone: &String| named.iter().map(|other| distance(zone, other)).min().map(|found| found.3);
        let mut pairs: Vec<(String, String)> =
            without.filter_map(|zone| Some((zone.clone(), nearest(zone)?))).collect();
        pairs.sort();
        let table = azureml_crds::zones::WITHOUT_WINDOWS_NAME;
        let table: Vec<(String, String)> =
            table.iter().map(|(zone, nearest)| ((*zone).to_owned(), (*nearest).to_owned())).collect();
        assert_eq!(table, pairs, "{pairs:#?}");
    }
}
