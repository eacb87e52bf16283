//! Evaluates a build: reads the uploaded archive, finds the Dockerfile, resolves bases, looks for copied files, and lets
//! commands fail that say so themselves. In: archive, request, a resolver of images. Out: log lines, and what the image
//! is made of or why there is none. No command is run.

use super::dockerfile::{self, Instruction, expand};
use super::images::Reference;
use flate2::read::GzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

/// What is to be built.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The Dockerfile's path in the archive.
    pub dockerfile: String,
    /// The stage to stop at.
    pub target: Option<String>,
    /// Build arguments.
    pub arguments: BTreeMap<String, String>,
    /// The folder of the archive that is the context.
    pub context: String,
}

/// How a build went.
#[derive(Clone, Debug)]
pub struct Built {
    /// What is written to the log, a line each.
    pub log: Vec<String>,
    /// What the image is made of, or why there is none.
    pub result: Result<String, String>,
}

/// The files of an archive by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Unpacks a gzip-compressed tar archive.
pub fn unpack(archive: &[u8]) -> Result<Files, String> {
    let mut files = Files::new();
    let mut tar = tar::Archive::new(GzDecoder::new(archive));
    let broken = |error: std::io::Error| format!("failed to unpack the source: {error}");
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.to_string_lossy().trim_start_matches("./").to_owned();
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(broken)?;
            files.insert(path, content);
        }
    }
    Ok(files)
}

struct Build<'a> {
    files: &'a Files,
    plan: &'a Plan,
    resolve: &'a mut dyn FnMut(&Reference) -> Option<String>,
    log: Vec<String>,
    stages: BTreeSet<String>,
    values: BTreeMap<String, String>,
    content: Vec<String>,
}

/// Evaluates a build; `resolve` gives the digest of an image, or nothing when it does not exist.
pub fn evaluate(files: &Files, plan: &Plan, resolve: &mut dyn FnMut(&Reference) -> Option<String>) -> Built {
    let mut build = Build {
        files,
        plan,
        resolve,
        log: Vec::new(),
        stages: BTreeSet::new(),
        values: BTreeMap::new(),
        content: Vec::new(),
    };
    let result = build.run();
    Built { log: build.log, result: result.map(|()| build.content.join("\n")) }
}

