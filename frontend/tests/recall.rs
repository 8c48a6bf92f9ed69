//! A customer's page and statement are right before the whole log is folded: what concerns the
//! customer is read out of what lies in the phone's storage.

#![cfg(target_arch = "wasm32")]

mod common;
#[path = "common/sealed.rs"]
mod sealed;

use std::collections::BTreeMap;

use common::{add, give, id, new_shop, open, until};
use frontend::store::records::is_packed;
use frontend::store::{History, Shop, schema};
use sealed::{Kept, Sealed, phone, put, raw, records};
use shared::bytes::Fixed;
use shared::calendar::BusinessDay;
use shared::ids::CustomerId;
use shared::ledger::{Ledger, Receipts};
use shared::query::{self, Books, statement};
use shared::snapshot::Snapshot;
use shared::sync::log::{ChainHead, Log};
use shared::text::KeyRing;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

fn told(ledger: &Ledger, receipts: &Receipts, customer: CustomerId) -> String {
    let keys = KeyRing::new(shared::testing::device::SHOP);
    let books = Books {
        ledger,
        keys: &keys,
        receipts,
        reader: None,
    };
    let (from, to) = (BusinessDay(0), BusinessDay(40_000));
    let heads = BTreeMap::new();
    format!(
        "{:?} {:?}",
        statement(books, customer, from, to, &heads, 0),
        query::entries(books, customer, 0)
    )
}

fn shown(shop: Shop, customer: CustomerId) -> String {
    shop.peek(|books| told(&books.ledger, &books.receipts, customer))
}

fn is_whole(shop: Shop) -> bool {
    shop.peek(|books| books.ledger.is_whole())
}

async fn a_page_is_there_before_the_whole_log(sealed: Sealed) {
    let shop = open(sealed.shop).await;
    for customer in [sealed.busiest(), sealed.rare()] {
        assert!(!shop.knows(customer), "it is only summed up");
        until(|| shop.peek(|books| books.ledger.knows(customer))).await;
        assert!(!is_whole(shop), "the others' entries are still to come");
        assert_eq!(
            shown(shop, customer),
            told(&sealed.whole, &sealed.receipts, customer)
        );
    }
    until(|| shop.history() == History::Here).await;
    assert!(is_whole(shop));
    let customer = sealed.busiest();
    assert_eq!(
        shown(shop, customer),
        told(&sealed.whole, &sealed.receipts, customer),
        "and nothing of it changes when they do"
    );
}

#[wasm_bindgen_test]
async fn a_page_is_there_before_the_whole_log_that_lies_in_segments() {
    let sealed = phone(1_200, Kept::Segments).await;
    let db = raw(sealed.shop).await;
    let kept = records(&db).await;
    assert_eq!(kept.len(), sealed.segments.len());
    assert!(
        kept.iter().all(|(_, record)| is_packed(record)),
        "as they came"
    );
    a_page_is_there_before_the_whole_log(sealed).await;
}

#[wasm_bindgen_test]
async fn a_page_is_there_before_the_whole_log_that_an_older_app_has_stored() {
    let sealed = phone(1_200, Kept::Chunks).await;
    let db = raw(sealed.shop).await;
    // It knew of no index.
    let tx = db.write(&[schema::INDEX]).expect("a transaction");
    let index = tx.store(schema::INDEX).expect("a store");
    index.delete_up_to(f64::INFINITY).expect("asked");
    tx.commit().await.expect("deleted");
    a_page_is_there_before_the_whole_log(sealed).await;
}

#[wasm_bindgen_test]
async fn a_page_is_there_before_the_whole_log_of_a_shop_without_a_server() {
    let shop = new_shop().await;
    let priya = add(shop, "Priya").await;
    let amit = add(shop, "Amit").await;
    for rupees in 1..20 {
        give(shop, priya, rupees).await;
        give(shop, amit, 100 * rupees).await;
    }
    let snapshot = shop.peek(|books| {
        let mut log = Log::new(books.identity.shop, Fixed::default());
        let hash = books.heads()[&books.device()];
        log.begin(
            books.device(),
            ChainHead {
                seq: books.last_seq(),
                hash,
            },
        );
        let snapshot = Snapshot::of(&books.ledger, &log).expect("whole books");
        (u64::from(books.last_seq()), snapshot.to_bytes())
    });
    let db = sealed::database(id(shop)).await;
    db.keep_snapshot(snapshot.0, &snapshot.1)
        .await
        .expect("kept");
    give(shop, priya, 1_000).await;
    let again = open(id(shop)).await;
    assert!(!again.knows(priya));
    until(|| again.peek(|books| books.ledger.knows(priya))).await;
    assert!(!is_whole(again));
    let of =
        |shop: Shop| shop.peek(|books| format!("{:?}", query::Account::of(&books.ledger, priya)));
    assert_eq!(of(again), of(shop));
    assert!(!again.peek(|books| books.ledger.knows(amit)));
}

#[wasm_bindgen_test]
async fn a_record_that_is_damaged_shows_no_page_that_is_short_of_it() {
    let sealed = phone(1_200, Kept::Segments).await;
    let db = raw(sealed.shop).await;
    let (key, mut record) = records(&db).await.swap_remove(3);
    let middle = record.len() / 2;
    record[middle] ^= 1;
    put(&db, key, &record).await;
    let shop = open(sealed.shop).await;
    let customer = sealed.busiest();
    assert!(!shop.knows(customer));
    until(|| matches!(shop.history(), History::Unreadable(_))).await;
    assert!(
        !shop.knows(customer),
        "nobody is shown a part as if it were all"
    );
}
