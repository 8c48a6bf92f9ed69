//! Owner and helper both started alone, and their two shops become one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use shared::calendar::Month;
use shared::command::{
    AccessRejection, AddCustomer, ArchiveCustomer, Bringing, Details, EnrolDevice, EraseCustomer,
    GiveCredit, MAX_BATCH_STEPS, MergeCustomers, QuestionKind, ReceivePayment, RecordSale,
    Rejection, ReverseEntry, SendMessage, UpdateCustomer, Why, WriteOff,
};
use shared::event::{
    Allocation, Channel, Kind, Language, Origin, Paid, Patch, ReasonCode, Role, TaskKind, Topic,
};
use shared::ids::{CustomerId, DeviceNo, EntryId, EventId, ShopId};
use shared::ledger::{Balance, Ledger, Receipts};
use shared::money::Paise;
use shared::query::{Books, Directory, Report, month_report, report, settle, tasks};
use shared::testing::given::*;
use shared::text::{Field, Opened};

use crate::properties::{Tap, tapped, taps};

/// The helper's phone in the owner's shop; one for a manager, one that only looks.
const HELPER: DeviceNo = DeviceNo(2);
const DEPUTY: DeviceNo = DeviceNo(3);
const SCREEN: DeviceNo = DeviceNo(4);

/// The owner's shop, which has let three phones in: Priya owes ₹100 here.
fn owners_shop() -> Given {
    let phone = |device: DeviceNo, role| EnrolDevice {
        device,
        key: public_key(device.0 as u8),
        role,
        name: "Phone".to_owned(),
        staff: None,
    };
    shop()
        .given(credit(PRIYA, 100_00))
        .given(phone(HELPER, Role::Cashier))
        .given(phone(DEPUTY, Role::Manager))
        .given(phone(SCREEN, Role::Viewer))
        .by_nobody()
        .at(HELPER)
        .after_ms(60 * 60 * 1000)
}

/// The shop that the helper began alone, with its own Priya and Amit.
fn helpers_shop() -> Given {
    new_phone()
        .of_shop(OTHER_SHOP)
        .given(opening())
        .by(OWNER)
        .given(AddCustomer {
            phone: Some("98765 43210".into()),
            ..AddCustomer::named("Priya")
        })
        .given(AddCustomer::named("Amit"))
        .confirming(QuestionKind::MoreThanOwed)
}

/// The customer of the old shop, as the new one knows them.
fn here(given: &Given, old: CustomerId) -> CustomerId {
    let origin = Origin {
        shop: OTHER_SHOP,
        device: old.0.device.0,
        seq: old.0.seq,
    };
    let ids = &given.ledger.brought.customers[&origin];
    CustomerId(*ids.first().expect("brought"))
}

fn khata(given: &Given, customer: CustomerId) -> Paise {
    given.ledger.balance(customer).khata
}

/// What all customers owe and have in advance.
fn sum(ledger: &Ledger) -> Balance {
    let mut sum = Balance::default();
    for customer in ledger.customers.values() {
        sum += customer.balance;
    }
    sum
}

fn wrong() -> Why {
    Why {
        code: ReasonCode::Other,
        note: Some("It was her sister".into()),
    }
}

#[test]
fn what_the_helper_wrote_alone_stands_in_the_owners_khata() {
    let old = helpers_shop()
        .given(credit(PRIYA, 670_00))
        .given(payment(PRIYA, 300_00))
        .given(deposit(AMIT, 50_00));
    let before = sum(&owners_shop().ledger);
    let joined = owners_shop().bringing(&old);
    assert_eq!(khata(&joined, here(&joined, PRIYA)), rupees(370));
    assert_eq!(
        joined.ledger.balance(here(&joined, AMIT)).advance,
        rupees(50)
    );
    assert_eq!(khata(&joined, PRIYA), rupees(100), "the owner's own page");
    let mut both = before;
    both += sum(&old.ledger);
    assert_eq!(sum(&joined.ledger), both);
}

#[test]
fn days_and_times_and_bills_stay_those_of_the_old_shop() {
    let old = helpers_shop()
        .given(RecordSale::quick(monday(), rupees(150), Paid::CASH))
        .given(credit(PRIYA, 670_00));
    let joined = owners_shop().on(tuesday()).bringing(&old);
    for (id, entry) in &old.ledger.entries {
        let origin = Origin {
            shop: OTHER_SHOP,
            device: id.0.device.0,
            seq: id.0.seq,
        };
        let ids = &joined.ledger.brought.entries[&origin];
        let brought = &joined.ledger.entries[&EntryId(*ids.first().expect("one"))];
        assert_eq!(brought.at, entry.at);
        assert_eq!(brought.what.particulars().on, monday());
        assert_eq!(brought.what.amount(), entry.what.amount());
    }
    let lane = &joined.ledger.lanes[&HELPER];
    assert_eq!(lane.bills, 0, "the helper's own bills begin at 1");
}

