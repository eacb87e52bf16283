//! Core quota of a region: `GET …/locations/{location}/usages`, and what the cap does to clusters.
//! Source: Azure REST API, `Usages_List`. Sizes count as many cores as their names say.

use crate::arm::Call;
use crate::arm::errors::Reply;
use crate::arm::ids::Target;
use crate::arm::paging::Page;
use crate::wire::Answer;
use crate::world::World;
use serde_json::{Value, json};

/// Cores that one region gives to clusters unless a control says otherwise.
pub const CORES: u64 = 10_000;

/// The cores of a machine size: the number in its name, doubled for the old DS and D families of version 2.
pub fn cores(size: &str) -> u64 {
    let name = size.to_ascii_lowercase();
    let name = name.strip_prefix("standard_").unwrap_or(&name);
    let digits: String =
        name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    let number = digits.parse::<u32>().unwrap_or(1);
    let old = (name.starts_with("ds") || name.starts_with('d')) && name.ends_with("_v2") && number < 6;
    if old { 2_u64.pow(number.saturating_sub(1)) } else { u64::from(number).max(1) }
}

/// `GET …/locations/{location}/usages`.
pub fn list(world: &World, call: &Call<'_>, target: &Target<'_>, location: &str) -> Reply {
    let here = world.workspaces.values().filter(|workspace| {
        workspace.region.eq_ignore_ascii_case(location)
            && workspace.subscription.eq_ignore_ascii_case(target.subscription)
    });
    let (mut clusters, mut used) = (0_u64, 0_u64);
    for compute in here.flat_map(|workspace| workspace.computes.values()) {
        clusters += 1;
        used += compute.cores();
    }
    let at = format!(
        "/subscriptions/{}/providers/Microsoft.MachineLearningServices/locations/{location}",
        target.subscription
    );
    let one = |name: &str, local: &str, kind: &str, value: u64, limit: u64| {
        json!({
            "id": format!("{at}/usages/{name}"), "type": format!("Microsoft.MachineLearningServices/{kind}/usages"),
            "name": { "value": name, "localizedValue": local }, "amlWorkspaceLocation": location,
            "currentValue": value, "limit": limit, "unit": "Count",
        })
    };
    let all: Vec<Value> = vec![
        one("Clusters", "Clusters", "totalCores", clusters, super::computes::CAP),
        one("TotalCores", "Total Cluster Dedicated Regional vCPUs", "dedicatedCores", used, CORES),
    ];
    let page = Page::of(call, &world.settings)?;
    Ok(Answer::ok(&page.cut("value", all.into_iter(), |one| one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_read_from_the_name_of_the_size() {
        for (size, wanted) in
            [("STANDARD_DS3_V2", 4), ("Standard_D2s_v3", 2), ("Standard_NC6s_v3", 6), ("Standard_DS1_v2", 1)]
        {
            assert_eq!(cores(size), wanted, "{size}");
        }
    }
}
