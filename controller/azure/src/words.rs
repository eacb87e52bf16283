//! Azure's own words: what may be shown of them, and what follows from them where no code or header says it.
//!
//! In: text of an answer, names that a user chose. Out: shorter text, a delay, a yes or no. Never a signature or a token.

use std::time::Duration;

/// The most characters of Azure's text that are kept.
pub const LONGEST: usize = 1000;
/// The longest word that is kept: operations have addresses of 4,000 characters, which say nothing to a reader.
const LONGEST_WORD: usize = 400;

/// Text for a condition or a log: addresses without their queries, cut at 1,000 characters.
#[must_use]
pub fn tidy(text: &str) -> String {
    let words: Vec<String> = text.trim().split(' ').map(word).collect();
    cut(&words.join(" "), LONGEST)
}

fn word(word: &str) -> String {
    let query = word.find('?').filter(|_| word.contains("://") || word.contains("sig="));
    let shown = query.map_or_else(|| word.to_owned(), |at| format!("{}?…", &word[..at]));
    cut(&shown, LONGEST_WORD)
}

/// Text with at most so many characters.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The wait that a text asks for: "Retry again after 20 seconds.", "Please try again in 5 minutes".
#[must_use]
pub fn wait(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    if !text.contains("retry") && !text.contains("try again") {
        return None;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(3).find_map(|three| {
        let [before, number, unit] = three else { return None };
        let number: u64 = number.parse().ok().filter(|_| matches!(*before, "after" | "in"))?;
        match unit.trim_matches(|c: char| !c.is_alphabetic()) {
            "s" | "sec" | "second" | "seconds" => Some(Duration::from_secs(number)),
            "min" | "minute" | "minutes" => Some(Duration::from_secs(number.saturating_mul(60))),
            _ => None,
        }
    })
}

/// Whether a text speaks of a quota, once the names that the user chose are cut out of it: a thing may be called `quota`.
#[must_use]
pub fn says_quota(text: &str, names: &[String]) -> bool {
    let mut text = text.to_lowercase();
    let mut names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    names.retain(|name| name.contains(QUOTA));
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names {
        text = text.replace(&name, "");
    }
    text.split_whitespace().any(is_quota)
}

const QUOTA: &str = "quota";

/// Whether a word is "quota": not a part of a name, and not in quotes, which is how Azure writes names.
fn is_quota(word: &str) -> bool {
    if word.starts_with(['\'', '"', '`', '/']) {
        return false;
    }
    matches!(word.trim_matches(|c: char| !c.is_alphanumeric()), QUOTA | "quotas" | "quota's")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_loses_its_signatures() {
        let text = tidy(&"é".repeat(35_000));
        assert_eq!(text.chars().count(), 401, "one word without an end says nothing");
        let text = tidy(&"東京 ".repeat(9_000));
        assert_eq!(text.chars().count(), 1001);
        let text = tidy("GET https://x.blob.core.windows.net/c/b?sv=1&sig=abc failed");
        assert_eq!(text, "GET https://x.blob.core.windows.net/c/b?… failed");
        let address = format!("see https://management.azure.com/{}", "a:".repeat(2_000));
        assert!(tidy(&address).chars().count() < 500);
    }

    #[test]
    fn a_wait_is_read_out_of_the_words() {
        let cases = [
            ("Received too many requests in a short amount of time. Retry again after 20 seconds.", Some(20)),
            ("Please try again in 2 minutes.", Some(120)),
            ("Please retry after 1 second", Some(1)),
            ("The build failed after 20 seconds.", None),
            ("Retry later.", None),
            ("Retry after many seconds", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(wait(text), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_name_that_says_quota_is_no_quota() {
        let names = ["quota-planning".to_owned(), "quota".to_owned()];
        let cases = [
            ("The environment quota-planning cannot be changed.", false),
            ("Resource 'quota' is busy.", false),
            ("/x/quota/y: the quota is busy", false),
            ("QUOTA-PLANNING is taken", false),
        ];
        for (text, expected) in cases {
            assert_eq!(says_quota(text, &names), expected, "{text}");
        }
        let quota = "The specified subscription has a total vCPU quota of 0";
        assert!(says_quota(quota, &[]) && says_quota(quota, &names[..1]));
        assert!(!says_quota("Invalid input monthly_quota", &[]));
        assert!(!says_quota("Input 'quota' is missing", &[]));
    }
}
