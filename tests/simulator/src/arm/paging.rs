//! Lists in pages: `{"value": […], "nextLink": …}`, where the link is whole and carries `$skip`.

use super::Call;
use super::errors::{Refusal, arm};
use http::StatusCode;
use serde_json::{Value, json};

/// Where a page begins and how long it is.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    skip: usize,
    size: usize,
}

impl Page {
    /// Reads `$skip` and `$top`; `default` is the size of a page that names none.
    pub fn of(call: &Call<'_>, default: usize) -> Result<Self, Refusal> {
        let number = |name: &str| match call.request.query(name) {
            None => Ok(None),
            Some(text) => text.parse::<usize>().map(Some).map_err(|_| {
                let text = format!("The query parameter '{name}' must be a whole number, not '{text}'.");
                arm(StatusCode::BAD_REQUEST, "InvalidQueryParameter", &text)
            }),
        };
        let top = number("$top")?.or(number("count")?);
        Ok(Self {
            skip: number("$skip")?.unwrap_or(0),
            size: top.unwrap_or(default).clamp(1, default.max(1)),
        })
    }

    /// The page of `items` that is asked for, under `key`; `base` is where the server is reached.
    pub fn cut(self, call: &Call<'_>, base: &str, key: &str, items: impl Iterator<Item = Value>) -> Value {
        let mut rest = items.skip(self.skip).peekable();
        let page: Vec<Value> = rest.by_ref().take(self.size).collect();
        let next = rest.peek().map(|_| self.next(call, base));
        let mut body = json!({ key: page });
        if let Some(next) = next {
            body["nextLink"] = next.into();
        }
        body
    }

    fn next(self, call: &Call<'_>, base: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in call.request.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skip"))
        {
            query.append_pair(name, value);
        }
        query.append_pair("$skip", &(self.skip + self.size).to_string());
        format!("{base}{}?{}", call.request.raw_path(), query.finish())
    }
}
