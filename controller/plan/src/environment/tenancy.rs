//! Images of other namespaces: what the operator built for one is not taken by another, in `image` or in a `FROM`.
//!
//! In: a spec, the owner. Out: nothing, or the image that is another's. It sees what is written: a `FROM` with an argument without a
//! default is what the registry's own rights are for.

use super::recipe;
use crate::dockerfile;
use crate::invalid::InvalidSpec;
use crate::names::{REPOSITORIES, cluster};
use crate::owner::Owner;
use crate::reasons::Reason;
use crate::source::Held;
use azureml_client::image::ImageRef;
use azureml_client::words::cut;
use azureml_crds::ml_environment::MLEnvironmentSpec;
use std::collections::BTreeMap;

/// Refuses an image of another namespace or cluster, wherever a spec names it.
///
/// # Errors
/// With the field and the image.
pub(super) fn check(
    spec: &MLEnvironmentSpec,
    context: Option<&Held>,
    owner: &Owner,
) -> Result<(), InvalidSpec> {
    let conda = spec.conda.as_ref().map(|conda| ("conda.image", &conda.image));
    let packages = spec.packages.as_ref().map(|packages| ("packages.base", &packages.base));
    let images = spec.image.iter().map(|image| ("image", image)).chain(conda).chain(packages);
    images.into_iter().try_for_each(|(field, image)| refuse(field, image, owner))?;
    let Some(build) = &spec.build else { return Ok(()) };
    // A context that lacks its Dockerfile is refused by itself.
    let Some(written) = recipe::text(build, context) else { return Ok(()) };
    dockerfile("build", written.text, &build.args, owner)
}

/// Refuses a Dockerfile that takes an image of another namespace or cluster.
///
/// # Errors
/// With the image, or the word from which it cannot be told.
pub(super) fn dockerfile(
    field: &str,
    text: &str,
    args: &BTreeMap<String, String>,
    owner: &Owner,
) -> Result<(), InvalidSpec> {
    let (at, build) = (format!("{field}.dockerfile"), Build { text, args });
    // Builders differ in whether a line goes on after two escapes, so both readings count.
    let images = [true, false].into_iter().flat_map(|odd_only| images(&build, odd_only));
    images.into_iter().try_for_each(|image| match image {
        Ok(image) => refuse(&at, &image, owner),
        Err(Unclear(word)) => {
            let message = format!(
                "the operator cannot tell which image {} means; write its name, or $NAME or ${{NAME:-default}} of an ARG",
                cut(&word, 100)
            );
            Err(InvalidSpec { reason: Reason::INVALID_DOCKERFILE, ..InvalidSpec::new(at.clone(), message) })
        }
    })?;
    named_anywhere(&build, owner).map_or(Ok(()), |named| Err(another(field, &named)))
}

/// A Dockerfile with its arguments.
struct Build<'a> {
    text: &'a str,
    args: &'a BTreeMap<String, String>,
}

fn refuse(field: &str, image: &str, owner: &Owner) -> Result<(), InvalidSpec> {
    let is_own = match ImageRef::parse(image) {
        Ok(parsed) => is_own(&parsed.repository, owner),
        Err(_) => !image.to_ascii_lowercase().contains(REPOSITORIES),
    };
    if is_own {
        return Ok(());
    }
    Err(another(field, image))
}

fn another(field: &str, image: &str) -> InvalidSpec {
    let message = format!(
        "{image} was built for another namespace; build the image here, or take one that is meant to be shared"
    );
    InvalidSpec { reason: Reason::IMAGE_OF_ANOTHER, ..InvalidSpec::new(field, message) }
}

/// Whether a repository is none of the operator's, or one of this namespace.
fn is_own(repository: &str, owner: &Owner) -> bool {
    let parts: Vec<&str> = repository.split('/').collect();
    match parts.as_slice() {
        [first, rest @ ..] if first.eq_ignore_ascii_case(REPOSITORIES) => match rest {
            // As the versions before wrote it, without the cluster.
            [namespace, _] => *namespace == owner.namespace,
            [of, namespace, _] => *of == cluster(&owner.cluster) && *namespace == owner.namespace,
            _ => false,
        },
        _ => true,
    }
}

