//! Every pair of text and ground can be read: AA (4.5 to 1) for words, AAA
//! (7 to 1) for money, as WCAG 2.2 computes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const WORDS: f64 = 4.5;
const MONEY: f64 = 7.0;
/// Borders of controls and drawings.
const SHAPES: f64 = 3.0;

type Colours = BTreeMap<String, String>;

/// The three sets of `tokens.css`: light, dark, outdoor.
fn sets() -> [(&'static str, Colours); 3] {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("styles/tokens.css");
    let css = fs::read_to_string(path).expect("tokens.css");
    let (base, outdoor) = css
        .split_once("[data-theme=\"outdoor\"] {")
        .expect("the outdoor set is the last");
    let (mut light, mut dark, mut sun) = (Colours::new(), Colours::new(), Colours::new());
    for (name, value) in variables(base) {
        if let Some(pair) = value.strip_prefix("light-dark(") {
            let (by_day, by_night) = pair.trim_end_matches(')').split_once(',').expect("a pair");
            light.insert(name.clone(), by_day.trim().to_owned());
            dark.insert(name, by_night.trim().to_owned());
        }
    }
    for (name, value) in variables(outdoor) {
        sun.insert(name, value);
    }
    sun.remove("--line");
    [("light", light), ("dark", dark), ("outdoor", sun)]
}

fn variables(css: &str) -> Vec<(String, String)> {
    css.lines()
        .filter_map(|line| {
            let (name, rest) = line.trim().split_once(':')?;
            let (value, _) = rest.split_once(';')?;
            name.starts_with("--")
                .then(|| (name.to_owned(), value.trim().to_owned()))
        })
        .collect()
}

/// Relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("a colour as #rrggbb");
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn words_and_money_can_be_read_by_day_by_night_and_in_the_sun() {
    let pairs = [
        ("--ink", "--paper", MONEY),
        ("--ink", "--card", MONEY),
        ("--ink", "--press", MONEY),
        ("--given", "--paper", MONEY),
        ("--given", "--card", MONEY),
        ("--got", "--paper", MONEY),
        ("--got", "--card", MONEY),
        ("--on-given", "--given", MONEY),
        ("--on-got", "--got", MONEY),
        ("--on-cloth", "--cloth", WORDS),
        ("--muted", "--paper", WORDS),
        ("--muted", "--card", WORDS),
        ("--link", "--paper", WORDS),
        ("--link", "--card", WORDS),
        ("--turmeric", "--turmeric-wash", WORDS),
        ("--turmeric", "--card", WORDS),
        ("--edge", "--card", SHAPES),
        ("--edge", "--paper", SHAPES),
    ];
    for (set, colours) in sets() {
        for (text, ground, least) in pairs {
            let reached = contrast(&colours[text], &colours[ground]);
            assert!(
                reached >= least,
                "{set}: {text} on {ground} is {reached:.2} to 1, below {least}"
            );
        }
    }
}

#[test]
fn the_sun_set_names_every_colour_that_the_day_set_names() {
    let [(_, light), _, (_, outdoor)] = sets();
    let names = |set: &Colours| set.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&outdoor), names(&light));
}
