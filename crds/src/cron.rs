//! Rules for cron expressions: five fields, ranges that go upwards, and for Azure ML two fields that are `*`.
//!
//! In: the fields. Out: CEL rules over one text or a list of them. A range such as `22-4` is accepted by Azure ML and means other
//! hours there. The plan has the same rules (`azureml-plan`, `cron`), for what was applied under an older definition.

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
    /// The first value.
    least: u8,
    /// The names of the values from the first on, each of three letters.
    names: &'static str,
}

pub(crate) const MINUTE: Field = Field {
    place: 0,
    name: "minute",
    one: "[0-5]?[0-9]",
    takes: "0-59",
    step: "([1-9]|[1-5][0-9])",
    size: 60,
    least: 0,
    names: "",
};
pub(crate) const HOUR: Field = Field {
    place: 1,
    name: "hour",
    one: "([01]?[0-9]|2[0-3])",
    takes: "0-23",
    step: "([1-9]|1[0-9]|2[0-3])",
    size: 24,
    least: 0,
    names: "",
};
pub(crate) const DAY_OF_MONTH: Field = Field {
    place: 2,
    name: "day-of-month",
    one: "(0?[1-9]|[12][0-9]|3[01])",
    takes: "1-31",
    step: "([1-9]|[12][0-9]|30)",
    size: 31,
    least: 1,
    names: "",
};
pub(crate) const MONTH: Field = Field {
    place: 3,
    name: "month",
    one: "(0?[1-9]|1[0-2]|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))",
    takes: "1-12 or JAN-DEC",
    step: "([1-9]|1[01])",
    size: 12,
    least: 1,
    names: "janfebmaraprmayjunjulaugsepoctnovdec",
};
pub(crate) const DAY_OF_WEEK: Field = Field {
    place: 4,
    name: "day-of-week",
    one: "([0-6]|(?i:sun|mon|tue|wed|thu|fri|sat))",
    takes: "0-6 (0 is Sunday) or SUN-SAT",
    step: "[1-6]",
    size: 7,
    least: 0,
    names: "sunmontuewedthufrisat",
};

const FIVE: &str = "^ *[^ ]+( +[^ ]+){4} *$";

pub(crate) fn five_fields() -> Rule {
    Rule::new(format!("self.matches('{FIVE}')")).message(Message::Expression(
        "'cron: \"%s\": write five fields: minute hour day-of-month month day-of-week (no seconds, no @daily)'.format([self])"
            .into(),
    ))
}

/// A rule of the spec, since it depends on the engine.
pub(crate) fn every_day_of_every_month() -> Rule {
    let is_free = "!has(self.cron) || has(self.engine) && self.engine == 'Controller'";
    Rule::new(format!("{is_free} || !self.cron.matches('{FIVE}') || self.cron.matches('^ *[^ ]+ +[^ ]+ +[*] +[*] ')"))
        .message("cron: Azure ML ignores day-of-month and month, so both must be *; use recurrence with monthDays instead, or engine: Controller")
        .field_path(".cron")
}

/// A field as a whole, as a regular expression of the expression.
fn form(field: &Field) -> String {
    let Field { place, one, step, .. } = field;
    let item = format!("([*](/{step})?|{one}(-{one}(/{step})?)?)");
    format!("^ *([^ ]+ +){{{place}}}{item}(,{item})*( |$)")
}

/// What a field takes, in words.
fn takes_in_words(Field { name, takes, size, .. }: &Field) -> String {
    let most = size - 1;
    format!(
        "the {name} takes {takes}, *, lists a,b, ranges a-b, steps */n and a-b/n up to {most} (*/15, not 0/15; *, not ?)"
    )
}

/// A field has values that it takes, and steps that fit into it.
pub(crate) fn takes(field: &Field) -> Rule {
    Rule::new(format!("!self.matches('{FIVE}') || self.matches('{}')", form(field)))
        .message(Message::Expression(format!("'cron: \"%s\": {}'.format([self])", takes_in_words(field))))
}

/// Each of several expressions has five fields.
pub(crate) fn each_has_five_fields() -> Rule {
    Rule::new(format!("self.all(c, c.matches('{FIVE}'))")).message(Message::Expression(format!(
        "'crons: %s: write five fields: minute hour day-of-month month day-of-week (no seconds, no @daily)'\
         .format([self.filter(c, !c.matches('{FIVE}'))])"
    )))
}

/// As [`takes`], of each of several expressions.
pub(crate) fn each_takes(field: &Field) -> Rule {
    let bad = format!("c.matches('{FIVE}') && !c.matches('{}')", form(field));
    Rule::new(format!("!self.exists(c, {bad})")).message(Message::Expression(format!(
        "'crons: %s: {}'.format([self.filter(c, {bad})])",
        takes_in_words(field)
    )))
}

/// A range of a field goes upwards; the message has the list that is meant otherwise.
pub(crate) fn goes_upwards(field: &Field) -> Rule {
    let Field { place, name, size, least, names, .. } = field;
    let items = format!("self.split(' ').filter(f, f != '')[{place}].split(',')");
    let end = |which: u8| format!("x.split('/')[0].split('-')[{which}]");
    let number = |text: String| match names.len() {
        0 => format!("int({text})"),
        _ => format!(
            "({text}.matches('^[0-9]+$') ? int({text}) : '{names}'.indexOf({text}.lowerAscii()) / 3 + {least})"
        ),
    };
    let (first, last) = (number(end(0)), number(end(1)));
    let falls = format!("x.contains('-') && {first} > {last}");
    let step = "x.contains('/') ? int(x.split('/')[1]) : 1";
    let all: Vec<String> = (0..*size).map(|number| number.to_string()).collect();
    let all = all.join(",");
    let written = format!(
        "[[{first}, {last}, {step}]].map(v, [{all}].filter(i, i <= v[1] - v[0] + {size} && i % v[2] == 0).map(i, (v[0] + i - {least}) % {size} + {least}))[0]"
    );
    Rule::new(format!("!self.matches('{}') || !{items}.exists(x, {falls})", form(field))).message(Message::Expression(
        format!(
            "'cron: a range goes upwards, and Azure ML reads others differently; write the {name} as a list, without blanks: %s'\
             .format([{items}.map(x, {falls}, '%s is %s'.format([x, {written}]))])"
        ),
    ))
}