#[test]
fn names_and_notes_are_sealed_anew_with_keys_of_the_new_shop() {
    let old = helpers_shop().given(GiveCredit {
        details: Details {
            note: Some("two boxes".into()),
            ..Details::on(monday())
        },
        ..credit(PRIYA, 10_00)
    });
    let joined = owners_shop().bringing(&old);
    let priya = &joined.ledger.customers[&here(&joined, PRIYA)];
    let name = priya.name.get().expect("named");
    let phone = priya.phone.value().expect("a number");
    assert_eq!(
        joined.keys.words(name, Field::Name).as_deref(),
        Some("Priya")
    );
    assert_eq!(
        joined.keys.words(phone, Field::Phone).as_deref(),
        Some("+919876543210")
    );
    assert_eq!(old.keys.open(name, Field::Name), Opened::NoKey);
    let entry = joined.ledger.entries.values().last().expect("brought");
    let note = entry.what.particulars().note.as_deref().expect("a note");
    assert_eq!(
        joined.keys.words(note, Field::Note).as_deref(),
        Some("two boxes")
    );
}

#[test]
fn a_page_comes_as_it_stands_now() {
    let old = helpers_shop()
        .given(UpdateCustomer {
            phone: Patch::Clear,
            limit: Patch::Set(rupees(2_000)),
            ..UpdateCustomer::of(PRIYA)
        })
        .given(ArchiveCustomer {
            customer: AMIT,
            archived: true,
        });
    let joined = owners_shop().bringing(&old);
    let page = |id| &joined.ledger.customers[&here(&joined, id)];
    assert_eq!(page(PRIYA).phone.value(), None);
    assert_eq!(page(PRIYA).limit.value(), Some(&rupees(2_000)));
    assert_eq!(page(AMIT).archived.get(), Some(&true));
}

#[test]
fn corrections_and_reversals_come_with_their_reasons() {
    let old = helpers_shop().given(credit(PRIYA, 500_00));
    let first = old.last_entry();
    let old = old.given(correction(first, credit(PRIYA, 50_00)));
    let old = old.given(credit(AMIT, 30_00));
    let last = old.last_entry();
    let old = old.given(ReverseEntry {
        why: wrong(),
        ..reversal(last)
    });
    let joined = owners_shop().bringing(&old);
    assert_eq!(khata(&joined, here(&joined, PRIYA)), rupees(50));
    assert_eq!(khata(&joined, here(&joined, AMIT)), Paise::ZERO);
    let ledger = &joined.ledger;
    assert_eq!(ledger.reversals.len(), 2);
    let corrected = ledger.reversals.iter().find_map(|(target, all)| {
        let replacement = all.values().find_map(|it| it.replacement)?;
        Some((*target, replacement))
    });
    let (target, replacement) = corrected.expect("a correction");
    let particulars = ledger.entries[&replacement].what.particulars();
    assert_eq!(particulars.replaces, Some(target));
    let notes = ledger.reversals.values().flat_map(BTreeMap::values);
    let notes: Vec<_> = notes.filter_map(|it| it.reason.note.as_deref()).collect();
    assert_eq!(
        joined.keys.words(notes[0], Field::Note).as_deref(),
        Some("It was her sister")
    );
    let books = joined.log.iter().rev();
    let of_correction = books.filter(|event| event.envelope.group.is_some()).take(2);
    assert_eq!(of_correction.count(), 2, "both or neither");
}

#[test]
fn a_payment_settles_in_the_new_shop_what_it_settled_in_the_old() {
    let old = helpers_shop().given(credit(PRIYA, 100_00));
    let first = old.last_entry();
    let old = old.given(credit(PRIYA, 70_00));
    let second = old.last_entry();
    let old = old.given(ReceivePayment {
        allocations: vec![Allocation {
            entry: second,
            amount: rupees(70),
        }],
        ..payment(PRIYA, 70_00)
    });
    let joined = owners_shop().bringing(&old);
    let settlement = settle(&joined.ledger, here(&joined, PRIYA));
    let open: Vec<Paise> = settlement.open.iter().map(|open| open.open).collect();
    assert_eq!(open, [rupees(100)]);
    let of_old = settle(&old.ledger, PRIYA);
    assert_eq!(of_old.open[0].entry, first);
}

