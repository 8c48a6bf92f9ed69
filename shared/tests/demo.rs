//! The made-up shop: of the size that was asked for, the same for the same seed, sound to the paisa.

use std::collections::BTreeMap;

use shared::calendar::BusinessDay;
use shared::event::{Kind, encode};
use shared::ledger::{Ledger, Standing};
use shared::money::Paise;
use shared::testing::demo::{Books, Size};

fn size(events: u32, seed: u64) -> Size {
    let until = BusinessDay::from_ymd(2026, 3, 31).expect("a day");
    Size::year(events, seed, until)
}

#[test]
fn the_same_seed_gives_the_same_books_byte_for_byte() {
    let bytes = |seed| {
        let books = Books::new(size(3_000, seed));
        let events = books.flat_map(|written| written.events);
        events.flat_map(|event| encode(&event)).collect::<Vec<u8>>()
    };
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}

#[test]
fn a_year_has_all_that_happens_in_a_shop() {
    let mut books = Books::new(size(20_000, 1));
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut devices: BTreeMap<_, usize> = BTreeMap::new();
    let mut events = 0;
    for written in &mut books {
        events += written.events.len();
        *devices.entry(written.device).or_default() += 1;
        for event in &written.events {
            *kinds.entry(event.body.kind()).or_default() += 1;
        }
    }
    assert!((19_500..20_500).contains(&events), "{events}");
    assert_eq!(kinds[&Kind::CustomerAdded], 300);
    assert_eq!(devices.len(), 3);
    for kind in [
        Kind::CreditGiven,
        Kind::PaymentReceived,
        Kind::GoodsReturned,
        Kind::AdvanceDeposited,
        Kind::AdvanceWithdrawn,
        Kind::AdvanceUsed,
        Kind::AmountTransferred,
        Kind::WrittenOff,
        Kind::SaleRecorded,
        Kind::EntryReversed,
        Kind::EntryCorrected,
        Kind::MessageSent,
    ] {
        assert!(kinds.contains_key(&kind), "no {kind:?} in a year");
    }
    assert_eq!(books.ledger().uncounted(), 0);
}

#[test]
fn some_customers_come_far_more_often_and_debts_stay_within_reason() {
    let mut books = Books::new(size(20_000, 2));
    books.by_ref().for_each(drop);
    let ledger = books.ledger();
    let mut visits: Vec<usize> = ledger
        .customers
        .values()
        .map(|customer| customer.entries.len())
        .collect();
    visits.sort_unstable_by(|a, b| b.cmp(a));
    let best: usize = visits[..30].iter().sum();
    assert!(best * 2 > visits.iter().sum(), "a tenth makes half of all");
    let owed: Paise = ledger.customers.values().map(|one| one.balance.khata).sum();
    let given: Paise = ledger
        .entries
        .values()
        .map(|entry| entry.what.amount())
        .sum();
    assert!(
        owed.is_positive() && owed < Paise(given.0 / 4),
        "{owed} of {given}"
    );
}

#[test]
fn salary_days_bring_the_payments_and_diwali_the_customers() {
    let books = Books::new(size(20_000, 3));
    let (mut early, mut late, mut october, mut june) = (0, 0, 0, 0);
    for event in books.flat_map(|written| written.events) {
        let (_, month, date) = event.envelope.at.day().ymd();
        if event.body.kind() == Kind::PaymentReceived {
            *(if date <= 10 { &mut early } else { &mut late }) += 1;
        }
        match month {
            10 => october += 1,
            6 => june += 1,
            _ => {}
        }
    }
    assert!(early > late, "{early} payments by the 10th, {late} after");
    assert!(
        october * 10 > june * 15,
        "{october} in October, {june} in June"
    );
}

#[test]
fn any_size_can_be_asked_for_and_the_devices_events_fold_apart_too() {
    let tiny = Size {
        events: 50,
        customers: 1,
        days: 1,
        devices: 2,
        ..size(0, 4)
    };
    let mut books = Books::new(tiny);
    let events: Vec<_> = books.by_ref().flat_map(|written| written.events).collect();
    // Device by device instead of in the order of time.
    let mut ledger = Ledger::default();
    for device in [2, 1] {
        for event in events
            .iter()
            .filter(|event| event.envelope.id.device.0 == device)
        {
            let id = event.envelope.id;
            let decoded = shared::event::decode(&encode(event), None);
            let _ = ledger.fold(id.device, id.seq, decoded, Standing::Counted);
        }
    }
    assert_eq!(ledger.checksum(), books.ledger().checksum());
}
