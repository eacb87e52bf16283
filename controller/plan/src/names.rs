//! Names in Azure: the same for ever, made of namespace and name alone, legal for their type. One table, one function.
//!
//! In: namespace and name. Out: `<namespace>-<name>-<8 hex>` made legal and cut. Two namespaces never meet in one name.

use crate::hash;

/// What a name may look like. Sources: the path patterns of the Azure REST API 2025-12-01; for components the
/// pattern of Microsoft's client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameRule {
    /// The longest name.
    pub longest: usize,
    /// What stands between the parts.
    pub separator: char,
    /// Whether the last part may be digits alone.
    pub ends_in_digits: bool,
}

/// `^[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9\-]{2,23}$`; a name that ends in digits is recorded (`cpu-cluster-1`), and made by
/// users only.
pub const COMPUTE: NameRule = NameRule { longest: 24, separator: '-', ends_in_digits: false };
/// `^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$`; shorter, so that people can read it.
pub const ENVIRONMENT: NameRule = NameRule { longest: 128, separator: '-', ends_in_digits: true };
/// `^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$`; shorter, as an environment's.
pub const DATA: NameRule = NameRule { longest: 128, separator: '-', ends_in_digits: true };
/// `^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$`
pub const SCHEDULE: NameRule = NameRule { longest: 128, separator: '-', ends_in_digits: true };
/// `^[a-z][a-z0-9_]*$`, at most 255; room is left for the name of a step.
pub const COMPONENT: NameRule = NameRule { longest: 180, separator: '_', ends_in_digits: true };

/// The name of an object's resource.
#[must_use]
pub fn generated(rule: NameRule, namespace: &str, name: &str) -> String {
    let short = last_part(rule, short_hash(namespace, name));
    let readable = legal(rule, &format!("{namespace}{}{name}", rule.separator));
    let room = rule.longest - short.len() - 1;
    let cut = readable[..readable.len().min(room)].trim_end_matches(rule.separator);
    format!("{cut}{}{short}", rule.separator)
}

/// The hash as it may stand at the end: where digits alone are refused, the first becomes a letter from g to p.
fn last_part(rule: NameRule, short: String) -> String {
    if rule.ends_in_digits || short.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return short;
    }
    let first = short.bytes().next().map_or('g', |digit| char::from(digit - b'0' + b'g'));
    format!("{first}{}", &short[1..])
}

/// The first 8 hex digits of `sha256(namespace/name)`.
#[must_use]
pub fn short_hash(namespace: &str, name: &str) -> String {
    hash::cut(&hash::text(&format!("{namespace}/{name}")), 8).to_owned()
}

/// A name without the date at its end, which is no hash.
#[must_use]
pub fn without_date(name: &str) -> &str {
    let date = name.rsplit_once(['-', '_']).filter(|(_, last)| {
        let is_of_now = last.starts_with("19") || last.starts_with("20");
        last.len() == 8 && is_of_now && last.bytes().all(|byte| byte.is_ascii_digit())
    });
    date.map_or(name, |(before, _)| before)
}

/// Whether a name has eight digits of a hash behind a separator, as [`generated`] makes them, alone or before the name of a step. A
/// date is one too: unlike in a whole name, nobody needs one before a step's.
#[must_use]
pub fn looks_generated(name: &str) -> bool {
    let is_hash = |part: &str| {
        part.len() == 8
            && part.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().take(1).all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'p'))
    };
    name.to_ascii_lowercase().split(['-', '_']).skip(1).any(is_hash)
}

/// The component of a step: the pipeline's name, and the step's after it.
#[must_use]
pub fn step_component(pipeline: &str, step: &str) -> String {
    format!("{pipeline}_{step}")
}

/// The longest repository. A reference to an image, the registry's address included, has at most 255 characters in every
/// client (distribution's `NameTotalLengthMax`); an address of a registry has up to 80.
const REPOSITORY: usize = 160;

/// The first part of every repository that is built here.
pub const REPOSITORIES: &str = "azureml-operator";

/// The part of a repository that names the cluster. Clusters may share a registry, and have namespaces of the same name.
#[must_use]
pub fn cluster(id: &str) -> String {
    hash::cut(&hash::text(id), 8).to_owned()
}

/// The repository of an image that is built here; a long one is cut, and ends in a hash.
#[must_use]
pub fn repository(cluster_id: &str, namespace: &str, name: &str) -> String {
    let whole = format!("{REPOSITORIES}/{}/{namespace}/{name}", cluster(cluster_id));
    if whole.len() <= REPOSITORY {
        return whole;
    }
    let short = short_hash(namespace, name);
    // A part of a repository does not end in a separator.
    let cut = whole[..REPOSITORY - short.len() - 1].trim_end_matches(['-', '.']);
    format!("{cut}-{short}")
}

/// The task run that builds one content: 5 to 50 letters, digits and hyphens.
#[must_use]
pub fn task_run(cluster_id: &str, namespace: &str, name: &str, content: &str) -> String {
    let whose = hash::text(&format!("{cluster_id}/{namespace}/{name}"));
    format!("{}-{content}", hash::cut(&whose, 16))
}

