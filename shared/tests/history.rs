//! One customer's past is read out of a log without reading the rest, and is what the fold of the
//! whole log says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shared::bytes::Bytes;
use shared::calendar::{BusinessDay, TimeMs};
use shared::event::{Body, Branch, Decoded, decode};
use shared::history::{Differs, Index, Recall};
use shared::ids::{CustomerId, DeviceNo, EventId};
use shared::ledger::{Ledger, Receipts, Standing, What};
use shared::query::{Account, Books, entries, header, settle, statement};
use shared::sync::segment::{Picked, pick, read, write};
use shared::sync::wire::{BranchOf, Chunk, Verdict};
use shared::testing::logs::{Logged, chains, shuffled};
use shared::testing::rng::Rng;
use shared::testing::sealed;
use shared::text::KeyRing;

/// A log of three devices with everything that can happen in it, as a server stores it.
fn log(rng: &mut Rng, length: u32) -> Vec<Chunk> {
    let chains = chains(rng, 3, length);
    let mut next: BTreeMap<DeviceNo, u32> = BTreeMap::new();
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut position = 1;
    let mut received = 0;
    for logged in shuffled(rng, &chains) {
        let next = next.entry(logged.device).or_insert(1);
        if logged.seq != *next {
            continue;
        }
        *next += 1;
        // A clock may go back.
        received += rng.below(2_000) as i64 - 300;
        chunks.push(chunk(position, &logged, TimeMs(received)));
        position += 1;
    }
    chunks
}

fn chunk(position: u64, logged: &Logged, received: TimeMs) -> Chunk {
    Chunk {
        position,
        device: logged.device,
        first_seq: logged.seq,
        count: 1,
        received,
        verdict: match logged.standing {
            Standing::Counted => Verdict::Accepted,
            Standing::Held => Verdict::Held,
            Standing::Quarantined => Verdict::QuarantinedMalformed,
        },
        events: Some(vec![Bytes(logged.bytes.clone())]),
        branch_of: None,
    }
}

fn fold(ledger: &mut Ledger, receipts: &mut Receipts, chunks: &[Chunk]) {
    for chunk in chunks {
        for (seq, event) in (chunk.first_seq..).zip(chunk.events.iter().flatten()) {
            let event = decode(&event.0, None);
            let _ = ledger.fold(chunk.device, seq, event, chunk.verdict.standing());
        }
        receipts.add(chunk.device, chunk.first_seq, chunk.count, chunk.received);
    }
}

/// A record of a phone's storage.
enum Record {
    Packed(Index, Vec<u8>),
    Plain(Vec<Chunk>),
    Indexed(Index, Vec<Chunk>),
}

fn records(rng: &mut Rng, chunks: &[Chunk], most: u64) -> Vec<Record> {
    let mut left = chunks;
    let mut records = Vec::new();
    while !left.is_empty() {
        let count = (1 + rng.below(most) as usize).min(left.len());
        let (part, rest) = left.split_at(count);
        left = rest;
        let index = Index::of(part);
        records.push(match rng.below(3) {
            0 => Record::Plain(part.to_vec()),
            1 => Record::Indexed(index, part.to_vec()),
            _ => Record::Packed(
                index,
                write(&sealed::segment(part.to_vec())).expect("a run of a log"),
            ),
        });
    }
    records
}

/// What was done for an answer.
#[derive(Default)]
struct Work {
    read: usize,
    events: usize,
}

/// Looks for a customer's past as a phone does.
fn recall(
    ledger: &mut Ledger,
    receipts: &mut Receipts,
    customer: CustomerId,
    records: &[Record],
    until: u64,
) -> Result<Work, Differs> {
    let Some(mut recall) = Recall::begin(ledger, customer) else {
        return Ok(Work::default());
    };
    let mut work = Work::default();
    let mut due: Vec<&Record> = records.iter().collect();
    loop {
        let before = due.len();
        due.retain(|record| {
            let picked = match record {
                Record::Packed(index, _) | Record::Indexed(index, _) if !recall.needs(index) => {
                    return true;
                }
                Record::Packed(_, bytes) => pick(bytes, |seen| recall.wants(seen)).expect("sound"),
                Record::Plain(chunks) => chunks.iter().cloned().map(Picked::all).collect(),
                Record::Indexed(_, chunks) => {
                    let chunks = chunks.iter().cloned();
                    chunks.map(|chunk| recall.sift(chunk)).collect()
                }
            };
            work.read += 1;
            recall.take(picked);
            false
        });
        if due.len() == before {
            break;
        }
    }
    for record in due {
        if let Record::Packed(index, _) | Record::Indexed(index, _) = record {
            recall.pass(index);
        }
    }
    work.events = recall.events();
    recall.put_back(ledger, receipts, until)?;
    Ok(work)
}

