//! Every command and every refusal, as statements about a shop.
//!
//! Each topic lists what it accepts and what it refuses. Together the lists are complete: a new
//! kind of event or a new refusal without a statement fails here.

mod access;
mod amounts;
mod correction;
mod customer;
mod device;
mod examples;
mod goods;
mod join;
mod khata;
mod limits;
mod message;
mod properties;
mod review;
mod sale;
mod shop;
mod staff;
mod words;

use std::collections::BTreeSet;

use shared::command::{Question, Refusal, Rejection, TextField};
use shared::event::{Body, Decoded, Kind};
use shared::sync::authority::Authority;
use shared::sync::wire::Verdict;
use shared::testing::given::{Outcome, SHOP, public_key};

/// Something that a shop may do, and what comes of it.
pub struct Accepted {
    statement: &'static str,
    outcome: Outcome,
    kinds: Vec<Kind>,
}

/// States that it may be done.
pub fn accepted<const N: usize>(
    statement: &'static str,
    outcome: Outcome,
    kinds: [Kind; N],
) -> Accepted {
    let kinds = kinds.to_vec();
    Accepted {
        statement,
        outcome,
        kinds,
    }
}

/// Something that a shop may not do, or not without a yes.
pub struct Refused {
    statement: &'static str,
    outcome: Outcome,
    refusal: Refusal,
}

/// States that it may not be done.
pub fn refused(
    statement: &'static str,
    outcome: Outcome,
    refusal: impl Into<Rejection>,
) -> Refused {
    let refusal = Refusal::Rejected(refusal.into());
    Refused {
        statement,
        outcome,
        refusal,
    }
}

/// States that it is asked about.
pub fn asked(statement: &'static str, outcome: Outcome, question: Question) -> Refused {
    let refusal = Refusal::Ask(question);
    Refused {
        statement,
        outcome,
        refusal,
    }
}

fn all_accepted() -> Vec<Accepted> {
    [
        shop::all_accepted(),
        device::all_accepted(),
        staff::all_accepted(),
        customer::all_accepted(),
        khata::all_accepted(),
        limits::all_accepted(),
        sale::all_accepted(),
        goods::all_accepted(),
        correction::all_accepted(),
        message::all_accepted(),
        review::all_accepted(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn all_refused() -> Vec<Refused> {
    [
        access::all_refused(),
        words::all_refused(),
        amounts::all_refused(),
        shop::all_refused(),
        device::all_refused(),
        staff::all_refused(),
        customer::all_refused(),
        khata::all_refused(),
        limits::all_refused(),
        sale::all_refused(),
        goods::all_refused(),
        message::all_refused(),
        review::all_refused(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_command_does_what_it_says() {
    let mut seen = BTreeSet::new();
    for Accepted {
        statement,
        outcome,
        kinds,
    } in all_accepted()
    {
        let decision = outcome.result();
        let happened = decision.map(|decision| decision.bodies().map(Body::kind).collect());
        assert_eq!(happened, Ok(kinds), "{statement}");
        seen.extend(happened.unwrap_or_default());
    }
    let written_by_the_server_alone = [Kind::BranchRegistered, Kind::GenerationOpened];
    let missing: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| !written_by_the_server_alone.contains(kind) && !seen.contains(kind))
        .collect();
    assert!(missing.is_empty(), "no statement about {missing:?}");
}

/// What a phone lets somebody do is never thrown out by the server afterwards.
#[test]
fn what_a_phone_decides_the_server_takes() {
    for Accepted {
        statement, outcome, ..
    } in all_accepted()
    {
        let mut server = Authority::claimed(SHOP, public_key(1), public_key(0));
        let before = outcome.before().log.len();
        for (place, event) in outcome.happened().log.into_iter().enumerate() {
            let event = Decoded::Known(event);
            let verdict = server.judge(&event);
            if place >= before {
                assert_eq!(verdict, Verdict::Accepted, "{statement}");
            }
            if verdict == Verdict::Accepted {
                server.accept(&event);
            }
        }
    }
}

#[test]
fn every_refusal_says_why() {
    let mut seen = BTreeSet::new();
    for Refused {
        statement,
        outcome,
        refusal,
    } in all_refused()
    {
        assert_eq!(outcome.result(), Err(&refusal), "{statement}");
        seen.insert(refusal.code());
    }
    let codes = Rejection::codes().chain(Question::CODES.iter().copied());
    let missing: Vec<&str> = codes.filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "no statement about {missing:?}");
}

#[test]
fn every_code_means_one_thing() {
    let codes: Vec<&str> = Rejection::codes()
        .chain(Question::CODES.iter().copied())
        .collect();
    let distinct: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(distinct.len(), codes.len());
    for code in codes {
        let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(code.chars().all(sound), "{code}");
    }
}

/// The names in braces in a text.
fn places(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').skip(1);
    parts.map(|part| part.split('}').next().unwrap_or_default())
}

#[test]
fn every_refusal_has_words_in_every_language() {
    let languages = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontend/locales");
    let files = std::fs::read_dir(languages).expect("the app's texts");
    let mut read = 0;
    for file in files.map(|file| file.expect("a file").path()) {
        let text = std::fs::read_to_string(&file).expect("a text");
        let texts: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let file = file.display();
        for Refused { refusal, .. } in all_refused() {
            let topic = match refusal {
                Refusal::Rejected(_) => "refusal",
                Refusal::Ask(_) => "question",
            };
            let key = format!("code.{topic}.{}", refusal.code());
            let text = texts[&key].as_str();
            let text = text.unwrap_or_else(|| panic!("{file} has no {key}"));
            let facts = refusal.facts();
            for place in places(text) {
                let known = facts.iter().any(|(name, _)| *name == place);
                assert!(known, "{file}: {key} names {place}, which nobody fills in");
            }
        }
        for field in TextField::ALL {
            let key = format!("code.field.{}", field.code());
            assert!(texts[&key].is_string(), "{file} has no {key}");
        }
        read += 1;
    }
    assert!(read >= 2, "English and Hindi at least");
}

#[test]
fn the_facts_of_a_refusal_have_the_names_that_texts_use() {
    for Refused { refusal, .. } in all_refused() {
        let facts = refusal.facts();
        let names: BTreeSet<&str> = facts.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), facts.len(), "{refusal}");
    }
}
