//! A shop that is opened from a snapshot in a real browser: the list is the same as from the whole
//! log, at once; what looks back waits; a snapshot that is damaged or wrong does no harm.

#![cfg(target_arch = "wasm32")]

mod common;

use std::collections::BTreeSet;

use common::{add, give, id, new_shop, open, today, until};
use frontend::crypto::{Custody, DeviceKey};
use frontend::net::tabs::{Channel, News};
use frontend::store::database::{Append, ShopDatabase};
use frontend::store::records::Identity;
use frontend::store::{Books, History, Refused, Shop};
use shared::bytes::{Bytes, Fixed};
use shared::calendar::TimeMs;
use shared::command::{
    AccessRejection, Details, EnrolDevice, ReceivePayment, Refusal, ReverseEntry, Why,
};
use shared::event::{Paid, ReasonCode, Role};
use shared::ids::{CustomerId, DeviceNo, EntryId, ShopId};
use shared::ledger::{Balance, Ledger};
use shared::money::Paise;
use shared::query::{self, CustomerFilter, CustomerList, CustomerSort, Directory};
use shared::snapshot::Snapshot;
use shared::sync::engine::{Batch, Cursor};
use shared::sync::log::{ChainHead, Log};
use shared::sync::wire::{Chunk, TreeHead, Verdict};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

const AT: TimeMs = TimeMs(1_763_625_600_000);

async fn database(shop: ShopId) -> ShopDatabase {
    ShopDatabase::open(shop, || {}, |_| {})
        .await
        .expect("a database")
}

async fn get(shop: Shop, customer: CustomerId, rupees: i64) {
    let got = shop.execute(ReceivePayment {
        details: Details::on(today(shop)),
        customer,
        amount: Paise(rupees * 100),
        paid: Paid::CASH,
        allocations: Vec::new(),
    });
    got.await.expect("got");
}

fn take_back(target: EntryId) -> ReverseEntry {
    ReverseEntry {
        target,
        why: Why::new(ReasonCode::WrongAmount),
        witness: None,
    }
}

/// A shop in which this and that was written.
async fn busy_shop() -> (Shop, Vec<CustomerId>) {
    let shop = new_shop().await;
    let mut customers = Vec::new();
    for name in ["Priya", "Amit", "Usha", "Imran"] {
        let customer = add(shop, name).await;
        give(shop, customer, 100 + 10 * customers.len() as i64).await;
        customers.push(customer);
    }
    get(shop, customers[1], 110).await;
    let wrong = give(shop, customers[2], 7).await;
    shop.execute(take_back(wrong)).await.expect("taken back");
    (shop, customers)
}

async fn history_is_here(shop: Shop) {
    until(|| shop.history() == History::Here).await;
    assert!(shop.peek(|books| books.ledger.is_whole()));
}

/// What the first screen shows.
fn list(shop: Shop) -> CustomerList {
    shop.peek(|books| {
        let people = Directory::new(query::Books {
            ledger: &books.ledger,
            keys: &books.keys,
            receipts: &books.receipts,
            reader: books.staff(),
        });
        let today = books.ledger.shop.opened_on.get().copied().expect("opened");
        people.list(
            CustomerFilter::All,
            "",
            CustomerSort::LastActivity,
            today,
            0,
        )
    })
}

fn checksum(shop: Shop) -> String {
    shop.peek(|books| books.ledger.checksum().to_string())
}

/// The snapshot of some books, in a shop without a server.
fn snapshot(books: &Books, ledger: &Ledger) -> Vec<u8> {
    let mut log = Log::new(books.identity.shop, Fixed::default());
    let head = ChainHead {
        seq: books.last_seq(),
        hash: books.heads()[&books.device()],
    };
    log.begin(books.device(), head);
    let snapshot = Snapshot::of(ledger, &log).expect("whole books");
    snapshot.to_bytes()
}

/// A snapshot that says something wrong of a customer.
fn forged(books: &Books, customer: CustomerId) -> Vec<u8> {
    let mut ledger = books.ledger.clone();
    let page = ledger.customers.get_mut(&customer).expect("a page");
    page.balance = Balance {
        khata: Paise(1),
        advance: Paise(0),
    };
    snapshot(books, &ledger)
}

