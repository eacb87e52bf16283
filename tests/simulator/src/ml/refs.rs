//! References between things of a workspace, in the forms the wire knows: ARM ids with and without `azureml:`, ids of
//! shared registries, `name:version`, and labels. In: the text. Out: what it names; whether that exists is asked elsewhere.

use crate::ml::assets::Kind;

/// What a reference to an asset names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ref<'a> {
    /// A version of an asset in a workspace, whose id is the text before.
    Version {
        /// The workspace's id, absent in the short form.
        workspace: Option<&'a str>,
        /// The asset's name.
        name: &'a str,
        /// The version.
        version: &'a str,
    },
    /// A label of an asset in a workspace.
    Label {
        /// The asset's name.
        name: &'a str,
        /// The label.
        label: &'a str,
    },
    /// An asset in a registry that is shared between workspaces, which the simulator takes as given.
    Shared,
}

/// Name and version of an environment that Microsoft curates, which a short reference finds in the shared registry.
pub fn curated(kind: Kind, text: &str) -> Option<(&str, &str)> {
    let (name, version) = text.strip_prefix("azureml:").unwrap_or(text).split_once(':')?;
    (kind == Kind::Environment && name.starts_with("AzureML-")).then_some((name, version))
}

/// Reads a reference to an asset of a kind; `None` when it has none of the forms.
pub fn asset(kind: Kind, text: &str) -> Option<Ref<'_>> {
    let text = text.strip_prefix("azureml:").filter(|rest| !rest.starts_with("//")).unwrap_or(text);
    if text.starts_with("azureml://registries/") || curated(kind, text).is_some() {
        return Some(Ref::Shared);
    }
    if !text.starts_with('/') {
        if let Some((name, label)) = text.split_once('@') {
            return Some(Ref::Label { name, label });
        }
        let (name, version) = text.split_once(':')?;
        return Some(Ref::Version { workspace: None, name, version });
    }
    let (workspace, rest) = split_id(text, kind.segment())?;
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        [name, word, version] if word.eq_ignore_ascii_case("versions") => {
            Some(Ref::Version { workspace: Some(workspace), name, version })
        }
        [name, word, label] if word.eq_ignore_ascii_case("labels") => Some(Ref::Label { name, label }),
        _ => None,
    }
}

/// Reads an id `{workspace}/{segment}/{rest}`.
fn split_id<'a>(id: &'a str, segment: &str) -> Option<(&'a str, &'a str)> {
    let lower = id.to_ascii_lowercase();
    let mark = format!("/{}/", segment.to_ascii_lowercase());
    let start = lower.find("/workspaces/")?;
    let at = lower.get(start + 1..)?.find(&mark)? + start + 1;
    Some((id.get(..at)?, id.get(at + mark.len()..)?))
}

/// The name of a thing of a workspace in an id such as `{workspace}/computes/{name}`, with the workspace's id; a bare
/// name stands for itself.
pub fn named<'a>(segment: &str, text: &'a str) -> Option<(Option<&'a str>, &'a str)> {
    let text = text.strip_prefix("azureml:").unwrap_or(text);
    if !text.starts_with('/') {
        return (!text.is_empty() && !text.contains('/')).then_some((None, text));
    }
    split_id(text, segment)
        .filter(|(_, name)| !name.contains('/'))
        .map(|(workspace, name)| (Some(workspace), name))
}

/// The data store and the path of `azureml://datastores/{store}/paths/{path}`, short or long.
pub fn datastore_path(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("azureml://")?;
    let at = rest.find("datastores/")?;
    let rest = rest.get(at + "datastores/".len()..)?;
    let (store, path) = rest.split_once('/')?;
    Some((store, path.strip_prefix("paths").unwrap_or(path).trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WS: &str =
        "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w";

    #[test]
    fn every_form_of_a_reference_is_read() {
        let id = format!("{WS}/environments/e/versions/1");
        let whole = Some(Ref::Version { workspace: Some(WS), name: "e", version: "1" });
        assert_eq!(asset(Kind::Environment, &id), whole);
        assert_eq!(asset(Kind::Environment, &format!("azureml:{id}")), whole);
        let short = Some(Ref::Version { workspace: None, name: "e", version: "1" });
        assert_eq!(asset(Kind::Environment, "azureml:e:1"), short);
        assert_eq!(
            asset(Kind::Environment, "azureml://registries/azureml/environments/x/versions/3"),
            Some(Ref::Shared)
        );
        let label = format!("{WS}/environments/e/labels/latest");
        assert_eq!(asset(Kind::Environment, &label), Some(Ref::Label { name: "e", label: "latest" }));
        assert_eq!(asset(Kind::Code, &id), None);
        assert_eq!(asset(Kind::Environment, "azureml:AzureML-x:33"), Some(Ref::Shared));
        let latest = Some(Ref::Label { name: "e", label: "latest" });
        assert_eq!(asset(Kind::Environment, "azureml:e@latest"), latest);
    }

    #[test]
    fn things_and_paths_are_named_by_id_or_alone() {
        assert_eq!(named("computes", &format!("{WS}/computes/cpu")), Some((Some(WS), "cpu")));
        assert_eq!(named("computes", "azureml:cpu"), Some((None, "cpu")));
        assert_eq!(named("computes", &format!("{WS}/jobs/cpu")), None);
        assert_eq!(datastore_path("azureml://datastores/blob/paths/a/b"), Some(("blob", "a/b")));
        let long = "azureml://subscriptions/s/resourcegroups/r/workspaces/w/datastores/blob/paths/a/";
        assert_eq!(datastore_path(long), Some(("blob", "a/")));
    }
}
