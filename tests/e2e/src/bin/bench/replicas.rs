//! Two replicas with 1,000 clusters and the lease's own times: the start, what each holds in memory, and how soon the other
//! leads when the leader dies and when it hangs.

use crate::clusters::manifests;
use crate::figures::Figures;
use crate::measure::{Budget, all_ready, azure, metric, scene};
use anyhow::Result;
use azureml_controller::telemetry::texts;
use azureml_crds::{MLCompute, MLWorkspace};
use azureml_e2e::operator::Start;
use azureml_e2e::{Operator, Scene};
use std::time::Instant;

/// Starts one more, which waits for the lease.
async fn standby(scene: &Scene, number: u8) -> Result<Operator> {
    let client = format!("bbbbbbbb-0000-4000-8000-{number:012}");
    let start = Start { client, ..scene.start.clone() };
    let operator = tokio::task::spawn_blocking(move || Operator::start(&start)).await??;
    operator.line(0, "that it waits", |line| line["message"] == texts::WAITING)?;
    Ok(operator)
}

fn is_pass(line: &serde_json::Value) -> bool {
    line["message"] == texts::PASS
}

/// Every figure of two replicas.
pub async fn two(figures: &mut Figures, count: usize) -> Result<()> {
    let mut scene = scene(azure(false), "10m", Budget::Lifted).await?;
    // Passes are lines of the level debug.
    scene.start.log = None;
    scene.kubectl(&["apply", "-f", "examples/r-gbm/workspace.yaml"]).await?;
    // The first builds the program, where it is not built yet.
    scene.operator().await?.stop()?;
    let began = Instant::now();
    let first = scene.operator().await?;
    first.line(0, "a pass", is_pass)?;
    figures.take("start of the process to first pass".to_owned(), "s", began.elapsed().as_secs_f64());
    all_ready::<MLWorkspace>(&scene, 1).await?;
    let second = standby(&scene, 2).await?;
    scene.apply(&manifests(count)).await?;
    all_ready::<MLCompute>(&scene, count).await?;
    for (who, operator) in [("leader", &first), ("standby", &second)] {
        let bytes = metric(operator, "process_resident_memory_bytes").await?;
        figures.take(format!("{count} clusters: memory of the {who}"), "MB", bytes / 1e6);
    }
    let died = Instant::now();
    first.kill();
    taken_over(figures, &second, died, "dies")?;
    let third = standby(&scene, 3).await?;
    let mut second = second;
    let hung = Instant::now();
    second.signal("STOP");
    taken_over(figures, &third, hung, "hangs")?;
    second.kill();
    third.stop()
}

fn taken_over(figures: &mut Figures, next: &Operator, since: Instant, how: &str) -> Result<()> {
    next.leads()?;
    figures.take(format!("the leader {how}: the other leads after"), "s", since.elapsed().as_secs_f64());
    next.line(0, "a pass", is_pass)?;
    figures.take(
        format!("the leader {how}: first pass of the other after"),
        "s",
        since.elapsed().as_secs_f64(),
    );
    Ok(())
}
