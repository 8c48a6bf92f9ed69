//! A shop may be opened from a snapshot: lists and the day's commands are the same as from the whole
//! log, and a snapshot that is damaged or of another shop is not used.

use proptest::prelude::*;
use shared::bytes::Fixed;
use shared::calendar::BusinessDay;
use shared::command::{AddCustomer, Command, MergeCustomers, decide};
use shared::event::{decode, encode};
use shared::ids::{DeviceNo, ShopId};
use shared::ledger::{Ledger, Receipts, Standing, Step};
use shared::query::{Books, CustomerFilter, CustomerSort, Directory, totals};
use shared::snapshot::{Snapshot, Unusable};
use shared::sync::log::{ChainHead, Log};
use shared::testing::demo::{self, Size};
use shared::testing::given::*;
use shared::testing::logs::{Logged, chains, shuffled};
use shared::testing::rng::Rng;
use shared::text::KeyRing;

const HERE: ShopId = ShopId(uuid::Uuid::from_u128(7));

fn fold(ledger: &mut Ledger, log: &[Logged]) {
    for logged in log {
        let event = decode(&logged.bytes, None);
        let step = ledger.fold(logged.device, logged.seq, event, logged.standing);
        assert!(!matches!(step, Step::Gap { .. }));
    }
}

fn folded(log: &[Logged]) -> Ledger {
    let mut ledger = Ledger::default();
    fold(&mut ledger, log);
    ledger
}

/// The log that books belong to, as far as a snapshot looks at it.
fn log_of(shop: ShopId, ledger: &Ledger) -> Log {
    let mut log = Log::new(shop, Fixed([1; 16]));
    for (&device, lane) in &ledger.lanes {
        let head = ChainHead {
            seq: lane.last_seq,
            hash: Fixed([device.0 as u8; 32]),
        };
        log.begin(device, head);
    }
    log
}

fn directory(ledger: &Ledger, keys: &KeyRing) -> Directory {
    Directory::new(Books {
        ledger,
        keys,
        receipts: &Receipts::default(),
        reader: None,
    })
}

/// Everything that a list shows of every customer, without that from when on something is owed.
fn rows(ledger: &Ledger) -> Vec<String> {
    let keys = KeyRing::new(HERE);
    let people = directory(ledger, &keys);
    let people = people.people().map(|person| {
        format!(
            "{:?} {:?} {:?} {} {:?} {:?} {:?}",
            person.id,
            person.pages,
            person.name,
            person.archived,
            person.balance,
            person.last_activity,
            person.last_payment
        )
    });
    people.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn books_that_go_on_from_a_snapshot_list_what_whole_books_list(
        seed: u64, devices in 1u32..4, length in 1u32..60, order: u64, cut in 0.0f64..1.0,
    ) {
        let log = shuffled(&mut Rng::new(order), &chains(&mut Rng::new(seed), devices, length));
        let (before, after) = log.split_at((log.len() as f64 * cut) as usize);
        let mut books = folded(before).without_history().expect("whole books");
        fold(&mut books, after);
        let whole = folded(&log);
        // Books in which an entry was taken back that is summed up are shown to nobody.
        if books.is_settled() {
            prop_assert_eq!(rows(&books), rows(&whole));
            prop_assert_eq!(totals(&books), totals(&whole));
        }
        prop_assert_eq!(&books.lanes, &whole.lanes);
        prop_assert_eq!(books.clock, whole.clock);
        prop_assert_eq!(&books.erased_keys, &whole.erased_keys);
        prop_assert_eq!(&books.held, &whole.held);
        prop_assert!(whole.is_settled());
    }

    #[test]
    fn a_snapshot_is_the_same_whatever_the_order_and_is_read_as_it_was_written(
        seed: u64, length in 1u32..60, orders: [u64; 2],
    ) {
        let chains = chains(&mut Rng::new(seed), 3, length);
        let [one, other] = orders.map(|order| {
            let mut books = folded(&shuffled(&mut Rng::new(order), &chains));
            // The generated shops are opened by samples, with ids of their own.
            books.shop.opened = Default::default();
            Snapshot::of(&books, &log_of(HERE, &books)).expect("whole books").to_bytes()
        });
        prop_assert_eq!(&one, &other);
        let read = Snapshot::from_bytes(&one, HERE).expect("it is as it was written");
        prop_assert_eq!(read.to_bytes(), one.clone());
        let own = Snapshot::take_own(&one, HERE).expect("it is as it was written");
        prop_assert_eq!(own, read.take());
    }
}