async fn keep(shop: Shop, number: u64) -> Vec<u8> {
    let bytes = shop.peek(|books| snapshot(books, &books.ledger));
    let db = database(id(shop)).await;
    db.keep_snapshot(number, &bytes).await.expect("kept");
    bytes
}

#[wasm_bindgen_test]
async fn the_list_is_there_at_once_and_history_follows() {
    let (shop, customers) = busy_shop().await;
    keep(shop, 1).await;
    get(shop, customers[0], 30).await;
    let again = open(id(shop)).await;
    assert!(!again.peek(|books| books.ledger.is_whole()));
    assert!(matches!(again.history(), History::Coming(_)));
    assert_eq!(list(again), list(shop));
    history_is_here(again).await;
    assert_eq!(list(again), list(shop));
    assert_eq!(checksum(again), checksum(shop), "the same, byte for byte");
}

#[wasm_bindgen_test]
async fn the_days_work_goes_on_before_history_is_here_and_nothing_of_it_is_lost() {
    let (shop, customers) = busy_shop().await;
    keep(shop, 1).await;
    let earlier = EntryId(
        shop.peek(|books| *books.ledger.entries.keys().next().expect("one"))
            .0,
    );
    let again = open(id(shop)).await;
    let refused = again.execute(take_back(earlier)).await;
    assert_eq!(
        refused,
        Err(Refused::Rules(Refusal::from(
            AccessRejection::HistoryNotHere
        ))),
        "what looks back waits"
    );
    assert!(!again.peek(|books| books.ledger.is_whole()));
    give(again, customers[0], 5).await;
    give(again, customers[3], 6).await;
    history_is_here(again).await;
    give(again, customers[3], 1).await;
    let owes = |customer| again.peek(|books| books.ledger.balance(customer).khata);
    assert_eq!(owes(customers[0]), Paise(105_00));
    assert_eq!(owes(customers[3]), Paise(137_00));
    again
        .execute(take_back(earlier))
        .await
        .expect("it is here now");
    assert_eq!(owes(customers[0]), Paise(5_00));
}

#[wasm_bindgen_test]
async fn a_snapshot_with_a_wrong_byte_is_passed_over() {
    let (shop, _) = busy_shop().await;
    let bytes = keep(shop, 1).await;
    let db = database(id(shop)).await;
    for at in (0..bytes.len()).step_by(50) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x20;
        db.keep_snapshot(1, &damaged).await.expect("kept");
        let again = open(id(shop)).await;
        assert_eq!(again.history(), History::Here, "byte {at}");
        assert_eq!(checksum(again), checksum(shop), "byte {at}");
    }
}

#[wasm_bindgen_test]
async fn where_the_newest_is_damaged_the_one_before_it_serves() {
    let (shop, customers) = busy_shop().await;
    keep(shop, 1).await;
    get(shop, customers[0], 30).await;
    let db = database(id(shop)).await;
    db.keep_snapshot(2, b"half of it").await.expect("kept");
    let again = open(id(shop)).await;
    assert!(!again.peek(|books| books.ledger.is_whole()));
    assert_eq!(list(again), list(shop));
    history_is_here(again).await;
}

#[wasm_bindgen_test]
async fn of_many_snapshots_two_are_kept() {
    let (shop, _) = busy_shop().await;
    for number in 1..6 {
        keep(shop, number).await;
    }
    let db = database(id(shop)).await;
    let kept = db.snapshots().await.expect("readable");
    let numbers: Vec<u64> = kept.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [5, 4]);
}

#[wasm_bindgen_test]
async fn a_wrong_snapshot_is_found_out_thrown_away_and_counted() {
    let (shop, customers) = busy_shop().await;
    let forged = shop.peek(|books| forged(books, customers[0]));
    let db = database(id(shop)).await;
    db.keep_snapshot(1, &forged).await.expect("kept");
    let again = open(id(shop)).await;
    history_is_here(again).await;
    assert_eq!(list(again), list(shop));
    assert_eq!(checksum(again), checksum(shop));
    assert_eq!(db.wrong_snapshots().await, Ok(1));
    assert!(db.snapshots().await.expect("readable").is_empty());
    assert_eq!(again.storage().await.wrong_snapshots, 1);
}

