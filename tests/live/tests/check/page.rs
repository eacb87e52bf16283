//! The page of assumptions in the docs is the one that the data give.

use azureml_live::page;
use std::path::Path;

#[test]
fn the_page_in_the_docs_is_that_of_the_data() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page::PLACE);
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == page::page(),
        "{} is not what the data give; run `cargo xtask live --write-assumptions`",
        page::PLACE
    );
}
