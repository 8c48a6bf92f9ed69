//! One figure of the table: a JSON object on a line of its own.

use serde_json::{Map, Value, json};

/// When a figure is good.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At least this much.
    AtLeast(f64),
    /// At most this much.
    AtMost(f64),
    /// At least so many times what the peer does.
    TimesPeer(f64),
}

/// A figure with all that is known of it. It is printed when it is dropped, so none is forgotten.
pub struct Row {
    fields: Map<String, Value>,
}

impl Row {
    /// What was measured in several runs: their median counts, and all are told.
    pub fn new(name: &str, what: &str, unit: &str, runs: &[f64]) -> Row {
        let mut row = Row::empty(name, what, unit);
        row.set("value", json!(rounded(median(runs))));
        row.set_runs("runs", runs);
        row
    }

    /// What cannot be measured yet, and why.
    pub fn not_yet(name: &str, what: &str, unit: &str, reason: &str) -> Row {
        let mut row = Row::empty(name, what, unit);
        row.set("reason", json!(reason));
        row
    }

    fn empty(name: &str, what: &str, unit: &str) -> Row {
        let mut row = Row { fields: Map::new() };
        for (key, value) in [("name", name), ("what", what), ("unit", unit)] {
            row.set(key, json!(value));
        }
        for key in ["value", "goal", "goal_is", "peer", "peer_name", "ratio"] {
            row.set(key, Value::Null);
        }
        row
    }

    /// When the figure is good.
    pub fn goal(mut self, goal: Goal) -> Row {
        let (number, is) = match goal {
            Goal::AtLeast(number) => (number, "at least"),
            Goal::AtMost(number) => (number, "at most"),
            Goal::TimesPeer(number) => (number, "times peer"),
        };
        self.set("goal", json!(rounded(number)));
        self.set("goal_is", json!(is));
        self
    }

    /// What another system does in the same run.
    pub fn peer(mut self, name: &str, runs: &[f64]) -> Row {
        let peer = median(runs);
        let value = self.fields["value"].as_f64();
        let ratio = value.map(|value| rounded(value / peer));
        self.set("peer_name", json!(name));
        self.set("peer", json!(rounded(peer)));
        self.set("ratio", json!(ratio));
        self.set_runs("peer_runs", runs);
        self
    }

    /// Something more to know, such as the cost of an fsync at that moment.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Row {
        let value: Value = value.into();
        let value = value
            .as_f64()
            .map_or(value, |number| json!(rounded(number)));
        self.set(key, value);
        self
    }

    fn set(&mut self, key: &str, value: Value) {
        self.fields.insert(key.to_owned(), value);
    }

    fn set_runs(&mut self, key: &str, runs: &[f64]) {
        let runs: Vec<f64> = runs.iter().copied().map(rounded).collect();
        self.set(key, json!(runs));
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        println!("{}", Value::Object(std::mem::take(&mut self.fields)));
    }
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The value that so many of a hundred do not exceed.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(last * percent / 100)
        .copied()
        .unwrap_or(f64::NAN)
}

/// As many digits as say something.
fn rounded(number: f64) -> f64 {
    let scale = if number.abs() < 100.0 { 1000.0 } else { 1.0 };
    (number * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts_and_the_peer_is_beside_it() {
        let row = Row::new("push", "Push", "events/s", &[900.0, 100.0, 400.0])
            .peer("another", &[100.0])
            .goal(Goal::TimesPeer(3.0));
        assert_eq!(row.fields["value"], json!(400.0));
        assert_eq!(row.fields["ratio"], json!(4.0));
        assert_eq!(row.fields["goal_is"], json!("times peer"));
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (0..200).map(f64::from).collect();
        assert_eq!(percentile(&values, 99), 197.0);
        assert_eq!(percentile(&[7.0], 99), 7.0);
    }
}
