//! Rules for the times of an MLSchedule: its zone, its start and its end.
//!
//! In: names of fields. Out: CEL rules, whose messages say what to write. Looks at no clock.

use kube::core::{Message, Rule};

const IANA: &str = "^((Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)/[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)?|UTC|GMT)$";

/// What looks like a name of IANA or of Windows.
pub(crate) fn zone_shape() -> Rule {
    Rule::new(format!(
        "self.matches('{IANA}') || self.matches('^([A-Z][A-Za-z0-9 .()+-]* Time( [(]Mexico[)])?|UTC[+-][0-9]{{2}})$')"
    ))
    .message("timeZone: write an IANA name such as Europe/Zurich, or a Windows name such as W. Europe Standard Time")
}

/// What looks like a zone of IANA is one: reading it fails otherwise, which refuses the object with this message.
pub(crate) fn zone_exists() -> Rule {
    Rule::new(format!("!self.matches('{IANA}') || timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0"))
        .message("timeZone: there is no such IANA time zone")
}

const TIME: &str =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-5][0-9])?(Z|[+-][01][0-9]:[0-5][0-9])?$";

/// What looks like a time.
pub(crate) fn time(field: &str) -> Rule {
    Rule::new(format!("self.matches('{TIME}')")).message(Message::Message(format!(
        "{field}: write a time such as 2026-01-31T06:00:00, which is read in timeZone, or one with Z or an offset"
    )))
}

/// What looks like a time is one: reading it fails otherwise, which refuses the object with this message.
pub(crate) fn moment(field: &str) -> Rule {
    let read = "timestamp(self.substring(0, 16) + ':00Z')";
    Rule::new(format!("!self.matches('{TIME}') || {read} == {read}")).message(Message::Message(format!(
        "{field}: there is no such day or hour; write one of the calendar, hours from 00 to 23"
    )))
}

/// Compares two times that are both local or both have an offset; the controller compares others, where it knows the zone.
pub(crate) fn end_after_start() -> Rule {
    let is_local = |field: &str| format!("self.{field}.matches('T[0-9:]*$')");
    // Seconds where there are none, and Z for a local time: two local times are read in the same zone.
    let read = |field: &str| {
        let (text, local) = (format!("self.{field}"), is_local(field));
        format!(
            "timestamp({text}.substring(0, 16) + ({text}.substring(16).startsWith(':') ? '' : ':00') + {text}.substring(16) + ({local} ? 'Z' : ''))"
        )
    };
    Rule::new(format!(
        "!has(self.startTime) || !has(self.endTime) || !self.startTime.matches('{TIME}') || !self.endTime.matches('{TIME}') \
         || {} != {} || {} < {}",
        is_local("startTime"), is_local("endTime"), read("startTime"), read("endTime")
    ))
    .message("endTime is not after startTime; move it")
    .field_path(".endTime")
}
