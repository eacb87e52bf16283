//! The objects of a pack.
//!
//! In: a pack as it was fetched. Out: objects by their ids, which are computed anew. An object larger than a whole folder may be is
//! refused before it takes memory.

use crate::error::Error;
use gix_error::Class;
use gix_hash::ObjectId;
use gix_object::Kind;
use gix_pack::Bundle;
use gix_pack::bundle::write::Options;
use gix_pack::cache::Never;
use gix_utils::progress::Discard;
use gix_zlib::Inflate;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The only format of ids.
pub(super) const FORMAT: gix_hash::Kind = gix_hash::Kind::Sha1;

/// The largest folder, in bytes: some 200,000 names.
const LARGEST_FOLDER: usize = 8 << 20;

/// The objects of a pack.
pub(super) struct Objects(Bundle);

/// Stops the work on a pack when nobody waits for it any more.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Objects {
    /// Reads a pack, of which no object is larger than `most`, and removes what was fetched.
    pub(super) async fn read(pack: PathBuf, most: usize) -> Result<Self, Error> {
        let stop = Stop(Arc::default());
        let is_stopped = stop.0.clone();
        let read = tokio::task::spawn_blocking(move || {
            let objects = index(&pack, most, &is_stopped);
            std::fs::remove_file(&pack)?;
            objects
        });
        read.await.map_err(std::io::Error::other)?
    }

    /// Whether an object is there.
    pub(super) fn has(&self, id: &ObjectId) -> bool {
        self.0.index.lookup(id).is_some()
    }

    /// The bytes of an object of a kind.
    pub(super) fn get(&self, id: &ObjectId, kind: Kind) -> Result<Option<Vec<u8>>, Error> {
        let mut bytes = Vec::new();
        let found = self.0.find(id, &mut bytes, &mut Inflate::default(), &mut Never);
        let found = found.map_err(unreadable)?;
        let is_it = found.is_some_and(|(object, _)| object.kind == kind);
        if kind == Kind::Tree && bytes.len() > LARGEST_FOLDER {
            return Err(Error::TooLarge(LARGEST_FOLDER));
        }
        Ok(is_it.then_some(bytes))
    }
}

fn index(pack: &Path, most: usize, is_stopped: &AtomicBool) -> Result<Objects, Error> {
    let mut bytes = BufReader::new(std::fs::File::open(pack)?);
    let options = Options { thread_limit: Some(1), alloc_limit_bytes: Some(most), ..Options::default() };
    let without = None::<gix_object::find::Never>;
    let written = Bundle::write_to_directory(
        &mut bytes,
        pack.parent(),
        &mut Discard,
        is_stopped,
        without,
        FORMAT,
        options,
    );
    let written = written.map_err(|error| match error.dominant_class() {
        Some(Class::ResourceExhaustion(_)) => Error::TooLarge(most),
        Some(_) | None => unreadable(error),
    });
    let bundle = written?.to_bundle();
    let bundle = bundle.ok_or_else(|| Error::unreadable("the pack was not kept"))?;
    let Bundle { pack, index } = bundle.map_err(unreadable)?;
    // Deltas stand on each other: what each may take, all of a chain may take together.
    Ok(Objects(Bundle { pack: pack.with_alloc_limit_bytes(Some(most)), index }))
}

/// What a library says of an answer.
#[allow(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
pub(super) fn unreadable(error: impl ToString) -> Error {
    Error::unreadable(&error.to_string())
}