/// The books of a demonstration shop, and its events in the order in which they were written.
fn demo_shop(events: u32) -> (demo::Books, Vec<Logged>) {
    let until = BusinessDay::from_ymd(2026, 3, 31).expect("a day");
    let mut books = demo::Books::new(Size::year(events, 5, until));
    let written: Vec<Logged> = (&mut books)
        .flat_map(|written| written.events)
        .map(|event| Logged {
            device: event.envelope.id.device,
            seq: event.envelope.id.seq,
            bytes: encode(&event),
            standing: Standing::Counted,
        })
        .collect();
    (books, written)
}

#[test]
fn the_list_of_a_real_shop_is_the_same_from_any_snapshot_to_the_last_row() {
    let (demo, log) = demo_shop(4_000);
    let shown = |ledger: &Ledger| {
        let people = directory(ledger, demo.keys());
        let today = BusinessDay::from_ymd(2026, 3, 31).expect("a day");
        let filters = [
            CustomerFilter::All,
            CustomerFilter::Due,
            CustomerFilter::Overdue,
        ];
        filters.map(|filter| people.list(filter, "", CustomerSort::LastActivity, today, 0))
    };
    let whole = folded(&log);
    let mut settled = 0;
    let mut so_far = Ledger::default();
    for (number, part) in log.chunks(79).enumerate() {
        fold(&mut so_far, part);
        let after = &log[number * 79 + part.len()..];
        let after = &after[..after.len().min(50)];
        let mut books = so_far.without_history().expect("whole books");
        fold(&mut books, after);
        if books.is_settled() {
            settled += 1;
            let mut whole = so_far.clone();
            fold(&mut whole, after);
            for (one, other) in shown(&books).into_iter().zip(shown(&whole)) {
                assert_eq!(one.total, other.total, "part {number}");
                for (one, other) in one.rows.into_iter().zip(other.rows) {
                    assert_eq!(one, other, "part {number}");
                }
            }
        }
    }
    assert!(settled > 20, "most cuts are good to start from: {settled}");
    assert!(
        whole
            .without_history()
            .is_some_and(|books| shown(&books) == shown(&whole))
    );
}

#[test]
fn a_snapshot_agrees_with_the_fold_of_its_log_and_with_no_other() {
    let (demo, log) = demo_shop(3_000);
    let ledger = demo.ledger();
    let shop = demo.keys().shop();
    let snapshot = Snapshot::of(ledger, &log_of(shop, ledger)).expect("whole books");
    let length = snapshot.to_bytes().len();
    let (_, mark) = snapshot.take();
    assert!(mark.agrees_with(ledger));
    assert!(!mark.agrees_with(&folded(&log[..log.len() - 1])));
    assert!(length < ledger.to_bytes().len() / 2);
}

#[test]
fn whoever_took_back_a_summed_up_entry_left_books_that_are_not_settled() {
    let (_, log) = demo_shop(6_000);
    let mut books = Ledger::default();
    let mut found = 0;
    for event in &log {
        let mut from_here = books.without_history().expect("whole books");
        fold(&mut books, std::slice::from_ref(event));
        fold(&mut from_here, std::slice::from_ref(event));
        let reverses = matches!(
            decode(&event.bytes, None),
            Ok(shared::event::Decoded::Known(shared::event::Event {
                body: shared::event::Body::EntryReversed(_),
                envelope: shared::event::Envelope { group: None, .. },
            }))
        );
        if reverses {
            found += 1;
            assert!(!from_here.is_settled());
            assert!(Snapshot::of(&from_here, &log_of(HERE, &from_here)).is_none());
            if found == 3 {
                return;
            }
        }
    }
    panic!("nobody took anything back");
}

