//! How a cluster grows and shrinks.

use super::*;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn scale(min: usize, max: usize) -> Scale {
    Scale { min, max, idle: SECOND * 120 }
}

fn claim(run: &str, count: usize) -> Claim {
    Claim { run: run.into(), count }
}

fn at(seconds: i32) -> Timestamp {
    Timestamp::UNIX_EPOCH + SECOND * seconds
}

#[test]
fn a_cluster_that_scales_to_zero_grows_for_a_step_and_shrinks_when_idle() {
    let mut nodes = Nodes::new(at(0));
    assert!(nodes.balance(scale(0, 4), at(0), SECOND).next.is_none(), "nothing to do without work");

    nodes.claim(claim("a", 2));
    let moved = nodes.balance(scale(0, 4), at(1), SECOND);
    assert!(moved.granted.is_empty());
    assert_eq!(nodes.words(), ["preparing", "preparing"]);
    assert_eq!(moved.next, Some(at(2)));

    assert_eq!(nodes.balance(scale(0, 4), at(2), SECOND).granted, ["a"]);
    assert_eq!(nodes.properties()["nodeStateCounts"]["runningNodeCount"], 2);

    nodes.release("a", at(10));
    assert_eq!(nodes.balance(scale(0, 4), at(10), SECOND).next, Some(at(130)));
    assert_eq!(nodes.balance(scale(0, 4), at(130), SECOND).next, Some(at(131)));
    nodes.balance(scale(0, 4), at(131), SECOND);
    assert_eq!(nodes.properties()["currentNodeCount"], 0);
    assert_eq!(nodes.properties()["allocationState"], "Steady");
}

#[test]
fn a_step_waits_until_a_node_is_free_and_is_not_overtaken() {
    let mut nodes = Nodes::new(at(0));
    for (run, count) in [("a", 1), ("big", 2), ("b", 1)] {
        nodes.claim(claim(run, count));
    }
    nodes.balance(scale(0, 2), at(0), SECOND);
    assert_eq!(nodes.balance(scale(0, 2), at(1), SECOND).granted, ["a"]);
    nodes.release("a", at(2));
    assert_eq!(nodes.balance(scale(0, 2), at(2), SECOND).granted, ["big"]);
    nodes.release("big", at(3));
    assert_eq!(nodes.balance(scale(0, 2), at(3), SECOND).granted, ["b"]);
}

#[test]
fn the_smallest_number_of_nodes_is_kept_and_follows_its_setting() {
    let mut nodes = Nodes::new(at(0));
    nodes.balance(scale(1, 4), at(0), SECOND);
    assert_eq!(nodes.balance(scale(1, 4), at(1), SECOND).next, None, "the node that must stay is not timed");
    nodes.balance(scale(3, 4), at(2), SECOND);
    nodes.balance(scale(3, 4), at(3), SECOND);
    assert_eq!(nodes.properties()["currentNodeCount"], 3);
    nodes.balance(scale(0, 1), at(4), SECOND);
    nodes.balance(scale(0, 1), at(5), SECOND);
    assert_eq!(nodes.properties()["currentNodeCount"], 1, "nodes beyond the largest number go at once");
}

#[test]
fn nodes_that_take_no_time_are_granted_at_once() {
    let mut nodes = Nodes::new(at(0));
    nodes.claim(claim("a", 1));
    assert_eq!(nodes.balance(scale(0, 1), at(0), SignedDuration::ZERO).granted, ["a"]);
}
