//! A small Kubernetes in the same process: GET, LIST, WATCH, server-side apply of a status, merge patches, deletion with
//! finalizers, one version for each change, and a refusal of what was changed meanwhile.
//!
//! It has one manager of fields, no schema, no defaults, no CEL, no admission, no rights, no owners, no pages, one label in a selector,
//! and watches that do not end: a watch does not tell that an object has lost the label. What depends on one of these is tested with a real API server, in `tests/e2e`.

use super::journal::Journal;
use super::objects::{Selector, flux_kinds, merge, plural};
pub(super) use super::objects::{condition, reason};
use crate::clock;
use crate::fake::{Asked, answer, refusal};
use axum::body::Body;
use axum::http::Response;
use azureml_crds::source::FLUX_API;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Plural, namespace, name.
type Place = (String, String, String);

/// What there is, and every change of it.
#[derive(Default)]
struct All {
    objects: BTreeMap<Place, Value>,
    /// Version, place, and the line of a watch.
    history: Vec<(u64, Place, String)>,
    version: u64,
}

/// The API server.
#[derive(Clone)]
pub(super) struct Kubernetes {
    all: Arc<Mutex<All>>,
    changes: Arc<watch::Sender<()>>,
    /// Whether Flux is installed.
    pub(super) has_flux: Arc<AtomicBool>,
    journal: Journal,
}

/// A path below `/apis/<group>/<version>` or `/api/v1`, taken apart.
struct Path<'a> {
    plural: &'a str,
    namespace: &'a str,
    name: Option<&'a str>,
    is_status: bool,
}

impl<'a> Path<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let mut parts = path.trim_start_matches('/').split('/');
        parts.nth(if path.starts_with("/api/") { 1 } else { 2 })?;
        let (mut plural, mut namespace) = (parts.next()?, "");
        if plural == "namespaces"
            && let Some(of) = parts.next()
        {
            namespace = of;
            plural = parts.next()?;
        }
        Some(Self { plural, namespace, name: parts.next(), is_status: parts.next() == Some("status") })
    }

    fn place(&self) -> Place {
        (self.plural.to_owned(), self.namespace.to_owned(), self.name.unwrap_or_default().to_owned())
    }
}

/// The name of an object in the journal.
fn named(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    format!("{}/{}", text("/kind"), text("/metadata/name"))
}

impl All {
    /// Takes a changed object in, or removes it where nothing keeps it any more; gives it as it is now.
    fn keep(&mut self, place: &Place, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let is_kept = object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty());
        let is_gone = !object["metadata"]["deletionTimestamp"].is_null() && !is_kept;
        let change = if is_gone {
            self.objects.remove(place);
            "DELETED"
        } else if self.objects.insert(place.clone(), object.clone()).is_some() {
            "MODIFIED"
        } else {
            "ADDED"
        };
        // The type comes first, as from an API server: what follows is read as it comes.
        let line = format!("{{\"type\":\"{change}\",\"object\":{object}}}\n");
        self.history.push((self.version, place.clone(), line));
        object
    }
}

impl Kubernetes {
    pub(super) fn new(journal: Journal) -> Self {
        Self { all: Arc::default(), changes: Arc::default(), has_flux: Arc::default(), journal }
    }

    fn locked(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, place: &Place, object: Value) -> Value {
        let kept = self.locked().keep(place, object);
        self.changes.send_replace(());
        kept
    }

    /// Answers a request of the operator.
    pub(super) fn answer(&self, asked: &Asked) -> Response<Body> {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        if path.contains(FLUX_API.0) && !self.has_flux.load(Ordering::Relaxed) {
            // In plain text, as of a group that nobody serves.
            let absent = Response::builder().status(404).body(Body::from("404 page not found"));
            return absent.unwrap_or_default();
        }
        let Some(path) = Path::of(path) else { return answer(&flux_kinds()) };
        match (asked.method.as_str(), path.name) {
            ("GET", None) if query.contains("watch=true") => self.watch(path.place(), query),
            ("GET", None) => self.list(&path.place(), query),
            ("POST", None) if path.plural != "events" => self.create(&asked.body, path.namespace),
            ("POST", None) => {
                let event = &asked.body;
                let regarding = event["regarding"]["name"].as_str().unwrap_or_default();
                let what = format!("event {regarding} {}", event["reason"].as_str().unwrap_or_default());
                self.journal.add(what, event.clone());
                answer(event)
            }
            (method, Some(_)) => self.one(method, &path, &asked.body),
            (_, None) => refusal(405, "MethodNotAllowed"),
        }
    }

    fn one(&self, method: &str, path: &Path<'_>, body: &Value) -> Response<Body> {
        let place = path.place();
        let Some(object) = self.locked().objects.get(&place).cloned() else {
            return refusal(404, "NotFound");
        };
        let version = &body["metadata"]["resourceVersion"];
        if !version.is_null() && *version != object["metadata"]["resourceVersion"] {
            self.journal.add(format!("conflict {}", named(&object)), body.clone());
            return refusal(409, "Conflict");
        }
        match method {
            "GET" => answer(&object),
            "PATCH" if path.is_status => answer(&self.apply_status(&place, object, body)),
            "PATCH" => answer(&self.patch(&place, object, body)),
            "DELETE" => answer(&self.remove(&place, object)),
            _ => refusal(405, "MethodNotAllowed"),
        }
    }

    fn apply_status(&self, place: &Place, mut object: Value, body: &Value) -> Value {
        if object["status"] == body["status"] {
            return object;
        }
        object["status"] = body["status"].clone();
        self.journal.add(format!("status {} {}", named(&object), reason(&object)), object["status"].clone());
        self.keep(place, object)
    }

