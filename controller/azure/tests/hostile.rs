//! Answers that lie about addresses: no token leaves the cloud, and nothing is asked inside of the platform.

mod support;

use anyhow::Result;
use azureml_client::budget::Urgency;
use azureml_client::client::Client;
use azureml_client::image::ImageRef;
use azureml_client::registry::{Access, Registries};
use azureml_client::send::Transport;
use azureml_client::{ArmId, Class, Error};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use support::{Seen, Server, TOKEN, answer, client, http, transport, with};

fn workspace() -> ArmId {
    ArmId::workspace("s", "g", "w")
}

fn registries(transport: Transport) -> Registries {
    Registries::new(transport.clone(), transport, Vec::new())
}

/// A server that nobody should talk to.
async fn stranger() -> Result<Server> {
    Server::start(|_| answer(200, r#"{"value": [], "token": "bait"}"#)).await
}

/// No word of the client's tokens in what it says about itself and its errors.
fn is_discreet(client: &Client, error: &Error) {
    for text in [format!("{client:?}"), format!("{error:?}"), error.to_string()] {
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[tokio::test]
async fn a_next_link_is_followed_inside_of_the_cloud_only() -> Result<()> {
    let stranger = stranger().await?;
    let port = stranger.host.rsplit(':').next().unwrap_or_default().to_owned();
    for link in [
        format!("{}/next", stranger.address),
        format!("//{}/next", stranger.host),
        format!("https://localhost:{port}/next"),
        format!("https://CLOUD@{}/next", stranger.host),
        "http://CLOUD/next".to_owned(),
        "https://user:word@CLOUD/next".to_owned(),
        format!("https://CLOUD.{}/next", stranger.host),
    ] {
        let given = Arc::new(Mutex::new(String::new()));
        let body = given.clone();
        let cloud =
            Server::start(move |_| answer(200, &body.lock().unwrap_or_else(PoisonError::into_inner))).await?;
        let body = json!({"value": [], "nextLink": link.replace("CLOUD", &cloud.host)}).to_string();
        *given.lock().unwrap_or_else(PoisonError::into_inner) = body;
        let client = client(&cloud, &[&stranger])?;
        let error = client.list(&workspace(), "computes", &[], Urgency::Change).await.err();
        let Some(error @ (Error::ForeignHost { .. } | Error::Unreadable { .. })) = &error else {
            panic!("{link}: {error:?}")
        };
        is_discreet(&client, error);
        assert_eq!(cloud.seen().len(), 1, "{link}: {:?}", cloud.lines());
    }
    assert_eq!(stranger.lines(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn pages_of_the_cloud_are_read_to_the_end() -> Result<()> {
    let cloud = Server::start(|seen: &Seen| {
        let body = if seen.line.contains("skip=1") {
            json!({"value": [2]})
        } else {
            json!({"value": [1], "nextLink": "/next?skip=1"})
        };
        answer(200, &body.to_string())
    })
    .await?;
    let items = client(&cloud, &[])?.list(&workspace(), "computes", &[], Urgency::Change).await?;
    let items: Vec<&str> = items.iter().map(|item| item.get()).collect();
    assert_eq!(items, ["1", "2"]);
    assert!(cloud.seen().iter().all(Seen::has_token));
    Ok(())
}

#[tokio::test]
async fn where_an_operation_could_be_followed_is_not_asked() -> Result<()> {
    let stranger = stranger().await?;
    let away = stranger.address.clone();
    let cloud = Server::start(move |_| {
        let headers = [("location", away.as_str()), ("azure-asyncoperation", away.as_str())];
        with(202, &headers, "")
    })
    .await?;
    let client = client(&cloud, &[&stranger])?;
    let id = workspace().child("computes", "cpu");
    assert_eq!(client.put(&id, &json!({})).await?.status, 202);
    assert_eq!(client.delete(&id, &[]).await?.map(|answer| answer.status), Some(202));
    assert_eq!(stranger.lines(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn redirects_are_answers_like_any_other() -> Result<()> {
    let stranger = stranger().await?;
    for status in [301, 302, 303, 307, 308] {
        let away = stranger.address.clone();
        let cloud = Server::start(move |_| with(status, &[("location", away.as_str())], "")).await?;
        let client = client(&cloud, &[&stranger])?;
        let id = workspace().child("computes", "cpu");
        assert!(client.get(&id, Urgency::Change).await.is_err(), "{status}");
        assert!(client.put(&id, &json!({})).await.is_err(), "{status}");
        let image = ImageRef::parse(&format!("{}/a:1", cloud.host))?;
        let registries = registries(transport(http(&[&cloud, &stranger])?));
        assert!(registries.digest(&image, Access::Own(&client)).await.is_err(), "{status}");
        assert!(registries.digest(&image, Access::Anonymous).await.is_err(), "{status}");
    }
    assert_eq!(stranger.lines(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn discovered_addresses_have_to_be_the_clouds() -> Result<()> {
    let stranger = stranger().await?;
    let cloud = Server::start(|_| answer(200, "{}")).await?;
    let client = client(&cloud, &[&stranger])?;
    let read = client.get_data("history", &format!("{}/history", stranger.address), "s").await;
    assert!(matches!(read, Err(Error::ForeignHost { .. })), "{read:?}");
    let read = client.get_open("discovery", &format!("{}/discovery", stranger.address)).await;
    assert!(matches!(read, Err(Error::ForeignHost { .. })), "{read:?}");
    assert_eq!(stranger.lines(), [""; 0]);
    assert!(client.get_open("discovery", &format!("{}/discovery", cloud.address)).await.is_ok());
    assert!(!cloud.seen()[0].has_token());
    Ok(())
}

#[tokio::test]
async fn a_token_is_exchanged_at_the_registry_itself_whatever_realm_it_names() -> Result<()> {
    let stranger = stranger().await?;
    let digest = format!("sha256:{}", "a".repeat(64));
    let challenge = format!(r#"Bearer realm="{}/oauth2/token",service="s",scope="p""#, stranger.address);
    let cloud = Server::start(move |seen: &Seen| {
        if seen.line.contains("/oauth2/") {
            return answer(200, r#"{"refresh_token": "refresh", "access_token": "access"}"#);
        }
        if seen.rest.contains("Bearer access") {
            return with(200, &[("docker-content-digest", &digest)], "");
        }
        with(401, &[("www-authenticate", &challenge)], "")
    })
    .await?;
    let client = client(&cloud, &[&stranger])?;
    let registries = registries(transport(http(&[&cloud, &stranger])?));
    let own = ImageRef::parse(&format!("{}/a:1", cloud.host))?;
    assert!(registries.digest(&own, Access::Own(&client)).await?.is_some());
    let paths: Vec<String> = cloud.lines();
    let expected =
        ["HEAD /v2/a/manifests/1", "POST /oauth2/exchange", "POST /oauth2/token", "HEAD /v2/a/manifests/1"];
    assert_eq!(paths, expected);
    let with_token: Vec<bool> = cloud.seen().iter().map(Seen::has_token).collect();
    assert_eq!(with_token, [false, true, false, false], "Entra's token is for the exchange alone");
    assert_eq!(stranger.lines(), [""; 0]);
    let foreign = ImageRef::parse(&format!("{}/a:1", stranger.host))?;
    let refused = registries.digest(&foreign, Access::Own(&client)).await;
    assert!(matches!(refused, Err(Error::ForeignHost { .. })), "{refused:?}");
    assert_eq!(stranger.lines(), [""; 0]);
    assert!(!format!("{registries:?}").contains("access"));
    Ok(())
}

#[tokio::test]
async fn somebody_elses_registry_and_its_realm_see_no_token() -> Result<()> {
    let realm = stranger().await?;
    let challenge = format!(r#"Bearer realm="{}/token",service="s",scope="p""#, realm.address);
    let registry = Server::start(move |seen: &Seen| {
        if seen.rest.contains("Bearer bait") {
            return with(404, &[], "");
        }
        with(401, &[("www-authenticate", &challenge)], "")
    })
    .await?;
    let registries = registries(transport(http(&[&registry, &realm])?));
    let image = ImageRef::parse(&format!("{}/a:1", registry.host))?;
    assert_eq!(registries.digest(&image, Access::Anonymous).await?, None);
    assert_eq!(realm.lines(), ["GET /token?service=s&scope=p"]);
    assert!(registry.seen().iter().chain(&realm.seen()).all(|seen| !seen.has_token()));
    Ok(())
}

#[tokio::test]
async fn what_one_may_read_is_nobody_elses() -> Result<()> {
    let digest = format!("sha256:{}", "a".repeat(64));
    let cloud = Server::start(move |seen: &Seen| {
        if seen.line.contains("/oauth2/") {
            return answer(200, r#"{"refresh_token": "refresh", "access_token": "access"}"#);
        }
        if seen.rest.contains("Bearer access") {
            return with(200, &[("docker-content-digest", &digest)], "");
        }
        with(401, &[("www-authenticate", r#"Bearer realm="https://127.0.0.1:1/token""#)], "")
    })
    .await?;
    let client = client(&cloud, &[])?;
    let registries = registries(transport(http(&[&cloud])?));
    let image = ImageRef::parse(&format!("{}/private:1", cloud.host))?;
    assert!(registries.digest(&image, Access::Own(&client)).await?.is_some());
    let stranger = registries.digest(&image, Access::Anonymous).await;
    assert!(stranger.is_err(), "the token of another was used: {stranger:?}");
    let last = cloud.seen().pop().map(|seen| seen.rest).unwrap_or_default();
    assert!(!last.contains("authorization"), "{last}");
    Ok(())
}

#[tokio::test]
async fn a_realm_without_tls_is_refused() -> Result<()> {
    let registry = Server::start(|_| {
        with(401, &[("www-authenticate", r#"Bearer realm="http://127.0.0.1:1/token""#)], "")
    })
    .await?;
    let image = ImageRef::parse(&format!("{}/a:1", registry.host))?;
    let refused = registries(transport(http(&[&registry])?)).digest(&image, Access::Anonymous).await;
    let Err(Error::Unreadable { cause, .. }) = refused else { panic!("{refused:?}") };
    assert!(cause.contains("not https"), "{cause}");
    Ok(())
}

#[tokio::test]
async fn addresses_inside_of_the_platform_are_not_asked() -> Result<()> {
    let inside = stranger().await?;
    let registries = registries(transport(http(&[&inside])?).only_public());
    let port = inside.host.rsplit(':').next().unwrap_or_default();
    for host in [inside.host.clone(), format!("127.1:{port}"), format!("[::ffff:127.0.0.1]:{port}")] {
        let image = ImageRef::parse(&format!("{host}/a:1"))?;
        let refused = registries.digest(&image, Access::Anonymous).await;
        let Err(error @ Error::PrivateAddress { .. }) = refused else { panic!("{host}: {refused:?}") };
        assert_eq!(error.class(), Class::Invalid);
        assert!(error.to_string().contains("registries.allowPrivateAddresses"), "{error}");
    }
    assert_eq!(inside.lines(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_private_registry_is_told_as_one() -> Result<()> {
    for challenge in
        [r#"Basic realm="Registry""#, "", r#"Bearer realm="https://CLOUD/token",service="s",scope="p""#]
    {
        let (header, host) = (challenge.to_owned(), Arc::new(Mutex::new(String::new())));
        let known = host.clone();
        let registry = Server::start(move |_| {
            let host = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
            with(401, &[("www-authenticate", &header.replace("CLOUD", &host))], "")
        })
        .await?;
        host.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&registry.host);
        let image = ImageRef::parse(&format!("{}/a:1", registry.host))?;
        let registries = registries(transport(http(&[&registry])?));
        let refused = registries.digest(&image, Access::Anonymous).await;
        let Err(error @ Error::RegistryUnauthorized { .. }) = refused else {
            panic!("{challenge}: {refused:?}")
        };
        assert_eq!(error.class(), Class::Denied);
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() -> Result<()> {
    let endless = Server::start(|_| {
        let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
        let chunks = futures::stream::repeat_with(move || Ok::<_, std::convert::Infallible>(chunk.clone()));
        axum::http::Response::new(axum::body::Body::from_stream(chunks))
    })
    .await?;
    let client = client(&endless, &[])?;
    let error = client.get(&workspace(), Urgency::Change).await.err();
    let Some(Error::Unreadable { cause, .. }) = error else { panic!("{error:?}") };
    assert!(cause.contains("larger than"), "{cause}");
    Ok(())
}

#[tokio::test]
async fn a_refusal_of_a_megabyte_is_told_in_a_few_words() -> Result<()> {
    let (code, text) = ("C".repeat(1 << 20), "m".repeat(1 << 20));
    let body = serde_json::json!({"error": {"code": code, "message": text}}).to_string();
    let talkative = Server::start(move |_| answer(400, &body)).await?;
    let client = client(&talkative, &[])?;
    let error = client.get(&workspace(), Urgency::Change).await.unwrap_err();
    assert!(format!("{error}{error:?}").len() < 8_000, "{} bytes", format!("{error}{error:?}").len());
    Ok(())
}
