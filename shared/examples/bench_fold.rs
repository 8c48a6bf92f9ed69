//! How fast events become books, and books become answers. One JSON object per line:
//! `cargo run --release --package shared --features testing --example bench_fold`
//!
//! The mix of events is that of a kirana with several phones (see [`MIX`]); a fifth of the entries
//! has a sealed note. Decoding includes the check that the bytes are the only way to write the
//! event. Every figure is the best of [`RUNS`] runs, because other work on the machine only ever
//! slows a run down.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench is no part of the core: it has a clock"
)]

use std::hint::black_box;
use std::time::Instant;

use shared::bytes::Fixed;
use shared::calendar::TimeMs;
use shared::event::*;
use shared::ids::{CustomerId, DeviceNo, EntryId, EventId};
use shared::ledger::{Ledger, Receipts, Standing, Step};
use shared::money::Paise;
use shared::quantity::{Quantity, Unit};
use shared::query::{
    Account, Books, CustomerFilter, CustomerSort, Directory, Known, balance_as_known,
    balance_as_of, dispute, entries, month_report, statement, tasks, totals,
};
use shared::testing::rng::Rng;
use shared::testing::samples::SHOP;
use shared::text::{Entropy, Field, Key, KeyRing, Text};

const EVENTS: u32 = 100_000;
const CUSTOMERS: u32 = 300;
const DEVICES: u32 = 3;
const RUNS: usize = 9;
/// Per cent of sales, goods on credit, payments, returns, advances; the rest is taken back.
const MIX: [u64; 5] = [40, 30, 22, 4, 3];

fn main() {
    let log = log(EVENTS, CUSTOMERS, None);
    let bytes: usize = log.iter().map(|(_, _, bytes)| bytes.len()).sum();
    row("event size", bytes as f64 / log.len() as f64, "bytes", None);

    let (_, fold_ms) = best(|| fold(&log));
    row("decode and fold 100000 events", fold_ms, "ms", Some(100.0));
    row(
        "decode and fold",
        f64::from(EVENTS) / fold_ms / 1000.0,
        "million events/s",
        Some(3.0),
    );
    let (_, decode_ms) = best(|| {
        log.iter()
            .filter(|(_, _, bytes)| decode(bytes, None).is_ok())
            .count()
    });
    row("decode 100000 events", decode_ms, "ms", None);

    let ledger = fold(&log);
    let (keys, receipts) = (keys(), Receipts::default());
    let books = Books {
        ledger: &ledger,
        keys: &keys,
        receipts: &receipts,
        reader: None,
    };
    let (directory, cold_ms) = best(|| Directory::new(books));
    row("list of 300 customers, cold", cold_ms, "ms", None);
    let mut warm = directory.clone();
    let ((), warm_ms) = best(|| warm.update(books));
    row("list of 300 customers, names open", warm_ms, "ms", None);
    let today = NOW.day();
    let sort = CustomerSort::LastActivity;
    let (_, list_ms) = best(|| directory.list(CustomerFilter::Due, "pri", sort, today, 0));
    row("search in the list", list_ms, "ms", None);
    let (_, totals_ms) = best(|| totals(&ledger));
    row("totals", totals_ms, "ms", None);
    let (_, month_ms) = best(|| month_report(&ledger, today.month()));
    row("month report", month_ms, "ms", None);
    let (_, tasks_ms) = best(|| tasks(books, &directory));
    row("review tasks", tasks_ms, "ms", None);
    let (snapshot, write_ms) = best(|| ledger.to_bytes());
    row("snapshot written", write_ms, "ms", None);
    row(
        "snapshot size",
        snapshot.len() as f64 / f64::from(EVENTS),
        "bytes/event",
        None,
    );

    one_big_customer(&keys);
}

