//! From a field, as a fault names it, to its place in the file.
//!
//! In: a tree, a field such as `spec.steps[0].code` or `spec.steps.train.args`. Out: the place of the deepest part that is there.

use crate::convert::read::{Entry, Node, Place, Value};

/// The place of a field, or of what is nearest above it.
pub(super) fn find(root: &Node, field: &str) -> Place {
    below(root, field).unwrap_or_else(|| root.place.clone())
}

fn below(node: &Node, rest: &str) -> Option<Place> {
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    if rest.is_empty() {
        return None;
    }
    match &node.value {
        Value::Map(entries) => {
            // A key may have dots itself, as names of files have: the longest wins.
            let named = entries.iter().filter_map(|entry| Some((entry, after(rest, &entry.key)?)));
            let (entry, rest) = named.max_by_key(|(entry, _)| entry.key.len())?;
            Some(below(&entry.node, rest).unwrap_or_else(|| entry.place.clone()))
        }
        Value::List(items) => {
            let (item, rest) = item(items, rest)?;
            Some(below(item, rest).unwrap_or_else(|| item.place.clone()))
        }
        Value::Null | Value::Scalar(_) => None,
    }
}

/// What follows a word, where a text begins with the whole of it.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// An item by its place, `[0]`, or by its name.
fn item<'a, 'b>(items: &'a [Node], rest: &'b str) -> Option<(&'a Node, &'b str)> {
    if let Some(inner) = rest.strip_prefix('[') {
        let (place, rest) = inner.split_once(']')?;
        return Some((items.get(place.parse::<usize>().ok()?)?, rest));
    }
    items.iter().find_map(|item| Some((item, after(rest, name(item)?)?)))
}

fn name(item: &Node) -> Option<&str> {
    let Value::Map(entries) = &item.value else { return None };
    let is_name = |entry: &&Entry| entry.key == "name";
    match &entries.iter().find(is_name)?.node.value {
        Value::Scalar(scalar) => Some(&scalar.text),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::read::read;

    #[test]
    fn a_field_is_found_or_the_nearest_above_it() {
        let text = "spec:\n  steps:\n    - name: train\n      code: {files: {a.py: x}}\n  tags:\n    a: b\n";
        let root = read("f.yaml", text).unwrap();
        for (field, line, column) in [
            ("spec.steps[0].code", 4, 7),
            ("spec.steps.train.code.files.a.py", 4, 22),
            ("spec.steps[0].command", 3, 7),
            ("spec.steps[7]", 2, 3),
            ("spec.tags.a", 6, 5),
            ("status", 1, 1),
        ] {
            let found = find(&root, field);
            assert_eq!((found.line, found.column), (line, column), "{field}");
        }
    }
}
