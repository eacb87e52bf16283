//! How far a build of Go is. In: the lines that it prints. Out: words. Runs nothing.

/// How far a build is, by the lines that `go build -v` prints.
#[derive(Default)]
pub(crate) struct Far {
    downloaded: usize,
    compiled: usize,
}

impl Far {
    /// Takes a line of the build.
    pub(crate) fn read(&mut self, line: &str) {
        match line.strip_prefix("go: ") {
            Some(rest) => self.downloaded += usize::from(rest.starts_with("downloading ")),
            None => self.compiled += 1,
        }
    }

    /// In words, for people who wait.
    pub(crate) fn line(&self, name: &str, about: usize, seconds: u64) -> String {
        let Self { downloaded, compiled } = self;
        if *compiled == 0 && *downloaded > 0 {
            return format!("{name}: {downloaded} modules downloaded, nothing compiled yet, {seconds} s");
        }
        // What Go has in its own cache is not named, and what is linked at the end neither.
        format!("{name}: {compiled} of about {about} packages compiled, {seconds} s")
    }
}
