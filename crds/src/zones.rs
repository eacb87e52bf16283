//! Time zones of IANA for which Azure ML has no name, each with the nearest that it has one for.
//!
//! In: nothing. Out: a table, for the rule of MLSchedule and for the plan's words. A test of `azureml-plan` compares it with the
//! names that Azure ML takes and with the clocks of the time zone database.

/// Zone, and the nearest by its clock.
pub const WITHOUT_WINDOWS_NAME: [(&str, &str); 29] = [
    ("Africa/Juba", "Africa/Johannesburg"),
    ("Africa/Khartoum", "Africa/Johannesburg"),
    ("Africa/Sao_Tome", "Atlantic/Reykjavik"),
    ("America/Coyhaique", "America/Araguaina"),
    ("America/Dawson", "America/Mazatlan"),
    ("America/Edmonton", "America/Denver"),
    ("America/Inuvik", "America/Denver"),
    ("America/Punta_Arenas", "America/Araguaina"),
    ("America/Rainy_River", "America/Chicago"),
    ("America/Scoresbysund", "America/Nuuk"),
    ("America/Vancouver", "America/Los_Angeles"),
    ("America/Whitehorse", "America/Mazatlan"),
    ("America/Winnipeg", "America/Chicago"),
    ("America/Yellowknife", "America/Denver"),
    ("Antarctica/Casey", "Asia/Irkutsk"),
    ("Antarctica/Troll", "Europe/Berlin"),
    ("Antarctica/Vostok", "Asia/Karachi"),
    ("Asia/Omsk", "Asia/Bishkek"),
    ("Asia/Qyzylorda", "Asia/Karachi"),
    ("Canada/Central", "America/Chicago"),
    ("Canada/Mountain", "America/Denver"),
    ("Canada/Pacific", "America/Los_Angeles"),
    ("Canada/Yukon", "America/Mazatlan"),
    ("Etc/GMT-13", "Pacific/Apia"),
    ("Europe/Saratov", "Europe/Astrakhan"),
    ("Europe/Volgograd", "Europe/Istanbul"),
    ("Pacific/Enderbury", "Pacific/Apia"),
    ("Pacific/Fakaofo", "Pacific/Apia"),
    ("Pacific/Kanton", "Pacific/Apia"),
];

/// The nearest zone that Azure ML has a name for.
#[must_use]
pub fn nearest(zone: &str) -> Option<&'static str> {
    WITHOUT_WINDOWS_NAME.iter().find(|(without, _)| *without == zone).map(|(_, nearest)| *nearest)
}
