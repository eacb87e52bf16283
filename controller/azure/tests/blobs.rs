//! Blobs: a signed address sees no token, a token for storage sees no stranger, and what is there already is kept.

mod support;

use anyhow::Result;
use azureml_client::Error;
use support::{Server, TOKEN, answer, client, with};

#[tokio::test]
async fn a_blob_is_reached_by_its_signature_alone() -> Result<()> {
    let storage = Server::start(|_| with(201, &[("content-length", "0")], "")).await?;
    let client = client(&storage, &[])?;
    let address = format!("{}/c/b?sig=signature", storage.address);
    client.put_blob(&address, b"x".to_vec(), true).await?;
    client.blob_tail(&address, 10).await?;
    assert_eq!(storage.seen().len(), 3);
    assert!(storage.seen().iter().all(|seen| !seen.rest.contains("authorization")));
    let refused = client.put_blob("http://127.0.0.1:1/c/b?sig=signature", Vec::new(), false).await;
    let Err(error) = refused else { panic!("a blob without TLS was written") };
    assert!(!error.to_string().contains("signature"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_blob_is_read_on_from_where_it_was_read_to() -> Result<()> {
    let storage = Server::start(|seen| {
        let is_behind = seen.rest.contains("bytes=4-13");
        if is_behind {
            with(416, &[("x-ms-error-code", "InvalidRange")], "")
        } else if seen.rest.contains("bytes=0-9") {
            answer(206, "log\n")
        } else {
            with(404, &[("x-ms-error-code", "BlobNotFound")], "")
        }
    })
    .await?;
    let client = client(&storage, &[])?;
    let address = format!("{}/c/b?sig=signature", storage.address);
    assert_eq!(client.blob_from(&address, 0, 10).await?, Some(b"log\n".to_vec()));
    assert_eq!(client.blob_from(&address, 4, 10).await?, Some(Vec::new()));
    assert_eq!(client.blob_from(&address, 5, 10).await?, None);
    assert!(storage.seen().iter().all(|seen| !seen.rest.contains("authorization")));
    Ok(())
}

#[tokio::test]
async fn a_token_for_blobs_goes_to_blobs_of_the_cloud_alone() -> Result<()> {
    let storage = Server::start(|_| with(201, &[("content-length", "0")], "")).await?;
    let stranger = Server::start(|_| answer(200, "{}")).await?;
    let client = client(&storage, &[&stranger])?;
    client.put_blob(&format!("{}/c/b", storage.address), b"x".to_vec(), true).await?;
    let seen = storage.seen();
    assert!(seen[0].has_token() && seen[0].rest.contains("x-ms-version"), "{seen:?}");
    let refused = client.put_blob(&format!("{}/c/b", stranger.address), b"x".to_vec(), true).await;
    let Err(error @ Error::ForeignHost { .. }) = refused else { panic!("{refused:?}") };
    assert!(!error.to_string().contains(TOKEN), "{error}");
    assert_eq!(stranger.lines(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_blob_that_is_there_is_kept_and_any_other_conflict_is_told() -> Result<()> {
    let body = |code: &str| {
        format!(
            "\u{feff}<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m\nRequestId:1</Message></Error>"
        )
    };
    for (status, code, is_done) in [
        (409, "BlobAlreadyExists", true),
        (412, "ConditionNotMet", true),
        (409, "ContainerBeingDeleted", false),
    ] {
        let text = body(code);
        let storage = Server::start(move |_| with(status, &[("x-ms-error-code", code)], &text)).await?;
        let client = client(&storage, &[])?;
        let put = client.put_blob(&format!("{}/c/b?sig=s", storage.address), b"x".to_vec(), true).await;
        assert_eq!(put.is_ok(), is_done, "{code}: {put:?}");
        assert!(put.err().is_none_or(|error| error.has_code(code)));
    }
    Ok(())
}
