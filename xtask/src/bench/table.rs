//! The tables in `BENCHMARKS.md`: what was measured, between two marks for each topic.

use super::machine;
use crate::sh::{Result, fail, root};
use serde_json::Value;
use std::fs;

const FILE: &str = "BENCHMARKS.md";

/// Puts the figures of a topic in the place of the last ones.
pub fn keep(topic: &str, figures: &[Value]) -> Result<()> {
    let file = root().join(FILE);
    let page = fs::read_to_string(&file)?;
    let table = format!("{}\n\n{}", heading(figures), table(figures));
    match between_marks(&page, topic, &table) {
        Some(page) => Ok(fs::write(file, page)?),
        None => fail(format!("{FILE} has no marks for the figures of {topic}")),
    }
}

fn between_marks(page: &str, topic: &str, table: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- {topic}: begin -->"),
        format!("<!-- {topic}: end -->"),
    );
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{table}{end}{after}"))
}

fn heading(figures: &[Value]) -> String {
    let fsyncs = figures
        .iter()
        .filter_map(|figure| figure["fsync_ms"].as_f64());
    let fsyncs: Vec<f64> = fsyncs.collect();
    let least = fsyncs.iter().copied().fold(f64::MAX, f64::min);
    let most = fsyncs.iter().copied().fold(0.0, f64::max);
    let fsync = match fsyncs.as_slice() {
        [] => String::new(),
        _ => format!(" An fsync of 4 KiB took {least:.2} to {most:.2} ms."),
    };
    format!("Measured on {}.{fsync}", machine::in_words())
}

fn table(figures: &[Value]) -> String {
    let mut table = "| What | Ours | Least to most | Peer | Ratio | Goal | Reached |\n\
                     |---|---:|---:|---:|---:|---:|---|\n"
        .to_owned();
    for figure in figures {
        table += &format!("| {} |\n", cells(figure).join(" | "));
    }
    table
}

fn cells(figure: &Value) -> [String; 7] {
    let text = |key: &str| figure[key].as_str().unwrap_or_default();
    let number = |key: &str| figure[key].as_f64();
    let what = match text("what") {
        "" => text("name"),
        what => what,
    };
    let unit = text("unit");
    let ours = match number("value") {
        Some(value) => format!("{} {unit}", shown(value)),
        None => text("reason").to_owned(),
    };
    let runs: Vec<f64> = figure["runs"].as_array().map_or_else(Vec::new, |runs| {
        runs.iter().filter_map(Value::as_f64).collect()
    });
    let spread = match runs.as_slice() {
        [] | [_] => String::new(),
        runs => {
            let least = runs.iter().copied().fold(f64::MAX, f64::min);
            let most = runs.iter().copied().fold(f64::MIN, f64::max);
            format!("{} to {}", shown(least), shown(most))
        }
    };
    let peer = number("peer").map_or_else(String::new, |peer| {
        format!("{} ({})", shown(peer), text("peer_name"))
    });
    let ratio = number("ratio").map_or_else(String::new, |ratio| format!("{ratio:.2} ×"));
    let goal = number("goal").map_or_else(String::new, |goal| match Direction::of(figure) {
        Direction::AtLeast => format!("≥ {}", shown(goal)),
        Direction::AtMost => format!("≤ {}", shown(goal)),
        Direction::TimesPeer => format!("≥ {goal} × peer"),
    });
    let reached = match is_reached(figure) {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    };
    [
        what.to_owned(),
        ours,
        spread,
        peer,
        ratio,
        goal,
        reached.to_owned(),
    ]
}

/// When a figure is good.
enum Direction {
    AtLeast,
    AtMost,
    TimesPeer,
}

impl Direction {
    fn of(figure: &Value) -> Direction {
        match figure["goal_is"].as_str() {
            Some("times peer") => Direction::TimesPeer,
            Some("at least") => Direction::AtLeast,
            _ => Direction::AtMost,
        }
    }
}

/// `None` where nothing was measured, or nothing is aimed at.
fn is_reached(figure: &Value) -> Option<bool> {
    let goal = figure["goal"].as_f64()?;
    Some(match Direction::of(figure) {
        Direction::AtLeast => figure["value"].as_f64()? >= goal,
        Direction::AtMost => figure["value"].as_f64()? <= goal,
        Direction::TimesPeer => figure["ratio"].as_f64()? >= goal,
    })
}

/// A number as people read it: `1,234,567`, `12.3`, `0.046`.
fn shown(number: f64) -> String {
    if number.abs() >= 1000.0 {
        let digits = format!("{number:.0}");
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            let is_inside = index > 0 && digits.as_bytes()[index - 1] != b'-';
            if is_inside && (digits.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        return grouped;
    }
    match number.abs() {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        1.0.. => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_stands_between_its_marks_and_nothing_else_changes() {
        let page = "# A\n<!-- wire: begin -->\nold\n<!-- wire: end -->\nB\n";
        let new = "# A\n<!-- wire: begin -->\nnew\n<!-- wire: end -->\nB\n";
        assert_eq!(between_marks(page, "wire", "new\n").as_deref(), Some(new));
        assert_eq!(between_marks(page, "phone", "new"), None);
    }

    #[test]
    fn goals_are_judged_by_their_direction() {
        let figure = |is: &str| json!({"value": 3.0, "ratio": 0.5, "goal": 2.0, "goal_is": is});
        assert_eq!(is_reached(&figure("at least")), Some(true));
        assert_eq!(is_reached(&figure("at most")), Some(false));
        assert_eq!(is_reached(&figure("times peer")), Some(false));
        assert_eq!(is_reached(&json!({"value": 3.0, "goal": null})), None);
        assert_eq!(is_reached(&json!({"value": null, "goal": 2.0})), None);
    }

    #[test]
    fn numbers_are_grouped_and_keep_what_says_something() {
        for (number, words) in [
            (1_234_567.4, "1,234,567"),
            (1000.0, "1,000"),
            (999.6, "1000"),
            (-1500.0, "-1,500"),
            (12.34, "12.3"),
            (1.0, "1.00"),
            (0.0456, "0.046"),
        ] {
            assert_eq!(shown(number), words);
        }
    }
}
