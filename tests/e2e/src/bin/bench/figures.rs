//! Figures: taken in several rounds, shown as minimum, median and maximum.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All figures, in the order in which they were first taken.
#[derive(Default)]
pub struct Figures {
    all: Vec<Figure>,
    /// Every single value of what was measured many times in a round, in the order in which they came.
    series: BTreeMap<String, Vec<f64>>,
}

struct Figure {
    name: String,
    unit: &'static str,
    values: Vec<f64>,
}

impl Figures {
    /// Takes a figure of one round.
    pub fn take(&mut self, name: String, unit: &'static str, value: f64) {
        println!("  {name}: {value:.3} {unit}");
        match self.all.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => figure.values.push(value),
            None => self.all.push(Figure { name, unit, values: vec![value] }),
        }
    }

    /// Takes what was measured many times in one round: p50 and p99 as figures, every value into the file.
    pub fn take_all(&mut self, name: &str, unit: &'static str, values: &[f64]) {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        for (label, share) in [("p50", 0.5), ("p99", 0.99)] {
            if let Some(value) = percentile(&sorted, share) {
                self.take(format!("{name}, {label}"), unit, value);
            }
        }
        let list: Vec<String> = values.iter().map(|value| format!("{value:.1}")).collect();
        println!("  {name}, each in its order: {} {unit}", list.join(" "));
        self.series.entry(name.to_owned()).or_default().extend(values);
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let mut table = format!("{:<70} {:>10} {:>10} {:>10}\n", "", "min", "median", "max");
        for figure in &self.all {
            let [least, median, most] = figure.three();
            let _ = writeln!(
                table,
                "{:<70} {least:>10.3} {median:>10.3} {most:>10.3} {}",
                figure.name, figure.unit
            );
        }
        table
    }

    /// The same for programs.
    pub fn json(&self) -> String {
        let figure = |figure: &Figure| {
            let [least, median, most] = figure.three();
            json!({"name": figure.name, "unit": figure.unit, "min": least, "median": median, "max": most, "values": figure.values})
        };
        let all: Vec<Value> = self.all.iter().map(figure).collect();
        let written = json!({"figures": all, "series": self.series});
        serde_json::to_string_pretty(&written).unwrap_or_default()
    }
}

impl Figure {
    fn three(&self) -> [f64; 3] {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        [sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]]
    }
}

/// The given share of sorted values.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied()
}
