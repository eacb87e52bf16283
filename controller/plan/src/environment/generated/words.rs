//! Names as they may stand in a Dockerfile, a conda file or a list of requirements: none is an option, none ends its word or its line.
//!
//! In: a field, a text. Out: nothing, or why it is refused. The schema says the same more exactly; this holds whatever was admitted.

use crate::invalid::InvalidSpec;
use azureml_crds::ml_environment::{Mirrors, Packages};

/// Refuses packages with a name that could be more than a name.
pub(super) fn check(packages: &Packages) -> Result<(), InvalidSpec> {
    image("packages.base", &packages.base)?;
    for (field, names, signs) in [
        ("packages.r", &packages.r, "._-@"),
        ("packages.pip", &packages.pip, "._-[],~=!<>+*: "),
        ("packages.conda", &packages.conda, "._-=<>!~,*+: "),
        ("packages.apt", &packages.apt, "._-+=~:"),
    ] {
        names.iter().try_for_each(|name| word(field, name, signs))?;
    }
    // apt-get removes a package whose name ends so.
    let is_removal = |name: &&String| name.split('=').next().is_some_and(|name| name.ends_with('-'));
    packages.apt.iter().find(is_removal).map_or(Ok(()), |name| Err(refused("packages.apt", name)))?;
    packages
        .pip
        .iter()
        .find(|line| has_option(line))
        .map_or(Ok(()), |line| Err(refused("packages.pip", line)))?;
    let Mirrors { cran, pypi, conda } = packages.mirrors.clone().unwrap_or_default();
    for (field, address) in [("cran", cran), ("pypi", pypi), ("conda", conda)] {
        let address = address.unwrap_or_default();
        let is_plain = address.is_empty()
            || address.strip_prefix("https://").is_some_and(|rest| is_word(rest, "._-~:/"));
        if !is_plain {
            return Err(refused(&format!("packages.mirrors.{field}"), &address));
        }
    }
    Ok(())
}

/// Refuses an image whose name could be more than a name.
pub(super) fn image(field: &str, name: &str) -> Result<(), InvalidSpec> {
    word(field, name, "._-/:@")
}

/// Whether a requirement has an option that is no hash. An option of its own would be one for all requirements.
fn has_option(line: &str) -> bool {
    let is_hash = |word: &str| {
        word.strip_prefix("--hash=sha256:")
            .is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    line.split_whitespace().any(|word| word.starts_with('-') && !is_hash(word))
}

fn word(field: &str, name: &str, signs: &str) -> Result<(), InvalidSpec> {
    if is_word(name, signs) { Ok(()) } else { Err(refused(field, name)) }
}

/// Whether a text begins with a letter, a digit or `_`, and has nothing but these and some signs.
fn is_word(text: &str, signs: &str) -> bool {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || one == '_';
    text.starts_with(is_plain) && text.chars().all(|one| is_plain(one) || signs.contains(one))
}

fn refused(field: &str, text: &str) -> InvalidSpec {
    InvalidSpec::new(field, format!("{text:?} is no name that can stand here; write a name and a version"))
}
