//! What is logged: alone in its process, since a log is one for all.

mod support;

use anyhow::Result;
use azureml_client::ArmId;
use serde_json::json;
use std::sync::Mutex;
use support::{Seen, Server, TOKEN, answer, client};
use tracing::level_filters::LevelFilter;

#[tokio::test]
async fn the_most_talkative_log_has_no_token_and_no_signature() -> Result<()> {
    let log = tempfile::NamedTempFile::new()?;
    let writer = Mutex::new(log.reopen()?);
    let subscriber =
        tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(writer).finish();
    tracing::subscriber::set_global_default(subscriber)?;
    let cloud = Server::start(|seen: &Seen| {
        answer(if seen.line.starts_with("DELETE") { 403 } else { 200 }, r#"{"refresh_token": "r3fr3sh"}"#)
    })
    .await?;
    let client = client(&cloud, &[])?;
    let workspace = ArmId::workspace("s", "g", "w");
    client.put(&workspace.child("jobs", "j"), &json!({})).await?;
    assert!(client.delete(&workspace.child("jobs", "j"), &[]).await.is_err());
    client.put_blob(&format!("{}/c/b?sig=s1gnatur3", cloud.address), Vec::new(), false).await?;
    let carried: Vec<bool> = cloud.seen().iter().map(Seen::has_token).collect();
    assert_eq!(carried, [true, true, false], "{:?}", cloud.lines());
    let text = std::fs::read_to_string(log.path())?;
    assert!(text.contains("PUT") && text.contains("jobs/j"), "nothing was logged: {text}");
    for secret in [TOKEN, "s1gnatur3", "r3fr3sh"] {
        assert!(!text.contains(secret), "{text}");
    }
    Ok(())
}
