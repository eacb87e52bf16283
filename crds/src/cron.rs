//! Rules for cron expressions, as Azure ML takes them: five fields of which two are `*`, and ranges that go upwards.
//!
//! In: the fields. Out: CEL rules over the text. A range such as `22-4` is accepted by Azure ML and means other hours there.

use kube::core::{Message, Rule};

/// A field that is not always `*`.
pub(crate) struct Field {
    /// Its place, from 0.
    place: usize,
    name: &'static str,
    /// One value, as a regular expression.
    one: &'static str,
    /// What it takes, in words.
    takes: &'static str,
    /// The numbers after `/`, as a regular expression.
    step: &'static str,
    /// How many values there are.
    size: u8,
}

pub(crate) const MINUTE: Field = Field {
    place: 0,
    name: "minute",
    one: "[0-5]?[0-9]",
    takes: "0-59",
    step: "([1-9]|[1-5][0-9])",
    size: 60,
};
pub(crate) const HOUR: Field = Field {
    place: 1,
    name: "hour",
    one: "([01]?[0-9]|2[0-3])",
    takes: "0-23",
    step: "([1-9]|1[0-9]|2[0-3])",
    size: 24,
};
pub(crate) const DAY_OF_WEEK: Field = Field {
    place: 4,
    name: "day-of-week",
    one: "([0-6]|(?i:sun|mon|tue|wed|thu|fri|sat))",
    takes: "0-6 (0 is Sunday) or SUN-SAT",
    step: "[1-6]",
    size: 7,
};

const FIVE: &str = "^ *[^ ]+( +[^ ]+){4} *$";

pub(crate) fn five_fields() -> Rule {
    Rule::new(format!("self.matches('{FIVE}')")).message(Message::Expression(
        "'cron: \"%s\": write five fields: minute hour day-of-month month day-of-week (no seconds, no @daily)'.format([self])"
            .into(),
    ))
}

pub(crate) fn every_day_of_every_month() -> Rule {
    Rule::new(format!("!self.matches('{FIVE}') || self.matches('^ *[^ ]+ +[^ ]+ +[*] +[*] ')"))
        .message("cron: Azure ML ignores day-of-month and month, so both must be *; use recurrence with monthDays instead")
}

/// A field as a whole, as a regular expression of the expression.
fn form(field: &Field) -> String {
    let Field { place, one, step, .. } = field;
    let item = format!("([*](/{step})?|{one}(-{one}(/{step})?)?)");
    format!("^ *([^ ]+ +){{{place}}}{item}(,{item})*( |$)")
}

/// A field has values that it takes, and steps that fit into it.
pub(crate) fn takes(field: &Field) -> Rule {
    let Field { name, takes, size, .. } = field;
    let most = size - 1;
    Rule::new(format!("!self.matches('{FIVE}') || self.matches('{}')", form(field))).message(Message::Expression(
        format!(
            "'cron: \"%s\": the {name} takes {takes}, *, lists a,b, ranges a-b, steps */n and a-b/n up to {most} (*/15, not 0/15)'\
             .format([self])"
        ),
    ))
}

/// A range of a field goes upwards; the message has the list that is meant otherwise.
pub(crate) fn goes_upwards(field: &Field) -> Rule {
    let Field { place, name, size, .. } = field;
    let items = format!("self.split(' ').filter(f, f != '')[{place}].split(',')");
    let end = |which: u8| format!("x.split('/')[0].split('-')[{which}]");
    let number = |text: String| match field.size {
        7 => format!(
            "({text}.matches('^[0-9]$') ? int({text}) : 'sunmontuewedthufrisat'.indexOf({text}.lowerAscii()) / 3)"
        ),
        _ => format!("int({text})"),
    };
    let (first, last) = (number(end(0)), number(end(1)));
    let falls = format!("x.contains('-') && {first} > {last}");
    let step = "x.contains('/') ? int(x.split('/')[1]) : 1";
    let all: Vec<String> = (0..*size).map(|number| number.to_string()).collect();
    let all = all.join(",");
    let written = format!(
        "[[{first}, {last}, {step}]].map(v, [{all}].filter(i, i <= v[1] - v[0] + {size} && i % v[2] == 0).map(i, (v[0] + i) % {size}))[0]"
    );
    Rule::new(format!("!self.matches('{}') || !{items}.exists(x, {falls})", form(field))).message(Message::Expression(
        format!(
            "'cron: a range goes upwards, and Azure ML reads others differently; write the {name} as a list, without blanks: %s'\
             .format([{items}.map(x, {falls}, '%s is %s'.format([x, {written}]))])"
        ),
    ))
}
