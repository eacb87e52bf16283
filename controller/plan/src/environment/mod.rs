//! MLEnvironment: an image, built once or given, pinned by its digest and registered as an environment version.
//!
//! Source: Azure REST API, `EnvironmentVersions_CreateOrUpdate`.

mod arguments;
mod bases;
mod build;
mod context;
mod followed;
mod generated;
mod given;
mod images;
mod leave;
mod named;
mod network;
mod recipe;
mod seen;
mod state;
mod tenancy;
mod versions;
mod wanted;

use self::build::{build, build_status, built};
pub use self::context::{context, purpose, told};
pub use self::followed::followed;
use self::generated::is_same;
use self::given::given;
pub use self::images::{Images, are_due, is_followed};
pub use self::leave::{Address, archive};
pub use self::named::{content_name, id};
use self::recipe::Recipe;
pub use self::seen::{Seen, Version};
pub use self::state::{build_state, is_open};
use self::versions::is_named_by_image;
pub use self::versions::{candidates, digest_of, is_of_content, is_version_name, version_name};
pub use self::wanted::{Refs, Source, Wanted};
use crate::action::{Action, Next, Plan, Verdict};
use crate::asset::changed;
use crate::context::Ask;
use crate::diff::differences;
use crate::invalid::InvalidSpec;
use crate::owner::{Belongs, Other, is_foreign};
use crate::reasons::Reason;
use crate::settle::Differing;
use crate::taken::taken;
use crate::{Decide, View, hash, tags};
use azureml_client::image::ImageRef;
use azureml_crds::MLEnvironment;
use azureml_crds::ml_environment::{MLEnvironmentSpec, MLEnvironmentStatus};
use serde_json::{Value, json};

impl Decide for MLEnvironment {
    type Status = MLEnvironmentStatus;
    type Refs = Refs;
    type Wanted = Wanted;
    type Seen = Seen;

    fn wanted(&self, refs: &Refs) -> Result<Wanted, InvalidSpec> {
        tags::unique(&self.spec.tags)?;
        let held = context::fetched(&self.spec, &refs.sources)?;
        tenancy::check(&self.spec, held, &refs.owner)?;
        let content = content_name(&self.spec, held.map(|held| held.hash.as_str()), &refs.images);
        let source = match Recipe::of(self, &content, held)? {
            Some(recipe) => {
                let recipe = recipe.pinned(&refs.images);
                let text = recipe.generated().unwrap_or_default();
                tenancy::dockerfile(recipe.field, text, &recipe.args, &refs.owner)?;
                let pool = recipe.acr.agent_pool.as_deref();
                pool.map_or(Ok(()), |pool| refs.workspace.rights.agent_pool(pool))?;
                built(self, recipe, &content, refs)?
            }
            None => given(&self.spec, held)?,
        };
        Ok(Wanted { id: id(self, &refs.workspace.id), content, source })
    }

    fn plan(&self, view: View<'_, Self>) -> Plan {
        let told = images::status(self, &view.refs.images, view.ask, false);
        let again = images::again(self, &told, view.ask);
        let plan = decide(self, &view);
        Plan { at: plan.at.into_iter().chain(again).min(), ..plan }
    }

    fn facts(&self, View { refs, wanted, seen, ask }: View<'_, Self>, plan: &Plan) -> MLEnvironmentStatus {
        let mut status = self.status.clone().unwrap_or_default();
        // One that was just registered is in force from now on, beside others of this content.
        let is_own = |version: &Version| refs.owner.of(&version.body["properties"]["tags"]) == Belongs::Us;
        let own = seen.version.clone().filter(|version| is_own(version) && is_as_named(version, wanted));
        let in_force = registered(plan).or(own);
        let mut images = refs.images.clone();
        // A tag that was looked up because the image was gone that it meant before.
        if let (Source::Given { image, .. }, Some(digest)) = (&wanted.source, &seen.digest)
            && images.get(&image.to_string()).is_some_and(|told| told != digest)
        {
            images.keep(image.to_string(), digest.clone());
        }
        status.images = images::status(self, &images, ask, in_force.is_some());
        if let Some(version) = in_force {
            status.image = version.image().map(str::to_owned);
            status.common.azure_id = Some(wanted.id.child("versions", &version.name).to_string());
            status.version = Some(version.name);
        }
        status.sources = refs.sources.status(&status.sources, ask.now);
        if let Some(build) = build_status(self, wanted, seen, plan) {
            status.build = Some(build);
        }
        status
    }
}

fn decide(environment: &MLEnvironment, View { refs, wanted, seen, ask }: &View<'_, MLEnvironment>) -> Plan {
    let is_looked_up = ask.requested.is_some() || !refs.images.is_empty();
    let moved = is_looked_up && matches!(wanted.source, Source::Given { .. });
    match (&seen.version, &seen.digest) {
        (Some(version), Some(digest)) if moved && version.name != version_name(&wanted.content, digest) => {
            register(environment, refs, wanted, digest)
        }
        (Some(version), _) => {
            let plan = settle(environment, refs, wanted, version, ask);
            let goes_on = seen.task_run.as_ref().is_some_and(|run| is_open(build_state(run)));
            if goes_on { Plan { next: Next::Look, ..plan } } else { plan }
        }
        (None, Some(digest)) => register(environment, refs, wanted, digest),
        (None, None) => match &wanted.source {
            Source::Built { .. } => build(environment, wanted, seen, ask),
            Source::Given { image, .. } => {
                let message = format!("the registry has no {image}; push it, or write another image");
                Plan::say(Verdict::stalled(Reason::IMAGE_NOT_FOUND, message), Next::Tick)
            }
        },
    }
}

