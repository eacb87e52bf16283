//! What `cancel` says, and when it says it.

use crate::stub::{Stub, run};
use anyhow::{Result, ensure};
use serde_json::json;

#[test]
fn a_run_is_said_to_be_cancelled_only_once_that_is_asked_for() -> Result<()> {
    let run = run(&json!({"phase": "Running"}));
    let script = |patched: &str| format!("case \"$1\" in get) echo '{run}' ;; patch) {patched} ;; esac");
    let refused = Stub::of(&script("echo 'Error from server (Forbidden): no' >&2; exit 1"))?;
    let said = refused.said(&["cancel", "r", "--namespace", "n"])?;
    ensure!(said.code == Some(1) && said.out.is_empty(), "{said:?}");
    ensure!(said.err.starts_with("error: ask for a role in the namespace"), "{said:?}");
    let said = Stub::of(&script("exit 0"))?.said(&["cancel", "r", "--namespace", "n"])?;
    ensure!(said.code == Some(0), "{said:?}");
    assert_eq!(said.out, "MLRun/r is asked to be cancelled; the object stays, and tells how it ended\n");
    Ok(())
}
