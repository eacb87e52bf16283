//! The sources of files that an object names, and what they were found to hold.
//!
//! In: an object; revisions and hashes of what was fetched. Out: which sources to fetch, and what `status` tells of them. Fetches nothing.

use crate::dockerfile::Context;
use crate::invalid::InvalidSpec;
use azureml_crds::MLPipeline;
use azureml_crds::source::{Source, SourceStatus};
use azureml_crds::step::Step;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// Which files a source has: 4 bytes for each. Of 10,000 files one in 400,000 other names is taken for one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths(Arc<[u32]>);

impl Paths {
    /// The files of a source.
    pub fn of<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut all: Vec<u32> = paths.map(digest).collect();
        all.sort_unstable();
        Self(all.into())
    }

    /// Whether a file is among them.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.0.binary_search(&digest(path)).is_ok()
    }
}

fn digest(path: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    // The lower half of a hash is one as well.
    (hasher.finish() & u64::from(u32::MAX)).try_into().unwrap_or_default()
}

/// What the files of a source are for: it decides which are left out, and by which hash they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Code or data: as Azure ML's own client counts files.
    #[default]
    Code,
    /// Data: as of code, and the names of files count.
    Data,
    /// The context of an image: as Docker counts files.
    Context {
        /// The path of the Dockerfile in it, where it is not written in the manifest.
        dockerfile: Option<String>,
    },
    /// One text: nothing else of the source counts.
    File {
        /// Its path.
        path: String,
    },
}

/// What a source held when it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What the source means now: of git the commit, of a ConfigMap its resource version.
    pub revision: String,
    /// The hash of the files: of code as Azure ML computes it, of a context that of [`crate::tree::Tree`], of one text its own.
    pub hash: String,
    /// Which files there are.
    pub paths: Paths,
    /// More of data, of a context and of a text.
    pub context: Option<Arc<Context>>,
}

/// What was found in sources, by the fields that name them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<String, Held>);

impl Sources {
    /// Notes what was found.
    pub fn found(&mut self, field: String, held: Held) {
        self.0.insert(field, held);
    }

    /// The files of a source: a hash, and which there are where that is known only since they were fetched.
    ///
    /// # Errors
    /// When they were not fetched.
    pub fn files<'a>(
        &'a self,
        field: &str,
        source: &'a Source,
    ) -> Result<(&'a str, Option<&'a Paths>), InvalidSpec> {
        if let Some(files) = &source.files {
            return Ok((files.hash(), None));
        }
        let held = self.0.get(field);
        let held = held.ok_or_else(|| InvalidSpec::new(field, "its files were not fetched"))?;
        Ok((&held.hash, Some(&held.paths)))
    }

    /// What was found in one source.
    #[must_use]
    pub fn held(&self, field: &str) -> Option<&Held> {
        self.0.get(field)
    }

    /// What `status` tells: a source that still means the same keeps its time.
    #[must_use]
    pub fn status(&self, before: &[SourceStatus], now: Timestamp) -> Vec<SourceStatus> {
        let told = |(field, Held { revision, hash, paths: _, context: _ }): (&String, &Held)| {
            let is_known =
                |one: &&SourceStatus| one.field == *field && one.revision == *revision && one.hash == *hash;
            let (field, revision, hash) = (field.clone(), revision.clone(), hash.clone());
            let known = before.iter().find(is_known).cloned();
            known.unwrap_or(SourceStatus { field, revision, hash, at: Time(now) })
        };
        self.0.iter().map(told).collect()
    }
}

/// The files of a step, with the field that says where they are.
#[must_use]
pub fn of_step<'a>(pipeline: &'a MLPipeline, step: &'a Step) -> Option<(String, &'a Source)> {
    match &step.code {
        Some(source) => Some((format!("steps.{}.code", step.name), source)),
        None => of_defaults(pipeline),
    }
}

fn of_defaults(pipeline: &MLPipeline) -> Option<(String, &Source)> {
    let code = pipeline.spec.defaults.as_ref()?.code.as_ref()?;
    Some(("defaults.code".to_owned(), code))
}

/// The sources of a pipeline that have to be fetched, each once.
#[must_use]
pub fn of_pipeline(pipeline: &MLPipeline) -> Vec<(String, &Source)> {
    let own = |step: &&Step| step.code.is_some();
    let steps = pipeline.spec.steps.iter().filter(own).filter_map(|step| of_step(pipeline, step));
    let all = steps.chain(of_defaults(pipeline));
    all.filter(|(_, source)| source.files.is_none() && source.asset.is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn held(revision: &str, hash: &str) -> Held {
        let paths = Paths::of(["train.R", "lib/a.R"].into_iter());
        Held { revision: revision.to_owned(), hash: hash.to_owned(), paths, context: None }
    }

    #[test]
    fn status_keeps_the_time_of_what_has_not_moved() {
        let (then, now): (Timestamp, Timestamp) =
            ("2026-01-01T00:00:00Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap());
        let mut sources = Sources::default();
        sources.found("defaults.code".to_owned(), held("a", "1"));
        let first = sources.status(&[], then);
        assert_eq!(sources.status(&first, now), first);
        sources.found("defaults.code".to_owned(), held("b", "1"));
        let moved = sources.status(&first, now);
        assert_eq!((moved[0].revision.as_str(), moved[0].at.0), ("b", now));
    }

    #[test]
    fn files_are_those_in_place_or_those_that_were_fetched() {
        let place: Source = serde_json::from_value(json!({"files": {"a": "x"}})).unwrap();
        let config: Source = serde_json::from_value(json!({"configMap": {"name": "scripts"}})).unwrap();
        let mut sources = Sources::default();
        assert!(sources.files("defaults.code", &place).unwrap().1.is_none());
        assert!(sources.files("defaults.code", &config).is_err(), "not fetched yet");
        sources.found("defaults.code".to_owned(), held("a", "1"));
        let (hash, paths) = sources.files("defaults.code", &config).unwrap();
        assert_eq!(hash, "1");
        assert!(paths.is_some_and(|paths| paths.has("lib/a.R") && !paths.has("b.R")));
    }
}
