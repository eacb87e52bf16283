//! The files that an object takes from elsewhere: fetched before it is known what is wanted, read again when they are uploaded.
//!
//! In: the sources of an object. Out: what each holds, and when to ask again; or what is missing. Decides nothing: what may be fetched is
//! in `azureml-plan`, how in `azureml-source`.

mod config_map;
mod fetching;
mod flux;
mod in_place;
mod place;
mod readers;
mod registry;
mod secret;

use super::Context;
use super::kind::Kind;
use super::relations::Name;
use azureml_crds::source::Source;
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_plan::source::{Held, Purpose, Sources};
use azureml_source::{Error, Fetched, Fetcher, Place};
pub use config_map::map_name;
pub use fetching::Fetching;
pub use flux::{flux_name, resource};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use in_place::InPlace;
use jiff::SignedDuration;
use kube::ResourceExt as _;
pub use readers::Readers;
pub use registry::signed;
pub use secret::HOSTS;
use std::borrow::Cow;
use std::time::Duration;
use tokio::time::Instant;

/// How often a source is asked where the manifest says nothing.
const INTERVAL: Duration = Duration::from_mins(5);

/// The longest that a fetch may take.
const LONGEST: Duration = Duration::from_mins(10);

/// Sources of one object that are asked at once.
const AT_ONCE: usize = 4;

/// Where the files of one source are.
#[derive(Clone, Debug)]
enum Origin {
    Server(Box<Place>),
    ConfigMap(String),
    /// The object itself, by the hash of its texts.
    InPlace(String),
}

/// What was fetched for an object.
#[derive(Default)]
pub struct Files {
    /// What the sources hold.
    pub sources: Sources,
    /// Until they are to be asked again.
    pub due: Option<Duration>,
    purpose: Purpose,
    origins: Vec<(Held, Origin)>,
}

/// The objects of the cluster that an object takes files from.
pub fn source_names<K: Kind>(object: &K) -> Vec<Name> {
    let namespace = object.namespace().unwrap_or_default();
    let named = |(_, source): (String, Cow<'_, Source>)| {
        let map = source.config_map.as_ref().map(|map| map_name(namespace.clone(), map.name.clone()));
        map.or_else(|| source.flux.as_ref().map(|named| flux::name(&namespace, named)))
    };
    object.sources().into_iter().filter_map(named).collect()
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
        object.sources().into_iter().map(|(field, source)| (field, source.into_owned())).collect();
    let (object, purpose) = (InPlace::of(object, &ctx.kube), object.purpose());
    let asked = Asked { namespace: &namespace, object: &object, purpose: &purpose };
    let each = all.iter().map(|(field, source)| one(ctx, asked, (field, source), since(source)));
    // As futures in a list, so that none borrows what another holds.
    let each: Vec<_> = each.collect();
    let found: Vec<(Origin, Fetched)> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
    let mut fetched = Files { purpose: purpose.clone(), ..Files::default() };
    for ((field, source), (origin, Fetched { held, asked })) in all.into_iter().zip(found) {
        // What is in place changes with the object.
        let due = source.files.is_none().then(|| interval(&source).saturating_sub(asked.elapsed()));
        fetched.due = [fetched.due, due].into_iter().flatten().min();
        fetched.origins.push((held.clone(), origin));
        fetched.sources.found(field, held);
    }
    Ok(fetched)
}

/// For whom files are fetched, and what for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    namespace: &'a str,
    object: &'a InPlace<'a>,
    purpose: &'a Purpose,
}

async fn one(
    ctx: &Context,
    Asked { namespace, object, purpose }: Asked<'_>,
    (field, source): (&str, &Source),
    since: Instant,
) -> Result<(Origin, Fetched), Wait> {
    let Fetching { fetcher, places, .. } = &ctx.fetching;
    let failed = |error: Error| failed(field, &error);
    if let Some(files) = &source.files {
        let held = in_place(fetcher, (namespace, object, files.hash()), purpose).await.map_err(failed)?;
        return Ok((Origin::InPlace(files.hash().to_owned()), Fetched { held, asked: Instant::now() }));
    }
    if let Some(named) = &source.config_map {
        let (revision, entries) = config_map::read(ctx, (field, namespace, &named.name)).await?;
        let key = format!("configMap {}", named.name);
        let held = fetcher.entries((namespace, key, revision), purpose, entries).await.map_err(failed)?;
        return Ok((Origin::ConfigMap(named.name.clone()), Fetched { held, asked: Instant::now() }));
    }
    let place = match &source.flux {
        Some(named) => flux::place(ctx, (field, namespace), named).await?,
        None => place::place(ctx, (field, namespace), source).await?,
    };
    let place = Place { purpose: purpose.clone(), ..place };
    if let Some(fetched) = fetcher.recent(namespace, &place, since) {
        return Ok((Origin::Server(Box::new(place)), fetched));
    }
    // A slow server keeps its place for so long, and no longer.
    let _few = places.permit(namespace).await;
    let fetch = tokio::time::timeout(LONGEST, fetcher.fetch(namespace, &place, since));
    let late =
        |_| Error::Unreached(format!("the files did not come within {} minutes", LONGEST.as_secs() / 60));
    let fetched = fetch.await.map_err(late).and_then(|fetched| fetched).map_err(failed)?;
    Ok((Origin::Server(Box::new(place)), fetched))
}

/// What files in place hold. They are read when nobody remembers.
async fn in_place(
    fetcher: &Fetcher,
    (namespace, object, hash): (&str, &InPlace<'_>, &str),
    purpose: &Purpose,
) -> Result<Held, Error> {
    let key = format!("files {hash}");
    if let Some(held) = fetcher.known(namespace, &key, hash, purpose).await {
        return Ok(held);
    }
    let entries = object
        .entries(hash)
        .await
        .map_err(|error| Error::Again { words: error.to_string(), is_lasting: false })?;
    fetcher.entries((namespace, key, hash.to_owned()), purpose, entries).await
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
