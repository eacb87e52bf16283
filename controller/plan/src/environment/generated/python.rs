//! Python packages: requirements of pip, and the names in them.

use super::text::Text;
use crate::shell::quoted;
use azureml_crds::ml_environment::Packages;

/// The name of the package that a line of requirements installs on every Linux; none where the line does not tell it.
///
/// # Errors
/// When the line reads a local file.
pub(super) fn name(line: &str) -> Result<Option<String>, String> {
    let line = line.trim();
    let option = line.split([' ', '=']).next().unwrap_or_default();
    let reads = matches!(
        option,
        "-r" | "--requirement" | "-c" | "--constraint" | "-e" | "--editable" | "-f" | "--find-links"
    );
    let is_option = line.starts_with('-');
    let is_remote = line.contains("://");
    if !is_remote && ((is_option && reads) || line.starts_with(['.', '/'])) {
        return Err(format!(
            "{line} reads a file that is not in the build; write its lines here, or use build"
        ));
    }
    // A marker may be false in the image: then the package is not there, and rightly.
    if is_option || line.starts_with('#') || line.contains(';') {
        return Ok(None);
    }
    let is_direct = line.split('@').next().is_some_and(|before| !before.contains("://"));
    if is_remote && !(line.contains('@') && is_direct) {
        let egg = line.split_once("#egg=").map(|(_, egg)| egg);
        return Ok(egg.map(|egg| until(egg, &['&', '['])));
    }
    let name = until(line, &[' ', '[', '=', '<', '>', '!', '~', '@', '(']);
    Ok((!name.is_empty()).then_some(name))
}

fn until(text: &str, ends: &[char]) -> String {
    text.split(ends).next().unwrap_or_default().to_owned()
}

/// Adds the requirements of `packages.pip`, installed by the first Python of the image's path.
pub(super) fn requirements(text: &mut Text, packages: &Packages) {
    text.part("packages.pip");
    let path = text.file("requirements.txt", packages.pip.join("\n") + "\n");
    let are_hashed = packages.pip.iter().any(|line| line.contains(" --hash="));
    let hashes = if are_hashed { " --require-hashes" } else { "" };
    let mirror = packages.mirrors.as_ref().and_then(|mirrors| mirrors.pypi.as_deref());
    let index = mirror.map(|mirror| format!(" --index-url {}", quoted(mirror))).unwrap_or_default();
    // Some images have python, some only python3.
    text.line(format!(
        "RUN \"$(command -v python || command -v python3)\" -m pip install --no-cache-dir{hashes}{index} --requirement {path}"
    ));
}
