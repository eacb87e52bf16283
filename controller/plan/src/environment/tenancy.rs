//! Images of other namespaces: what the operator built for one is not taken by another, in `image` or in a `FROM`.
//!
//! In: a spec, the owner. Out: nothing, or the image that is another's. It sees what is written: a `FROM` with an argument without a
//! default is what the registry's own rights are for.

use super::arguments::{Arguments, Unclear};
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

/// The images that a Dockerfile begins stages from, copies from or is read by, with arguments put in.
fn images(build: &Build<'_>, odd_only: bool) -> Vec<Result<String, Unclear>> {
    let mut arguments = Arguments::of(build.args);
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

fn is_of_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-/".contains(c)
}

#[cfg(test)]
mod tests;
