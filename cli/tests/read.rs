//! YAML with places: what a scalar is, where a key stands, and what is refused.

use anyhow::{Context as _, Result, ensure};
use azureml_cli::convert::read::{Literal, Node, Value, read};

fn entry<'a>(root: &'a Node, key: &str) -> Result<(&'a Node, String)> {
    let Value::Map(entries) = &root.value else { anyhow::bail!("no map") };
    let found = entries.iter().find(|entry| entry.key == key).with_context(|| key.to_owned())?;
    Ok((&found.node, found.place.to_string()))
}

fn literal(root: &Node, key: &str) -> Result<Literal> {
    let Value::Scalar(scalar) = &entry(root, key)?.0.value else { anyhow::bail!("{key} is no scalar") };
    Ok(scalar.literal())
}

#[test]
fn scalars_are_what_the_client_of_azure_takes_them_for() -> Result<()> {
    let text = "a: 3\nb: 0.5\nc: 1e-3\nd: yes\ne: 'yes'\nf: \"3\"\ng: 1.2.3\nh: nan\ni: -1\nj: &x word\nk: *x\nl: !!str 5\n";
    let root = read("f.yml", text).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let word = |text: &str| Literal::Text(text.to_owned());
    ensure!(literal(&root, "a")? == Literal::Integer(3.into()));
    ensure!(matches!(literal(&root, "b")?, Literal::Decimal(_)));
    ensure!(literal(&root, "c")? == word("1e-3"), "PyYAML wants a dot");
    ensure!(literal(&root, "d")? == Literal::Boolean(true));
    for (key, text) in
        [("e", "yes"), ("f", "3"), ("g", "1.2.3"), ("h", "nan"), ("j", "word"), ("k", "word"), ("l", "5")]
    {
        ensure!(literal(&root, key)? == word(text), "{key}");
    }
    ensure!(literal(&root, "i")? == Literal::Integer((-1).into()));
    Ok(())
}

#[test]
fn keys_have_their_places() -> Result<()> {
    let root = read("f.yml", "# first\na:\n  b: {c: 1}\n").map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let (a, place) = entry(&root, "a")?;
    ensure!(place == "f.yml:2:1", "{place}");
    let (b, place) = entry(a, "b")?;
    ensure!(place == "f.yml:3:3", "{place}");
    ensure!(entry(b, "c")?.1 == "f.yml:3:7");
    Ok(())
}

#[test]
fn what_could_mean_something_else_is_refused_with_its_place() -> Result<()> {
    for (text, place, word) in [
        ("a: 1\na: 2\n", "f.yml:2:1", "twice"),
        ("a: !include x\n", "f.yml:1:13", "!include"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "f.yml:3:3", "merge"),
        ("a: 1\n---\nb: 2\n", "f.yml:2:1", "second document"),
        ("", "f.yml:1:1", "nothing"),
    ] {
        let error = read("f.yml", text).err().with_context(|| format!("{text:?} is taken"))?;
        ensure!(error.place.to_string() == place && error.message.contains(word), "{text:?}: {error:?}");
    }
    Ok(())
}
