//! What it takes to read one customer's past out of a year's log, beside the fold of all of it. One
//! JSON object per line: `cargo run --release --package shared --features testing --example bench_recall`
//!
//! The log lies in segments as a server seals them, each beside its index, as on a phone; customers
//! are those with the most entries, with the middle number and with the fewest. Every figure is the
//! best of [`RUNS`] runs, because other work on the machine only ever slows a run down.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench is no part of the core: it has a clock"
)]

use std::time::Instant;

use shared::event::decode;
use shared::history::{Index, Recall};
use shared::ids::CustomerId;
use shared::ledger::{Ledger, Receipts};
use shared::sync::segment::{pick, read, write};
use shared::testing::sealed;

const EVENTS: u32 = 100_000;
/// The fewest events of a segment that a server seals.
const LEAST_EVENTS: usize = 4_096;
const RUNS: usize = 5;

fn main() {
    let segments = sealed::segments(EVENTS, 2026, LEAST_EVENTS);
    let until = segments.last().map_or(0, |segment| segment.last());
    let records = segments.iter().map(|segment| {
        let packed = write(segment).expect("a run of a log");
        (Index::of(&segment.chunks), packed)
    });
    let records: Vec<(Index, Vec<u8>)> = records.collect();
    row("events", until as f64, "count");
    let (whole, all_ms) = best(|| fold(&records));
    row("read and fold all", all_ms, "ms");

    let books = whole.without_history().expect("whole books");
    let mut customers: Vec<(usize, CustomerId)> = whole
        .customers
        .iter()
        .map(|(id, page)| (page.entries.len(), *id))
        .filter(|(entries, _)| *entries > 0)
        .collect();
    customers.sort_unstable();
    let asked = [
        ("the busiest", customers[customers.len() - 1]),
        ("the middle", customers[customers.len() / 2]),
        ("the rarest", customers[0]),
    ];
    for (name, (entries, customer)) in asked {
        let ((opened, events), ms) = best(|| recall(&books, &records, customer, until));
        row(
            &format!("{name} customer, entries"),
            entries as f64,
            "count",
        );
        row(
            &format!("{name} customer, segments opened"),
            opened as f64,
            "count",
        );
        row(
            &format!("{name} customer, events made"),
            events as f64,
            "count",
        );
        row(&format!("{name} customer, time"), ms, "ms");
        row(
            &format!("{name} customer, of the fold of all"),
            ms / all_ms * 100.0,
            "%",
        );
    }
}

fn fold(records: &[(Index, Vec<u8>)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (_, record) in records {
        for chunk in read(record).expect("sound").chunks {
            for (seq, event) in (chunk.first_seq..).zip(chunk.events.iter().flatten()) {
                let event = decode(&event.0, None);
                let _ = ledger.fold(chunk.device, seq, event, chunk.verdict.standing());
            }
        }
    }
    ledger
}

/// Looks for a customer; gives how many segments were opened, and how many events made.
fn recall(
    books: &Ledger,
    records: &[(Index, Vec<u8>)],
    customer: CustomerId,
    until: u64,
) -> (usize, usize) {
    let mut ledger = books.clone();
    let mut recall = Recall::begin(&ledger, customer).expect("it is only summed up");
    let (mut opened, mut made) = (0, 0);
    let mut left: Vec<_> = records.iter().collect();
    loop {
        let before = left.len();
        left.retain(|(index, record)| {
            if !recall.needs(index) {
                return true;
            }
            let picked = pick(record, |seen| recall.wants(seen)).expect("sound");
            opened += 1;
            made += picked.iter().map(|run| run.events.len()).sum::<usize>();
            recall.take(picked);
            false
        });
        if left.len() == before {
            break;
        }
    }
    left.iter().for_each(|(index, _)| recall.pass(index));
    let back = recall.put_back(&mut ledger, &mut Receipts::default(), until);
    back.expect("it comes to the balance");
    (opened, made)
}

fn best<T>(mut work: impl FnMut() -> T) -> (T, f64) {
    let runs = (0..RUNS).map(|_| {
        let start = Instant::now();
        let done = work();
        (done, start.elapsed().as_secs_f64() * 1000.0)
    });
    runs.min_by(|one, other| one.1.total_cmp(&other.1))
        .expect("there are runs")
}

fn row(name: &str, value: f64, unit: &str) {
    println!(
        r#"{{"name":"{name}","value":{value:.2},"unit":"{unit}","goal":null,"peer":null,"ratio":null}}"#
    );
}
