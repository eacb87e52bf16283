//! Cron expressions, read as their writer meant them: what Azure ML or a clock would read otherwise is refused.
//!
//! In: an expression. Out: nothing, or what to write instead. The rules of the definitions say the same at apply; these are for what
//! was applied under older ones, and for ranges in `crons`. Computes no times.

use crate::invalid::InvalidSpec;

/// One of the five.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
    takes: &'static str,
}

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[], takes: "0-59" },
    Field { name: "hour", least: 0, most: 23, names: &[], takes: "0-23" },
    Field { name: "day-of-month", least: 1, most: 31, names: &[], takes: "1-31" },
    Field { name: "month", least: 1, most: 12, names: &MONTHS, takes: "1-12 or JAN-DEC" },
    Field { name: "day-of-week", least: 0, most: 6, names: &DAYS, takes: "0-6 (0 is Sunday) or SUN-SAT" },
];

/// What is wrong with a part of a field.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    /// It means something else than it says, or nothing; this is what it was to mean.
    Write(String, &'static str),
    /// Nobody can know what it was to mean.
    Unknown,
}

/// Refuses an expression that does not mean what it looks like. `is_azure`: it is Azure ML that reads it.
///
/// # Errors
/// With the expression to write instead, where it can be known.
pub fn check(field: &str, expression: &str, is_azure: bool) -> Result<(), InvalidSpec> {
    let texts: Vec<&str> = expression.split_whitespace().collect();
    let refuse = |why: String| Err(InvalidSpec::new(field, format!("{expression:?}: {why}")));
    if texts.len() != FIELDS.len() {
        return refuse(
            "write five fields: minute hour day-of-month month day-of-week (no seconds, no @daily)"
                .to_owned(),
        );
    }
    for (place, (rule, text)) in FIELDS.iter().zip(&texts).enumerate() {
        if is_azure && matches!(place, 2 | 3) && *text != "*" {
            return refuse(format!(
                "write * for the {}, which Azure ML ignores, or use recurrence with monthDays, or engine: Controller",
                rule.name
            ));
        }
        for (part, item) in text.split(',').enumerate() {
            match read(rule, item) {
                Ok(()) => {}
                Err(Wrong::Write(instead, why)) => {
                    let whole = replaced(&texts, place, part, &instead);
                    return refuse(format!("write \"{whole}\"; the {} {item} {why}", rule.name));
                }
                Err(Wrong::Unknown) => {
                    let Field { name, takes, least, most, .. } = rule;
                    return refuse(format!(
                        "the {name} takes {takes}, *, lists a,b, ranges a-b, steps */n and a-b/n up to {}",
                        most - least
                    ));
                }
            }
        }
    }
    match texts.as_slice() {
        [_, _, days, months, "*"] if never(days, months) => {
            refuse("it never fires, since no such month has such a day; correct one of the two".to_owned())
        }
        _ => Ok(()),
    }
}

/// How many days a month has at most.
const LENGTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Whether no month of a field has a day of another field; both were read before.
fn never(days: &str, months: &str) -> bool {
    let [_, _, of_month, of_year, _] = &FIELDS;
    let first = values(of_month, days).into_iter().min();
    let longest = values(of_year, months)
        .into_iter()
        .filter_map(|month| LENGTHS.get(usize::from(month).checked_sub(1)?).copied())
        .max();
    first.zip(longest).is_some_and(|(first, longest)| first > longest)
}

/// The values of a field that was read before.
fn values(field: &Field, text: &str) -> Vec<u8> {
    let of = |item: &str| {
        let (base, step) = item.split_once('/').unwrap_or((item, "1"));
        let (first, last) = base.split_once('-').unwrap_or((base, base));
        let read = |text: &str, or: u8| value(field, text).unwrap_or(or);
        let step = step.parse::<usize>().unwrap_or(1).max(1);
        (read(first, field.least)..=read(last, field.most)).step_by(step).collect::<Vec<_>>()
    };
    text.split(',').flat_map(of).collect()
}

