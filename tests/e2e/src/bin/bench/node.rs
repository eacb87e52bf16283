//! The image as it is shipped, and how soon another replica leads on a real node: after the leader's pod is deleted, and
//! after its process is killed. A run of its own, since it needs another control plane than the other rows.

use crate::figures::Figures;
use anyhow::{Result, bail};
use azureml_control_plane::Node;
use azureml_e2e::{Installed, Setting};

/// Measures so many times; the image once.
pub async fn measured(figures: &mut Figures, rounds: usize) -> Result<()> {
    if let Some(reason) = Node::unavailable() {
        bail!("the row `node` is skipped: {reason}");
    }
    let installed = Installed::prepare("bench", "release", Setting::default()).await?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    figures.take("image: files".into(), "MB", megabytes(installed.image.bytes));
    figures.take("image: compressed".into(), "MB", megabytes(installed.image.compressed_bytes));
    installed.helm("install", &[]).await?;
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        let took = installed.delete_leader().await?;
        figures.take("leader's pod deleted: until another leads".into(), "s", took.as_secs_f64());
        // Two again, of which one waits.
        installed.helm("upgrade", &[]).await?;
        let took = installed.kill_leader().await?;
        figures.take("leader's process killed: until another leads".into(), "s", took.as_secs_f64());
        installed.helm("upgrade", &[]).await?;
    }
    Ok(())
}
