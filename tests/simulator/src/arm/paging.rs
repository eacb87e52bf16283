//! Lists in pages: `{"value": […], "nextLink": …}`, where the link is whole and carries an opaque `$skipToken`. A page can
//! be shorter than was asked for; only the link tells whether there is more.

use super::Call;
use super::errors::{Refusal, arm};
use crate::settings::Settings;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

/// Where a page begins and how long it is.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    call: &'a Call<'a>,
    base: &'a str,
    skip: usize,
    size: usize,
}

impl<'a> Page<'a> {
    /// Reads `$skipToken` and `$top`; a page that names no size has that of the settings, and none is longer.
    pub fn of(call: &'a Call<'a>, settings: &'a Settings) -> Result<Self, Refusal> {
        let number = |name: &str| match call.request.query(name) {
            None => Ok(None),
            Some(text) => text.parse::<usize>().map(Some).map_err(|_| {
                let text = format!("The query parameter '{name}' must be a whole number, not '{text}'.");
                arm(StatusCode::BAD_REQUEST, "InvalidQueryParameter", &text)
            }),
        };
        let top = number("$top")?.or(number("count")?);
        let size = top.unwrap_or(settings.page_size).clamp(1, settings.page_size.max(1));
        let skip = match call.request.query("$skipToken") {
            None => number("$skip")?.unwrap_or(0),
            Some(token) => read(token).ok_or_else(|| {
                let text = "The query parameter '$skipToken' is not one that a list has given.";
                arm(StatusCode::BAD_REQUEST, "InvalidQueryParameter", text)
            })?,
        };
        Ok(Self { call, base: &settings.base, skip, size })
    }

    /// The same with fewer items than were asked for, as lists of components have.
    pub fn shorter(self) -> Self {
        Self { size: self.size.div_ceil(4).max(1) * 3, ..self }.at_most(self.size)
    }

    fn at_most(self, size: usize) -> Self {
        Self { size: self.size.min(size), ..self }
    }

    /// The page of `items` that is asked for, under `key`. Only what is on the page is shown, so that a list of many
    /// pages costs no more than its items.
    pub fn cut<T>(self, key: &str, items: impl Iterator<Item = T>, show: impl FnMut(T) -> Value) -> Value {
        let mut rest = items.skip(self.skip).peekable();
        let page: Vec<Value> = rest.by_ref().take(self.size).map(show).collect();
        let mut body = json!({ key: page });
        if rest.peek().is_some() {
            body["nextLink"] = self.next().into();
        }
        body
    }

    fn next(self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let kept = self
            .call
            .request
            .query
            .iter()
            .filter(|(name, _)| !["$skip", "$skiptoken"].contains(&name.to_ascii_lowercase().as_str()));
        for (name, value) in kept {
            query.append_pair(name, value);
        }
        // Azure writes the padding of its tokens with small letters.
        let token = STANDARD.encode(format!("from {}", self.skip + self.size)).replace('=', "%3d");
        format!("{}{}?{}&$skipToken={token}", self.base, self.call.request.raw_path(), query.finish())
    }
}

/// The place that a token of ours stands for.
fn read(token: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix("from ")?.parse().ok()
}