/// A customer with 50,000 of the 100,000 entries.
fn one_big_customer(keys: &KeyRing) {
    let big = CustomerId(EventId::new(1, 1));
    let ledger = fold(&log(EVENTS, CUSTOMERS, Some(big)));
    let mut receipts = Receipts::default();
    for (&device, lane) in &ledger.lanes {
        for first in (1..=lane.last_seq).step_by(50) {
            let last = EntryId(EventId {
                device,
                seq: first + 49,
            });
            let at = ledger.entries.get(&last).map_or(NOW, |entry| entry.at);
            receipts.add(device, first, 50, at.plus_ms(60_000));
        }
    }
    let books = Books {
        ledger: &ledger,
        keys,
        receipts: &receipts,
        reader: None,
    };
    let written = ledger.customers[&big].entries.len();
    eprintln!("one customer with {written} entries");
    let past = NOW.day().plus_days(-100);
    let (balance, cold_ms) = best(|| balance_as_of(&ledger, big, past));
    row(
        "balance as of a date, 50000 entries, cold",
        cold_ms,
        "ms",
        Some(1.0),
    );
    let (account, account_ms) = best(|| Account::of(&ledger, big));
    row(
        "account with running balances, 50000 entries",
        account_ms,
        "ms",
        None,
    );
    let (warm, warm_ms) = best(|| account.as_of(past));
    assert_eq!(balance, warm);
    row(
        "balance as of a date, 50000 entries, warm",
        warm_ms * 1000.0,
        "µs",
        Some(50.0),
    );
    let (_, known_ms) = best(|| {
        let known = Known::at(&ledger, &receipts, past.end());
        balance_as_known(&ledger, big, past, &known)
    });
    row(
        "balance as known on a date, 50000 entries",
        known_ms,
        "ms",
        None,
    );
    let heads = Default::default();
    let (_, year_ms) = best(|| statement(books, big, past, NOW.day(), &heads, 0));
    row("statement of 100 days, 50000 entries", year_ms, "ms", None);
    let (_, page_ms) = best(|| entries(books, big, 0));
    row("page of 200 entries, 50000 entries", page_ms, "ms", None);
    let claim = shared::query::Claim {
        customer: big,
        kind: shared::query::ClaimKind::Payment,
        amount: Paise(300_00),
        from: past,
        to: NOW.day(),
    };
    let (_, dispute_ms) = best(|| dispute(books, &claim));
    row("dispute look-up, 50000 entries", dispute_ms, "ms", None);
}

fn row(name: &str, value: f64, unit: &str, goal: Option<f64>) {
    let goal = goal.map_or_else(|| "null".to_owned(), |goal| goal.to_string());
    println!(
        r#"{{"name":"{name}","value":{value:.3},"unit":"{unit}","goal":{goal},"peer":null,"ratio":null}}"#
    );
}

/// The result, and the least time in ms of several runs.
fn best<T>(mut run: impl FnMut() -> T) -> (T, f64) {
    let mut least = f64::MAX;
    let mut result = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        let value = black_box(run());
        least = least.min(start.elapsed().as_secs_f64() * 1000.0);
        result = Some(value);
    }
    (result.expect("at least one run"), least)
}

type Stored = (DeviceNo, u32, Vec<u8>);

fn fold(log: &[Stored]) -> Ledger {
    let mut ledger = Ledger::default();
    for (device, seq, bytes) in log {
        let step = ledger.fold(*device, *seq, decode(bytes, None), Standing::Counted);
        assert_eq!(step, Step::Read);
    }
    ledger
}

const NOW: TimeMs = TimeMs(1_795_161_600_000);

fn key_of(number: u32) -> (Fixed<16>, Key) {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    (Fixed(id), Key([number as u8; 32]))
}

fn keys() -> KeyRing {
    let mut ring = KeyRing::new(SHOP);
    for number in 0..CUSTOMERS {
        let (id, key) = key_of(number);
        ring.add(id, key);
    }
    ring
}

/// The log of a shop: each customer is added by the first device, then the devices write in turns.
/// Half of all entries are `big`'s, if one is named; else small customers have few and large many.
fn log(events: u32, customers: u32, big: Option<CustomerId>) -> Vec<Stored> {
    let mut rng = Rng::new(2026);
    let mut entropy = Entropy::new([9; 32]);
    let mut seqs = [0u32; DEVICES as usize];
    let mut bills = [0u32; DEVICES as usize];
    let mut log = Vec::new();
    let mut last: Vec<EntryId> = Vec::new();
    let year_ms = 365 * 24 * 60 * 60 * 1000i64;
    for number in 0..events {
        let device = if number < customers {
            0
        } else {
            rng.below(u64::from(DEVICES)) as usize
        };
        seqs[device] += 1;
        let id = EventId::new(device as u32 + 1, seqs[device]);
        let at = TimeMs(NOW.0 - year_ms + year_ms / i64::from(events) * i64::from(number));
        let body = if number < customers {
            let (key, secret) = key_of(number);
            let name = format!("Priya {number}");
            let name = Text::seal(&name, (&key, &secret), SHOP, Field::Name, &mut entropy);
            customer_added(name, key)
        } else {
            let customer = match big {
                Some(big) if rng.chance(50) => big,
                // The product of two draws: few customers come often.
                _ => CustomerId(EventId::new(
                    1,
                    1 + (rng.below(u64::from(customers)) * rng.below(u64::from(customers))
                        / u64::from(customers)) as u32,
                )),
            };
            let mut particulars = Particulars::on(at.day());
            if rng.chance(20) {
                let (key, secret) = key_of(customer.0.seq - 1);
                let note = Text::seal(
                    "said Monday",
                    (&key, &secret),
                    SHOP,
                    Field::Note,
                    &mut entropy,
                );
                particulars.note = Some(Box::new(note));
            }
            entry(
                &mut rng,
                particulars,
                customer,
                device as u32 + 1,
                &mut bills[device],
                &last,
            )
        };
        if matches!(body, Body::CreditGiven(_) | Body::PaymentReceived(_)) && last.len() < 5_000 {
            last.push(EntryId(id));
        }
        let event = Event {
            envelope: Envelope {
                id,
                clock: u64::from(number) + 1,
                at,
                by: None,
                group: None,
                cause: None,
                correlation: None,
                expect: None,
            },
            body,
        };
        log.push((id.device, id.seq, encode(&event)));
    }
    log
}

