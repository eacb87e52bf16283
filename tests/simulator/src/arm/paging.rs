//! Lists in pages: `{"value": […], "nextLink": …}`, where the link is whole and carries `$skip`.

use super::Call;
use super::errors::{Refusal, arm};
use crate::settings::Settings;
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
    /// Reads `$skip` and `$top`; a page that names no size has that of the settings, and none is longer.
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
        Ok(Self { call, base: &settings.base, skip: number("$skip")?.unwrap_or(0), size })
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
        let kept = self.call.request.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skip"));
        for (name, value) in kept {
            query.append_pair(name, value);
        }
        query.append_pair("$skip", &(self.skip + self.size).to_string());
        format!("{}{}?{}", self.base, self.call.request.raw_path(), query.finish())
    }
}