#[test]
fn bringing_twice_adds_nothing() {
    let old = helpers_shop().given(credit(PRIYA, 670_00));
    let once = owners_shop().bringing(&old);
    let twice = once.clone().bringing(&old);
    assert_eq!(once.ledger, twice.ledger);
    assert_eq!(once.log.len(), twice.log.len());
}

#[test]
fn what_came_in_the_old_shop_after_the_first_time_comes_the_second_time() {
    let old = helpers_shop().given(credit(PRIYA, 670_00));
    let joined = owners_shop().bringing(&old);
    let first = old.last_entry();
    let old = old
        .given(payment(PRIYA, 100_00))
        .given(correction(first, credit(PRIYA, 600_00)));
    let joined = joined.bringing(&old);
    assert_eq!(khata(&joined, here(&joined, PRIYA)), rupees(500));
}

#[test]
fn two_phones_of_the_old_shop_that_bring_it_at_once_bring_it_once() {
    let old = helpers_shop().given(credit(PRIYA, 500_00));
    let wrong = old.last_entry();
    let old = old
        .given(credit(AMIT, 30_00))
        .given(correction(wrong, credit(PRIYA, 50_00)));
    let shared = owners_shop();
    let begin = shared.log.len();
    let [one, other] = [HELPER, DEPUTY].map(|device| shared.clone().at(device).bringing(&old));
    let both = [(&one, &other), (&other, &one)].map(|(first, second)| {
        let heard = first.clone().hearing(&second.log[begin..], &second.keys);
        heard.ledger
    });
    assert_eq!(both[0], both[1]);
    assert_eq!(sum(&both[0]), sum(&one.ledger));
    let customers = both[0].customers.keys().map(|&id| both[0].canonical(id));
    let customers: BTreeSet<_> = customers.collect();
    assert_eq!(customers.len(), 4, "Priya and Amit of each shop");
    // A line written by one of them about the other's copy is about the entry itself.
    let copy = *both[0].brought.copies.keys().last().expect("copies");
    assert!(both[0].entries.contains_key(&both[0].original(copy)));
    assert!(!both[0].entries.contains_key(&copy));
}

#[test]
fn taking_back_a_copy_takes_back_the_entry() {
    let old = helpers_shop().given(credit(PRIYA, 500_00));
    let shared = owners_shop();
    let begin = shared.log.len();
    let [one, other] = [HELPER, DEPUTY].map(|device| shared.clone().at(device).bringing(&old));
    let copy = other.last_entry();
    let other = other.given(reversal(copy));
    let heard = one.clone().hearing(&other.log[begin..], &other.keys);
    assert_eq!(khata(&heard, here(&heard, PRIYA)), Paise::ZERO);
    let other_way = other.hearing(&one.log[begin..], &one.keys);
    assert_eq!(heard.ledger, other_way.ledger);
}

#[test]
fn a_customer_in_both_shops_is_a_question_and_no_silent_merge() {
    let owners = owners_shop().given(UpdateCustomer {
        phone: Patch::Set("9876543210".into()),
        ..UpdateCustomer::of(PRIYA)
    });
    let joined = owners.bringing(&helpers_shop());
    let brought = here(&joined, PRIYA);
    assert_ne!(
        joined.ledger.canonical(brought),
        joined.ledger.canonical(PRIYA)
    );
    let books = Books {
        ledger: &joined.ledger,
        keys: &joined.keys,
        receipts: &Receipts::default(),
        reader: None,
    };
    let mut directory = Directory::default();
    directory.update(books);
    let open = tasks(books, &directory);
    let same = open
        .iter()
        .filter(|task| task.kind == TaskKind::DuplicateCustomer);
    let pages: Vec<Vec<EventId>> = same
        .map(|task| task.evidence.iter().copied().collect())
        .collect();
    assert!(pages.contains(&vec![PRIYA.0, brought.0]), "{pages:?}");
}

#[test]
fn pages_that_were_one_stay_one_where_the_phone_may_say_so() {
    let old = helpers_shop().given(MergeCustomers {
        customer: PRIYA,
        with: AMIT,
    });
    let by_manager = owners_shop().at(DEPUTY).bringing(&old);
    let [priya, amit] = [PRIYA, AMIT].map(|id| here(&by_manager, id));
    assert_eq!(by_manager.ledger.canonical(amit), priya);
    let by_cashier = owners_shop().bringing(&old);
    let [priya, amit] = [PRIYA, AMIT].map(|id| here(&by_cashier, id));
    assert_eq!(by_cashier.ledger.canonical(amit), amit);
    assert_eq!(by_cashier.ledger.canonical(priya), priya);
}

