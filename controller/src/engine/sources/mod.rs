//! The files that an object takes from elsewhere: fetched before it is known what is wanted, read again when they are uploaded.
//!
//! In: the sources of an object. Out: what each holds, and when to ask again; or what is missing. Decides nothing: what may be fetched is
//! in `azureml-plan`, how in `azureml-source`.

mod config_map;
mod in_place;
mod secret;

use super::Context;
use super::kind::Kind;
use crate::config::{self, Config};
use anyhow::Result;
use azureml_access::{connect, credentials};
use azureml_client::places::{Permit, Places};
use azureml_crds::source::{Git, GitReference, Source};
use azureml_observe::folder::Folder;
use azureml_plan::hosts::{Reach, reach};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_plan::source::{Held, Sources};
use azureml_source::git::{Login, Reference, Remote};
use azureml_source::{Error, Fetcher, Found, Place, Store};
pub use config_map::{map_name, map_names};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use in_place::InPlace;
use jiff::SignedDuration;
use kube::ResourceExt as _;
use reqwest::Url;
pub use secret::HOSTS;
use std::time::Duration;
use tokio::time::Instant;

/// How often a source is asked where the manifest says nothing.
const INTERVAL: Duration = Duration::from_mins(5);

/// Sources of one object that are asked at once.
const AT_ONCE: usize = 4;

/// What fetches files, and by which clients.
pub struct Fetching {
    /// Files and what is known of them.
    pub fetcher: Fetcher,
    /// Asks hosts at public addresses.
    pub public: reqwest::Client,
    /// Asks hosts that the configuration names, wherever they are.
    pub anywhere: reqwest::Client,
    /// Which hosts namespaces may fetch from.
    pub config: config::Sources,
    /// Sources that are asked at once.
    pub places: Places,
}

impl Fetching {
    /// Keeps files where the configuration says.
    ///
    /// # Errors
    /// When a client cannot be made: its certificates cannot be read.
    pub fn new(config: &Config) -> Result<Self> {
        let (reach, sources) = (config.reach()?, &config.sources);
        let client =
            |is_inside| connect::stranger(reach.times, &reach.everywhere, is_inside, credentials::proxies());
        let store = Store::new(sources.folder.clone(), sources.cache_bytes, sources.bounds());
        Ok(Self {
            fetcher: Fetcher::new(store),
            public: client(false)?,
            anywhere: client(true)?,
            config: sources.clone(),
            places: Places::new(2, 8),
        })
    }
}

/// Where the files of one source are.
#[derive(Clone, Debug)]
enum Origin {
    Repository(Box<Place>),
    ConfigMap(String),
}

/// What was fetched for an object.
#[derive(Default)]
pub struct Fetched {
    /// What the sources hold.
    pub sources: Sources,
    /// Until they are to be asked again.
    pub due: Option<Duration>,
    origins: Vec<(Held, Origin)>,
}

/// Fetches the sources of an object. With `is_asked` every server is asked again.
pub(super) async fn fetch<K: Kind>(ctx: &Context, object: &K, is_asked: bool) -> Result<Fetched, Wait> {
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
    let found: Vec<(Origin, Found)> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
    let mut fetched = Fetched::default();
    for ((field, source), (origin, Found { held, asked })) in all.into_iter().zip(found) {
        let due = asked.map(|asked| interval(&source).saturating_sub(asked.elapsed()));
        fetched.due = [fetched.due, due].into_iter().flatten().min();
        fetched.origins.push((held.clone(), origin));
        fetched.sources.found(field, held);
    }
    Ok(fetched)
}