const EVER: (BusinessDay, BusinessDay) = (BusinessDay(i32::MIN / 2), BusinessDay(i32::MAX / 2));

/// How often entries of this customer were brought from an old shop, beyond once.
enum Copies {
    None,
    /// All on pages of the customer.
    Here,
    /// On pages of others, too. Customers with the same origin are one, so only a broken app does
    /// that.
    Elsewhere,
}

fn copies(ledger: &Ledger, customer: CustomerId) -> Copies {
    let pages = ledger.pages(customer);
    let pages = pages.iter().filter_map(|page| ledger.customers.get(page));
    let entries: Vec<EventId> = pages
        .flat_map(|page| page.entries.keys().map(|id| id.0))
        .collect();
    let mut copies = Copies::None;
    for same in ledger
        .brought
        .entries
        .values()
        .filter(|same| same.len() > 1)
    {
        match same.iter().filter(|id| entries.contains(id)).count() {
            0 => {}
            all if all == same.len() => copies = Copies::Here,
            _ => return Copies::Elsewhere,
        }
    }
    copies
}

/// Everything that screens tell of a customer's past.
fn told(ledger: &Ledger, receipts: &Receipts, keys: &KeyRing, customer: CustomerId) -> String {
    let books = Books {
        ledger,
        keys,
        receipts,
        reader: None,
    };
    let heads = BTreeMap::new();
    let account = Account::of(ledger, customer);
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        account.lines(),
        statement(books, customer, EVER.0, EVER.1, &heads, 0),
        entries(books, customer, 0),
        header(books, customer, TimeMs(1_763_625_600_000)),
        settle(ledger, customer),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_part_that_is_read_is_the_part_of_all_that_is_read(seed: u64, length in 1_u32..60, wanted: u64) {
        let mut rng = Rng::new(seed);
        let bytes = write(&sealed::segment(log(&mut rng, length))).expect("a run of a log");
        let whole = read(&bytes).expect("sound");
        let is_wanted = |id: EventId| (wanted >> ((id.seq * 7 + id.device.0 * 3) % 64)) & 1 == 1;
        let picked = pick(&bytes, |seen| is_wanted(seen.id)).expect("sound");
        let all: Vec<Picked> = whole.chunks.into_iter().map(|chunk| {
            let mut all = Picked::all(chunk);
            let device = all.chunk.device;
            all.events.retain(|(seq, _)| is_wanted(EventId { device, seq: *seq }));
            all
        }).collect();
        prop_assert_eq!(picked, all);
    }

    #[test]
    fn the_columns_tell_no_lies_about_an_event(seed: u64, length in 1_u32..60, is_branch: bool) {
        let mut chunks = log(&mut Rng::new(seed), length);
        let branch = is_branch.then_some(Branch { device: DeviceNo(9), of: DeviceNo(2), from_seq: 1 });
        chunks.retain(|chunk| !is_branch || chunk.device == DeviceNo(2));
        for (chunk, position) in chunks.iter_mut().zip(1..) {
            chunk.position = position;
            if let Some(branch) = branch {
                chunk.device = branch.device;
                chunk.branch_of = Some(BranchOf { device: branch.of, from_seq: branch.from_seq });
            }
        }
        let bytes = write(&sealed::segment(chunks)).expect("a run of a log");
        let mut seen = Vec::new();
        let picked = pick(&bytes, |event| {
            seen.push((event.kind, event.is_alone, event.names.to_vec()));
            true
        });
        let events = picked.expect("sound").into_iter().flat_map(|picked| picked.events);
        for ((_, bytes), (kind, is_alone, names)) in events.zip(seen) {
            let Ok(decoded) = decode(&bytes.0, branch) else {
                continue;
            };
            prop_assert!(!is_alone || decoded.envelope().group.is_none());
            let Decoded::Known(event) = decoded else { continue };
            prop_assert!(kind.is_none_or(|kind| kind == event.body.kind() as u16));
            let mut named = Vec::new();
            match event.body {
                Body::EntryReversed(body) => named.push(body.target.0),
                Body::EntryCorrected(body) => named.push(body.target.0),
                other => if let Ok(what) = What::from_body(other) {
                    named.extend(what.customers().into_iter().flatten().map(|page| page.0));
                }
            }
            prop_assert!(kind.is_none() || named.iter().all(|id| names.contains(id)));
        }
    }

    #[test]
    fn a_customers_past_is_the_same_as_from_the_whole_log(
        seed: u64, length in 1_u32..60, cut in 0.0_f64..1.0, most in 1_u64..40,
    ) {
        let mut rng = Rng::new(seed);
        let chunks = log(&mut rng, length);
        let (before, after) = chunks.split_at((chunks.len() as f64 * cut) as usize);
        let keys = KeyRing::new(shared::testing::device::SHOP);
        let (mut books, mut receipts) = (Ledger::default(), Receipts::default());
        fold(&mut books, &mut receipts, before);
        let mut books = books.without_history().expect("whole books");
        receipts = Receipts::default();
        fold(&mut books, &mut receipts, after);
        let (mut whole, mut all_receipts) = (Ledger::default(), Receipts::default());
        fold(&mut whole, &mut all_receipts, &chunks);
        let records = records(&mut rng, &chunks, most);
        let until = chunks.len() as u64;
        let is_settled = books.is_settled();
        for &customer in whole.customers.keys() {
            let copies = copies(&whole, customer);
            if matches!(copies, Copies::Elsewhere) {
                continue;
            }
            let mut one = books.clone();
            let mut receipts = receipts.clone();
            let done = recall(&mut one, &mut receipts, customer, &records, until);
            if is_settled {
                // Of entries that were held at the cut and let in since, the books know everything
                // but when they came.
                let receipts = match done {
                    Ok(Work { read: 0, .. }) => &all_receipts,
                    Ok(_) => &receipts,
                    // Then the whole log tells, as ever.
                    Err(Differs) if matches!(copies, Copies::Here) => continue,
                    Err(differs) => return Err(TestCaseError::fail(differs.to_string())),
                };
                prop_assert!(one.knows(customer));
                prop_assert!(one.is_settled());
                prop_assert_eq!(
                    told(&one, receipts, &keys, customer),
                    told(&whole, &all_receipts, &keys, customer)
                );
            } else {
                prop_assert_eq!(&one, &books, "nobody looks at unsettled books");
            }
        }
    }

    #[test]
    fn after_one_past_came_back_the_balances_of_all_stay_right(
        seed: u64, length in 1_u32..60, cuts in [0.0_f64..1.0, 0.0_f64..1.0],
    ) {
        let mut rng = Rng::new(seed);
        let chunks = log(&mut rng, length);
        let mut cuts = cuts.map(|cut| (chunks.len() as f64 * cut) as usize);
        cuts.sort_unstable();
        let (mut books, mut receipts) = (Ledger::default(), Receipts::default());
        fold(&mut books, &mut receipts, &chunks[..cuts[0]]);
        let mut books = books.without_history().expect("whole books");
        let records = records(&mut rng, &chunks, 9);
        fold(&mut books, &mut receipts, &chunks[cuts[0]..cuts[1]]);
        let customers: Vec<CustomerId> = books.customers.keys().copied().collect();
        for customer in customers.iter().step_by(2) {
            let _ = recall(&mut books, &mut receipts, *customer, &records, cuts[1] as u64);
        }
        let mut whole = Ledger::default();
        fold(&mut whole, &mut receipts, &chunks);
        fold(&mut books, &mut receipts, &chunks[cuts[1]..]);
        if books.is_settled() {
            for &customer in whole.customers.keys() {
                prop_assert_eq!(books.balance(customer), whole.balance(customer));
                if books.knows(customer) {
                    prop_assert_eq!(Account::of(&books, customer), Account::of(&whole, customer));
                }
            }
        }
    }

    #[test]
    fn an_index_comes_back_from_its_bytes(seed: u64, length in 1_u32..60) {
        let index = Index::of(&log(&mut Rng::new(seed), length));
        let bytes = minicbor::to_vec(&index).expect("memory takes all");
        prop_assert_eq!(minicbor::decode::<Index>(&bytes).expect("readable"), index);
    }
}

