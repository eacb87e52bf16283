//! Layers of an image: what lies above takes the place of what lies below it, or takes it away.
//!
//! In: the paths of the layers below, the path of an entry. Out: which of them are gone. Source: OCI Image Format Specification,
//! "Image Layer Filesystem Changeset".

use std::collections::BTreeSet;

/// The beginning of a name that takes another one away.
const WHITEOUT: &str = ".wh.";

/// The name that takes away all that its folder held.
const OPAQUE: &str = ".wh..wh..opq";

/// The paths of the layers below.
#[derive(Default)]
pub(crate) struct Layers {
    below: BTreeSet<String>,
    /// In an archive that is no layer, such names are as others.
    are_there: bool,
}

impl Layers {
    /// Begins a layer above these paths.
    pub fn begin<'a>(&mut self, paths: impl Iterator<Item = &'a String>) {
        self.are_there = true;
        self.below = paths.cloned().collect();
    }

    /// What an entry takes away; nothing where it is a file.
    pub fn hidden(&mut self, path: &str) -> Option<Vec<String>> {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        let gone = name.strip_prefix(WHITEOUT).filter(|_| self.are_there)?;
        let within =
            |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        Some(match name {
            OPAQUE => self.take(&within("")),
            // Other marks of the program that made the layer.
            _ if gone.starts_with(WHITEOUT) => Vec::new(),
            _ => self.at(&within(gone)),
        })
    }

    /// All that is below, where an entry outside of a folder takes the folder itself away: its mark, or a file in its place.
    pub fn lost(&mut self, whole: &str, folder: &str) -> Vec<String> {
        let (above, name) = whole.rsplit_once('/').unwrap_or(("", whole));
        let within = |name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        let is_lost = self.are_there
            && match name.strip_prefix(WHITEOUT) {
                Some(_) if name == OPAQUE => folder.starts_with(&within("")),
                Some(gone) => folder.starts_with(&format!("{}/", within(gone))),
                None => folder.starts_with(&format!("{whole}/")),
            };
        if is_lost { self.take("") } else { Vec::new() }
    }

    /// What a file of this path stands in the place of: its old content, a folder, or a file where its folder is now.
    pub fn replaced(&mut self, path: &str) -> Vec<String> {
        if self.below.is_empty() {
            return Vec::new();
        }
        let mut gone = self.at(path);
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        gone.extend(folders.filter_map(|folder| self.below.take(folder)));
        gone
    }

    /// A file, or a folder with all that is in it.
    fn at(&mut self, path: &str) -> Vec<String> {
        let mut gone = self.take(&format!("{path}/"));
        gone.extend(self.below.take(path));
        gone
    }

    /// All paths that begin so.
    fn take(&mut self, start: &str) -> Vec<String> {
        let found = self.below.range(start.to_owned()..).take_while(|path| path.starts_with(start));
        let found: Vec<String> = found.cloned().collect();
        for path in &found {
            self.below.remove(path);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> Layers {
        let mut layers = Layers::default();
        let paths = ["a", "b/c", "b/d/e", "b.txt", "f/g"].map(str::to_owned);
        layers.begin(paths.iter());
        layers
    }

    #[test]
    fn a_mark_takes_away_a_file_or_a_folder_and_nothing_beside_it() {
        assert_eq!(layers().hidden(".wh.a").unwrap(), ["a"]);
        assert_eq!(layers().hidden(".wh.b").unwrap(), ["b/c", "b/d/e"]);
        assert_eq!(layers().hidden("b/.wh..wh..opq").unwrap(), ["b/c", "b/d/e"]);
        assert_eq!(layers().hidden("b/.wh.d").unwrap(), ["b/d/e"]);
        assert_eq!(layers().hidden(".wh..wh..opq").unwrap().len(), 5);
        assert!(layers().hidden(".wh..wh.plnk").unwrap().is_empty());
        assert!(layers().hidden("b/c").is_none());
        assert!(Layers::default().hidden(".wh.a").is_none(), "only layers have marks");
    }

    #[test]
    fn a_folder_is_lost_with_what_it_is_in() {
        for (whole, is_lost) in [
            (".wh.app", true),
            ("app/.wh.src", true),
            ("app/.wh..wh..opq", true),
            (".wh..wh..opq", true),
            ("app", true),
            ("app/.wh.srcs", false),
            ("other/.wh..wh..opq", false),
            ("app/sr", false),
        ] {
            assert_eq!(!layers().lost(whole, "app/src/").is_empty(), is_lost, "{whole}");
        }
        assert!(Layers::default().lost("app", "app/src/").is_empty());
    }

    #[test]
    fn a_file_stands_in_the_place_of_what_had_its_name() {
        assert_eq!(layers().replaced("a"), ["a"]);
        assert_eq!(layers().replaced("b"), ["b/c", "b/d/e"]);
        assert_eq!(layers().replaced("a/x/y"), ["a"], "a folder where a file was");
        assert!(layers().replaced("h").is_empty());
        let mut once = layers();
        once.replaced("a");
        assert!(once.replaced("a").is_empty(), "within a layer a name is there once");
    }
}
