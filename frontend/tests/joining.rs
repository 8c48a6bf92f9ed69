//! A phone that had a khata of its own brings it into the shop that it joined: two databases in one
//! browser, and a stop in the middle.

#![cfg(target_arch = "wasm32")]

mod common;

use std::collections::BTreeSet;

use common::{add, give, id, new_shop, open, owes, until};
use frontend::net::tabs::{Channel, News};
use frontend::store::database::{Append, Appended, ShopDatabase};
use frontend::store::{Arrived, Coming, Shop, index};
use shared::bytes::{Bytes, Fixed};
use shared::calendar::TimeMs;
use shared::command::{Bringing, Context, OldShop};
use shared::event::{Origin, encode};
use shared::ids::{CustomerId, DeviceNo, ShopId};
use shared::ledger::Balance;
use shared::money::Paise;
use shared::sync::engine::{Batch, Cursor};
use shared::sync::wire::{Chunk, SealingKey, TreeHead, Verdict};
use shared::text::Entropy;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

/// More entries than one batch brings.
const ENTRIES: i64 = 130;

const AT: TimeMs = TimeMs(1_763_625_600_000);

/// A khata of its own with a customer who owes ₹130 in many entries, and a shop to be joined, where
/// another owes ₹7.
async fn two_shops() -> (Shop, CustomerId, Shop) {
    let old = new_shop().await;
    let priya = add(old, "Priya").await;
    for _ in 0..ENTRIES {
        give(old, priya, 1).await;
    }
    let new = new_shop().await;
    let amit = add(new, "Amit").await;
    give(new, amit, 7).await;
    (old, priya, new)
}

async fn database(shop: ShopId) -> ShopDatabase {
    let db = ShopDatabase::open(shop, || {}, |_| {}).await;
    db.expect("the browser keeps a database")
}

/// The phone joins; the app opens anew.
async fn joined(old: Shop, new: Shop) -> Shop {
    let db = database(id(new)).await;
    let noted = old.is_old_khata_of(&db, id(new)).await;
    noted.expect("noted");
    open(id(new)).await
}

async fn all_written(shop: Shop) {
    until(|| matches!(shop.old_khata(), Some(Coming::Sending(_)))).await;
}

/// A customer of the old khata in the new one.
fn here(new: Shop, old: Shop, customer: CustomerId) -> CustomerId {
    let origin = Origin {
        shop: id(old),
        device: customer.0.device.0,
        seq: customer.0.seq,
    };
    new.peek(|books| {
        CustomerId(
            *books.ledger.brought.customers[&origin]
                .first()
                .expect("one"),
        )
    })
}

fn sum(shop: Shop) -> Balance {
    shop.peek(|books| {
        let mut sum = Balance::default();
        for customer in books.ledger.customers.values() {
            sum += customer.balance;
        }
        sum
    })
}

fn entries(shop: Shop) -> usize {
    shop.peek(|books| books.ledger.entries.len())
}

/// The server has taken everything that this phone wrote, and the phone has read it back.
async fn confirmed(shop: Shop) {
    let db = database(id(shop)).await;
    let loaded = db.load().await.expect("readable").expect("founded");
    let own = loaded.identity.key;
    let mut cursor = Cursor::start(id(shop), Fixed([3; 16]), own, DeviceNo::FOUNDER, &own);
    db.set_server(&loaded.identity, &cursor)
        .await
        .expect("a server");
    let events: Vec<Bytes> = loaded.tail.into_iter().flat_map(|run| run.events).collect();
    for bytes in &events {
        let head = cursor.log.chain(DeviceNo::FOUNDER).expect("begun");
        let appended = cursor.log.append(
            DeviceNo::FOUNDER,
            head.after(&bytes.0),
            AT,
            Verdict::Accepted,
        );
        appended.expect("the next");
    }
    cursor.pinned = Some(TreeHead {
        size: cursor.log.size(),
        root: cursor.log.root(),
        at: AT,
        signature: Fixed([0; 64]),
    });
    let count = events.len() as u32;
    let batch = Batch {
        chunks: vec![Chunk {
            position: 1,
            device: DeviceNo::FOUNDER,
            first_seq: 1,
            count,
            received: AT,
            verdict: Verdict::Accepted,
            events: Some(events),
            branch_of: None,
        }],
        keys: Vec::new(),
        cursor,
        confirmed_seq: count,
        segment: None,
        cut: None,
        branch: None,
        restored: None,
        rebuild: false,
    };
    db.persist(&batch, &BTreeSet::new()).await.expect("stored");
    let tab = Channel::open(id(shop), |_| {}).expect("another tab");
    tab.tell(&News::Written { keys: false });
}