/// Arguments by name; none where a value cannot be told.
type Known = BTreeMap<String, Option<String>>;

/// A word from which only the builder can tell an image.
struct Unclear(String);

/// The longest name of an image: its registry, repository, tag and digest. Arguments that double could make it endless.
const LONGEST: usize = 1024;

/// What is known of arguments where a line stands.
struct Arguments<'a> {
    given: &'a BTreeMap<String, String>,
    /// As a builder reads a `FROM`: what is declared before the first one, and given only where it is declared.
    before: Known,
    /// As a careless one reads anything: whatever was given, or said last.
    all: Known,
    has_stage: bool,
}

impl Arguments<'_> {
    fn declare(&mut self, words: &[&str]) {
        for word in words {
            let (name, default) =
                word.split_once('=').map_or((*word, None), |(name, text)| (name, Some(text)));
            if !self.has_stage {
                // One that is declared without a value has none, whatever it had before.
                let default = default.map_or(Some(String::new()), |text| filled(text, &self.before).ok());
                let value = self.given.get(name).cloned().map_or(default, Some);
                self.before.insert(name.to_owned(), value);
            }
            if let Some(default) = default.filter(|_| !self.given.contains_key(name)) {
                // A value that cannot be told matters only where it is used.
                let default = filled(default, &self.all).ok();
                self.all.insert(name.to_owned(), default);
            }
        }
    }

    /// A variable of a stage: `ENV a=b c=d`, or `ENV a b`.
    fn set(&mut self, words: &[&str]) {
        let pairs: Vec<(&str, &str)> = match words {
            [name, rest @ ..] if !name.contains('=') => {
                rest.first().map(|text| (*name, *text)).into_iter().collect()
            }
            all => all.iter().filter_map(|word| word.split_once('=')).collect(),
        };
        for (name, text) in pairs {
            let value = filled(text, &self.all).ok();
            self.all.insert(name.to_owned(), value);
        }
    }

    /// A word in every reading.
    fn read(&self, word: &str) -> [Result<String, Unclear>; 2] {
        [filled(word, &self.before), filled(word, &self.all)]
    }
}

/// The images that a Dockerfile begins stages from, copies from or is read by, with arguments put in.
fn images(build: &Build<'_>, odd_only: bool) -> Vec<Result<String, Unclear>> {
    let all = build.args.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    let mut arguments = Arguments { given: build.args, before: Known::new(), all, has_stage: false };
    let mut found: Vec<_> = dockerfile::directive(build.text, "syntax").into_iter().map(Ok).collect();
    for line in dockerfile::instructions(build.text, odd_only) {
        let is_delayed = |word: &&str| word.eq_ignore_ascii_case("ONBUILD");
        let words: Vec<&str> = line.split_whitespace().skip_while(is_delayed).collect();
        let Some((instruction, words)) = words.split_first() else { continue };
        if has_odd_here_document(&line) {
            found.push(Err(Unclear(line.clone())));
        }
        match instruction.to_ascii_uppercase().as_str() {
            "ARG" => arguments.declare(words),
            "ENV" => arguments.set(words),
            "FROM" => {
                arguments.has_stage = true;
                let flags: Vec<&&str> = words.iter().take_while(|word| word.starts_with("--")).collect();
                found.extend(
                    flags.iter().filter(|flag| !is_whole(flag)).map(|flag| Err(Unclear((**flag).to_owned()))),
                );
                found.extend(words.get(flags.len()).into_iter().flat_map(|word| arguments.read(word)));
            }
            "COPY" | "ADD" | "RUN" => {
                found.extend(
                    words.iter().filter_map(|word| source(word)).flat_map(|word| arguments.read(word)),
                );
            }
            _ => {}
        }
    }
    found
}

