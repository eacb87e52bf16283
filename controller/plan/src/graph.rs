//! The steps of a pipeline as a Mermaid flowchart, to be read in a browser.

use crate::component::tables;
use azureml_crds::step::Step;
use azureml_crds::values::Literal;

/// The longest chart that fits into `status`.
const LONGEST: usize = 32_768;

/// What the last line of a chart that is too long may take.
const ROOM: usize = 40;

const HEAD: &str = "flowchart TD\n";

/// A chart with a box for every step, an arrow for every output that another step reads, and a dotted one for `after`. What does not fit is counted in a
/// box of its own, `… and N more`.
#[must_use]
pub fn mermaid(steps: &[Step]) -> String {
    let boxes = steps.iter().map(|step| format!("  {}\n", step.name));
    let arrows = arrows(steps).into_iter().map(|Arrow { from, to, output }| match output {
        Some(output) => format!("  {from} -->|{output}| {to}\n"),
        None => format!("  {from} -.-> {to}\n"),
    });
    let lines: Vec<String> = boxes.chain(arrows).collect();
    if HEAD.len() + lines.iter().map(String::len).sum::<usize>() <= LONGEST {
        return HEAD.to_owned() + &lines.concat();
    }
    let mut chart = HEAD.to_owned();
    let mut left = lines.iter();
    while let Some(line) = left.as_slice().first()
        && chart.len() + line.len() + ROOM <= LONGEST
    {
        chart.push_str(line);
        left.next();
    }
    // No step is called so: their names are in lower case.
    chart + &format!("  More[\"… and {} more\"]\n", left.len())
}

/// An arrow between two steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The step that comes first.
    pub from: String,
    /// The step that comes after.
    pub to: String,
    /// The output that it reads; none where `after` alone says the order.
    pub output: Option<String>,
}

/// The arrows of a pipeline: for every output that another step reads, and for `after`.
#[must_use]
pub fn arrows(steps: &[Step]) -> Vec<Arrow> {
    let of = |step: &Step| {
        let inputs = step.inputs.values().filter_map(|value| match value {
            Literal::Text(text) => Some(text),
            Literal::Number(_) => None,
        });
        let tables = step.automl.iter().flat_map(tables).map(|(_, text)| text);
        let arrow = |from: &str, output: Option<&str>| Arrow {
            from: from.to_owned(),
            to: step.name.clone(),
            output: output.map(str::to_owned),
        };
        let sources = inputs.chain(tables).filter_map(|text| source(text));
        let data = sources.map(|(from, output)| arrow(from, Some(output)));
        data.chain(step.after.iter().map(|from| arrow(from, None))).collect::<Vec<_>>()
    };
    steps.iter().flat_map(of).collect()
}

fn source(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("${{parent.jobs.")?.strip_suffix("}}")?.split_once(".outputs.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_chart_that_is_too_long_ends_with_how_much_is_left_out() {
        let long = |name: &str, number: usize| format!("{name}{number:0>60}");
        let step = |number: usize| {
            let inputs: serde_json::Map<String, serde_json::Value> = (0..50)
                .map(|input| {
                    (format!("in{input}"), json!(format!("${{{{parent.jobs.{}.outputs.o}}}}", long("s", 0))))
                })
                .collect();
            let inputs = if number == 0 { serde_json::Map::new() } else { inputs };
            serde_json::from_value::<Step>(
                json!({"name": long("s", number), "command": "x", "inputs": inputs}),
            )
            .unwrap()
        };
        let steps: Vec<Step> = (0..100).map(step).collect();
        let chart = mermaid(&steps);
        assert!(chart.len() <= LONGEST && chart.len() > LONGEST - 300, "{}", chart.len());
        let lines: Vec<&str> = chart.lines().collect();
        let (last, shown) = lines.split_last().unwrap();
        let arrow = format!("  {} -->|o| ", long("s", 0));
        assert!(shown[101..].iter().all(|line| line.starts_with(&arrow) && line.len() == arrow.len() + 61));
        // The first line is the head.
        assert_eq!(*last, format!("  More[\"… and {} more\"]", 100 + 99 * 50 - (shown.len() - 1)));
        assert_eq!(mermaid(&steps[..1]), format!("flowchart TD\n  {}\n", long("s", 0)));
    }
}
