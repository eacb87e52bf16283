//! One text of a source, where nothing else of it is wanted: what is said where it is not there, or too long.
//!
//! In: a path, the names of the files that are there. Out: an error that names some of them.

use crate::error::Error;

/// The most bytes of a text.
pub use azureml_plan::dockerfile::LONGEST;

/// So many names are said.
const NAMES: usize = 10;

/// The longest name that is said.
const LONG: usize = 100;

/// Why a text is refused: it has too many bytes, or there is none.
pub fn refused<'a>(path: &str, size: Option<u64>, files: impl ExactSizeIterator<Item = &'a String>) -> Error {
    let path = shown(path);
    if let Some(size) = size {
        return Error::Text(format!(
            "{path} has {size} bytes, and a text may have {LONGEST}; write a shorter one"
        ));
    }
    let count = files.len();
    let mut names: Vec<String> = files.take(NAMES).map(|name| shown(name)).collect();
    if names.is_empty() {
        return Error::Text(format!("there is no {path}, and no other file; correct path"));
    }
    if count > NAMES {
        names.push(format!("and {} more", count - NAMES));
    }
    Error::Text(format!("there is no {path}; there is {}; correct path", names.join(", ")))
}

/// A name of somebody's choosing: what would break a line is escaped, and it is cut.
fn shown(name: &str) -> String {
    name.escape_debug().take(LONG).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_not_there_is_refused_with_what_is() {
        let said = |names: &[&str], size| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            refused("conda.yml", size, names.iter()).to_string()
        };
        let few = said(&["a\nb", "conda.yaml"], None);
        assert_eq!(few, "there is no conda.yml; there is a\\nb, conda.yaml; correct path");
        let many = said(&["f"; 13], None);
        assert!(many.ends_with("f, and 3 more; correct path"), "{many}");
        assert_eq!(said(&[], None), "there is no conda.yml, and no other file; correct path");
        assert!(said(&[], Some(70_000)).contains("has 70000 bytes, and a text may have 65536"));
    }
}
