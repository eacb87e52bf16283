//! The steps of a pipeline as a Mermaid flowchart, to be read in a browser.

use azureml_crds::step::Step;
use azureml_crds::values::Literal;
use std::fmt::Write as _;

/// The longest chart that fits into `status`.
const LONGEST: usize = 32_768;

/// A chart with a box for every step and an arrow for every output that another step reads.
#[must_use]
pub fn mermaid(steps: &[Step]) -> String {
    let mut chart = "flowchart TD\n".to_owned();
    for step in steps {
        let _ = writeln!(chart, "  {}", step.name);
    }
    for step in steps {
        for value in step.inputs.values() {
            if let Some((from, output)) = source(value) {
                let _ = writeln!(chart, "  {from} -->|{output}| {}", step.name);
            }
        }
    }
    chart.truncate(LONGEST);
    chart
}

fn source(value: &Literal) -> Option<(&str, &str)> {
    let Literal::Text(text) = value else { return None };
    text.strip_prefix("${{parent.jobs.")?.strip_suffix("}}")?.split_once(".outputs.")
}
