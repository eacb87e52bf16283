//! A conda file as a user wrote it: whether it is one, and which packages it names.
//!
//! In: YAML. Out: names, or what is wrong. The file itself goes to conda as it stands.

use super::python;
use crate::invalid::InvalidSpec;
use serde_json::Value;

const FIELD: &str = "conda.file";

/// What a conda file names.
#[derive(Debug, Default, PartialEq)]
pub struct CondaFile {
    /// Names of conda packages.
    pub conda: Vec<String>,
    /// Names of Python packages, as pip knows them.
    pub pip: Vec<String>,
}

/// A conda file with what it installs.
pub struct Installed<'a> {
    /// The file.
    pub text: &'a str,
    /// What it names.
    pub named: CondaFile,
}

impl CondaFile {
    /// Reads a conda file.
    ///
    /// # Errors
    /// With the place and what to write there.
    pub fn read(text: &str) -> Result<Self, InvalidSpec> {
        let file = parsed(text).map_err(|error| refused(format!("it is no YAML: {error}")))?;
        if !file.is_object() {
            return Err(refused("it is no conda file; write a mapping with dependencies".to_owned()));
        }
        let channels = file.get("channels");
        let are_texts = |list: &Vec<Value>| list.iter().all(Value::is_string);
        if channels.is_some_and(|channels| !channels.as_array().is_some_and(are_texts)) {
            return Err(refused("channels is no list of names; write channels: [conda-forge]".to_owned()));
        }
        let dependencies = file["dependencies"].as_array().filter(|list| !list.is_empty());
        let dependencies = dependencies.ok_or_else(|| {
            refused("dependencies is no list; write dependencies: [python=3.12, pip]".to_owned())
        })?;
        let mut named = Self::default();
        dependencies.iter().enumerate().try_for_each(|(place, one)| named.add(place, one))?;
        Ok(named)
    }

    fn add(&mut self, place: usize, dependency: &Value) -> Result<(), InvalidSpec> {
        let at = |message: &str| refused(format!("dependencies[{place}] {message}"));
        match (dependency, dependency["pip"].as_array()) {
            (Value::String(spec), _) => self.conda.extend(conda_name(spec)),
            (Value::Object(map), Some(lines)) if map.len() == 1 => {
                for line in lines {
                    let line = line
                        .as_str()
                        .ok_or_else(|| at("has a pip line that is no text; write it in quotes"))?;
                    self.pip.extend(python::name(line).map_err(|error| at(&error))?);
                }
            }
            _ => return Err(at("is neither a package as text nor pip with a list; write numbers in quotes")),
        }
        Ok(())
    }
}

/// Whether two conda files install the same, in whatever form they are written: Azure answers with JSON.
pub fn is_same(one: &str, other: &str) -> bool {
    let read =
        |text: &str| parsed(text).ok().map(|file| (file["channels"].clone(), file["dependencies"].clone()));
    read(one).is_some_and(|one| Some(one) == read(other))
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        // The first line says what and where; the others show the text.
        error.to_string().lines().next().unwrap_or_default().to_owned()
    })
}

/// The name in a specification such as `conda-forge::numpy>=1.26`; none of an address.
pub(super) fn conda_name(spec: &str) -> Option<String> {
    let spec = spec.rsplit_once("::").map_or(spec, |(_, spec)| spec);
    let name = spec.trim().split([' ', '=', '<', '>', '!', '~', '[']).next().unwrap_or_default();
    (!name.is_empty() && !spec.contains("://")).then(|| name.to_ascii_lowercase())
}

fn refused(message: String) -> InvalidSpec {
    InvalidSpec::new(FIELD, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_by_the_names_that_their_installers_use() {
        let file = "name: x\nchannels: [conda-forge]\ndependencies:\n- python=3.10\n- conda-forge::NumPy >=1.26,<2\n- pip\n- r-base 4.4.*\n- pip:\n  \
                    - --extra-index-url https://example.com/simple\n  - scikit-learn==1.5.2\n  - inference-schema[numpy-support]~=1.8\n  \
                    - torch @ https://example.com/torch.whl\n  - git+https://example.com/x.git@main#egg=tools&subdirectory=a\n  \
                    - git+https://example.com/y.git\n  - pywin32==306; sys_platform == 'win32'\n  - '# a comment'\n";
        let named = CondaFile::read(file).unwrap();
        assert_eq!(named.conda, ["python", "numpy", "pip", "r-base"]);
        assert_eq!(named.pip, ["scikit-learn", "inference-schema", "torch", "tools"]);
    }

    #[test]
    fn what_is_no_conda_file_is_refused_with_its_place() {
        for (file, says) in [
            ("dependencies: [", "it is no YAML"),
            ("- python", "it is no conda file"),
            ("name: x", "dependencies is no list"),
            ("dependencies: []", "dependencies is no list"),
            ("dependencies: python", "dependencies is no list"),
            ("channels: conda-forge\ndependencies: [a]", "channels is no list"),
            ("dependencies: [a, 3.10]", "dependencies[1] is neither"),
            ("dependencies: [{conda: [a]}]", "dependencies[0] is neither"),
            ("dependencies: [{pip: [a], x: [b]}]", "dependencies[0] is neither"),
            ("dependencies: [{pip: [1.0]}]", "dependencies[0] has a pip line that is no text"),
            (
                "dependencies: [{pip: [-r requirements.txt]}]",
                "-r requirements.txt reads a file that is not in the build",
            ),
            ("dependencies: [{pip: [./lib]}]", "./lib reads a file that is not in the build"),
            ("dependencies: [{pip: [-e .]}]", "-e . reads a file"),
        ] {
            let error = CondaFile::read(file).unwrap_err();
            assert!(
                error.to_string().starts_with("conda.file: ") && error.message.contains(says),
                "{file}: {error}"
            );
        }
    }

    #[test]
    fn a_file_is_the_same_in_another_form() {
        let json = "{\n  \"dependencies\": [\"python=3.11\", {\"pip\": [\"a\"]}], \"name\": \"x\"\n}";
        assert!(is_same("dependencies:\n- python=3.11\n- pip: [a]\n", json));
        assert!(!is_same("dependencies:\n- python=3.11\n- pip: [b]\n", json));
        assert!(!is_same("dependencies: [", "dependencies: ["));
    }
}