#[wasm_bindgen_test]
async fn where_a_summed_up_entry_was_taken_back_nobody_sees_the_balance_from_before() {
    let (shop, customers) = busy_shop().await;
    let entry = give(shop, customers[0], 900).await;
    keep(shop, 1).await;
    shop.execute(take_back(entry)).await.expect("taken back");
    let again = open(id(shop)).await;
    assert_eq!(again.history(), History::Here);
    assert_eq!(list(again), list(shop));
}

#[wasm_bindgen_test]
async fn a_snapshot_of_another_shop_is_passed_over() {
    let (shop, _) = busy_shop().await;
    let (other, _) = busy_shop().await;
    let foreign = other.peek(|books| snapshot(books, &books.ledger));
    let db = database(id(shop)).await;
    db.keep_snapshot(1, &foreign).await.expect("kept");
    let again = open(id(shop)).await;
    assert_eq!(again.history(), History::Here);
    assert_eq!(checksum(again), checksum(shop));
}

#[wasm_bindgen_test]
async fn a_tab_that_dies_while_it_writes_a_snapshot_leaves_a_khata_that_opens() {
    let (shop, customers) = busy_shop().await;
    let bytes = keep(shop, 1).await;
    for turns in 0..4 {
        get(shop, customers[0], 1).await;
        let db = database(id(shop)).await;
        let mut writing = Box::pin(db.keep_snapshot(2, &bytes));
        for _ in 0..turns {
            let waker = std::task::Waker::noop();
            let mut context = std::task::Context::from_waker(waker);
            let _ = std::future::Future::poll(writing.as_mut(), &mut context);
        }
        drop(writing);
        let again = open(id(shop)).await;
        assert_eq!(list(again), list(shop));
        history_is_here(again).await;
        assert_eq!(checksum(again), checksum(shop));
    }
}

#[wasm_bindgen_test]
async fn two_tabs_one_of_them_without_history_yet_write_into_one_khata() {
    let (one, customers) = busy_shop().await;
    keep(one, 1).await;
    let other = open(id(one)).await;
    assert!(!other.peek(|books| books.ledger.is_whole()));
    give(one, customers[0], 40).await;
    give(other, customers[0], 2).await;
    let earlier = EntryId(
        one.peek(|books| *books.ledger.entries.keys().next().expect("one"))
            .0,
    );
    one.execute(take_back(earlier)).await.expect("taken back");
    history_is_here(other).await;
    until(|| checksum(one) == checksum(other)).await;
    let again = open(id(one)).await;
    history_is_here(again).await;
    assert_eq!(checksum(again), checksum(one));
}