async fn arrived(shop: Shop) -> Arrived {
    until(|| matches!(shop.old_khata(), Some(Coming::Arrived(_)))).await;
    match shop.old_khata() {
        Some(Coming::Arrived(arrived)) => arrived,
        other => panic!("{other:?}"),
    }
}

async fn is_gone(shop: Shop) -> bool {
    let loaded = database(id(shop)).await.load().await;
    loaded.expect("readable").is_none()
}

#[wasm_bindgen_test]
async fn the_old_khata_comes_along_and_stays_until_the_server_has_it() {
    let (old, priya, new) = two_shops().await;
    let joined = joined(old, new).await;
    all_written(joined).await;
    assert_eq!(owes(joined, here(joined, old, priya)), Paise(130_00));
    assert_eq!(sum(joined).khata, Paise(137_00));
    joined.remove_old_khata().await.expect("refused quietly");
    assert!(!is_gone(old).await, "the server has not got it yet");

    confirmed(joined).await;
    let arrived = arrived(joined).await;
    assert_eq!((arrived.tally.entries, arrived.tally.customers), (130, 1));
    assert_eq!(arrived.missing, Default::default());
    assert!(!is_gone(old).await, "a person removes it");
    let again = open(id(joined)).await;
    until(|| matches!(again.old_khata(), Some(Coming::Arrived(_)))).await;
    again.remove_old_khata().await.expect("removed");
    assert_eq!(again.old_khata(), None);
    assert!(is_gone(old).await);
    assert_eq!(owes(again, here(again, old, priya)), Paise(130_00));
}

#[wasm_bindgen_test]
async fn it_goes_on_where_it_stopped_and_writes_nothing_twice() {
    let (old, priya, new) = two_shops().await;
    // The app was closed after the first batch.
    let (append, batch) = new.peek(|books| {
        old.peek(|old| {
            let old = OldShop {
                ledger: &old.ledger,
                keys: &old.keys,
            };
            let entropy = Entropy::new([5; 32]);
            let seq = books.last_seq() + 1;
            let context =
                Context::new(books.device(), seq, AT, books.staff(), &books.keys, entropy);
            let batch = Bringing::of(old).next(old, &books.ledger, &context);
            let batch = batch.expect("brought");
            let events: Vec<Bytes> = batch.events.iter().map(|it| Bytes(encode(it))).collect();
            (events, batch)
        })
    });
    assert!(append.len() < ENTRIES as usize);
    let db = database(id(new)).await;
    let chain = db.load().await.expect("readable").expect("founded").chain;
    let keys: Vec<SealingKey> = batch
        .keys
        .iter()
        .map(|(id, key)| SealingKey {
            id: *id,
            key: Some(Fixed(key.0)),
        })
        .collect();
    let saved = db.append(Append {
        expected: chain,
        events: &append,
        keys: &keys,
        draft: None,
    });
    assert!(matches!(saved.await, Ok(Appended::Saved(_))));

    let joined = joined(old, new).await;
    all_written(joined).await;
    assert_eq!(owes(joined, here(joined, old, priya)), Paise(130_00));
    assert_eq!(entries(joined), ENTRIES as usize + 1);
    assert!(joined.peek(|books| books.ledger.brought.copies.is_empty()));
}

#[wasm_bindgen_test]
async fn two_tabs_that_both_bring_it_bring_it_once() {
    let (old, priya, new) = two_shops().await;
    let one = joined(old, new).await;
    let other = open(id(new)).await;
    all_written(one).await;
    all_written(other).await;
    let again = open(id(new)).await;
    assert_eq!(owes(again, here(again, old, priya)), Paise(130_00));
    assert_eq!(entries(again), ENTRIES as usize + 1);
    assert!(again.peek(|books| books.ledger.brought.copies.is_empty()));
}

#[wasm_bindgen_test]
async fn what_was_written_into_the_old_khata_meanwhile_comes_before_it_is_removed() {
    let (old, priya, new) = two_shops().await;
    let joined = joined(old, new).await;
    all_written(joined).await;
    confirmed(joined).await;
    arrived(joined).await;
    give(old, priya, 20).await;
    joined.remove_old_khata().await.expect("not yet");
    all_written(joined).await;
    assert_eq!(owes(joined, here(joined, old, priya)), Paise(150_00));
    assert!(!is_gone(old).await);
}

#[wasm_bindgen_test]
async fn the_app_opens_the_new_shop_once_it_is_here_and_the_old_one_until_then() {
    let (old, _, new) = two_shops().await;
    index::move_on(id(old), id(new));
    assert_eq!(index::shops().await[..2], [id(new), id(old)]);
    index::forget_old();
    assert_eq!(index::shops().await[0], id(new));
    index::forget_current();
}