fn customer_added(name: Text, key: Fixed<16>) -> Body {
    Body::from(CustomerAdded {
        name,
        key,
        phone: None,
        address: None,
        note: None,
        language: None,
        limit: None,
        messages: None,
        origin: None,
    })
}

fn entry(
    rng: &mut Rng,
    particulars: Particulars,
    customer: CustomerId,
    device: u32,
    bills: &mut u32,
    last: &[EntryId],
) -> Body {
    let amount = Paise((1 + rng.below(100) as i64) * 10_00);
    let paid = if rng.chance(50) {
        Paid::CASH
    } else {
        Paid {
            mode: Mode::Upi,
            reference: Some(format!("{:012}", rng.below(1_000_000_000_000))),
            app: None,
        }
    };
    let mut share = rng.below(100);
    let kind = MIX.iter().position(|&percent| {
        let fits = share < percent;
        share = share.saturating_sub(percent);
        fits
    });
    match kind {
        Some(0) => {
            *bills += 1;
            let lines = lines(rng);
            let total = lines.iter().map(|line| line.amount).sum();
            Body::from(SaleRecorded {
                particulars,
                bill: format!("{device}-{bills:06}"),
                total,
                tenders: vec![Tender {
                    amount: total,
                    by: TenderBy::Money(paid),
                }],
                customer: Some(customer),
                lines: Some(lines),
                discount: None,
                round_off: None,
                charges: None,
                place_of_supply: None,
                buyer_gstin: None,
                document: None,
                handed_over: None,
                order: None,
            })
        }
        Some(1) => Body::from(CreditGiven {
            particulars,
            customer,
            amount,
            lines: rng.chance(40).then(|| lines(rng)),
            due: None,
        }),
        Some(2) => Body::from(PaymentReceived {
            particulars,
            customer,
            amount,
            paid,
            allocations: None,
        }),
        Some(3) => Body::from(GoodsReturned {
            particulars,
            customer: Some(customer),
            amount,
            refund: if rng.chance(50) {
                Refund::Khata
            } else {
                Refund::Money(paid)
            },
            of: None,
            lines: None,
        }),
        Some(4) => Body::from(AdvanceDeposited {
            particulars,
            customer,
            amount,
            paid,
        }),
        _ if last.is_empty() => Body::from(AdvanceDeposited {
            particulars,
            customer,
            amount,
            paid,
        }),
        _ => Body::from(EntryReversed {
            target: *rng.pick(last),
            reason: Reason {
                code: ReasonCode::WrittenTwice,
                note: None,
            },
            witness: None,
        }),
    }
}

/// One to three lines.
fn lines(rng: &mut Rng) -> Vec<Line> {
    let names = [
        "Atta 5 kg",
        "Toor dal",
        "Sugar loose",
        "Mustard oil 1 l",
        "Tea 250 g",
        "Soap",
    ];
    (0..1 + rng.below(3))
        .map(|_| {
            let quantity = Quantity::whole(1 + rng.below(3) as i64);
            let price = Paise((5 + rng.below(200) as i64) * 100);
            Line {
                name: (*rng.pick(&names)).to_owned(),
                quantity,
                unit: Unit::Piece,
                price,
                amount: quantity.cost(price),
                item: None,
                batch: None,
                mrp: None,
                discount: None,
                hsn: None,
                rate: None,
                tax: None,
                cost: None,
            }
        })
        .collect()
}
