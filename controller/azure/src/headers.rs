//! Reading and writing headers.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// A header as text; `None` when it is not there or is not text.
pub fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The shortest delay that is believed, and the longest: nothing may be asked without a pause, or not again today.
const BELIEVED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));

/// `retry-after-ms`, `x-ms-retry-after-ms` and `Retry-After` in seconds or as a date, as Azure's own clients read them,
/// within reason.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| header(headers, name)?.trim().parse::<u64>().ok();
    number("retry-after-ms")
        .or_else(|| number("x-ms-retry-after-ms"))
        .map(Duration::from_millis)
        .or_else(|| number(RETRY_AFTER.as_str()).map(Duration::from_secs))
        .or_else(|| until(&header(headers, RETRY_AFTER.as_str())?))
        .map(believed)
}

/// How long it is until an HTTP date (RFC 9110, 10.2.3); nothing when it has passed.
fn until(date: &str) -> Option<Duration> {
    let at = httpdate::parse_http_date(date.trim()).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

/// A delay within reason.
pub fn believed(asked: Duration) -> Duration {
    asked.clamp(BELIEVED.0, BELIEVED.1)
}

/// Headers of a JSON request.
pub fn json_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// Adds a header whose value comes from outside; a value that cannot be sent is left out.
pub fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Adds a header whose value nobody may see in a log.
pub fn set_secret(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_delay_too() {
        let mut headers = HeaderMap::new();
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        set(&mut headers, "retry-after", &date);
        let delay = retry_after(&headers).unwrap().as_secs();
        assert!((80..=90).contains(&delay), "{delay}");
    }

    #[test]
    fn a_delay_is_believed_within_reason() {
        let cases = [
            ("retry-after", "7", Some(7)),
            ("retry-after", "0", Some(1)),
            ("retry-after", "31536000", Some(3600)),
            ("retry-after", "18446744073709551615", Some(3600)),
            ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", Some(1)),
            ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT", Some(3600)),
            ("retry-after", "soon", None),
            ("retry-after-ms", "200", Some(1)),
            ("x-ms-retry-after-ms", "5000", Some(5)),
        ];
        for (name, value, expected) in cases {
            let mut headers = HeaderMap::new();
            set(&mut headers, name, value);
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{name}: {value}");
        }
    }
}