#[wasm_bindgen_test]
async fn a_new_phone_works_from_the_servers_snapshot_until_the_log_has_come() {
    let (owner, customers) = busy_shop().await;
    let key = DeviceKey::make(Custody::Browser).await.expect("a key");
    let enrolled = owner.execute(EnrolDevice {
        device: DeviceNo(2),
        key: key.public(),
        role: Role::Manager,
        name: "Raju's phone".into(),
        staff: None,
    });
    enrolled.await.expect("enrolled");
    let shop = id(owner);
    let stored = database(shop).await.load().await.expect("readable");
    let stored = stored.expect("founded");
    let events: Vec<Bytes> = stored.tail.into_iter().flat_map(|run| run.events).collect();

    // The log of the server, half of it, and all.
    let generation = Fixed([5; 16]);
    let start = Cursor::start(shop, generation, key.public(), DeviceNo(2), &key.public());
    let mut whole = start.clone();
    let owners = stored.identity.key;
    whole
        .log
        .begin(DeviceNo::FOUNDER, ChainHead::genesis(shop, &owners));
    let mut half = None;
    let chunks: Vec<Chunk> = (1u32..)
        .zip(&events)
        .map(|(seq, bytes)| {
            let head = whole.log.chain(DeviceNo::FOUNDER).expect("begun");
            let head = head.after(&bytes.0);
            let appended = whole
                .log
                .append(DeviceNo::FOUNDER, head, AT, Verdict::Accepted);
            appended.expect("the next");
            if seq as usize == events.len() / 2 {
                half = Some(whole.clone());
            }
            Chunk {
                position: u64::from(seq),
                device: DeviceNo::FOUNDER,
                first_seq: seq,
                count: 1,
                received: AT,
                verdict: Verdict::Accepted,
                events: Some(vec![bytes.clone()]),
                branch_of: None,
            }
        })
        .collect();
    whole.pinned = Some(TreeHead {
        size: whole.log.size(),
        root: whole.log.root(),
        at: AT,
        signature: Fixed([0; 64]),
    });
    let taken = owner.peek(|books| Snapshot::of(&books.ledger, &whole.log));
    let taken = taken.expect("whole books").to_bytes();

    // The new phone.
    ShopDatabase::delete(shop).await.expect("deleted");
    let db = database(shop).await;
    db.keep_device_key(key.stored()).await.expect("kept");
    let identity = Identity {
        shop,
        device: DeviceNo(2),
        role: Role::Manager,
        key: key.public(),
        server: None,
        branch_of: None,
    };
    let nothing = Append {
        expected: ChainHead::genesis(shop, &key.public()),
        events: &[],
        keys: &[],
        draft: None,
    };
    db.found(&identity, Some(&start), nothing)
        .await
        .expect("founded");
    let size = whole.log.size();
    db.take_snapshot(size, &taken, &stored.keys, &start)
        .await
        .expect("taken");

    let phone = open(shop).await;
    assert!(phone.peek(Books::is_filled));
    assert_eq!(list(phone), list(owner), "names and balances, at once");
    give(phone, customers[0], 8).await;
    assert!(matches!(phone.history(), History::Coming(_)));

    let cursors = [half.expect("the middle"), whole];
    let (first, rest) = chunks.split_at(events.len() / 2);
    let tab = Channel::open(shop, |_| {}).expect("another tab");
    for (cursor, chunks) in cursors.into_iter().zip([first, rest]) {
        assert!(!phone.peek(|books| books.ledger.is_whole()));
        let batch = Batch {
            chunks: chunks.to_vec(),
            keys: Vec::new(),
            cursor: cursor.clone(),
            confirmed_seq: 0,
            restored: None,
            rebuild: false,
            segment: None,
            cut: None,
            branch: None,
        };
        db.persist(&batch, &BTreeSet::new()).await.expect("stored");
        tab.tell(&News::Written { keys: false });
        let position = cursor.log.size();
        until(|| phone.peek(|books| books.read_to() == position)).await;
    }
    history_is_here(phone).await;
    assert_eq!(db.wrong_snapshots().await, Ok(0));
    give(phone, customers[0], 2).await;
    let owes = phone.peek(|books| books.ledger.balance(customers[0]).khata);
    assert_eq!(owes, Paise(110_00));
    let entries = |shop: Shop| shop.peek(|books| books.ledger.entries.len());
    assert_eq!(entries(phone), entries(owner) + 2);
}

#[wasm_bindgen_test]
async fn a_thousand_events_bring_a_snapshot_by_themselves() {
    let (shop, customers) = busy_shop().await;
    let taps = js_sys::Array::new();
    for rupees in 1..=1_000 {
        let customer = customers[rupees as usize % 4];
        taps.push(&wasm_bindgen_futures::future_to_promise(async move {
            give(shop, customer, rupees).await;
            Ok(JsValue::NULL)
        }));
    }
    JsFuture::from(js_sys::Promise::all(&taps))
        .await
        .expect("given");
    let db = database(id(shop)).await;
    for _ in 0..100 {
        if !db.snapshots().await.expect("readable").is_empty() {
            break;
        }
    }
    let again = open(id(shop)).await;
    assert!(
        !again.peek(|books| books.ledger.is_whole()),
        "from a snapshot"
    );
    assert_eq!(list(again), list(shop));
    history_is_here(again).await;
    assert_eq!(checksum(again), checksum(shop));
}

#[wasm_bindgen_test]
async fn counting_everything_anew_puts_wrong_books_right_and_says_so() {
    let (shop, customers) = busy_shop().await;
    let found = shop.rebuild(|_| {}).await.expect("readable").expect("all");
    assert!(found.same);
    assert_eq!((found.corrected, found.uncounted), (0, 0));
    assert_eq!(found.entries, shop.peek(|books| books.ledger.entries.len()));
    let forged = shop.peek(|books| forged(books, customers[0]));
    let db = database(id(shop)).await;
    db.keep_snapshot(1, &forged).await.expect("kept");
    let again = open(id(shop)).await;
    let found = again.rebuild(|_| {}).await.expect("readable").expect("all");
    assert!(!found.same);
    assert_eq!(found.corrected, 1);
    assert_eq!(list(again), list(shop));
}
