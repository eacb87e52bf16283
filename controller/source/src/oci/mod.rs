//! Files of an artifact in a registry: of `flux push artifact`, of `oras push`, or the layers of an image.
//!
//! In: the name of an image, credentials, a folder of it. Out: the digest that it has now, and the files, each byte as its digest names
//! it. Pushes nothing.

mod manifest;
mod registry;

use self::manifest::{Content, Descriptor, Manifest};
use self::registry::Registry;
use crate::archive::{self, Place};
use crate::download::Download;
use crate::draft::Draft;
use crate::error::Error;
use crate::kept::Kept;
use crate::login::Login;
use crate::net::Net;
use crate::store::Store;
use azureml_client::image::ImageRef;
use azureml_plan::tree;
use std::io::BufReader;

/// An artifact at its registry.
pub struct Artifact(Registry, ImageRef);

/// A layer that came, and what it is.
type Layer = (Content, Download);

impl Artifact {
    /// An artifact by its name, such as `ghcr.io/org/code:1.0` or with `@sha256:…`.
    ///
    /// # Errors
    /// When the text names no image.
    pub fn new(net: Net, image: &str, login: Login) -> Result<Self, Error> {
        let image = ImageRef::parse(image)?;
        Ok(Self(Registry::new(net, image.clone(), login), image))
    }

    /// The digest that the artifact has now; the one that is written, without a question.
    ///
    /// # Errors
    /// When there is none, or the registry does not answer.
    pub async fn look(&self) -> Result<String, Error> {
        match &self.1.digest {
            Some(digest) => Ok(digest.clone()),
            None => self.0.digest().await,
        }
    }

    /// The files of a folder of the artifact with a digest; what `draft` is of decides where they are kept.
    ///
    /// # Errors
    /// When the artifact or the folder is not there, an entry is refused, or the registry does not answer.
    pub async fn fetch(
        &self,
        digest: &str,
        folder: &str,
        draft: Draft,
        store: &Store,
    ) -> Result<Kept, Error> {
        let place = Place::of(folder)?;
        let mut kept = Vec::new();
        let mut left = draft.bounds().bytes.saturating_mul(2);
        for layer in self.layers(digest).await? {
            let content = layer.content()?;
            if !is_wanted(&content, &place)? {
                continue;
            }
            left = left.checked_sub(layer.size).ok_or(Error::TooMuch(draft.bounds().bytes))?;
            kept.push((content, self.0.blob(&layer, store.folder()).await?));
        }
        let unpacked = tokio::task::spawn_blocking(move || unpack(kept, &place, draft));
        unpacked.await.map_err(std::io::Error::other)?
    }

    async fn layers(&self, digest: &str) -> Result<Vec<Descriptor>, Error> {
        let chosen = match manifest::read(&self.0.manifest(digest).await?)? {
            Manifest::Layers(layers) => return Ok(layers),
            Manifest::Index(chosen) => chosen,
        };
        match manifest::read(&self.0.manifest(&chosen).await?)? {
            Manifest::Layers(layers) => Ok(layers),
            Manifest::Index(_) => Err(Error::artifact(&format!("the index of {} lists an index", self.1))),
        }
    }
}

/// The digest of an image. The registry is asked for it also where the image is named by its digest: it may be gone.
///
/// # Errors
/// When there is none, or the registry does not answer.
pub async fn digest(net: &Net, image: &ImageRef, login: &Login) -> Result<String, Error> {
    Registry::new(net.clone(), image.clone(), login.clone()).digest().await
}

/// Whether a layer can hold files of the folder: a file that is beside it is not fetched.
fn is_wanted(content: &Content, place: &Place) -> Result<bool, Error> {
    Ok(match content {
        Content::File(title) => place.path(&tree::path(title)?).is_some(),
        Content::Archive => true,
        Content::Nothing => false,
    })
}

fn unpack(layers: Vec<Layer>, place: &Place, mut draft: Draft) -> Result<Kept, Error> {
    let mut is_there = place.is_whole();
    for (content, Download { bytes, .. }) in layers {
        match content {
            Content::File(title) => {
                let whole = tree::path(&title)?;
                if let Some(path) = place.path(&whole) {
                    draft.file(path, false, bytes)?;
                    is_there = true;
                }
            }
            Content::Archive => {
                draft.layer();
                is_there |= archive::add(BufReader::new(bytes), place, &mut draft)?;
            }
            Content::Nothing => {}
        }
    }
    place.found(is_there)?;
    draft.finish()
}
