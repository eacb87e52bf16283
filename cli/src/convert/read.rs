//! YAML with the place of every key and value.
//!
//! In: the text of a file. Out: a tree that knows line and column, or why there is none. Scalars stay the text that was written,
//! since what `010` or `no` means depends on what the key wants.

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::Number;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// A place in a file; lines and columns count from one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The file's path.
    pub file: Rc<str>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The beginning of a file.
    #[must_use]
    pub fn start(file: &str) -> Self {
        Self { file: file.into(), line: 1, column: 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing: `key:`, `~` or `null`.
    Null,
    /// A text, a number, `true` or `false`.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// A scalar as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scalar {
    /// The text.
    pub text: String,
    /// Whether it stands without quotes, so that YAML reads numbers and booleans in it.
    pub is_plain: bool,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key is.
    pub place: Place,
    /// The value.
    pub node: Node,
}

/// What a scalar is to a client of Azure ML, which reads YAML 1.1.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(Number),
    /// A decimal number.
    Decimal(Number),
    /// Text.
    Text(String),
}

impl Scalar {
    /// What the client of Azure ML takes it for.
    #[must_use]
    pub fn literal(&self) -> Literal {
        let text = || Literal::Text(self.text.clone());
        if !self.is_plain {
            return text();
        }
        if let Some(truth) = truth(&self.text) {
            return Literal::Boolean(truth);
        }
        if let Ok(number) = self.text.parse::<i64>() {
            return Literal::Integer(number.into());
        }
        // PyYAML reads a float only where there is a dot: `1e-3` is text to it.
        let float = Some(&self.text).filter(|text| text.contains('.') && is_numeric(text));
        float.and_then(|text| number(text)).map_or_else(text, Literal::Decimal)
    }
}

/// What YAML 1.1 reads as true or false.
#[must_use]
pub fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A number, whole where it is written so.
#[must_use]
pub fn number(text: &str) -> Option<Number> {
    let whole = text.parse::<i64>().ok().map(Number::from);
    whole.or_else(|| Number::from_f64(text.parse::<f64>().ok().filter(|_| is_numeric(text))?))
}

fn is_numeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
}

/// Why a text is no tree.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

/// Reads the one document of a file.
///
/// # Errors
/// When the text is not YAML, has several documents, or has a tag that means a class or a file.
pub fn read(file: &str, text: &str) -> Result<Node, Unreadable> {
    let mut all = placed(file, text)?.into_iter();
    let nothing = || Unreadable { place: Place::start(file), message: "there is nothing in it".into() };
    let (_, first) = all.next().ok_or_else(nothing)?;
    match all.next() {
        None => Ok(first),
        Some((place, _)) => Err(Unreadable {
            place,
            message: "a second document begins here; put it into a file of its own".into(),
        }),
    }
}

/// Reads all documents of a file.
///
/// # Errors
/// When the text is not YAML, or has a tag that means a class or a file.
pub fn documents(file: &str, text: &str) -> Result<Vec<Node>, Unreadable> {
    Ok(placed(file, text)?.into_iter().map(|(_, node)| node).collect())
}

/// All documents of a file, each with the place where it begins.
fn placed(file: &str, text: &str) -> Result<Vec<(Place, Node)>, Unreadable> {
    let mut options = Options::default();
    options.emit_comments = false;
    let mut reader = Reader {
        file: file.into(),
        events: Parser::new_from_str_with_options(text, options),
        anchors: BTreeMap::new(),
    };
    reader.documents()
}

struct Reader<I> {
    file: Rc<str>,
    events: I,
    /// What an alias stands for.
    anchors: BTreeMap<usize, Value>,
}

impl<'a, I: Iterator<Item = Result<(Event<'a>, Span), ScanError>>> Reader<I> {
    fn place(&self, span: Span) -> Place {
        Place { file: self.file.clone(), line: span.start.line(), column: span.start.col() + 1 }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Unreadable> {
        match self.events.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let place = self.place(Span::empty(*error.marker()));
                Err(Unreadable { place, message: format!("not YAML: {}", error.info()) })
            }
            None => {
                Err(Unreadable { place: Place::start(&self.file), message: "not YAML: it ends early".into() })
            }
        }
    }

    fn documents(&mut self) -> Result<Vec<(Place, Node)>, Unreadable> {
        let mut all = Vec::new();
        loop {
            let (event, begin) = self.next()?;
            if matches!(event, Event::StreamEnd) {
                return Ok(all);
            }
            if !matches!(event, Event::DocumentStart(..)) {
                continue;
            }
            let (event, span) = self.next()?;
            all.push((self.place(begin), self.node(&event, span)?));
        }
    }

    fn node(&mut self, event: &Event<'_>, span: Span) -> Result<Node, Unreadable> {
        let place = self.place(span);
        check_tag(event, &place)?;
        let anchor = event.anchor_id();
        let value = if let Event::Scalar(text, style, ..) = event {
            scalar(text, *style == ScalarStyle::Plain && event.tag().is_none())
        } else if matches!(event, Event::SequenceStart(..)) {
            self.list()?
        } else if matches!(event, Event::MappingStart(..)) {
            self.map()?
        } else {
            // What an alias stands for was read before it.
            event.alias_id().and_then(|id| self.anchors.get(&id).cloned()).unwrap_or(Value::Null)
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(Node { place, value })
    }

    fn list(&mut self) -> Result<Value, Unreadable> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::List(items));
            }
            items.push(self.node(&event, span)?);
        }
    }

    fn map(&mut self) -> Result<Value, Unreadable> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Map(entries));
            }
            let place = self.place(span);
            let Event::Scalar(key, ..) = event else {
                return Err(Unreadable { place, message: "a key is one word".into() });
            };
            let key = key.into_owned();
            if key == "<<" || entries.iter().any(|entry| entry.key == key) {
                let message = format!("the key {key} is a merge or stands here twice; write each key once");
                return Err(Unreadable { place, message });
            }
            let (event, span) = self.next()?;
            let node = self.node(&event, span)?;
            entries.push(Entry { key, place, node });
        }
    }
}

/// The types of YAML itself may be said; others would be read by a class of the client, if at all.
fn check_tag(event: &Event<'_>, place: &Place) -> Result<(), Unreadable> {
    let is_known = |tag: &Tag| {
        ["str", "int", "float", "bool", "null", "map", "seq"]
            .iter()
            .any(|name| tag.is_yaml_core_schema_tag(name))
    };
    match event.tag().filter(|tag| !is_known(tag)) {
        Some(tag) => Err(Unreadable {
            place: place.clone(),
            message: format!("the tag {tag} has no meaning for Azure ML; write the value itself"),
        }),
        None => Ok(()),
    }
}

fn scalar(text: &str, is_plain: bool) -> Value {
    if is_plain && ["", "~", "null", "Null", "NULL"].contains(&text) {
        return Value::Null;
    }
    Value::Scalar(Scalar { text: text.to_owned(), is_plain })
}