/// What is wrong with a spec by itself: a Dockerfile, a conda file or packages of which nothing can be built.
#[must_use]
pub fn check(environment: &MLEnvironment) -> Vec<InvalidSpec> {
    if context::is_elsewhere(&environment.spec) {
        // Its text is known when it is fetched.
        return Vec::new();
    }
    let context = context::in_place(&environment.spec);
    let made =
        Recipe::of(environment, &content_name(&environment.spec, None, &Images::default()), context.as_ref());
    let fault = match made {
        Ok(Some(_)) => None,
        Ok(None) => given(&environment.spec, context.as_ref()).err(),
        Err(fault) => Some(fault),
    };
    fault.into_iter().collect()
}

/// The Secret that signs in at a registry, and the image that is looked up there; none where nothing is.
#[must_use]
pub fn pulled(spec: &MLEnvironmentSpec) -> Option<(&str, ImageRef)> {
    let secret = spec.image_pull_secret_ref.as_ref()?;
    let image = ImageRef::parse(spec.image.as_deref()?).ok()?;
    image.digest.is_none().then_some((secret.name.as_str(), image))
}

/// Whether a version has the image that its name tells, and the conda file that is wanted.
fn is_as_named(version: &Version, wanted: &Wanted) -> bool {
    let found = version.body["properties"]["condaFile"].as_str().unwrap_or_default();
    let is_file = wanted.source.conda_file().map_or(found.is_empty(), |file| is_same(file, found));
    is_file && is_named_by_image(version)
}

/// The version that a plan puts.
fn registered(plan: &Plan) -> Option<Version> {
    plan.actions.iter().find_map(|action| match action {
        Action::Put { id, body } if id.kind().ends_with("environments/versions") => {
            Some(Version { name: id.name().to_owned(), body: body.clone() })
        }
        Action::Put { .. }
        | Action::Patch { .. }
        | Action::Post { .. }
        | Action::Delete { .. }
        | Action::Upload { .. } => None,
    })
}

/// The version of an image whose digest is known.
fn register(environment: &MLEnvironment, refs: &Refs, wanted: &Wanted, digest: &str) -> Plan {
    let name = version_name(&wanted.content, digest);
    let image = wanted.source.image().pinned(digest);
    let mut properties = changeable(&environment.spec, refs);
    properties["image"] = json!(image);
    if let Some(file) = wanted.source.conda_file() {
        properties["condaFile"] = json!(file);
    }
    properties["osType"] = json!("Linux");
    properties["isAnonymous"] = json!(false);
    properties["properties"] = json!({});
    let put = Action::Put { id: wanted.id.child("versions", &name), body: json!({"properties": properties}) };
    Plan::send(
        vec![put],
        Verdict::working(Reason::REGISTERING, format!("{image} is being registered as version {name}")),
        Next::Now,
    )
}

/// What can be changed of a version that exists: everything but its image.
fn changeable(spec: &MLEnvironmentSpec, refs: &Refs) -> Value {
    let MLEnvironmentSpec {
        description,
        tags,
        // The id has them.
        workspace_ref: _,
        azure_name: _,
        // The image has them, and the name of the version.
        build: _,
        conda: _,
        packages: _,
        image: _,
        // It only signs in.
        image_pull_secret_ref: _,
        // The image has what they were found to mean.
        rebuild: _,
        // What the operator does with an environment, and not what it is.
        deletion_policy: _,
        drift_policy: _,
    } = spec;
    let mut properties = json!({"tags": refs.owner.tags(tags), "isArchived": false});
    if let Some(description) = description {
        properties["description"] = json!(description);
    }
    properties
}

/// What is said of a version that is as it is wanted.
fn in_force(version: &Version, wanted: &Wanted) -> String {
    let image = version.image().unwrap_or("an image");
    match wanted.source.conda_file() {
        Some(_) => {
            format!(
                "version {} is {image} with the conda file; Azure ML builds it at the first job",
                version.name
            )
        }
        None => format!("version {} is {image}", version.name),
    }
}

/// A version that exists: equal by its name; only tags, description and archiving can differ.
fn settle(environment: &MLEnvironment, refs: &Refs, wanted: &Wanted, version: &Version, ask: &Ask) -> Plan {
    let properties = &version.body["properties"];
    let id = wanted.id.child("versions", &version.name);
    match refs.owner.of(&properties["tags"]) {
        Belongs::Us | Belongs::Inherited if is_as_named(version, wanted) => {}
        Belongs::Another(owner) => return taken(&id, &owner, "give this object another azureName"),
        // Anybody with write access to the workspace may register any image under the name that this one will have.
        Belongs::Us | Belongs::Inherited | Belongs::Nobody => {
            let nobody = Other::unknown("nobody, by its tags or its image");
            return taken(&id, &nobody, "give this object another azureName");
        }
    }
    let want = changeable(&environment.spec, refs);
    let found = differences(&want, properties);
    let hash = hash::content("environment-facts", &want);
    if found.is_empty() {
        let message = in_force(version, wanted);
        return Plan {
            applied: Some(hash),
            ..Plan::say(Verdict::ready(Reason::SUCCEEDED, message), Next::Tick)
        };
    }
    let put = Action::Put { id, body: changed(properties, &want) };
    if properties["isArchived"] == true {
        // Wanted means not archived, whatever the policy of drift says.
        let verdict = Verdict::working(
            Reason::RESTORING,
            format!("version {} is archived, and is wanted", version.name),
        );
        return Plan::send(vec![put], verdict, Next::Look);
    }
    let common = environment.status.as_ref().map(|status| &status.common);
    Differing {
        common,
        policy: environment.spec.drift_policy,
        hash: &hash,
        is_foreign: is_foreign(&properties["tags"]),
        is_inherited: refs.owner.of(&properties["tags"]) == Belongs::Inherited,
        found: &found,
    }
    .plan(put, Next::Look, ask)
}
