//! Nodes that Azure does not give to a cluster that is there: it stays `Succeeded`, and its jobs wait.
//!
//! In: the cluster as Azure shows it. Out: a verdict with the way out. Source: recorded, `properties.properties.errors` with
//! `ClusterCoreQuotaReached` while fewer nodes are there than the cluster is to have.

use super::shown::{count, first_error};
use crate::action::Verdict;
use crate::reasons::Reason;
use azureml_client::words::{LONGEST, cut};
use serde_json::Value;

/// Why nodes are missing; `None` where none is. Errors of an allocation that has caught up since are old.
pub(super) fn trouble(have: &Value) -> Option<Verdict> {
    let inner = &have["properties"]["properties"];
    let error = first_error(&inner["errors"])?;
    let current = count(&inner["currentNodeCount"]);
    let target = count(&inner["targetNodeCount"]).max(count(&inner["scaleSettings"]["minNodeCount"]));
    if current >= target {
        return None;
    }
    let code = error["code"].as_str().unwrap_or(Reason::ALLOCATION_FAILED.word());
    let (reason, remedy) = if code.contains("Quota") {
        (Reason::QUOTA_EXCEEDED, "ask Azure for more quota, lower scale, or choose another vmSize")
    } else {
        (Reason::ALLOCATION_FAILED, "do what Azure says, or choose another vmSize")
    };
    let words = cut(error["message"].as_str().unwrap_or("nothing"), LONGEST);
    let message =
        format!("the cluster has {current} of {target} nodes ({code}); {remedy}; Azure says: {words}");
    Some(Verdict::stalled(reason, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cluster(current: i32, target: i32, code: Option<&str>) -> Value {
        let errors = code.map(|code| json!([{"error": {"code": code, "message": "Maximum allowed: 100"}}]));
        json!({"properties": {"provisioningState": "Succeeded", "properties": {"currentNodeCount": current,
            "targetNodeCount": target, "scaleSettings": {"minNodeCount": 1}, "errors": errors}}})
    }

    #[test]
    fn nodes_that_do_not_come_are_told_with_the_way_out() {
        let quota = trouble(&cluster(1, 2, Some("ClusterCoreQuotaReached"))).unwrap();
        assert_eq!(quota.reason, Reason::QUOTA_EXCEEDED);
        let expected = "the cluster has 1 of 2 nodes (ClusterCoreQuotaReached); ask Azure for more quota, lower scale, or choose \
                        another vmSize; Azure says: Maximum allowed: 100";
        assert_eq!(quota.message, expected);
        assert_eq!(trouble(&cluster(0, 0, Some("DiskFull"))).unwrap().reason, Reason::ALLOCATION_FAILED);
        assert_eq!(trouble(&cluster(2, 2, Some("ClusterCoreQuotaReached"))), None, "it has caught up");
        assert_eq!(trouble(&cluster(1, 2, None)), None, "they are on their way");
    }
}
