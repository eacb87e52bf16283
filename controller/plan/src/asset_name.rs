//! Names of assets that exist in Azure ML, as its command line writes them, and what they mean in a workspace.
//!
//! In: a text, the workspace, what labels were found to mean. Out: what a request says. Looks nothing up. Sources: the SDK's
//! `OperationOrchestrator.get_asset_arm_id`; that Azure ML resolves curated environments and labels of registries itself is recorded.

use crate::invalid::InvalidSpec;
use azureml_client::ArmId;
use azureml_crds::shared::ResolvedAsset;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Where a workspace keeps an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Environments.
    Environments,
    /// Components.
    Components,
    /// Data assets.
    Data,
    /// Files of steps.
    Codes,
}

impl Collection {
    /// The word in an ARM id.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Environments => "environments",
            Self::Components => "components",
            Self::Data => "data",
            Self::Codes => "codes",
        }
    }
}

/// A label of an asset of the workspace, which only a look at Azure can turn into a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The asset as the spec names it.
    pub asset: String,
    /// The asset without a version.
    pub container: ArmId,
    /// `latest`, or `default` of a component.
    pub label: String,
}

/// The prefix of a name.
const PREFIX: &str = "azureml:";

/// The newest version.
pub const LATEST: &str = "latest";

/// Environments of Microsoft, whose names Azure ML resolves itself.
const CURATED: &str = "AzureML-";

/// What the text of a manifest names.
enum Named<'a> {
    /// It is sent as it is.
    AsItIs(&'a str),
    /// A version of the workspace.
    Version(&'a str, &'a str),
    /// A label of the workspace.
    Label(&'a str, &'a str),
}

fn named(text: &str, collection: Collection) -> Named<'_> {
    let Some(name) = text.strip_prefix(PREFIX) else { return Named::AsItIs(text) };
    if name.starts_with("/subscriptions/") {
        return Named::AsItIs(name);
    }
    let is_curated = collection == Collection::Environments && name.starts_with(CURATED);
    if is_curated || name.starts_with("//") {
        return Named::AsItIs(text);
    }
    match (name.split_once('@'), name.split_once(':')) {
        (Some((name, label)), _) => Named::Label(name, label),
        (None, Some((name, version))) => Named::Version(name, version),
        (None, None) => Named::AsItIs(text),
    }
}

/// Whether a text names a data asset of the workspace: `azureml:<name>:<version>` or `azureml:<name>@latest`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_part = |part: &str, more: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
    };
    match named(text, Collection::Data) {
        Named::Version(name, version) => is_part(name, "._-") && is_part(version, "._-"),
        Named::Label(name, label) => is_part(name, "._-") && label == LATEST,
        Named::AsItIs(id) => id != text,
    }
}

/// The label that a text names, where it names one that has to be looked up.
#[must_use]
pub fn label(text: &str, collection: Collection, workspace: &ArmId) -> Option<Label> {
    match named(text, collection) {
        Named::Label(name, label) => Some(Label {
            asset: text.to_owned(),
            container: workspace.child(collection.word(), name),
            label: label.to_owned(),
        }),
        Named::AsItIs(_) | Named::Version(..) => None,
    }
}

/// The labels in texts, each once.
#[must_use]
pub fn all<'a>(texts: impl Iterator<Item = (&'a str, Collection)>, workspace: &ArmId) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for label in texts.filter_map(|(text, collection)| label(text, collection, workspace)) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

/// What labels were found to mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(Vec<(Label, ArmId)>);

impl Pins {
    /// What a status tells of labels. A status may be forged: a label means a version of its own asset, or is not known.
    #[must_use]
    pub fn told(resolved: &[ResolvedAsset], labels: &[Label]) -> Self {
        let of = |label: &Label| {
            let ids = resolved.iter().filter(|one| one.asset == label.asset);
            let mut ids = ids.filter_map(|one| ArmId::parse(&one.id).ok());
            ids.find(|id| id.parent().is_some_and(|parent| parent.key() == label.container.key()))
        };
        Self(labels.iter().filter_map(|label| Some((label.clone(), of(label)?))).collect())
    }

    /// What a label means, where that is known.
    #[must_use]
    pub fn get(&self, label: &Label) -> Option<&ArmId> {
        self.0.iter().find(|(known, _)| known == label).map(|(_, id)| id)
    }

