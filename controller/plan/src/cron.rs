//! Ranges of a cron expression that go downwards, such as `22-4`: Azure ML takes them, and reads them as other values.
//!
//! In: an expression of five fields. Out: nothing, or the list that is meant.

use crate::invalid::InvalidSpec;

/// The fields that are not always `*`: place, name, how many values.
const FIELDS: [(usize, &str, u8); 3] = [(0, "minute", 60), (1, "hour", 24), (4, "day-of-week", 7)];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Refuses an expression with a range that goes downwards.
///
/// # Errors
/// With the list to write instead.
pub fn check(expression: &str) -> Result<(), InvalidSpec> {
    let texts: Vec<&str> = expression.split_whitespace().collect();
    for (place, name, size) in FIELDS {
        let mut items = texts.get(place).into_iter().flat_map(|text| text.split(','));
        if let Some((item, list)) = items.find_map(|item| Some((item, meant(item, size)?))) {
            return Err(InvalidSpec::new(
                "cron",
                format!(
                    "a range goes upwards, and Azure ML reads others differently; write the {name} {item} as a list: {list}"
                ),
            ));
        }
    }
    Ok(())
}

/// The list that a range means which goes downwards.
fn meant(item: &str, size: u8) -> Option<String> {
    let (range, step) = item.split_once('/').unwrap_or((item, "1"));
    let (first, last) = range.split_once('-')?;
    let (first, last, step) =
        (number(first)?, number(last)?, step.parse::<usize>().ok().filter(|step| *step > 0)?);
    if first <= last {
        return None;
    }
    let values = (first..=last + size).step_by(step).map(|value| (value % size).to_string());
    Some(values.collect::<Vec<_>>().join(","))
}

/// A value, also a day by its name.
fn number(text: &str) -> Option<u8> {
    let day = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text));
    day.and_then(|day| u8::try_from(day).ok()).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_goes_downwards_is_refused_with_the_list_that_it_means() {
        let cases = [
            ("*/30 22-4 * * *", "22,23,0,1,2,3,4"),
            ("50-10/5 6 * * *", "50,55,0,5,10"),
            ("0 6 * * FRI-MON", "5,6,0,1"),
            ("0 6 * * 1,5-0", "5,6,0"),
        ];
        for (cron, list) in cases {
            let error = check(cron).unwrap_err();
            assert!(error.to_string().ends_with(&format!("as a list: {list}")), "{error}");
        }
        for cron in ["*/30 4-22 * * *", "0 6 * * 1-5", "0 6 * * MON-FRI", "5-5 0-23/2 * * SUN-SAT"] {
            assert_eq!(check(cron), Ok(()), "{cron}");
        }
    }
}
