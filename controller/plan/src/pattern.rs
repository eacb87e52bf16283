//! Names with `*` for any text, as grants are written.
//!
//! In: patterns, a text. Out: yes or no, without regard to case.

/// Whether a text is one that patterns mean, without regard to case.
#[must_use]
pub fn any_matches(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase()))
}

/// `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Whether a name is as a pattern with `*` and `?` says, with regard to case. However many stars there are, it takes no more steps than
/// the two are long, multiplied: both may be a stranger's.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut of, mut star) = (0, 0, None);
    while let Some(sign) = name.get(at) {
        match pattern.get(of) {
            Some('*') => {
                star = Some((of, at));
                of += 1;
            }
            Some(one) if one == &'?' || one == sign => (at, of) = (at + 1, of + 1),
            _ => {
                let Some((place, from)) = star else { return false };
                star = Some((place, from + 1));
                (at, of) = (from + 1, place + 1);
            }
        }
    }
    pattern.iter().skip(of).all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    #[test]
    fn many_stars_take_no_time() {
        let (pattern, name) = ("*a".repeat(20) + "b", "a".repeat(2000));
        assert!(!fits(&pattern, &name));
        assert!(fits("*a?c*", "xxabcd") && !fits("a?", "a") && fits("", "") && !fits("A", "a"));
    }

    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        let cases = [
            ("*", "anything", true),
            ("team-*", "team-a", true),
            ("team-*", "my-team-a", false),
            ("*-prod", "ml-prod", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
