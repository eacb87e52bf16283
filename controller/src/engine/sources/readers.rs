//! The files of an object when they are uploaded: kept, or fetched again.
//!
//! In: what was fetched, a hash. Out: the files with that hash. Decides nothing.

use super::in_place::InPlace;
use super::{Files, Origin, config_map};
use crate::engine::{Context, Kind};
use azureml_client::places::Permit;
use azureml_observe::folder::Folder;
use azureml_plan::source::Held;
use azureml_source::Error;
use kube::ResourceExt as _;

/// Where the files of one object are read when they are uploaded.
pub struct Readers<'a> {
    ctx: &'a Context,
    namespace: String,
    in_place: InPlace<'a>,
    fetched: &'a Files,
}

impl<'a> Readers<'a> {
    /// The files of an object.
    pub fn of<K: Kind>(object: &K, ctx: &'a Context, fetched: &'a Files) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        let in_place = InPlace::of(object, &ctx.kube);
        Self { ctx, namespace, in_place, fetched }
    }

    async fn again(&self, held: &Held, origin: &Origin) -> Result<Folder, Error> {
        let fetcher = &self.ctx.fetching.fetcher;
        if let Some(kept) = fetcher.kept(&held.hash) {
            return Ok(Folder::Kept(kept));
        }
        let kept = match origin {
            Origin::Server(place) => fetcher.bytes(place, held).await?,
            Origin::ConfigMap(name) => {
                let read = config_map::read(self.ctx, ("", &self.namespace, name)).await;
                let (_, entries) = read.map_err(|wait| again(wait.message))?;
                fetcher.keep(&self.fetched.purpose, entries).await?
            }
            Origin::InPlace(hash) => {
                let entries = self.in_place.entries(hash).await;
                let entries = entries.map_err(|error| again(error.to_string()))?;
                fetcher.keep(&self.fetched.purpose, entries).await?
            }
        };
        // What Azure names by a hash has these very files, for everybody.
        if kept.hash_for(&self.fetched.purpose) != held.hash {
            return Err(again("the files were changed meanwhile; they are read again".to_owned()));
        }
        Ok(Folder::Kept(kept))
    }
}

fn again(words: String) -> Error {
    Error::Again { words, is_lasting: false }
}

impl azureml_observe::act::Sources for Readers<'_> {
    type Place = Option<Permit>;

    async fn place(&self) -> Option<Permit> {
        self.ctx.uploads.permit(&self.namespace).await
    }

    async fn read(&self, hash: &str) -> Result<Folder, azureml_client::Error> {
        match self.fetched.origins.iter().find(|(held, _)| held.hash == hash) {
            Some((held, origin)) => {
                self.again(held, origin).await.map_err(|error| self.in_place.unreadable(&error))
            }
            None => self.in_place.read(hash).await,
        }
    }
}
