//! The data plane of Azure ML, at addresses that answers give: run history, discovery.
//!
//! In: addresses. Out: answers. A token goes there only when the host is the cloud's own.

use crate::budget::{Bucket, Urgency};
use crate::client::{Client, gone_is_none, parse};
use crate::error::Error;
use crate::request::Request;
use crate::send::Verb;
use reqwest::header::HeaderMap;
use serde_json::Value;

impl Client {
    /// Reads from the data plane of Azure ML, such as run history; `None` when it is not there.
    ///
    /// # Errors
    /// When the address is not the cloud's, or the answer is no success.
    pub async fn get_data(
        &self,
        kind: &str,
        address: &str,
        subscription: &str,
    ) -> Result<Option<Value>, Error> {
        let mut request = plain(kind, address)?;
        self.cloud.trust(&request.url)?;
        self.spend(&mut request, subscription, Bucket::DataPlane, Urgency::Change).await;
        gone_is_none(self.with_token(&request).await.map(|(answer, _)| answer.body))
    }

    /// Reads an address of the cloud that takes no token, such as a workspace's discovery document.
    ///
    /// # Errors
    /// As [`Client::get_data`].
    pub async fn get_open(&self, kind: &str, address: &str) -> Result<Value, Error> {
        let request = plain(kind, address)?;
        self.cloud.trust(&request.url)?;
        self.transport.send(&request, None).await.map(|(answer, _)| answer.body)
    }
}

/// A read of an address that an answer gave.
pub(crate) fn plain(kind: &str, address: &str) -> Result<Request, Error> {
    let what = address.split('?').next().unwrap_or_default().to_owned();
    let mut request = Request::new(Verb::Get, parse(address)?, what, kind, HeaderMap::new());
    request.identify();
    Ok(request)
}
