//! `kubectl azureml plan`: what the operator would change in Azure for manifests, before it does.
//!
//! In: objects, the way to Azure. Out: requests, in the order in which they would be sent, and what each means. Writes nothing: a request
//! that changes something is kept and shown, and what is read after it is as if it had been carried out.

pub mod fetch;
pub mod folder;
pub mod gather;
pub mod hands;
mod known_after;
pub mod pass;
pub mod report;
pub mod request;
mod stop;
pub mod told;
pub mod what_if;
pub mod write;

use self::folder::{Folder, Key};
use self::hands::Hands;
use self::pass::{keys, pass};
use self::report::Report;
use self::what_if::Journal;
use anyhow::Result;
use azureml_access::clouds::built_in_clouds;
use azureml_plan::grants::Grant;
use kube::Resource as _;

/// The most rounds: after an image comes a version, after it components, a pipeline, an endpoint, its deployment, a schedule.
const ROUNDS: usize = 50;

/// What would be sent for all objects of a folder.
pub async fn plan(hands: &Hands, folder: &Folder, journal: &Journal) -> Report {
    let mut report = Report::default();
    for round in 0..ROUNDS {
        let before = report.outline();
        macro_rules! every_kind {
            ($($many:ident: $kind:path,)*) => {$(
                let kind = <$kind>::kind(&());
                for key in keys(&folder.$many) {
                    if is_over(&report, folder, &kind, &key) {
                        continue;
                    }
                    if let Some(told) = pass(hands, folder, &folder.$many, &key).await {
                        report.add(&kind, (&key.0, &key.1), told, journal.take());
                    }
                }
            )*};
        }
        azureml_crds::for_each_kind!(every_kind);
        report.is_at_rest = round > 0 && report.outline() == before;
        if report.is_at_rest {
            break;
        }
    }
    report
}

/// Grants of everything, for those who have no configuration of the operator at hand: what may not be is said by Azure alone.
///
/// # Errors
/// When the built-in clouds cannot be read; a test of theirs proves that this does not happen.
pub fn everything() -> Result<Vec<Grant>> {
    let any = || vec!["*".to_owned()];
    let clouds = built_in_clouds()?.into_iter().map(|cloud| cloud.name).collect();
    let own = Grant {
        namespaces: any(),
        subscriptions: any(),
        resource_groups: any(),
        workspaces: any(),
        registries: any(),
        clients: Vec::new(),
        clouds,
        identities: any(),
        subnets: any(),
        agent_pools: any(),
    };
    Ok(vec![Grant { clients: any(), ..own.clone() }, own])
}

/// Whether nothing is left to plan: the run has ended, or its job would be started, and the rest is Azure's turn.
fn is_over(report: &Report, folder: &Folder, kind: &str, (namespace, name): &Key) -> bool {
    kind == "MLRun" && (report.sends(kind, (namespace, name)) || folder.has_ended(namespace, name))
}