#[test]
fn what_only_a_manager_may_write_waits_for_one_and_is_counted() {
    let old = helpers_shop().given(credit(PRIYA, 100_00)).given(WriteOff {
        details: Details::on(monday()),
        customer: PRIYA,
        amount: rupees(40),
        why: Why::new(ReasonCode::Agreed),
    });
    let missing = |given: &Given, role| {
        let bringing = Bringing::of(old.as_old());
        bringing.missing(old.as_old(), &given.ledger, &given.keys, role)
    };
    let joined = owners_shop().bringing(&old);
    assert_eq!(khata(&joined, here(&joined, PRIYA)), rupees(100));
    let left = missing(&joined, Role::Cashier);
    assert_eq!((left.for_manager, left.other), (1, 0));
    // The owner lets the phone in as a manager's: it brings the rest, and nothing twice.
    let joined = joined.at(DEPUTY).bringing(&old);
    assert_eq!(khata(&joined, here(&joined, PRIYA)), rupees(60));
    assert_eq!(missing(&joined, Role::Manager), Default::default());
}

#[test]
fn whoever_was_forgotten_stays_forgotten() {
    let old = helpers_shop()
        .given(credit(PRIYA, 5_00))
        .given(payment(PRIYA, 5_00))
        .given(EraseCustomer { customer: PRIYA });
    let joined = owners_shop().at(DEPUTY).bringing(&old);
    let page = &joined.ledger.customers[&here(&joined, PRIYA)];
    assert!(page.erased);
    let name = page.name.get().expect("sealed");
    assert_eq!(joined.keys.open(name, Field::Name), Opened::Erased);
    assert_eq!(page.entries.len(), 2);
}

#[test]
fn a_phone_that_only_looks_brings_nothing() {
    let old = helpers_shop().given(credit(PRIYA, 5_00));
    let bringing = Bringing::of(old.as_old());
    let refused = owners_shop().at(SCREEN).next_of(&old, &bringing);
    assert_eq!(
        refused.expect_err("refused"),
        Rejection::Access(AccessRejection::NotAllowed {
            needed: Role::Cashier,
            role: Role::Viewer,
        })
    );
}

#[test]
fn nothing_is_brought_before_the_history_of_the_shop_is_here() {
    let old = helpers_shop().given(credit(PRIYA, 5_00));
    let mut owners = owners_shop();
    owners.ledger = owners.ledger.without_history().expect("whole");
    let refused = owners.next_of(&old, &Bringing::of(old.as_old()));
    assert_eq!(
        refused.expect_err("refused"),
        Rejection::Access(AccessRejection::HistoryNotHere)
    );
}

#[test]
fn what_stays_behind_is_counted() {
    let old = helpers_shop()
        .given(credit(PRIYA, 5_00))
        .given(SendMessage {
            customer: PRIYA,
            channel: Channel::WhatsApp,
            language: Language::Hindi,
            topic: Topic::Reminder,
            entry: None,
        });
    let mut hidden = old.clone().of_shop(OTHER_SHOP);
    let tally = old.as_old().tally();
    assert_eq!((tally.customers, tally.entries), (2, 1));
    assert_eq!((tally.staff, tally.sent, tally.unreadable), (1, 1, 0));
    assert_eq!(hidden.as_old().tally().unreadable, 2);
    // Their balances come along all the same.
    hidden = owners_shop().bringing(&hidden);
    assert_eq!(khata(&hidden, here(&hidden, PRIYA)), rupees(5));
}

#[test]
fn a_shop_that_was_joined_before_is_known_by_where_it_was_first_written() {
    let old = helpers_shop().given(credit(PRIYA, 70_00));
    let between = owners_shop().bringing(&old);
    let mut third = new_phone().of_shop(ShopId(uuid::Uuid::from_u128(3)));
    third = third.given(opening()).by(OWNER).by_nobody();
    let through_another = third.clone().bringing(&between);
    let both_ways = through_another.clone().bringing(&old);
    assert_eq!(through_another.ledger, both_ways.ledger);
    // And back where it came from there is nothing to bring.
    let back = old.clone().by_nobody().bringing(&through_another);
    let mut twice = sum(&owners_shop().ledger);
    twice += sum(&old.ledger);
    assert_eq!(
        sum(&back.ledger),
        twice,
        "the owner's entries alone are new"
    );
}

