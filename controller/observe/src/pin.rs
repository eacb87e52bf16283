//! What labels of assets mean now: one read for each.
//!
//! In: labels, what is known of them. Out: what each means, or which asset is not there. Decides nothing.

use crate::Eyes;
use azureml_client::budget::Urgency;
use azureml_client::{Class, Error};
use azureml_plan::asset_name::{LATEST, Label, Pins};
use azureml_plan::reasons::Reason;
use azureml_plan::resolve::Wait;
use serde_json::Value;

/// The newest version first, and no more than that. Recorded for components; the SDK asks so for environments. For data it is not recorded.
const NEWEST: [(&str, &str); 2] = [("$orderBy", "createdtime desc"), ("$top", "1")];

/// The name under which a component's default version is read (recorded).
const DEFAULT: &str = "azureml_default";

/// Looks up what is not known.
pub async fn look_up(eyes: &Eyes<'_>, labels: Vec<Label>, pins: &mut Pins) -> Result<Option<Wait>, Error> {
    for label in labels {
        if pins.get(&label).is_some() {
            continue;
        }
        match version(eyes, &label).await? {
            Some(version) => pins.pin(label, &version),
            None => return Ok(Some(missing(&label))),
        }
    }
    Ok(None)
}

fn missing(Label { asset, container, label }: &Label) -> Wait {
    let what = container.kind();
    let what = what.rsplit('/').next().unwrap_or_default();
    Wait::new(
        Reason::REFERENCE_NOT_FOUND,
        format!(
            "{asset}: the workspace has no version of {what}/{} with the label {label}; register one",
            container.name()
        ),
    )
    .unwatched()
}

async fn version(eyes: &Eyes<'_>, Label { container, label, .. }: &Label) -> Result<Option<String>, Error> {
    let name = |body: &Value| body["name"].as_str().map(str::to_owned);
    if label == LATEST {
        let page = eyes.client.page(container, "versions", &NEWEST, Urgency::Change).await;
        return match page {
            Err(error) if error.class() == Class::Gone => Ok(None),
            page => Ok(page?.first().and_then(name)),
        };
    }
    let default = eyes.client.get(&container.child("versions", DEFAULT), Urgency::Change).await?;
    Ok(default.as_ref().and_then(name))
}
