//! `kubectl azureml validate`: everything that the API server and the plans would refuse, and what leads nowhere between files, without
//! a cluster.
//!
//! In: the texts of files. Out: findings with their places, in the order of the files. It asks neither Azure nor a cluster.

mod documents;
pub mod found;
mod place;
mod references;
pub mod report;
mod reuse;
mod scalar;

use self::documents::{Document, GROUP, documents};
use self::found::{Found, error};
use crate::convert::findings::Weight;
use azureml_check::Definitions;
use azureml_plan::InvalidSpec;

/// What was found in all files.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Everything that was found.
    pub findings: Vec<Found>,
    /// How many objects of our kinds there are.
    pub objects: usize,
    /// How many documents are not ours, and were not looked at.
    pub others: usize,
}

impl Report {
    /// Whether something is wrong; with `is_strict` also what may be elsewhere.
    #[must_use]
    pub fn has_errors(&self, is_strict: bool) -> bool {
        let least = if is_strict { Weight::Warning } else { Weight::Error };
        self.findings.iter().any(|found| found.finding.weight <= least)
    }
}

/// Looks at files: names and texts.
#[must_use]
pub fn validate(definitions: &Definitions, files: &[(String, String)]) -> Report {
    let mut report = Report::default();
    let mut sound = Vec::new();
    for (name, text) in files {
        let found = match documents(name, text) {
            Ok(found) => found,
            Err(unreadable) => {
                report.findings.push(error("", unreadable.place, "", &unreadable.message, "InvalidYaml"));
                continue;
            }
        };
        for document in found {
            if !document.is_ours() {
                report.others += 1;
                continue;
            }
            report.objects += 1;
            let faults = faults(definitions, &document);
            if faults.is_empty() {
                sound.push(document);
            } else {
                report.findings.extend(faults);
            }
        }
    }
    report.findings.extend(references::faults(&sound));
    report.findings.sort_by(|one, other| one.finding.place.cmp(&other.finding.place));
    report
}

/// What is wrong with one object.
fn faults(definitions: &Definitions, document: &Document) -> Vec<Found> {
    let object = document.object();
    if document.api_version != format!("{GROUP}/v1alpha1") {
        let message = format!("{} is not served; write {GROUP}/v1alpha1", document.api_version);
        let place = place::find(&document.node, "apiVersion");
        return vec![error(&object, place, "apiVersion", &message, "InvalidSpec")];
    }
    let mut faults = document.name_faults();
    faults.extend(definitions.check(&document.kind, &document.spec, None));
    let found = |InvalidSpec { reason, field, message }| {
        error(&object, place::find(&document.node, &field), &field, &message, reason.word())
    };
    faults.into_iter().map(found).collect()
}