#[test]
fn events_of_a_batch_are_few_and_those_of_a_role_only() {
    let old = (0..150).fold(helpers_shop(), |old, _| old.given(credit(PRIYA, 1_00)));
    let mut joined = owners_shop();
    let mut bringing = Bringing::of(old.as_old());
    let mut batches = 0;
    while bringing.progress().0 < bringing.progress().1 {
        let batch = joined.next_of(&old, &bringing).expect("brought");
        assert!(batch.events.len() <= 3 * MAX_BATCH_STEPS);
        for event in &batch.events {
            let kind = event.body.kind();
            assert!(matches!(kind, Kind::CustomerAdded | Kind::CreditGiven));
        }
        bringing.written(&batch);
        joined = joined.with_batch(&batch);
        batches += 1;
    }
    assert_eq!(batches, 2);
    assert_eq!(khata(&joined, here(&joined, PRIYA)), rupees(150));
}

/// The sums of a report, without what does not add up over two shops.
fn sums(report: &Report) -> Vec<Paise> {
    let mut sums = vec![
        report.credit_sales,
        report.advance_sales,
        report.khata_returns,
        report.advances_used,
        report.write_offs,
        report.transfers,
        report.opening.khata,
        report.closing.khata,
        report.closing.advance,
    ];
    for by_mode in [
        &report.sales,
        &report.payments,
        &report.money_returns,
        &report.deposits,
        &report.withdrawals,
    ] {
        sums.push(by_mode.total());
    }
    sums
}

/// The books of one shop are those of both together.
fn agree(joined: &Given, owners: &Given, old: &Given) -> Result<(), TestCaseError> {
    for customer in [PRIYA, AMIT] {
        let brought = joined.ledger.balance(here(joined, customer));
        prop_assert_eq!(brought, old.ledger.balance(customer));
        let own = joined.ledger.balance(customer);
        prop_assert_eq!(own, owners.ledger.balance(customer));
    }
    let november = Month {
        year: 2026,
        month: 11,
    };
    let month = |given: &Given| month_report(&given.ledger, november);
    let day = |given: &Given| report(&given.ledger, monday(), monday());
    for reports in [
        [joined, owners, old].map(month),
        [joined, owners, old].map(day),
    ] {
        let [both, one, other] = reports;
        let added = sums(&one).into_iter().zip(sums(&other));
        let added: Vec<Paise> = added
            .map(|(one, other)| [one, other].into_iter().sum())
            .collect();
        prop_assert_eq!(sums(&both), added);
        prop_assert_eq!(both.entries, one.entries + other.entries);
        prop_assert_eq!(both.taken_back, one.taken_back + other.taken_back);
    }
    Ok(())
}

fn tapped_shops(own: &[Tap], alone: &[Tap]) -> (Given, Given) {
    let owners = tapped(owners_shop().at(DeviceNo::FOUNDER), own).at(HELPER);
    (owners, tapped(helpers_shop(), alone))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_books_of_both_shops_add_up(own in taps(), alone in taps()) {
        let (owners, old) = tapped_shops(&own, &alone);
        let joined = owners.clone().bringing(&old);
        agree(&joined, &owners, &old)?;
    }

    /// The phone is switched off anywhere; another phone of the old shop brings the rest, or all of
    /// it again, knowing some of what the first one wrote.
    #[test]
    fn wherever_it_stops_and_whoever_goes_on_the_books_add_up(
        own in taps(), alone in taps(), stop in 0..80usize, heard in 0..80usize,
    ) {
        let (owners, old) = tapped_shops(&own, &alone);
        let begin = owners.log.len();
        let whole = owners.clone().bringing(&old);
        // Groups are written whole.
        let cut = |most: usize| {
            let events = &whole.log[begin..];
            let mut end = most.min(events.len());
            while events.get(end).and_then(|event| event.envelope.group).is_some_and(|group| {
                events[end].envelope.id.seq != group.first
            }) {
                end += 1;
            }
            &events[..end]
        };
        let stopped = owners.clone().hearing(cut(stop), &whole.keys);
        agree(&stopped.clone().bringing(&old), &owners, &old)?;
        let other = owners.clone().hearing(cut(stop.min(heard)), &whole.keys);
        let known = other.log.len();
        let other = other.at(DEPUTY).bringing(&old);
        let both = stopped.hearing(&other.log[known..], &other.keys);
        agree(&both, &owners, &old)?;
    }
}
