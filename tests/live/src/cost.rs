//! What a check makes and what it costs at most. In: the arguments. Out: text for the one who is asked.

use crate::args::Args;
use crate::names::Names;

/// What one hour of a node is assumed to cost where the user does not say it: a small general-purpose size, in US dollars,
/// rounded up. An assumption, no quotation.
const ASSUMED_PRICE: f64 = 0.50;

/// The question, without the line that asks for the answer.
#[must_use]
pub fn question(args: &Args, names: &Names) -> String {
    let workspace = args.workspace.as_deref().unwrap_or_default();
    let namespace = names.namespace();
    format!(
        "This makes, in workspace {workspace} of resource group {group} in subscription {subscription}:\n\
         - a cluster of 0 to 1 nodes of {size}, an environment built by one task of the registry, a pipeline with an\n  \
           endpoint, one run of one step, and a schedule that is suspended\n\
         - for the questions: a few schedules, environment versions and jobs that are cancelled at once; the\n  \
           story's own job is removed, and its cluster gets another idle time\n\
         Everything is named {namespace}-… or carries the owner tag {cluster}, and is removed at the end, also after\n\
         Ctrl-C or a failure. Files of runs in the storage account stay; what cannot be removed is said.\n\n\
         {cost}\n",
        group = args.resource_group.as_deref().unwrap_or_default(),
        subscription = args.subscription.as_deref().unwrap_or_default(),
        size = args.vm_size,
        cluster = names.cluster(),
        cost = cost(args),
    )
}

/// At most: the one node works for the whole time that the story may take, and is idle for a while after it.
#[must_use]
pub fn cost(args: &Args) -> String {
    let hours = f64::from(u32::try_from(args.minutes).unwrap_or(u32::MAX)) / 60.0;
    let (price, whose) = match args.price_per_hour {
        Some(price) => (price, "the price that you gave"),
        None => (
            ASSUMED_PRICE,
            "USD, an assumption: look up the price of this size in your region, and give it with --price-per-hour",
        ),
    };
    format!(
        "At most: 1 node x {hours:.1} h x {price:.2} = {total:.2} ({whose}), usually a quarter of that;\n\
         and a few minutes of two CPUs of the registry's tasks, some megabytes in the registry and the storage account.",
        total = hours * price,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn args(more: &[&str]) -> Args {
        let common = ["live", "--subscription=s", "--resource-group=g", "--workspace=w", "--operator=o"];
        Args::parse_from(common.iter().chain(more))
    }

    #[test]
    fn the_cost_is_node_times_time_times_price() {
        let cost = cost(&args(&["--minutes=90", "--price-per-hour=2"]));
        assert!(
            cost.starts_with("At most: 1 node x 1.5 h x 2.00 = 3.00 (the price that you gave)"),
            "{cost}"
        );
    }

    #[test]
    fn an_assumed_price_is_said_to_be_one() {
        let cost = cost(&args(&[]));
        assert!(cost.contains("an assumption"), "{cost}");
    }

    #[test]
    fn what_is_made_and_where_is_said() {
        let question = question(&args(&[]), &Names::of("live-0a1b2c3d").unwrap());
        for part in [
            "workspace w",
            "resource group g",
            "subscription s",
            "0 to 1 nodes",
            "live-0a1b2c3d-",
            "azureml-live-0a1b2c3d",
        ] {
            assert!(question.contains(part), "{part} in {question}");
        }
    }
}
