//! Installing, upgrading and removing with Helm, on a control plane of its own: nothing is there before.
//! Without a node no pod starts; whether they do is shown by the tests of the real node.

use super::stage::RUNTIME;
use super::walk::walk;
use anyhow::Result;
use azureml_control_plane::{ControlPlane, Options};
use azureml_e2e::place::Place;

#[test]
fn installing_upgrading_and_removing_work() -> Result<()> {
    let plane = RUNTIME.block_on(ControlPlane::start(Options::default()))?;
    walk(&Place::on(&plane)?, &["operations/install.md", "operations/upgrade.md"])
}