/// Whether a flag ends where its word does: with every quote and every brace that it opens.
fn is_whole(flag: &str) -> bool {
    let count = |sign: char| flag.matches(sign).count();
    count('"') % 2 == 0 && count('\'') % 2 == 0 && count('{') == count('}') && !flag.contains(['\\', '`'])
}

/// Whether a line begins a here-document whose end may be read in another way than a builder reads it.
fn has_odd_here_document(line: &str) -> bool {
    let names = line.split("<<").skip(1).map(|rest| rest.trim_start_matches(['-', '<', '"', '\'']));
    names.into_iter().any(|rest| {
        let word = rest.split([' ', '\t', '"', '\'', ';', '&', '|', '>', ')']).next().unwrap_or_default();
        word.contains(['\\', '`'])
    })
}

/// The source that a flag names: `--from=<image>`, `--mount=…,from=<image>,…`. Keys have no case.
fn source(word: &str) -> Option<&str> {
    let flag = word.strip_prefix("--")?;
    let at = flag.to_ascii_lowercase().find("from=")?;
    flag[at + "from=".len()..].split(',').next()
}

/// Another namespace's repository that a Dockerfile or an argument names in any place, however it is parted by quotes, escapes and blanks.
fn named_anywhere(build: &Build<'_>, owner: &Owner) -> Option<String> {
    let lines = [true, false].into_iter().flat_map(|odd_only| dockerfile::instructions(build.text, odd_only));
    let text: String = lines.chain(build.args.values().cloned()).collect();
    let is_sign = |one: &char| !one.is_whitespace() && !"\"'\\`".contains(*one);
    let text: String = text.chars().filter(is_sign).flat_map(char::to_lowercase).collect();
    let begin = format!("{REPOSITORIES}/");
    let own = [format!("{}/", owner.namespace), format!("{}/{}/", cluster(&owner.cluster), owner.namespace)];
    // Behind the address of a registry, which has a dot or a port; what has an argument in it is filled and looked at by itself.
    let is_image = |at: usize| {
        let before = text[..at].strip_suffix('/').and_then(|before| before.rsplit(['/', '=', ',']).next());
        let path = text[at..].split(|one: char| !is_of_path(one)).next().unwrap_or_default();
        let is_filled = text[at + path.len()..].starts_with('$');
        before.is_some_and(|host| host.contains(['.', ':'])) && !is_filled
    };
    let named =
        text.match_indices(&begin).filter(|(at, _)| is_image(*at)).map(|(at, _)| &text[at + begin.len()..]);
    let others = named.into_iter().find(|rest| !own.iter().any(|own| rest.starts_with(own)));
    let name = |rest: &str| rest.split(|one| !is_of_path(one)).next().unwrap_or_default().to_owned();
    others.map(|rest| format!("{begin}{}", cut(&name(rest), 100)))
}

/// A word as a builder reads it: without quotes and escapes, with `$NAME`, `${NAME}` and `${NAME:-default}` put in.
fn filled(word: &str, known: &Known) -> Result<String, Unclear> {
    let unclear = || Unclear(word.to_owned());
    let plain: String = word.chars().filter(|one| !"\"'\\`".contains(*one)).collect();
    let mut out = String::new();
    let mut rest = plain.as_str();
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced =
            after.strip_prefix('{').map(|after| after.split_once('}').ok_or_else(unclear)).transpose()?;
        let (name, default, next) = if let Some((inside, next)) = braced {
            let (name, default) = inside.split_once(":-").unwrap_or((inside, ""));
            (name, default, next)
        } else {
            let end = after.find(|c: char| !is_of_name(c)).unwrap_or(after.len());
            (&after[..end], "", &after[end..])
        };
        if !name.chars().all(is_of_name) || default.contains('$') {
            return Err(unclear());
        }
        let value = known.get(name).map(|value| value.as_deref().ok_or_else(unclear)).transpose()?;
        out.push_str(value.filter(|value| !value.is_empty()).unwrap_or(default));
        if out.len() > LONGEST {
            return Err(unclear());
        }
        rest = next;
    }
    Ok(out + rest)
}

fn is_of_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-/".contains(c)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests;
