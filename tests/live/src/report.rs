//! What a check says at its end. In: observations. Out: a table for people, and the answers for the recording.

use crate::assumptions::{self, Observed, Verdict};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What was observed so far, by the name of the assumption.
pub type Observations = BTreeMap<&'static str, Observed>;

/// Question, what is expected, what was observed, and what that means, for each assumption.
#[must_use]
pub fn table(observations: &Observations) -> String {
    let mut text = String::new();
    for (number, one) in (1..).zip(assumptions::all()) {
        let unseen = Observed::unseen("the check ended before");
        let observed = observations.get(one.id).unwrap_or(&unseen);
        let _ = write!(
            text,
            "{number:2}. {}\n    expected: {}\n    observed: {}\n    verdict:  {}\n",
            one.question,
            one.assumed,
            observed.text,
            observed.verdict.words()
        );
        if observed.verdict == Verdict::Differs {
            let _ = writeln!(text, "    switch:   {}", one.switch);
        }
    }
    let count =
        |verdict: Verdict| observations.values().filter(|observed| observed.verdict == verdict).count();
    let (same, differs) = (count(Verdict::AsAssumed), count(Verdict::Differs));
    let _ = writeln!(
        text,
        "answers: {same} as assumed, {differs} differ, {} could not be seen",
        assumptions::count() - same - differs
    );
    text
}

/// The answers as the recording has them.
#[must_use]
pub fn answers(observations: &Observations) -> BTreeMap<String, String> {
    let answer = |observed: &Observed| format!("{}: {}", observed.verdict.words(), observed.text);
    observations.iter().map(|(id, observed)| ((*id).to_owned(), answer(observed))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_said_with_what_changes_our_behaviour() {
        let observations = BTreeMap::from([
            ("job-token", Observed::new("it is refused: 401", false)),
            ("cron-days", Observed::new("it is taken: 201", true)),
        ]);
        let table = table(&observations);
        assert!(table.contains("verdict:  DIFFERS\n    switch:   setting `azure.sendJobToken`"), "{table}");
        assert!(table.ends_with("answers: 1 as assumed, 1 differ, 28 could not be seen\n"), "{table}");
        assert_eq!(answers(&observations)["cron-days"], "as assumed: it is taken: 201");
    }
}