/// The expression with one part of one field replaced.
fn replaced(texts: &[&str], place: usize, part: usize, instead: &str) -> String {
    let field = |index: usize, text: &str| {
        let items = text.split(',').enumerate();
        let item = |(at, item): (usize, &str)| {
            if index == place && at == part { instead.to_owned() } else { item.to_owned() }
        };
        items.map(item).collect::<Vec<_>>().join(",")
    };
    texts.iter().enumerate().map(|(index, text)| field(index, text)).collect::<Vec<_>>().join(" ")
}

/// Reads one part of a field.
fn read(field: &Field, item: &str) -> Result<(), Wrong> {
    if item == "?" {
        return Err(Wrong::Write("*".to_owned(), "is another dialect's word for *"));
    }
    let (base, step) = match item.split_once('/') {
        Some((base, step)) => (base, Some(step.parse::<u8>().map_err(|_| Wrong::Unknown)?)),
        None => (item, None),
    };
    let range = match base.split_once('-') {
        Some((first, last)) => Some((value(field, first)?, value(field, last)?)),
        None if base == "*" || base == "?" => None,
        None => return alone(field, value(field, base)?, step),
    };
    if let Some((first, last)) = range
        && first > last
    {
        let list = wrapped(field, first, last, step.unwrap_or(1).max(1));
        return Err(Wrong::Write(list, "goes downwards, and a range goes upwards"));
    }
    let (first, last) = range.unwrap_or((field.least, field.most));
    match step {
        Some(0) => Err(Wrong::Unknown),
        Some(step) if step > field.most - field.least => {
            Err(Wrong::Write(first.to_string(), "has a step beyond the field, which leaves its first value"))
        }
        Some(step) if base == "?" => {
            Err(Wrong::Write(format!("*/{step}"), "is another dialect's word for *"))
        }
        _ if last > field.most => Err(Wrong::Unknown),
        _ => Ok(()),
    }
}

/// A value without a range.
fn alone(field: &Field, value: u8, step: Option<u8>) -> Result<(), Wrong> {
    match step {
        None => Ok(()),
        Some(0) => Err(Wrong::Unknown),
        Some(step) if step > field.most - value => {
            Err(Wrong::Write(value.to_string(), "has a step beyond the field, which leaves its first value"))
        }
        Some(step) if value == field.least => Err(Wrong::Write(
            format!("*/{step}"),
            "has a step without a range, which not everybody reads alike",
        )),
        Some(step) => Err(Wrong::Write(
            format!("{value}-{}/{step}", field.most),
            "has a step without a range, which not everybody reads alike",
        )),
    }
}

/// A value, also by its name.
fn value(field: &Field, text: &str) -> Result<u8, Wrong> {
    let named = field.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    if let Some(place) = named.and_then(|place| u8::try_from(place).ok()) {
        return Ok(field.least + place);
    }
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u8>().ok().filter(|_| is_number).ok_or(Wrong::Unknown)?;
    if number == 7 && field.name == "day-of-week" {
        return Err(Wrong::Write("0".to_owned(), "is 0: days are counted from Sunday, 0, to Saturday, 6"));
    }
    if (field.least..=field.most).contains(&number) { Ok(number) } else { Err(Wrong::Unknown) }
}

