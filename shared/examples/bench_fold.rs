//! How fast events become books, and books become answers. One JSON object per line:
//! `cargo run --release --package shared --features testing --example bench_fold`
//!
//! The events are those of a made-up shop (`shared::testing::demo`), in the bytes in which they are
//! stored; the mix is told on stderr. Decoding includes the check that the bytes are the only way
//! to write the event. Every figure is the best of [`RUNS`] runs, because other work on the machine
//! only ever slows a run down.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench is no part of the core: it has a clock"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Range;
use std::time::Instant;

use shared::calendar::BusinessDay;
use shared::event::{Decoded, Event, Malformed, decode, encode};
use shared::ids::{CustomerId, DeviceNo};
use shared::ledger::{Ledger, Receipts, Standing, Step};
use shared::money::Paise;
use shared::query::{
    Account, Books, Claim, ClaimKind, CustomerFilter, CustomerSort, Directory, Known,
    balance_as_known, balance_as_of, dispute, entries, header, month_report, settle, statement,
    tasks, totals,
};
use shared::testing::demo;
use shared::text::KeyRing;

const EVENTS: u32 = 100_000;
const RUNS: usize = 11;
/// Saturday, 31 January 2026.
const UNTIL: BusinessDay = BusinessDay(20_484);
/// A day in the middle of the books.
const PAST: BusinessDay = BusinessDay(20_484 - 180);

fn main() {
    a_year();
    one_big_customer();
}

/// 300 customers, three devices, a year.
fn a_year() {
    let (log, keys) = shop(300);
    tell_mix(&log);
    let count = log.events.len() as f64;
    row("event size", log.bytes.len() as f64 / count, "bytes", None);

    let (ledger, fold_ms) = best(|| fold(&log));
    let per_100_000 = 100_000.0 / count;
    let name = "decode and fold 100000 events";
    row(name, fold_ms * per_100_000, "ms", Some(100.0));
    if let Some(cpu_ms) = cpu(|| fold(&log)) {
        row(
            &format!("{name}, CPU"),
            cpu_ms * per_100_000,
            "ms",
            Some(100.0),
        );
        row(
            "decode and fold, CPU",
            count / cpu_ms / 1000.0,
            "million events/s",
            Some(3.0),
        );
    }
    let (_, decode_ms) = best(|| {
        log.decoded()
            .filter(|(_, _, decoded)| decoded.is_ok())
            .count()
    });
    row("of it decoding", decode_ms * per_100_000, "ms", None);
    let (snapshot, write_ms) = best(|| ledger.to_bytes());
    row("snapshot written", write_ms, "ms", None);
    let (_, read_ms) = best(|| minicbor::decode::<Ledger>(&snapshot).is_ok());
    row("snapshot read", read_ms, "ms", None);
    row(
        "snapshot size",
        snapshot.len() as f64 / count,
        "bytes/event",
        None,
    );

    let receipts = taken_in_batches(&ledger);
    let books = books(&ledger, &keys, &receipts);
    let (directory, cold_ms) = best(|| Directory::new(books));
    row("list of 300 customers, names sealed", cold_ms, "ms", None);
    let mut warm = directory.clone();
    let ((), warm_ms) = best(|| warm.update(books));
    row(
        "list of 300 customers, kept up to date",
        warm_ms,
        "ms",
        None,
    );
    let first = *ledger.customers.keys().next().expect("customers");
    let sort = CustomerSort::LastActivity;
    let (_, list_ms) = best(|| directory.list(CustomerFilter::All, "pri", sort, UNTIL, 0));
    row("search in the list", list_ms, "ms", None);
    let (_, totals_ms) = best(|| totals(&ledger));
    row("totals", totals_ms, "ms", None);
    let (_, header_ms) = best(|| header(books, first, UNTIL.end()));
    row("head of the busiest page", header_ms, "ms", None);
    let (_, page_ms) = best(|| entries(books, first, 0));
    row("entries of the busiest page", page_ms, "ms", None);
    let (_, month_ms) = best(|| month_report(&ledger, UNTIL.month()));
    row("month report", month_ms, "ms", None);
    let (_, tasks_ms) = best(|| tasks(books, &directory));
    row("review tasks", tasks_ms, "ms", None);
}

/// A customer with 50,000 entries among 100,000.
fn one_big_customer() {
    let (log, keys) = shop(2);
    let ledger = fold(&log);
    let receipts = taken_in_batches(&ledger);
    let books = books(&ledger, &keys, &receipts);
    let busiest = ledger
        .customers
        .iter()
        .max_by_key(|(_, page)| page.entries.len());
    let (&big, page) = busiest.expect("customers");
    eprintln!("one customer with {} entries", page.entries.len());
    let per_50_000 = 50_000.0 / page.entries.len() as f64;
    let row = |name: &str, ms: f64, goal| row(name, ms * per_50_000, "ms per 50000 entries", goal);

    let (balance, cold_ms) = best(|| balance_as_of(&ledger, big, PAST));
    row("balance as of a date, cold", cold_ms, Some(1.0));
    let (account, account_ms) = best(|| Account::of(&ledger, big));
    row("account with running balances", account_ms, None);
    let (warm, warm_ms) = best(|| account.as_of(PAST));
    assert_eq!(balance, warm);
    row("balance as of a date, warm", warm_ms, Some(0.05));
    let (_, known_ms) = best(|| known_then(&ledger, &receipts, big));
    row("balance as known on a date", known_ms, None);
    let heads = BTreeMap::new();
    let (_, statement_ms) = best(|| statement(books, big, PAST, UNTIL, &heads, 0));
    row("statement of half a year, first page", statement_ms, None);
    let (_, page_ms) = best(|| entries(books, big, 0));
    row("last 200 entries with running balances", page_ms, None);
    let (_, settle_ms) = best(|| settle(&ledger, big));
    row("what each payment settles", settle_ms, None);
    let claim = Claim {
        customer: big,
        kind: ClaimKind::Payment,
        amount: Paise(300_00),
        from: PAST,
        to: UNTIL,
    };
    let (_, dispute_ms) = best(|| dispute(books, &claim));
    row("dispute look-up", dispute_ms, None);
}

