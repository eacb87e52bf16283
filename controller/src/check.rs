//! `azureml-operator check`: whether an installed operator works, seen with the rights of its own account.
//!
//! In: the Kubernetes API. Out: success, or what is missing. Changes nothing; `helm test` runs it.

use crate::args::Check;
use crate::run::kube_client;
use crate::telemetry::texts::ALL_READABLE;
use anyhow::{Context as _, Result, ensure};
use azureml_crds::for_each_kind;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{Api, ListParams};
use kube::core::CustomResourceExt;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::io::Write as _;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Less than any lease is renewed after.
const PAUSE: Duration = Duration::from_millis(250);

/// Checks.
///
/// # Errors
/// With what is missing.
pub fn blocking(flags: &Check) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let said = runtime.block_on(check(flags))?;
    writeln!(std::io::stdout().lock(), "{said}")?;
    Ok(())
}

async fn check(flags: &Check) -> Result<String> {
    let kube = kube_client().await?;
    macro_rules! readable {
        ($($many:ident: $kind:path,)*) => { $(readable::<$kind>(&kube, &flags.namespaces).await?;)* };
    }
    for_each_kind!(readable);
    let leader = leader(&kube, flags).await?;
    Ok(format!("{ALL_READABLE}, and {leader} leads"))
}

/// The definition is installed, and the account may read its objects.
async fn readable<K>(kube: &Client, namespaces: &[String]) -> Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + CustomResourceExt
        + Clone
        + Debug
        + DeserializeOwned,
{
    let apis: Vec<Api<K>> = match namespaces {
        [] => vec![Api::all(kube.clone())],
        names => names.iter().map(|name| Api::namespaced(kube.clone(), name)).collect(),
    };
    for api in apis {
        let listed = api.list_metadata(&ListParams::default().limit(1)).await;
        listed.with_context(|| format!("failed to list {}: is its definition installed?", K::crd_name()))?;
    }
    Ok(())
}

/// Waits until the lease is renewed, which only a leader that works does.
async fn leader(kube: &Client, flags: &Check) -> Result<String> {
    let namespace = flags.lease_namespace.as_deref().unwrap_or(kube.default_namespace());
    let api: Api<Lease> = Api::namespaced(kube.clone(), namespace);
    let until = Instant::now() + Duration::from_secs(flags.seconds);
    let mut first = None;
    loop {
        let lease = api.get_opt(&flags.lease_name).await;
        let lease = lease.with_context(|| format!("failed to read the lease {}", flags.lease_name))?;
        let seen = lease.and_then(|lease| lease.spec);
        if let Some(leader) = renewed(first.as_ref(), seen.as_ref()) {
            return Ok(leader);
        }
        first = first.or(seen);
        ensure!(Instant::now() < until, "{}", missing(first.as_ref(), flags, namespace));
        sleep(PAUSE).await;
    }
}

/// The holder that renewed the lease between two looks. No clock is compared with another machine's.
fn renewed(first: Option<&LeaseSpec>, now: Option<&LeaseSpec>) -> Option<String> {
    let (first, now) = (first?, now?);
    let leader = now.holder_identity.as_ref().filter(|holder| !holder.is_empty())?;
    (first.renew_time != now.renew_time).then(|| leader.clone())
}

fn missing(first: Option<&LeaseSpec>, flags: &Check, namespace: &str) -> String {
    let lease = format!("the lease {} in {namespace}", flags.lease_name);
    match first.and_then(|lease| lease.holder_identity.as_deref()) {
        Some(holder) if !holder.is_empty() => {
            format!("{holder} holds {lease}, and has not renewed it for {} s: see its log", flags.seconds)
        }
        _ => format!("nobody has taken {lease} for {} s: see the logs of the operator's pods", flags.seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
    use k8s_openapi::jiff::Timestamp;

    fn lease(holder: &str, second: i64) -> LeaseSpec {
        let renew_time = Timestamp::from_second(second).ok().map(MicroTime);
        LeaseSpec { holder_identity: Some(holder.to_owned()), renew_time, ..LeaseSpec::default() }
    }

    #[test]
    fn a_leader_is_who_renews_the_lease_while_it_is_looked_at() {
        let old = lease("a", 1);
        assert_eq!(renewed(Some(&old), Some(&lease("a", 3))), Some("a".to_owned()));
        assert_eq!(renewed(Some(&old), Some(&lease("b", 9))), Some("b".to_owned()), "after a hand-over");
        assert_eq!(renewed(Some(&old), Some(&old)), None, "a holder that does not renew may be gone");
        assert_eq!(renewed(Some(&old), Some(&lease("", 3))), None, "it was released");
        assert_eq!(renewed(None, Some(&old)), None, "one look says nothing");
    }
}
