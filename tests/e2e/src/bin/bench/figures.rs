//! Figures: taken in several rounds, shown as minimum, median and maximum.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// All figures, in the order in which they were first taken.
#[derive(Default)]
pub struct Figures(Vec<Figure>);

struct Figure {
    name: String,
    unit: &'static str,
    values: Vec<f64>,
}

impl Figures {
    /// Takes a figure of one round.
    pub fn take(&mut self, name: String, unit: &'static str, value: f64) {
        println!("  {name}: {value:.3} {unit}");
        match self.0.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => figure.values.push(value),
            None => self.0.push(Figure { name, unit, values: vec![value] }),
        }
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let mut table = format!("{:<70} {:>10} {:>10} {:>10}\n", "", "min", "median", "max");
        for figure in &self.0 {
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
        let all: Vec<Value> = self.0.iter().map(figure).collect();
        serde_json::to_string_pretty(&all).unwrap_or_default()
    }
}

impl Figure {
    fn three(&self) -> [f64; 3] {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        [sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]]
    }
}