/// The longest name of an object in Kubernetes.
const OBJECT: usize = 253;

/// The name of an object that is made for another, with a last part of its own; a long one is cut, and has a hash.
#[must_use]
pub fn object(of: &str, last: &str) -> String {
    let whole = format!("{of}-{last}");
    if whole.len() <= OBJECT {
        return whole;
    }
    let short = hash::text(of);
    let room = OBJECT.saturating_sub(last.len() + 10);
    let cut = of.get(..room).unwrap_or(of).trim_end_matches(['-', '.']);
    format!("{cut}-{}-{last}", hash::cut(&short, 8))
}

/// The job of an MLRun: at most one for one object, and one for each time that it is made again.
#[must_use]
pub fn job(uid: &str, before: usize) -> String {
    if before == 0 { format!("r-{uid}") } else { format!("r-{uid}-{}", before + 1) }
}

/// The UID in the name of an MLRun's job: `r-`, the UID, and perhaps a number.
#[must_use]
pub fn uid_of_job(name: &str) -> Option<&str> {
    let (uid, rest) = name.strip_prefix("r-").and_then(|rest| rest.split_at_checked(36))?;
    let is_uid = uid.bytes().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let is_count = |count: &str| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = rest.is_empty() || rest.strip_prefix('-').is_some_and(is_count);
    (is_uid && is_whole).then_some(uid)
}

/// Whether a job is that of an MLRun.
#[must_use]
pub fn is_job(name: &str) -> bool {
    uid_of_job(name).is_some()
}

/// The deployment of a component with settings.
#[must_use]
pub fn deployment(hash: &str) -> String {
    format!("d-{}", hash::cut(hash, 12))
}

/// The code asset of files: shared by everybody who has the same files.
#[must_use]
pub fn code(hash: &str) -> String {
    format!("c-{}", hash::cut(hash, 32))
}

/// Lower case, and every other character replaced; a letter comes first.
fn legal(rule: NameRule, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        let character = character.to_ascii_lowercase();
        let is_kept = character.is_ascii_lowercase() || character.is_ascii_digit();
        out.push(if is_kept { character } else { rule.separator });
    }
    if out.starts_with(|first: char| !first.is_ascii_lowercase()) { format!("n{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_readable_and_the_same_for_ever() {
        let cases = [
            (COMPUTE, "team-a", "cpu"),
            (COMPUTE, "team-a", "a-very-long-name-for-a-cluster"),
            (COMPONENT, "team-a", "r-gbm"),
            (ENVIRONMENT, "1team", "r.gbm"),
        ];
        let names: Vec<String> =
            cases.iter().map(|(rule, namespace, name)| generated(*rule, namespace, name)).collect();
        insta::assert_debug_snapshot!(names);
    }

    #[test]
    fn a_cluster_does_not_end_in_digits_alone() {
        // The hash of this name is 51749775.
        assert_eq!(generated(COMPUTE, "crash-21", "big"), "crash-21-big-l1749775");
    }

    #[test]
    fn a_repository_is_cut_where_it_is_too_long_for_any_registry() {
        assert_eq!(repository("c", "team-a", "r-gbm"), "azureml-operator/2e7d2c03/team-a/r-gbm");
        assert_ne!(repository("c", "n", "x"), repository("d", "n", "x"));
        assert_eq!(task_run("c", "n", "x", &"0".repeat(hash::NAME)).len(), 49);
        assert_ne!(task_run("c", "n", "x", "1"), task_run("d", "n", "x", "1"));
        let (namespace, name) = ("n".repeat(63), "a.".repeat(126) + "b");
        let cut = repository("c", &namespace, &name);
        assert!(
            cut.len() <= REPOSITORY
                && cut.starts_with(&format!("azureml-operator/2e7d2c03/{namespace}/a.a.")),
            "{cut}"
        );
        assert!(cut.ends_with(&format!("a-{}", short_hash(&namespace, &name))), "{cut}");
        assert_ne!(cut, repository("c", &namespace, &("a.".repeat(126) + "c")));
    }

    proptest! {
        #[test]
        fn names_are_legal_whatever_the_object_is_called(
            namespace in "[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?", name in "[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?"
        ) {
            for rule in [COMPUTE, ENVIRONMENT, DATA, SCHEDULE, COMPONENT] {
                let generated = generated(rule, &namespace, &name);
                prop_assert!(generated.len() <= rule.longest && generated.len() >= 3);
                prop_assert!(generated.starts_with(|c: char| c.is_ascii_lowercase()));
                prop_assert!(generated.ends_with(|c: char| c.is_ascii_alphanumeric()));
                prop_assert!(generated.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == rule.separator));
            }
        }

        #[test]
        fn two_namespaces_never_meet_in_one_name(a in "[a-z-]{1,20}", b in "[a-z-]{1,20}", c in "[a-z-]{1,20}") {
            let left = generated(COMPUTE, &format!("{a}-{b}"), &c);
            let right = generated(COMPUTE, &a, &format!("{b}-{c}"));
            prop_assert_ne!(left, right);
        }
    }
}
