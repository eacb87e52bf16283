//! The order in which requests go, on a clock that stands still.

use super::*;
use crate::turns::PAYER;

fn budget() -> Arc<Budget> {
    let writes = Limit { burst: 10.0, per_second: 2.0 };
    Arc::new(Budget::new(Limits { writes, ..Limits::default() }))
}

async fn spend_all(budget: &Arc<Budget>, count: usize, urgency: Urgency) -> Duration {
    let start = Instant::now();
    futures::future::join_all((0..count).map(|_| budget.spend(Bucket::Writes, urgency))).await;
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
    let budget = budget();
    assert_eq!(spend_all(&budget, 10, Urgency::Change).await, Duration::ZERO);
    let took = spend_all(&budget, 4, Urgency::Change).await;
    assert!((1.9..2.2).contains(&took.as_secs_f64()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn comparisons_leave_a_reserve_to_changes() {
    let budget = budget();
    assert_eq!(spend_all(&budget, 8, Urgency::Drift).await, Duration::ZERO);
    assert_eq!(spend_all(&budget, 2, Urgency::Change).await, Duration::ZERO);
    assert!(spend_all(&budget, 1, Urgency::Drift).await >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn what_azure_says_is_left_counts() {
    let budget = budget();
    budget.left(Bucket::Writes, 0.0);
    assert!(spend_all(&budget, 1, Urgency::Change).await >= Duration::from_millis(400));
    budget.left(Bucket::Writes, 1000.0);
    assert!(spend_all(&budget, 1, Urgency::Change).await >= Duration::from_millis(400));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_told_as_a_share() {
    let budget = budget();
    spend_all(&budget, 5, Urgency::Change).await;
    assert!((budget.share(Bucket::Writes) - 0.5).abs() < 0.01);
    assert!((budget.share(Bucket::Reads) - 1.0).abs() < 0.01);
    budget.close(Bucket::Writes, Duration::from_secs(7));
    assert!(budget.share(Bucket::Writes).abs() < 0.01);
}

#[tokio::test(start_paused = true)]
async fn after_429_nothing_is_sent_before_the_delay_is_over() {
    let budget = budget();
    budget.close(Bucket::Writes, Duration::from_secs(7));
    assert!(spend_all(&budget, 1, Urgency::Change).await >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_429_of_a_provider_is_for_the_namespace_that_asked() {
    let budget = budget();
    let of = |payer: &str, count: usize| {
        let (payer, budget) = (Arc::from(payer), budget.clone());
        PAYER.scope(payer, async move { spend_all(&budget, count, Urgency::Change).await })
    };
    budget.close_for(Bucket::Writes, &Arc::from("a"), Duration::from_secs(20));
    let waits = tokio::spawn(of("a", 2));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(of("b", 3).await, Duration::ZERO);
    assert!((budget.share(Bucket::Writes) - 0.7).abs() < 0.05);
    let took = waits.await.unwrap();
    assert!((19.9..20.5).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!(of("a", 1).await, Duration::ZERO, "it is over");
}

#[tokio::test(start_paused = true)]
async fn one_change_of_a_namespace_does_not_wait_for_the_hundreds_of_another() {
    let budget = budget();
    let of = |payer: &str, count: usize| {
        let (payer, budget) = (Arc::from(payer), budget.clone());
        PAYER.scope(payer, async move { spend_all(&budget, count, Urgency::Change).await })
    };
    let many = tokio::spawn(of("a", 400));
    tokio::time::sleep(Duration::from_secs(20)).await;
    // The next request takes one token, and this one the token after it.
    let took = of("b", 1).await;
    assert!(took <= Duration::from_secs(1), "{took:?}");
    assert!(many.await.unwrap() >= Duration::from_secs(190), "the rate is kept");
}

#[tokio::test(start_paused = true)]
async fn who_gave_up_takes_no_token() {
    let budget = budget();
    spend_all(&budget, 10, Urgency::Change).await;
    let given_up =
        tokio::time::timeout(Duration::from_millis(100), budget.spend(Bucket::Writes, Urgency::Change));
    assert!(given_up.await.is_err());
    let took = spend_all(&budget, 1, Urgency::Change).await;
    assert!(took <= Duration::from_millis(500), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn changes_without_end_leave_comparisons_a_part_and_wake_who_waits_for_more() {
    let budget = budget();
    let many = tokio::spawn({
        let budget = budget.clone();
        async move { spend_all(&budget, 200, Urgency::Change).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let took = spend_all(&budget, 2, Urgency::Drift).await;
    assert!(took < Duration::from_secs(8), "{took:?}");
    many.await.unwrap();
    spend_all(&budget, 1, Urgency::Drift).await;
    spend_all(&budget, 2, Urgency::Change).await;
    // A comparison waits for three tokens; a change that comes meanwhile for one.
    let compares = tokio::spawn({
        let budget = budget.clone();
        async move { spend_all(&budget, 1, Urgency::Drift).await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let took = spend_all(&budget, 1, Urgency::Change).await;
    assert!(took <= Duration::from_millis(600), "{took:?}");
    compares.await.unwrap();
}