async fn one(
    ctx: &Context,
    (field, namespace, source): (&str, &str, &Source),
    since: Instant,
) -> Result<(Origin, Found), Wait> {
    let Fetching { fetcher, places, .. } = &ctx.fetching;
    let failed = |error: Error| failed(field, &error);
    match source {
        Source { git: Some(git), files: None, config_map: None } => {
            let place = place(ctx, (field, namespace), git).await?;
            let _few = places.permit(namespace).await;
            let found = fetcher.folder(namespace, &place, since).await.map_err(failed)?;
            Ok((Origin::Repository(Box::new(place)), found))
        }
        Source { config_map: Some(named), files: None, git: None } => {
            let (revision, entries) = config_map::read(ctx, (field, namespace, &named.name)).await?;
            let key = format!("configMap {}", named.name);
            let held = fetcher.entries((namespace, key, revision), entries).await.map_err(failed)?;
            Ok((Origin::ConfigMap(named.name.clone()), Found { held, asked: Some(Instant::now()) }))
        }
        Source { .. } => {
            let message = format!("{field}: set exactly one of files, configMap, git");
            Err(Wait::stalled(Reason::INVALID_SPEC, message))
        }
    }
}

fn failed(field: &str, error: &Error) -> Wait {
    let wait = if error.is_lasting() { Wait::stalled } else { Wait::new };
    wait(Reason::SOURCE_FAILED, format!("{field}: {error}")).unwatched()
}

/// How often a source is asked. The schema has minutes or hours.
fn interval(source: &Source) -> Duration {
    let said = source.git.as_ref().and_then(|git| git.interval.as_ref());
    let said = said.and_then(|text| text.parse::<SignedDuration>().ok());
    said.map_or(INTERVAL, |said| said.unsigned_abs())
}

/// The folder of a repository that a manifest names, with what signs in there.
async fn place(ctx: &Context, (field, namespace): (&str, &str), git: &Git) -> Result<Place, Wait> {
    let Fetching { public, anywhere, config, .. } = &ctx.fetching;
    let Git { url, r#ref, path, ignore, interval: _, secret_ref } = git;
    let stalled = |message: String| Wait::stalled(Reason::SOURCE_FAILED, format!("{field}: {message}"));
    let host =
        host(url).ok_or_else(|| stalled(format!("url {url} has no host; write https://<host>/<path>")))?;
    let reach = reach(&config.hosts, namespace, &host).map_err(stalled)?;
    let login = match secret_ref {
        None => Login::Anonymous,
        Some(secret) => secret::login(ctx, (field, namespace, &secret.name), &host).await?,
    };
    let (client, is_inside) = match reach {
        Reach::Public => (public, false),
        Reach::Anywhere => (anywhere, true),
    };
    // A pack is compressed; what it unpacks to is bound by itself.
    let remote = Remote::new(client.clone(), url, login, is_inside, config.max_bytes);
    let remote = remote.map_err(|error| failed(field, &error))?;
    let reference = reference(r#ref).map_err(stalled)?;
    let path = path.as_deref().filter(|path| *path != ".").unwrap_or_default().to_owned();
    Ok(Place { remote, reference, path, ignore: ignore.clone() })
}

/// The host of an address, with its port where that is not the scheme's own.
fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn reference(named: &GitReference) -> Result<Reference, String> {
    match named {
        GitReference { branch: Some(name), tag: None, semver: None, commit: None } => {
            Ok(Reference::Branch(name.clone()))
        }
        GitReference { tag: Some(name), branch: None, semver: None, commit: None } => {
            Ok(Reference::Tag(name.clone()))
        }
        GitReference { semver: Some(range), branch: None, tag: None, commit: None } => {
            Reference::semver(range).map_err(|error| format!("ref.semver: {error}"))
        }
        GitReference { commit: Some(id), branch: None, tag: None, semver: None } => {
            Reference::commit(id).map_err(|error| format!("ref.commit: {error}"))
        }
        GitReference { .. } => Err("ref: set exactly one of branch, tag, semver, commit".to_owned()),
    }
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
    pub fn of<K: Kind>(object: &K, ctx: &'a Context, fetched: &'a Fetched) -> Self {
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
            Origin::Repository(place) => fetcher.bytes(place, held).await?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_with_a_port_that_is_not_the_schemes_own() {
        for (url, expected) in [
            ("https://GitHub.com/a/b", Some("github.com")),
            ("https://git.example:443/a", Some("git.example")),
            ("https://git.example:8443/a", Some("git.example:8443")),
            ("https://", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }
}
