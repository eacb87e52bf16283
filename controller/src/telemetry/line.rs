//! A line of the log as JSON: the time, the level, the fields of the pass and of the event, side by side.
//!
//! Not tracing-subscriber's own JSON: there the fields of a span are nested, and `name` is the span's instead of the object's.

use serde_json::{Map, Value};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The longest text of a field, in bytes: enough for what any message of ours says, and no room for a body.
const LONGEST_TEXT: usize = 4 << 10;

/// Writes lines.
pub struct Json;

impl<S> FormatEvent<S, JsonFields> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Map::new();
        for span in ctx.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            let extensions = span.extensions();
            let of_span = extensions.get::<FormattedFields<JsonFields>>();
            let of_span =
                of_span.and_then(|text| serde_json::from_str::<Map<String, Value>>(&text.fields).ok());
            // What is said of a span for its trace alone has a dot in its name.
            fields.extend(of_span.into_iter().flatten().filter(|(name, _)| !name.contains('.')));
        }
        event.record(&mut Fields(&mut fields));
        let head = [
            ("timestamp", Value::from(jiff::Timestamp::now().to_string())),
            ("level", Value::from(event.metadata().level().as_str())),
            ("target", Value::from(event.metadata().target())),
            ("message", fields.remove("message").unwrap_or_default()),
        ];
        let mut before = '{';
        for (name, value) in head
            .iter()
            .map(|(name, value)| (*name, value))
            .chain(fields.iter().map(|(name, value)| (name.as_str(), value)))
        {
            write!(writer, "{before}{}:{value}", Value::from(name))?;
            before = ',';
        }
        writer.write_str("}\n")
    }
}

/// The fields of an event as JSON.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().trim_start_matches("r#").to_owned(), value.into());
    }

    fn set_text(&mut self, field: &Field, text: &str) {
        let end = text.floor_char_boundary(LONGEST_TEXT);
        let cut = if end < text.len() {
            format!("{}… ({} bytes)", &text[..end], text.len())
        } else {
            text.to_owned()
        };
        self.set(field, cut);
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set_text(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set_text(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_fields_of_the_pass_are_in_every_line_and_those_of_its_trace_are_not() {
        let written = Written::default();
        let (shown, layer) = (written.clone(), tracing_subscriber::fmt::layer());
        let layer =
            layer.fmt_fields(JsonFields::new()).event_format(Json).with_writer(move || written.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!(
                "pass",
                kind = "MLRun",
                name = "a",
                outcome = tracing::field::Empty,
                otel.name = "p"
            );
            span.record("outcome", "ready");
            span.in_scope(|| tracing::info!(r#type = "jobs", status = 200, ok = true, "re\"quest"));
        });
        let text = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap();
        assert!(text.starts_with("{\"timestamp\":") && text.ends_with("}\n"), "{text}");
        for (name, value) in [
            ("kind", Value::from("MLRun")),
            ("name", Value::from("a")),
            ("outcome", Value::from("ready")),
            ("type", Value::from("jobs")),
            ("status", Value::from(200)),
            ("ok", Value::from(true)),
            ("message", Value::from("re\"quest")),
            ("level", Value::from("INFO")),
        ] {
            assert_eq!(line[name], value, "{text}");
        }
        assert!(line.get("otel.name").is_none());
    }
}
