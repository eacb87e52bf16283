//! The files that an object takes from elsewhere: fetched before it is known what is wanted, read again when they are uploaded.
//!
//! In: the sources of an object. Out: what each holds, and when to ask again; or what is missing. Decides nothing: what may be fetched is
//! in `azureml-plan`, how in `azureml-source`.

mod config_map;
mod fetching;
mod in_place;
mod place;
mod secret;

use super::Context;
use super::kind::Kind;
use azureml_client::places::Permit;
use azureml_crds::source::Source;
use azureml_observe::folder::Folder;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_plan::source::{Held, Sources};
use azureml_source::{Error, Fetched, Place};
pub use config_map::{map_name, map_names};
pub use fetching::Fetching;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use in_place::InPlace;
use jiff::SignedDuration;
use kube::ResourceExt as _;
pub use secret::HOSTS;
use std::time::Duration;
use tokio::time::Instant;

/// How often a source is asked where the manifest says nothing.
const INTERVAL: Duration = Duration::from_mins(5);

/// Sources of one object that are asked at once.
const AT_ONCE: usize = 4;

/// Where the files of one source are.
#[derive(Clone, Debug)]
enum Origin {
    Server(Box<Place>),
    ConfigMap(String),
}

/// What was fetched for an object.
#[derive(Default)]
pub struct Files {
    /// What the sources hold.
    pub sources: Sources,
    /// Until they are to be asked again.
    pub due: Option<Duration>,
    origins: Vec<(Held, Origin)>,
}

/// Fetches the sources of an object. With `is_asked` every server is asked again.
pub(super) async fn fetch<K: Kind>(ctx: &Context, object: &K, is_asked: bool) -> Result<Files, Wait> {
    let namespace = object.namespace().unwrap_or_default();
    let began = Instant::now();
    let since = |source: &Source| {
        let since = if is_asked { Some(began) } else { began.checked_sub(interval(source)) };
        since.unwrap_or(began)
    };
    let all: Vec<(String, Source)> =
        object.sources().into_iter().map(|(field, source)| (field, source.clone())).collect();
    let each = all.iter().map(|(field, source)| one(ctx, (field, &namespace, source), since(source)));
    // As futures in a list, so that none borrows what another holds.
    let each: Vec<_> = each.collect();
    let found: Vec<(Origin, Fetched)> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
    let mut fetched = Files::default();
    for ((field, source), (origin, Fetched { held, asked })) in all.into_iter().zip(found) {
        let due = interval(&source).saturating_sub(asked.elapsed());
        fetched.due = Some(fetched.due.map_or(due, |before| before.min(due)));
        fetched.origins.push((held.clone(), origin));
        fetched.sources.found(field, held);
    }
    Ok(fetched)
}

async fn one(
    ctx: &Context,
    (field, namespace, source): (&str, &str, &Source),
    since: Instant,
) -> Result<(Origin, Fetched), Wait> {
    let Fetching { fetcher, places, .. } = &ctx.fetching;
    let failed = |error: Error| failed(field, &error);
    if let Some(named) = &source.config_map {
        let (revision, entries) = config_map::read(ctx, (field, namespace, &named.name)).await?;
        let key = format!("configMap {}", named.name);
        let held = fetcher.entries((namespace, key, revision), entries).await.map_err(failed)?;
        return Ok((Origin::ConfigMap(named.name.clone()), Fetched { held, asked: Instant::now() }));
    }
    let place = place::place(ctx, (field, namespace), source).await?;
    let _few = places.permit(namespace).await;
    let fetched = fetcher.fetch(namespace, &place, since).await.map_err(failed)?;
    Ok((Origin::Server(Box::new(place)), fetched))
}

fn failed(field: &str, error: &Error) -> Wait {
    let wait = if error.is_lasting() { Wait::stalled } else { Wait::new };
    wait(Reason::SOURCE_FAILED, format!("{field}: {error}")).unwatched()
}

/// How often a source is asked. The schema has minutes or hours.
fn interval(source: &Source) -> Duration {
    let git = source.git.as_ref().and_then(|git| git.interval.as_ref());
    let said = git.or_else(|| source.oci.as_ref().and_then(|oci| oci.interval.as_ref()));
    let said = said.and_then(|text| text.parse::<SignedDuration>().ok());
    said.map_or(INTERVAL, SignedDuration::unsigned_abs)
}

/// Where the files of one object are read when they are uploaded.
pub struct Readers<'a> {
    ctx: &'a Context,
    namespace: String,
    in_place: InPlace<'a>,
    fetched: &'a [(Held, Origin)],
}

impl<'a> Readers<'a> {
    /// The files of an object.
    pub fn of<K: Kind>(object: &K, ctx: &'a Context, fetched: &'a Files) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        let in_place = InPlace::of(object, &ctx.kube);
        Self { ctx, namespace, in_place, fetched: &fetched.origins }
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
                let (_, entries) = read.map_err(|wait| Error::Again(wait.message))?;
                fetcher.keep(entries).await?
            }
        };
        Ok(Folder::Kept(kept))
    }
}

impl azureml_observe::act::Sources for Readers<'_> {
    type Place = Option<Permit>;

    async fn place(&self) -> Option<Permit> {
        self.ctx.uploads.permit(&self.namespace).await
    }

    async fn read(&self, hash: &str) -> Result<Folder, azureml_client::Error> {
        match self.fetched.iter().find(|(held, _)| held.hash == hash) {
            Some((held, origin)) => {
                self.again(held, origin).await.map_err(|error| self.in_place.unreadable(&error))
            }
            None => self.in_place.read(hash).await,
        }
    }
}