impl Build<'_> {
    fn run(&mut self) -> Result<(), String> {
        let path = [self.plan.context.as_str(), self.plan.dockerfile.as_str()].join("/");
        let path = path.trim_start_matches('/').replace("/./", "/");
        let text = self.files.get(&path).or_else(|| self.files.get(&self.plan.dockerfile)).ok_or_else(|| {
            format!("unable to prepare context: unable to evaluate symlinks in Dockerfile path: {path}: no such file or directory")
        })?;
        let text = String::from_utf8_lossy(text).into_owned();
        let instructions = dockerfile::parse(&text)?;
        let wanted = self.until_target(&instructions)?;
        let count = wanted.len();
        for (number, one) in wanted.into_iter().enumerate() {
            let first = one.rest.lines().next().unwrap_or_default();
            self.log.push(format!("Step {}/{count} : {} {first}", number + 1, one.keyword));
            self.step(one)?;
        }
        Ok(())
    }

    /// The instructions up to the end of the target's stage.
    fn until_target<'i>(&self, all: &'i [Instruction]) -> Result<Vec<&'i Instruction>, String> {
        let Some(target) = &self.plan.target else { return Ok(all.iter().collect()) };
        let begins = |one: &Instruction| {
            one.keyword == "FROM" && stage(&one.rest).is_some_and(|name| name.eq_ignore_ascii_case(target))
        };
        let start = all.iter().position(begins);
        let start = start.ok_or_else(|| format!("failed to reach build target {target} in Dockerfile"))?;
        let end = all
            .iter()
            .skip(start + 1)
            .position(|one| one.keyword == "FROM")
            .map_or(all.len(), |n| start + 1 + n);
        Ok(all.iter().take(end).collect())
    }

    fn step(&mut self, one: &Instruction) -> Result<(), String> {
        self.content.push(format!("{} {}", one.keyword, one.rest));
        match one.keyword.as_str() {
            "ARG" => self.argument(&one.rest),
            "ENV" => self.variables(&one.rest),
            "FROM" => self.base(&one.rest)?,
            "COPY" | "ADD" => self.copy(&one.keyword, &one.rest)?,
            "RUN" => command(&one.rest)?,
            _ => {}
        }
        Ok(())
    }

    fn argument(&mut self, rest: &str) {
        for word in rest.split_whitespace() {
            let (name, default) =
                word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let given = self.plan.arguments.get(name).cloned();
            let default = default.map(|value| expand(value.trim_matches('"'), &self.values));
            if let Some(value) = given.or(default) {
                self.content.push(format!("arg {name}={value}"));
                self.values.insert(name.to_owned(), value);
            }
        }
    }

    fn variables(&mut self, rest: &str) {
        for (name, value) in rest.split_whitespace().filter_map(|word| word.split_once('=')) {
            let value = expand(value.trim_matches('"'), &self.values);
            self.values.insert(name.to_owned(), value);
        }
    }

    fn base(&mut self, rest: &str) -> Result<(), String> {
        let words: Vec<&str> = rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let image = expand(words.first().copied().unwrap_or_default(), &self.values);
        let known = self.stages.contains(&image.to_ascii_lowercase());
        if let Some(name) = stage(rest) {
            self.stages.insert(name.to_ascii_lowercase());
        }
        if image == "scratch" || known {
            return Ok(());
        }
        self.pull(&image)
    }

    fn pull(&mut self, image: &str) -> Result<(), String> {
        let reference =
            Reference::parse(image).ok_or_else(|| format!("invalid reference format: '{image}'"))?;
        let digest = (self.resolve)(&reference).ok_or_else(|| {
            format!("manifest for {image} not found: manifest unknown: manifest tagged by \"{image}\" is not found")
        })?;
        self.log.push(format!(" ---> {digest}"));
        self.content.push(digest);
        Ok(())
    }

    /// Every source of a COPY or ADD must be there.
    fn copy(&mut self, keyword: &str, rest: &str) -> Result<(), String> {
        let from = rest.split_whitespace().find_map(|word| word.strip_prefix("--from="));
        if let Some(from) = from {
            let from = expand(from, &self.values);
            let stage = self.stages.contains(&from.to_ascii_lowercase()) || from.parse::<usize>().is_ok();
            return if stage { Ok(()) } else { self.pull(&from) };
        }
        let line = rest.lines().next().unwrap_or_default();
        if line.contains("<<") {
            return Ok(());
        }
        let cleaned = line.replace(['[', ']', '"', ','], " ");
        let words: Vec<String> = cleaned
            .split_whitespace()
            .filter(|word| !word.starts_with("--"))
            .map(|word| expand(word, &self.values))
            .collect();
        let sources = words.split_last().map(|(_, sources)| sources).unwrap_or_default();
        for source in sources {
            let remote = keyword == "ADD" && (source.contains("://") || source.starts_with("git@"));
            if !remote {
                self.take(keyword, source)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, keyword: &str, source: &str) -> Result<(), String> {
        let inside = source.trim_start_matches("./").trim_matches('/');
        let prefix =
            if self.plan.context.is_empty() { String::new() } else { format!("{}/", self.plan.context) };
        let matching = glob(inside);
        let taken: Vec<String> = self
            .files
            .iter()
            .filter(|(path, _)| path.strip_prefix(&prefix).is_some_and(&matching))
            .map(|(path, content)| format!("file {path} {}", crate::ids::sha256(content)))
            .collect();
        if taken.is_empty() {
            return Err(format!(
                "{keyword} failed: file not found in build context: stat {source}: file does not exist"
            ));
        }
        self.content.extend(taken);
        Ok(())
    }
}

/// A command fails when it is `false` or `exit` with a number, alone or in a row of commands.
fn command(rest: &str) -> Result<(), String> {
    let plain = rest.replace(['\n', ';'], " && ");
    for part in plain.split("&&") {
        let words: Vec<&str> = part.split_whitespace().filter(|word| !word.starts_with("--mount=")).collect();
        let code = match words.as_slice() {
            ["false"] => 1,
            ["exit", code] => code.parse::<u8>().unwrap_or(0),
            _ => 0,
        };
        if code != 0 {
            let shown = rest.lines().next().unwrap_or_default();
            return Err(format!("The command '/bin/sh -c {shown}' returned a non-zero code: {code}"));
        }
    }
    Ok(())
}

/// The name of a stage: `FROM image AS name`.
fn stage(rest: &str) -> Option<&str> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("as"))?;
    words.get(at + 1).copied()
}

/// Whether a path is a source, or below it; `*` and `?` stand for anything within a name.
fn glob(source: &str) -> impl Fn(&str) -> bool {
    let all = source.is_empty() || source == ".";
    let pattern = regex::escape(source).replace(r"\*", "[^/]*").replace(r"\?", "[^/]");
    let pattern = regex::Regex::new(&format!("^{pattern}(/.*)?$")).ok();
    move |path| all || pattern.as_ref().is_some_and(|pattern| pattern.is_match(path))
}

#[cfg(test)]
mod tests;