    fn patch(&self, place: &Place, mut object: Value, body: &Value) -> Value {
        let spec = object["spec"].clone();
        merge(&mut object, body);
        if object["spec"] != spec {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
            object["metadata"]["generation"] = json!(generation + 1);
        }
        self.journal.add(format!("patch {}", named(&object)), body.clone());
        self.keep(place, object)
    }

    fn remove(&self, place: &Place, mut object: Value) -> Value {
        let metadata = &mut object["metadata"];
        if metadata["deletionTimestamp"].is_null() {
            metadata["deletionTimestamp"] = json!(format!("{:.0}", clock::now()));
            let generation = metadata["generation"].as_i64().unwrap_or_default();
            metadata["generation"] = json!(generation + 1);
        }
        self.journal.add(format!("delete {}", named(&object)), Value::Null);
        self.keep(place, object)
    }

    fn list(&self, (plural, namespace, _): &Place, query: &str) -> Response<Body> {
        let all = self.locked();
        let is_it = |place: &Place| place.0 == *plural && (namespace.is_empty() || place.1 == *namespace);
        let selector = Selector::of(query);
        let all_of_it = all.objects.iter().filter(|(place, _)| is_it(place)).map(|(_, object)| object);
        let items: Vec<&Value> = all_of_it.filter(|object| selector.selects(object)).collect();
        answer(&json!({"apiVersion": "azureml.dev/v1alpha1", "kind": "List",
                       "metadata": {"resourceVersion": all.version.to_string()}, "items": items}))
    }

    /// Every change after the version that the query names, and those to come.
    fn watch(&self, (plural, namespace, _): Place, query: &str) -> Response<Body> {
        let since = query.split('&').find_map(|part| part.strip_prefix("resourceVersion=")?.parse().ok());
        let (since, selector): (u64, _) = (since.unwrap_or_default(), Selector::of(query));
        let (this, changes) = (self.clone(), self.changes.subscribe());
        let next = move |(mut seen, mut changes): (usize, watch::Receiver<()>)| {
            let (this, plural, namespace) = (this.clone(), plural.clone(), namespace.clone());
            let selector = selector.clone();
            async move {
                loop {
                    changes.mark_unchanged();
                    while let Some((version, place, line)) = this.locked().history.get(seen).cloned() {
                        seen += 1;
                        let is_here = place.0 == plural && (namespace.is_empty() || place.1 == namespace);
                        if version > since && is_here && selector.selects_line(&line) {
                            return Some((Ok::<_, Infallible>(line), (seen, changes)));
                        }
                    }
                    changes.changed().await.ok()?;
                }
            }
        };
        Response::new(Body::from_stream(futures::stream::unfold((0, changes), next)))
    }

    /// Somebody applies an object: it is made, or has this spec and these annotations from now on.
    pub(super) fn apply(&self, manifest: &Value, namespace: &str) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let place =
            (plural(&text(&manifest["kind"])), namespace.to_owned(), text(&manifest["metadata"]["name"]));
        let before = self.locked().objects.get(&place).cloned();
        let mut object = before.clone().unwrap_or_else(|| {
            let uid = format!("00000000-0000-4000-8000-{:012}", self.locked().version + 1);
            json!({"metadata": {"uid": uid, "generation": 0, "creationTimestamp": format!("{:.0}", clock::now())}})
        });
        merge(&mut object, manifest);
        object["spec"] = manifest["spec"].clone();
        object["metadata"]["namespace"] = json!(namespace);
        if before.is_none_or(|before| before["spec"] != object["spec"]) {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
            object["metadata"]["generation"] = json!(generation + 1);
        }
        self.keep(&place, object);
    }

    /// The operator makes an object; a name is given once.
    fn create(&self, body: &Value, namespace: &str) -> Response<Body> {
        let (kind, name) = (
            body["kind"].as_str().unwrap_or_default(),
            body["metadata"]["name"].as_str().unwrap_or_default(),
        );
        if self.get(kind, namespace, name).is_some() {
            self.journal.add(format!("exists {}", named(body)), Value::Null);
            return refusal(409, "AlreadyExists");
        }
        self.journal.add(format!("create {}", named(body)), body.clone());
        self.apply(body, namespace);
        answer(&self.get(kind, namespace, name).unwrap_or_default())
    }

    /// Somebody deletes an object.
    pub(super) fn delete(&self, kind: &str, namespace: &str, name: &str) {
        let place = (plural(kind), namespace.to_owned(), name.to_owned());
        let object = self.locked().objects.get(&place).cloned();
        if let Some(object) = object {
            self.remove(&place, object);
        }
    }

    /// An object is lost with its cluster; gives what a backup has of it.
    pub(super) fn lose(&self, kind: &str, namespace: &str, name: &str) -> Value {
        let mut object = self.get(kind, namespace, name).unwrap_or_default();
        let saved = json!({"apiVersion": object["apiVersion"], "kind": kind, "spec": object["spec"],
            "metadata": {"name": name, "annotations": object["metadata"]["annotations"], "finalizers": object["metadata"]["finalizers"]}});
        object["metadata"]["finalizers"] = json!([]);
        object["metadata"]["deletionTimestamp"] = json!(format!("{:.0}", clock::now()));
        self.keep(&(plural(kind), namespace.to_owned(), name.to_owned()), object);
        saved
    }

    /// An object as it is; none when there is none.
    pub(super) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let place = (plural(kind), namespace.to_owned(), name.to_owned());
        self.locked().objects.get(&place).cloned()
    }
}
