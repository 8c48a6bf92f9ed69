//! A language is offered only when it is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

type Texts = BTreeMap<String, Value>;

fn locales() -> BTreeMap<String, Texts> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales");
    fs::read_dir(folder)
        .expect("the locales")
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("readable");
            let texts = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (name.into_owned(), texts)
        })
        .collect()
}

/// The forms of a text: one, or by number.
fn forms(text: &Value) -> Vec<&str> {
    match text {
        Value::String(text) => vec![text],
        plural => ["one", "other"]
            .into_iter()
            .map(|form| plural[form].as_str().expect("a plural has one and other"))
            .collect(),
    }
}

fn placeholders(text: &Value) -> BTreeSet<String> {
    forms(text)
        .into_iter()
        .flat_map(|form| form.split('{').skip(1))
        .map(|part| part.split('}').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn every_language_has_every_text_and_no_other() {
    let locales = locales();
    let english: Vec<&String> = locales["en"].keys().collect();
    for (code, texts) in &locales {
        let keys: Vec<&String> = texts.keys().collect();
        assert_eq!(keys, english, "{code}.json against en.json");
    }
}

#[test]
fn a_name_or_amount_of_the_english_text_stands_in_every_language() {
    let locales = locales();
    for (code, texts) in &locales {
        for (key, text) in texts {
            let english = placeholders(&locales["en"][key]);
            assert_eq!(placeholders(text), english, "{code}.json: {key}");
        }
    }
}

#[test]
fn no_text_is_empty_and_none_has_blanks_around_it() {
    for (code, texts) in locales() {
        for (key, text) in texts {
            for form in forms(&text) {
                assert_eq!(form, form.trim(), "{code}.json: {key}");
                assert!(!form.is_empty(), "{code}.json: {key}");
            }
        }
    }
}

#[test]
fn the_files_are_sorted_so_that_two_people_can_add_texts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales");
    for code in locales().keys() {
        let text = fs::read_to_string(folder.join(format!("{code}.json"))).expect("readable");
        let keys: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix('"')?.split('"').next())
            .collect();
        assert!(keys.is_sorted(), "{code}.json has a text out of order");
    }
}