/// A shop with so many events in a year, in segments of so many, and the books that sum it up.
fn demo(events: u32, least: usize) -> (Vec<Record>, Ledger, Ledger, u64) {
    let segments = sealed::segments(events, 2026, least);
    let mut whole = Ledger::default();
    for segment in &segments {
        fold(&mut whole, &mut Receipts::default(), &segment.chunks);
    }
    let until = segments.last().expect("one").last();
    let records = segments.iter().map(|segment| {
        let packed = write(segment).expect("a run of a log");
        Record::Packed(Index::of(&segment.chunks), packed)
    });
    let books = whole.without_history().expect("whole books");
    (records.collect(), books, whole, until)
}

#[test]
fn of_a_years_log_few_events_are_looked_into_for_a_statement() {
    let (records, books, whole, until) = demo(3_000, 128);
    let keys = KeyRing::new(shared::testing::device::SHOP);
    let (mut beside, mut skipped) = (0, 0);
    for (&customer, page) in whole.customers.iter().step_by(15) {
        let mut one = books.clone();
        let mut receipts = Receipts::default();
        let work = recall(&mut one, &mut receipts, customer, &records, until).expect("found");
        assert_eq!(Account::of(&one, customer), Account::of(&whole, customer));
        let told_of = told(&one, &receipts, &keys, customer);
        let is_received = told_of.contains("received: Some");
        assert_eq!(
            is_received,
            !page.entries.is_empty(),
            "the server took them"
        );
        beside = beside.max(work.events - page.entries.len());
        skipped += records.len() - work.read;
    }
    assert!(
        beside < 200,
        "{beside} of 3,000 events beside those of the customer"
    );
    assert!(
        skipped > records.len(),
        "{skipped} records that were not opened"
    );
}

