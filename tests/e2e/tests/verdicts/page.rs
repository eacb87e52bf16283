//! The page of the documentation: a table of the states of every kind, and one for each kind.

use super::Judged;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# What GitOps tools read

<!-- Written by a test: UPDATE=1 cargo test --workspace --test e2e verdicts:: -->

Every state that an object can be in, and what tools make of it. The states come from the functions that write
`status`; a test finds every reason in the source and fails where one has no state here. The verdicts are those of
`sigs.k8s.io/cli-utils` v0.37.2 (kstatus), and equally of Flux's fork of it, v0.36.0-flux.15. The health is what the
[scripts for Argo CD](../how-to/argo-cd.md) say, run with the libraries and the second that Argo CD gives them.

| kstatus | what it means | Flux with `wait: true` |
|---|---|---|
| `Current` | what Azure has is what the spec says, or is left as it is on purpose | goes on |
| `InProgress` | it comes by itself: work goes on, or something is waited for | waits until `timeout` |
| `Failed` | only a change helps; the condition says which | fails at once: `failed early due to stalled resources` |
| `Terminating` | it is gone once Azure has let go of it | prunes without waiting |

An MLRun is `Current` once Azure ML has taken its job, as a Job of Kubernetes is once its pod runs, and `Failed` when the
job fails. [Waiting for a run](../how-to/gitops.md#waiting-for-a-run) says how to wait for its end.
";

pub fn page(judged: &[Judged]) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## Every kind\n");
    let shared = |judged: &&Judged| judged.state.kinds.len() > 1;
    let mut told = BTreeSet::new();
    let once = judged.iter().filter(shared).filter(|judged| told.insert(&judged.state.situation));
    table(&mut page, once, true);
    for kind in azureml_crds::kinds() {
        let _ = write!(page, "\n## {kind}\n");
        table(&mut page, judged.iter().filter(|judged| judged.state.kind == kind && !shared(judged)), false);
    }
    page
}

fn table<'a>(page: &mut String, rows: impl Iterator<Item = &'a Judged>, is_shared: bool) {
    page.push_str("\n| situation | Ready | others | kstatus | Argo CD |\n|---|---|---|---|---|\n");
    for row in rows {
        let (state, said) = (&row.state, &row.said);
        let mut situation = state.situation.clone();
        if is_shared && state.kinds.len() < 5 {
            let _ = write!(situation, " ({})", state.kinds.join(", "));
        }
        let (ready, others) = conditions(&state.object["status"]["conditions"]);
        let (kstatus, health) = (&said["kstatus"]["status"], &said["health"]["status"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let _ = writeln!(page, "| {situation} | {ready} | {others} | {} | {} |", text(kstatus), text(health));
    }
}

/// `Ready` with its reason, and the other conditions.
fn conditions(all: &Value) -> (String, String) {
    let (mut ready, mut others) = ("none yet".to_owned(), Vec::new());
    for condition in all.as_array().into_iter().flatten() {
        let text = |field: &str| condition[field].as_str().unwrap_or_default();
        let (r#type, status, reason) = (text("type"), text("status"), text("reason"));
        match r#type {
            "Ready" => ready = format!("{status} `{reason}`"),
            "Reconciling" | "Stalled" => others.push(format!("{type}={status}")),
            _ => others.push(format!("{type}={status} `{reason}`")),
        }
    }
    (ready, others.join(", "))
}