/// The list that a range means which goes over the end of its field.
fn wrapped(field: &Field, first: u8, last: u8, step: u8) -> String {
    let size = u16::from(field.most - field.least) + 1;
    let origin = u16::from(field.least);
    let values = (u16::from(first)..=u16::from(last) + size).step_by(usize::from(step));
    values.map(|value| ((value - origin) % size + origin).to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_else_is_refused_with_what_was_meant() {
        let cases = [
            ("*/30 22-4 * * *", "*/30 22,23,0,1,2,3,4 * * *"),
            ("50-10/5 6 * * *", "50,55,0,5,10 6 * * *"),
            ("0 6 * * FRI-MON", "0 6 * * 5,6,0,1"),
            ("0 6 * * 1,5-0", "0 6 * * 1,5,6,0"),
            ("0 6 28-3 * *", "0 6 28,29,30,31,1,2,3 * *"),
            ("0 6 1 nov-FEB *", "0 6 1 11,12,1,2 *"),
            ("0/15 6 * * *", "*/15 6 * * *"),
            ("5/15 6 * * *", "5-59/15 6 * * *"),
            ("0 6 1/2 * *", "0 6 */2 * *"),
            ("*/60 6 * * *", "0 6 * * *"),
            ("0 */24 * * *", "0 0 * * *"),
            ("0 6 ? * MON", "0 6 * * MON"),
            ("0 6 * * ?", "0 6 * * *"),
            ("0 6 * * 7", "0 6 * * 0"),
            ("  0   6 * *  1,7 ", "0 6 * * 1,0"),
        ];
        for (cron, meant) in cases {
            let error = check("cron", cron, false).unwrap_err().to_string();
            assert!(error.contains(&format!("write \"{meant}\"; ")), "{cron}: {error}");
            assert_eq!(check("cron", meant, false), Ok(()), "{meant}");
        }
    }

    #[test]
    fn what_nobody_can_read_is_refused_with_what_the_field_takes() {
        for (cron, words) in [
            ("60 6 * * *", "the minute takes 0-59"),
            ("0 24 * * *", "the hour takes 0-23"),
            ("0 6 0 * *", "the day-of-month takes 1-31"),
            ("0 6 L * *", "the day-of-month takes 1-31"),
            ("0 6 15W * *", "the day-of-month takes 1-31"),
            ("0 6 * 13 *", "the month takes 1-12 or JAN-DEC"),
            ("0 6 * MAI *", "the month takes 1-12 or JAN-DEC"),
            ("0 6 * * MON#1", "the day-of-week takes 0-6"),
            ("*/0 6 * * *", "steps */n and a-b/n up to 59"),
            ("0 6- * * *", "the hour takes 0-23"),
            ("+5 6 * * *", "the minute takes 0-59"),
            ("0 6,, * * *", "the hour takes 0-23"),
            ("0 6 30 2 *", "it never fires"),
            ("0 6 31 feb,4-6/2,NOV *", "it never fires"),
            ("@daily", "write five fields"),
            ("0 0 6 * * 1", "write five fields"),
        ] {
            let error = check("cron", cron, false).unwrap_err().to_string();
            assert!(error.contains(words), "{cron}: {error}");
        }
    }

    #[test]
    fn azure_ml_gets_no_day_of_the_month_which_it_would_ignore() {
        for cron in ["0 6 1 * *", "0 6 * JAN *", "0 6 ? * *"] {
            assert!(check("cron", cron, true).unwrap_err().message.contains("engine: Controller"), "{cron}");
        }
        for cron in ["*/30 4-22 * * *", "0 6 * * 1-5", "0 6 * * MON-FRI", "5-5 0-23/2 * * SUN-SAT"] {
            assert_eq!(check("cron", cron, true), Ok(()), "{cron}");
        }
        for cron in ["0 6 1,15 */3 *", "30 18 31 DEC sat", "0-59/59 0 1-31/30 jan-dec/11 0-6/6"] {
            assert_eq!(check("crons[0]", cron, false), Ok(()), "{cron}");
        }
    }

    /// What is taken here is read by the library that computes the times.
    #[test]
    fn what_is_taken_has_times() {
        use croner::parser::{CronParser, Seconds, Year};
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        for cron in [
            "0 6 1,15 */3 *",
            "30 18 31 DEC sat",
            " */5,7  0-23/2,9 * * MON-fri,SUN,6 ",
            "0 0 29 2 *",
            "0 0 31 2 mon",
        ] {
            assert_eq!(check("cron", cron, false), Ok(()), "{cron}");
            assert!(parser.parse(cron.trim()).is_ok(), "{cron}");
        }
    }
}
