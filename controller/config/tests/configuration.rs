//! The documented configuration file says every field, and every default.

use azureml_config::Config;
use std::path::Path;

const DOCUMENTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.yaml");

#[test]
fn the_documented_configuration_has_the_defaults() {
    let documented = Config::read(Some(Path::new(DOCUMENTED))).unwrap();
    let default = Config::default();
    assert_eq!(format!("{:#?}", documented.intervals), format!("{:#?}", default.intervals));
    assert_eq!(format!("{:#?}", documented.azure), format!("{:#?}", default.azure));
    assert_eq!(format!("{:#?}", documented.lease), format!("{:#?}", default.lease));
    assert_eq!(documented.registries.allow_private_addresses, default.registries.allow_private_addresses);
}

#[test]
fn the_documented_configuration_says_every_field() {
    let documented = Config::read(Some(Path::new(DOCUMENTED))).unwrap();
    let text = std::fs::read_to_string(DOCUMENTED).unwrap();
    let shown = format!("{documented:#?}");
    // Every field of every struct is a line "name: value" of the debug output, since no list is empty.
    let fields = shown.lines().filter_map(|line| line.trim().split_once(": ").map(|(name, _)| name));
    let fields: Vec<String> =
        fields.filter(|name| !name.starts_with('"')).map(camel).filter(|name| is_of_ours(name)).collect();
    assert!(fields.len() > 40, "{fields:?}");
    let missing: Vec<&String> = fields.iter().filter(|name| !text.contains(&format!("{name}:"))).collect();
    assert!(missing.is_empty(), "docs/configuration.yaml does not say {missing:?}");
}

/// The fields of an address are those of another crate.
fn is_of_ours(name: &str) -> bool {
    const OF_AN_ADDRESS: [&str; 8] =
        ["scheme", "cannotBeABase", "username", "password", "host", "port", "path", "query"];
    name != "fragment" && !OF_AN_ADDRESS.contains(&name)
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let mut letters = word.chars();
        all + &letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default()
            + letters.as_str()
    })
}
