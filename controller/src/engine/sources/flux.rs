//! The artifact of a source of Flux: the source is read in each pass, as a ConfigMap is.
//!
//! In: a source as a manifest names it. Out: the place of its artifact, or what is missing. Which place may be asked is decided in
//! `azureml-plan`.

use crate::engine::Context;
use crate::engine::relations::Name;
use azureml_crds::source::{FLUX_API, Flux, FluxKind};
use azureml_plan::flux::{self, Named, Offer};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use azureml_plan::source::Purpose;
use azureml_source::{Login, Origin, Place, Wanted, folder};
use kube::api::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};

/// A source of Flux, as objects of a namespace name it.
pub(super) fn name(own: &str, flux: &Flux) -> Name {
    let namespace = flux.namespace.clone().unwrap_or_else(|| own.to_owned());
    flux_name(flux.kind, namespace, flux.name.clone())
}

/// A source of Flux.
#[must_use]
pub fn flux_name(kind: FluxKind, namespace: String, name: String) -> Name {
    Name { kind: kind.name(), namespace, name }
}

/// A kind of Flux as the API server serves it.
#[must_use]
pub fn resource(kind: FluxKind) -> ApiResource {
    let (group, version) = FLUX_API;
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind.name()), kind.plural())
}

/// The place of an artifact.
pub(super) async fn place(ctx: &Context, (field, own): (&str, &str), named: &Flux) -> Result<Place, Wait> {
    let (fetching, config) = (&ctx.fetching, &ctx.fetching.config);
    let said = |wait: Wait| Wait { message: format!("{field}: {}", wait.message), ..wait };
    let refused = |message| said(Wait::stalled(Reason::SOURCE_FAILED, message).unwatched());
    let Flux { kind, name, namespace: _, path, ignore } = named;
    let namespace = flux::namespace(named, own, &config.flux.grants).map_err(refused)?;
    let address = Named { kind: *kind, namespace, name };
    let offer = read(ctx, own, address).await.map_err(said)?;
    let artifact = flux::artifact(address, &offer).map_err(said)?;
    flux::reach(&config.flux, &config.hosts, own, &artifact).map_err(refused)?;
    let origin = Origin::Flux { url: artifact.url.to_string(), sha256: artifact.sha256 };
    let wanted = Wanted { origin, path: folder(path.as_ref()), ignore: ignore.clone() };
    let net = fetching.inside.clone();
    Ok(Place { wanted, login: Login::Anonymous, net, purpose: Purpose::default() })
}

async fn read(ctx: &Context, own: &str, Named { kind, namespace, name }: Named<'_>) -> Result<Offer, Wait> {
    // One may have 1 MiB: few are in memory at once.
    let _few = ctx.secrets.reads.permit(own).await;
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.kube.clone(), namespace, &resource(kind));
    let found = api.get(name).await.map_err(|error| missing(&error, Named { kind, namespace, name }))?;
    serde_json::from_value(found.data).map_err(|error| {
        waits(format!(
            "the status of {} {name} cannot be read: {error}; let Flux alone write it",
            kind.name()
        ))
    })
}

/// What it means that a source cannot be read. The API server says "not found" of an object, and plain text of a kind that it does not serve.
fn missing(error: &kube::Error, Named { kind, namespace, name }: Named<'_>) -> Wait {
    let (kind, (group, version)) = (kind.name(), FLUX_API);
    let kube::Error::Api(status) = error else {
        return waits(format!("failed to read {kind} {name}: {error}"));
    };
    waits(match (status.reason.as_str(), status.code) {
        ("NotFound", _) => format!("there is no {kind} {name} in the namespace {namespace}; create it"),
        (_, 404) => format!(
            "this cluster has no {kind} of {group}/{version}; install Flux with its source-controller, or take the files from git, oci or http"
        ),
        (_, 403) => format!(
            "{kind} {name} may not be read; set rbac.readFluxSources of the chart, and name its namespace in watchNamespaces: {status}"
        ),
        _ => format!("failed to read {kind} {name}: {status}"),
    })
}

fn waits(message: String) -> Wait {
    Wait::new(Reason::SOURCE_FAILED, message).unwatched()
}
