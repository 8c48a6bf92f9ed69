//! A damaged record of the phone's log comes again from the server, is checked against the log that
//! was read before, and takes its old place.

#![cfg(target_arch = "wasm32")]

mod common;
#[path = "common/sealed.rs"]
mod sealed;

use common::{open, until};
use frontend::store::records::{Segment, decode, encode};
use frontend::store::{History, StoreError, schema};
use sealed::{Kept, Sealed, database, phone, put, raw, records};
use shared::sync::wire::{Chunk, SyncRequest};
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

fn sealed_log(sealed: &Sealed) -> Vec<Chunk> {
    let segments = sealed.segments.iter();
    segments
        .flat_map(|segment| segment.chunks.clone())
        .collect()
}

async fn stored_log(sealed: &Sealed) -> Vec<Chunk> {
    let mut log = Vec::new();
    for (_, record) in records(&raw(sealed.shop).await).await {
        log.extend(decode::<Segment>(&record, "segment").expect("readable").0);
    }
    log
}

/// The log is what it was, to the byte, and the books of the phone are those of the whole log.
async fn is_as_it_was(sealed: &Sealed, mended: u32) {
    assert_eq!(stored_log(sealed).await, sealed_log(sealed));
    let shop = open(sealed.shop).await;
    until(|| shop.history() == History::Here).await;
    let entries = shop.peek(|books| books.ledger.entries.clone());
    assert_eq!(entries, sealed.whole.entries);
    for customer in sealed.whole.customers.keys() {
        let balance = shop.peek(|books| books.ledger.balance(*customer));
        assert_eq!(balance, sealed.whole.balance(*customer));
    }
    let storage = shop.storage().await;
    assert_eq!((storage.mended, storage.wrong_snapshots), (mended, 0));
}

#[wasm_bindgen_test]
async fn a_segment_with_a_wrong_byte_comes_again_and_nothing_else_does() {
    let sealed = phone(1_200, Kept::Segments).await;
    let db = raw(sealed.shop).await;
    let (key, mut record) = records(&db).await.swap_remove(3);
    let middle = record.len() / 2;
    record[middle] ^= 1;
    put(&db, key, &record).await;
    let asked = std::cell::RefCell::new(Vec::new());
    let phone = database(sealed.shop).await;
    let mended = phone.mend(async |request: SyncRequest| {
        asked.borrow_mut().push(request.position + 1);
        Some(sealed.answer(&request))
    });
    let parts = mended.await.expect("the server has it");
    let asked = asked.into_inner();
    assert_eq!(parts as usize, asked.len());
    assert_eq!(asked[0] as f64, key, "from its first entry on");
    let behind = sealed.segments[3].last();
    assert!(asked.iter().all(|first| *first <= behind), "and no further");
    is_as_it_was(&sealed, parts).await;
}

#[wasm_bindgen_test]
async fn a_record_that_is_gone_or_cut_off_comes_again() {
    for length in [None, Some(40)] {
        let sealed = phone(1_200, Kept::Chunks).await;
        let db = raw(sealed.shop).await;
        let kept = records(&db).await;
        let last = kept.len() - 1;
        for at in [0, last] {
            let (key, record) = &kept[at];
            match length {
                Some(length) => put(&db, *key, &record[..length]).await,
                None => {
                    let tx = db.write(&[schema::SEGMENTS]).expect("a transaction");
                    let store = tx.store(schema::SEGMENTS).expect("a store");
                    store.delete(*key).expect("asked");
                    tx.commit().await.expect("deleted");
                }
            }
        }
        let mended = database(sealed.shop).await;
        let parts = mended.mend(async |request| Some(sealed.answer(&request)));
        let parts = parts.await.expect("the server has them");
        is_as_it_was(&sealed, parts).await;
    }
}

#[wasm_bindgen_test]
async fn an_entry_that_changed_unnoticed_is_found_by_the_tree_and_put_right() {
    let sealed = phone(1_200, Kept::Chunks).await;
    let db = raw(sealed.shop).await;
    let (key, record) = records(&db).await.swap_remove(2);
    let mut log = decode::<Segment>(&record, "segment").expect("readable");
    let event = log.0[1].events.as_mut().expect("held").last_mut();
    *event.expect("one").0.last_mut().expect("a byte") ^= 1;
    put(&db, key, &encode(&log)).await;
    let parts = database(sealed.shop)
        .await
        .mend(async |request| Some(sealed.answer(&request)))
        .await
        .expect("the server has it");
    assert!(parts > 0);
    is_as_it_was(&sealed, parts).await;
}

#[wasm_bindgen_test]
async fn a_sound_log_is_left_alone() {
    let sealed = phone(600, Kept::Segments).await;
    let db = raw(sealed.shop).await;
    let before = records(&db).await;
    let mended = database(sealed.shop).await.mend(async |_| None).await;
    assert_eq!(mended, Ok(0));
    assert_eq!(records(&db).await, before);
}

#[wasm_bindgen_test]
async fn what_the_server_gives_is_not_believed_unless_it_is_what_was_there() {
    let sealed = phone(1_200, Kept::Segments).await;
    let db = raw(sealed.shop).await;
    let (key, mut record) = records(&db).await.swap_remove(3);
    record.truncate(99);
    put(&db, key, &record).await;
    let before = records(&db).await;
    let phone = database(sealed.shop).await;
    let mended = phone.mend(async |request| {
        let mut answer = sealed.answer(&request);
        let event = answer.chunks[0].events.as_mut().expect("held").last_mut();
        *event.expect("one").0.last_mut().expect("a byte") ^= 1;
        Some(answer)
    });
    assert_eq!(mended.await, Err(StoreError::Damaged("segment")));
    assert_eq!(records(&db).await, before, "nothing was written");
}