#[test]
fn where_a_part_of_the_log_is_missing_nothing_is_shown() {
    let (mut records, books, whole, until) = demo(3_000, 512);
    let busy = whole
        .customers
        .iter()
        .max_by_key(|(_, page)| page.entries.len());
    let (&customer, _) = busy.expect("a customer");
    records.remove(2);
    let mut one = books.clone();
    let done = recall(
        &mut one,
        &mut Receipts::default(),
        customer,
        &records,
        until,
    );
    assert_eq!(done.err(), Some(Differs));
    assert_eq!(one, books);
}

#[test]
fn a_wrong_balance_in_the_snapshot_is_found_out_before_anybody_sees_entries_under_it() {
    let (records, mut books, whole, until) = demo(2_000, 512);
    let (&customer, _) = whole.customers.first_key_value().expect("a customer");
    let page = books.customers.get_mut(&customer).expect("a page");
    page.balance.khata.0 += 1;
    let before = books.clone();
    let done = recall(
        &mut books,
        &mut Receipts::default(),
        customer,
        &records,
        until,
    );
    assert_eq!(done.err(), Some(Differs));
    assert_eq!(books, before);
}

/// An index of a few events, of which a phone that stored it must be able to make use.
fn golden() -> Index {
    Index::of(&log(&mut Rng::new(12), 30))
}

#[test]
fn an_index_that_was_stored_once_is_read_until_the_folds_change() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/index.txt");
    let bytes = minicbor::to_vec(golden()).expect("memory takes all");
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if std::env::var_os("PAKKA_FREEZE").is_some() {
        std::fs::write(path, digits + "\n").expect("the file can be written");
        return;
    }
    assert_eq!(digits, include_str!("../testdata/index.txt").trim_end());
}