    /// The versions.
    pub fn ids(&self) -> impl Iterator<Item = &ArmId> {
        self.0.iter().map(|(_, id)| id)
    }

    /// A label means a version.
    pub fn pin(&mut self, label: Label, version: &str) {
        let id = label.container.child("versions", version);
        self.0.push((label, id));
    }

    /// What `status` tells: a label that still means the same keeps its time.
    #[must_use]
    pub fn status(&self, before: &[ResolvedAsset], now: Timestamp) -> Vec<ResolvedAsset> {
        let told = |(label, id): &(Label, ArmId)| {
            let (asset, id) = (label.asset.clone(), id.to_string());
            let known = before.iter().find(|one| one.asset == asset && one.id == id).cloned();
            known.unwrap_or(ResolvedAsset { asset, id, at: Time(now) })
        };
        self.0.iter().map(told).collect()
    }
}

/// What a request says for an asset.
///
/// # Errors
/// When it is a label of which nothing is known.
pub fn resolved(
    (field, text): (&str, &str),
    collection: Collection,
    workspace: &ArmId,
    pins: &Pins,
) -> Result<String, InvalidSpec> {
    match named(text, collection) {
        Named::AsItIs(text) => Ok(text.to_owned()),
        Named::Version(name, version) => {
            Ok(workspace.child(collection.word(), name).child("versions", version).to_string())
        }
        Named::Label(..) => {
            let found = label(text, collection, workspace)
                .and_then(|label| pins.get(&label).map(ToString::to_string));
            found.ok_or_else(|| InvalidSpec::new(field, format!("what {text} means is not known yet")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> ArmId {
        ArmId::workspace("s", "g", "w")
    }

    #[test]
    fn names_mean_versions_of_the_workspace_and_all_else_is_sent_as_it_is() {
        let at = |rest: &str| format!("{}/{rest}", workspace());
        for (text, collection, means) in [
            ("azureml:r-env:3", Collection::Environments, at("environments/r-env/versions/3")),
            ("azureml:houses:2024-01", Collection::Data, at("data/houses/versions/2024-01")),
            ("azureml:train:1", Collection::Components, at("components/train/versions/1")),
            (
                "azureml:AzureML-sklearn-1.5@latest",
                Collection::Environments,
                "azureml:AzureML-sklearn-1.5@latest".into(),
            ),
            (
                "azureml:AzureML-sklearn-1.5:33",
                Collection::Environments,
                "azureml:AzureML-sklearn-1.5:33".into(),
            ),
            (
                "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
                Collection::Environments,
                "azureml://registries/azureml/environments/sklearn-1.5/labels/latest".into(),
            ),
            ("azureml://datastores/d/paths/p", Collection::Data, "azureml://datastores/d/paths/p".into()),
            ("azureml:/subscriptions/x", Collection::Data, "/subscriptions/x".into()),
            (
                "wasbs://c@a.blob.core.windows.net/p",
                Collection::Data,
                "wasbs://c@a.blob.core.windows.net/p".into(),
            ),
        ] {
            let found = resolved(("f", text), collection, &workspace(), &Pins::default());
            assert_eq!(found.unwrap(), means, "{text}");
            assert_eq!(label(text, collection, &workspace()), None, "{text}");
        }
    }

    #[test]
    fn a_label_means_what_was_found_and_a_forged_status_can_only_choose_a_version_of_the_same_asset() {
        let label = label("azureml:r-env@latest", Collection::Environments, &workspace()).unwrap();
        let wanted = |pins: &Pins| {
            resolved(("f", "azureml:r-env@latest"), Collection::Environments, &workspace(), pins)
        };
        assert!(wanted(&Pins::default()).unwrap_err().to_string().contains("not known yet"));
        let mut pins = Pins::default();
        pins.pin(label.clone(), "7");
        let id = wanted(&pins).unwrap();
        assert!(id.ends_with("/environments/r-env/versions/7"), "{id}");
        let (then, now) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(2).unwrap());
        let status = pins.status(&[], then);
        assert_eq!(pins.status(&status, now), status, "what means the same keeps its time");
        let labels = [label];
        assert_eq!(Pins::told(&status, &labels), pins);
        for id in ["/subscriptions/s/other", &format!("{}/environments/x/versions/1", workspace())] {
            let forged = ResolvedAsset { id: id.to_owned(), ..status[0].clone() };
            assert_eq!(Pins::told(&[forged], &labels), Pins::default(), "{id}");
        }
    }
}