#[test]
fn the_days_commands_are_decided_the_same_without_history() {
    let whole = shop()
        .given(credit(PRIYA, 500_00))
        .given(deposit(AMIT, 100_00));
    let mut short = whole.clone();
    short.ledger = short.ledger.without_history().expect("whole books");
    let wanted: [Command; 6] = [
        credit(PRIYA, 20_00).into(),
        payment(PRIYA, 700_00).into(),
        withdrawal(AMIT, 500_00).into(),
        deposit(AMIT, 5_00).into(),
        AddCustomer::named("Usha").into(),
        MergeCustomers {
            customer: PRIYA,
            with: AMIT,
        }
        .into(),
    ];
    for command in wanted {
        let one = decide(&whole.ledger, &whole.context(), command.clone());
        let other = decide(&short.ledger, &short.context(), command);
        assert_eq!(one, other);
    }
}

#[test]
fn a_snapshot_with_one_wrong_byte_is_not_used() {
    let (demo, _) = demo_shop(2_000);
    let shop = demo.keys().shop();
    let ledger = demo.ledger();
    let bytes = Snapshot::of(ledger, &log_of(shop, ledger))
        .expect("whole books")
        .to_bytes();
    assert!(Snapshot::from_bytes(&bytes, shop).is_ok());
    for at in (0..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(Snapshot::from_bytes(&damaged, shop).is_err(), "byte {at}");
        assert!(Snapshot::take_own(&damaged, shop).is_err(), "byte {at}");
        assert!(
            Snapshot::from_bytes(&bytes[..at], shop).is_err(),
            "cut off at {at}"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Snapshot::from_bytes(&longer, shop), Err(Unusable::Damaged));
    assert_eq!(Snapshot::from_bytes(&bytes, HERE), Err(Unusable::OtherShop));
    assert_eq!(Snapshot::take_own(&longer, shop), Err(Unusable::Damaged));
    assert_eq!(Snapshot::take_own(&bytes, HERE), Err(Unusable::OtherShop));
}

#[test]
fn bytes_with_a_right_sum_and_any_content_are_read_without_a_panic() {
    let (demo, _) = demo_shop(400);
    let shop = demo.keys().shop();
    let ledger = demo.ledger();
    let bytes = Snapshot::of(ledger, &log_of(shop, ledger))
        .expect("whole books")
        .to_bytes();
    let mut rng = Rng::new(11);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..3_000 {
        let mut body = bytes[40..].to_vec();
        for _ in 0..=rng.below(3) {
            let at = rng.below(body.len() as u64) as usize;
            body[at] = rng.below(256) as u8;
        }
        let sum = shared::chain::digest(&[&body]);
        let forged = [&bytes[..8], &sum.0, &body].concat();
        match Snapshot::from_bytes(&forged, shop) {
            // Whatever it says, books go on from it without a panic.
            Ok(snapshot) => {
                read += 1;
                let ledger = snapshot.take().0;
                let _ = (totals(&ledger), rows(&ledger));
            }
            Err(_) => refused += 1,
        }
    }
    assert!(
        read > 100 && refused > 100,
        "{read} read, {refused} refused"
    );
}

#[test]
fn the_bytes_of_a_snapshot_are_frozen() {
    let (demo, _) = demo_shop(400);
    let ledger = demo.ledger();
    let snapshot = Snapshot::of(ledger, &log_of(demo.keys().shop(), ledger)).expect("whole books");
    let sum = shared::chain::digest(&[&snapshot.to_bytes()]);
    // Another sum here means another FOLD_VERSION.
    assert_eq!(
        sum.to_string(),
        "033e05313947248d2ecd825667154b77d405f76f226cd1da4c0df67b3ec23fc8"
    );
    assert!(ledger.lanes.contains_key(&DeviceNo::FOUNDER));
}
