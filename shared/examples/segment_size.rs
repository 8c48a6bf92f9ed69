//! What a shop's history weighs in segments, as columns and in brotli as it is stored and sent. One
//! JSON object per line; the bytes are the same on every machine:
//! `cargo run --package shared --features testing --example segment_size`

use std::collections::BTreeMap;

use shared::event::{Decoded, decode};
use shared::sync::segment::{Segment, read, write};
use shared::testing::sealed;

/// A year of 300 customers: a small shop, and one that writes every good down.
const YEARS: [u32; 2] = [20_000, 100_000];

/// The fewest events of a segment that a server seals.
const LEAST_EVENTS: usize = 4_096;

/// The most bytes of an event of history.
const GOAL_BYTES: u32 = 14;

fn main() {
    let asked = std::env::args().nth(1).and_then(|it| it.parse().ok());
    for events in asked.map_or(YEARS.to_vec(), |events| vec![events]) {
        let segments = sealed::segments(events, 2026, LEAST_EVENTS);
        mix(events, &segments);
        let (mut columns, mut packed, mut plain, mut count) = (0, 0, 0, 0);
        for segment in &segments {
            let bytes = write(segment).expect("a run of a log");
            assert_eq!(read(&bytes).as_ref(), Ok(segment));
            columns += bytes.len();
            packed += brotli(&bytes).len();
            let chunks = segment.chunks.iter();
            for event in chunks.flat_map(|chunk| chunk.events.iter().flatten()) {
                plain += event.0.len();
                count += 1;
            }
        }
        let row = |name: &str, bytes: usize, goal: Option<u32>| {
            let value = bytes as f64 / f64::from(count);
            let goal = goal.map_or_else(|| "null".to_owned(), |goal| goal.to_string());
            println!(
                r#"{{"name":"a year of {events} events, {name}","value":{value:.2},"unit":"bytes/event","goal":{goal},"peer":null,"ratio":null}}"#
            );
        };
        row("as CBOR", plain, None);
        row("as columns", columns, None);
        row("in brotli", packed, Some(GOAL_BYTES));
    }
}

/// What the events are.
fn mix(events: u32, segments: &[Segment]) {
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    let (mut pushes, mut sealed) = (0, 0);
    for chunk in segments.iter().flat_map(|segment| &segment.chunks) {
        pushes += 1;
        for bytes in chunk.events.iter().flatten() {
            let Ok(Decoded::Known(event)) = decode(&bytes.0, None) else {
                panic!("a demonstration has known events");
            };
            // A sealed text begins with its algorithm and the head of a key's name of 16 bytes.
            let mut heads = bytes.0.windows(3);
            sealed += u32::from(heads.any(|head| head == [0x84, 1, 0x50]));
            *kinds.entry(format!("{:?}", event.body.kind())).or_default() += 1;
        }
    }
    let row = |name: &str, value: u32| {
        println!(
            r#"{{"name":"a year of {events} events, {name}","value":{value},"unit":"count"}}"#
        );
    };
    row("pushes", pushes);
    row("with a sealed text", sealed);
    for (kind, count) in kinds {
        row(&kind, count);
    }
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params).expect("memory takes all");
    out
}