fn known_then(ledger: &Ledger, receipts: &Receipts, customer: CustomerId) -> Paise {
    let known = Known::at(ledger, receipts, PAST.end());
    balance_as_known(ledger, customer, PAST, &known).khata
}

fn row(name: &str, value: f64, unit: &str, goal: Option<f64>) {
    let goal = goal.map_or_else(|| "null".to_owned(), |goal| goal.to_string());
    // A rate is good when it is high, a time or a size when it is low.
    let is = if unit.ends_with("/s") {
        "at least"
    } else {
        "at most"
    };
    println!(
        r#"{{"name":"{name}","value":{value:.4},"unit":"{unit}","goal":{goal},"goal_is":"{is}","peer":null,"ratio":null}}"#
    );
}

/// The result, and the least time in ms of several runs.
fn best<T>(mut run: impl FnMut() -> T) -> (T, f64) {
    let mut least_ms = f64::MAX;
    let mut result = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        let value = black_box(run());
        least_ms = least_ms.min(start.elapsed().as_secs_f64() * 1000.0);
        result = Some(value);
    }
    (result.expect("at least one run"), least_ms)
}

/// The least time in ms that this thread was on a processor in one of several runs, which tells
/// more than the clock on the wall where others work too. Linux only; counted in ticks of a few ms.
fn cpu<T>(mut run: impl FnMut() -> T) -> Option<f64> {
    let on_cpu_ms = || {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let on_cpu_ns: f64 = stat.split(' ').next()?.parse().ok()?;
        Some(on_cpu_ns / 1e6)
    };
    let mut least_ms = f64::MAX;
    for _ in 0..RUNS {
        let start = on_cpu_ms()?;
        let result = black_box(run());
        least_ms = least_ms.min(on_cpu_ms()? - start);
        drop(result);
    }
    Some(least_ms)
}

/// Events as they lie in storage: one after the other in one piece.
#[derive(Default)]
struct Log {
    bytes: Vec<u8>,
    events: Vec<(DeviceNo, u32, Range<usize>)>,
}

impl Log {
    fn push(&mut self, event: &Event) {
        let (id, start) = (event.envelope.id, self.bytes.len());
        self.bytes.extend(encode(event));
        let place = start..self.bytes.len();
        self.events.push((id.device, id.seq, place));
    }

    fn decoded(&self) -> impl Iterator<Item = (DeviceNo, u32, Result<Decoded, Malformed>)> {
        let events = self.events.iter();
        events.map(|(device, seq, place)| (*device, *seq, decode(&self.bytes[place.clone()], None)))
    }
}

/// The log of a made-up shop, and its keys.
fn shop(customers: u32) -> (Log, KeyRing) {
    let mut shop = demo::Books::new(demo::Size {
        customers,
        ..demo::Size::year(EVENTS, 2026, UNTIL)
    });
    let mut log = Log::default();
    for written in &mut shop {
        written.events.iter().for_each(|event| log.push(event));
    }
    (log, shop.keys().clone())
}

fn fold(log: &Log) -> Ledger {
    let mut ledger = Ledger::default();
    for (device, seq, decoded) in log.decoded() {
        let step = ledger.fold(device, seq, decoded, Standing::Counted);
        assert_eq!(step, Step::Read);
    }
    ledger
}

/// The server took every device's events in batches of 50, a minute after the last of each.
fn taken_in_batches(ledger: &Ledger) -> Receipts {
    const BATCH: u32 = 50;
    let mut receipts = Receipts::default();
    let mut sent: BTreeMap<DeviceNo, u32> = BTreeMap::new();
    for (id, entry) in &ledger.entries {
        let sent = sent.entry(id.0.device).or_default();
        if id.0.seq >= *sent + BATCH {
            receipts.add(
                id.0.device,
                *sent + 1,
                id.0.seq - *sent,
                entry.at.plus_ms(60_000),
            );
            *sent = id.0.seq;
        }
    }
    receipts
}

fn books<'a>(ledger: &'a Ledger, keys: &'a KeyRing, receipts: &'a Receipts) -> Books<'a> {
    Books {
        ledger,
        keys,
        receipts,
        reader: None,
    }
}

fn tell_mix(log: &Log) {
    let mut mix: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, _, decoded) in log.decoded() {
        if let Ok(Decoded::Known(event)) = decoded {
            *mix.entry(event.body.kind().name()).or_default() += 1;
        }
    }
    eprintln!("{} events: {mix:?}", log.events.len());
}
