//! What the phone has in chunks becomes segments behind the screen, and nothing of it is lost on the
//! way.

#![cfg(target_arch = "wasm32")]

mod common;
#[path = "common/sealed.rs"]
mod sealed;

use common::{open, until};
use frontend::store::records::{Segment, decode, encode, is_packed};
use frontend::store::{History, schema};
use sealed::{Kept, Sealed, database, phone, put, raw, records};
use shared::sync::wire::Chunk;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

fn log(sealed: &Sealed) -> Vec<Chunk> {
    let segments = sealed.segments.iter();
    segments
        .flat_map(|segment| segment.chunks.clone())
        .collect()
}

/// The log in records of chunks as an app before this one has packed them: large ones, and the end
/// in a small one.
async fn of_an_older_app(events: u32) -> Sealed {
    let sealed = phone(events, Kept::Chunks).await;
    let db = raw(sealed.shop).await;
    let tx = db
        .write(&[schema::SEGMENTS, schema::INDEX])
        .expect("a transaction");
    for store in [schema::SEGMENTS, schema::INDEX] {
        let store = tx.store(store).expect("a store");
        store.delete_up_to(f64::INFINITY).expect("asked");
    }
    tx.commit().await.expect("deleted");
    let chunks = log(&sealed);
    let (old, new) = chunks.split_at(chunks.len() - 5);
    for part in [&old[..old.len() / 2], &old[old.len() / 2..], new] {
        put(&db, part[0].position as f64, &encode(&part.to_vec())).await;
    }
    sealed
}

async fn stored(sealed: &Sealed) -> (Vec<Chunk>, Vec<bool>) {
    let mut log = Vec::new();
    let mut packed = Vec::new();
    for (_, record) in records(&raw(sealed.shop).await).await {
        packed.push(is_packed(&record));
        log.extend(decode::<Segment>(&record, "segment").expect("readable").0);
    }
    (log, packed)
}

/// Lets other tasks go on.
async fn turn() {
    let turn = js_sys::Promise::new(&mut |resolve, _| {
        let window = web_sys::window().expect("a window");
        window.set_timeout_with_callback(&resolve).expect("a timer");
    });
    JsFuture::from(turn).await.expect("a turn");
}

/// Until nothing is left to seal but the short end.
async fn until_sealed(sealed: &Sealed) -> Vec<bool> {
    for _ in 0..2_000 {
        let (log_now, packed) = stored(sealed).await;
        assert_eq!(log_now, log(sealed), "at every moment all of it is there");
        if let Some((last, rest)) = packed.split_last()
            && !last
            && rest.iter().all(|packed| *packed)
        {
            return packed;
        }
        turn().await;
    }
    panic!("it was never sealed");
}

#[wasm_bindgen_test]
async fn the_log_that_an_older_app_has_stored_becomes_segments_and_stays_the_same() {
    let sealed = of_an_older_app(3_000).await;
    let shop = open(sealed.shop).await;
    until(|| shop.history() == History::Here).await;
    let packed = until_sealed(&sealed).await;
    assert!(
        packed.len() > 4,
        "in parts that a slow phone seals in a moment"
    );
    let again = open(sealed.shop).await;
    let customer = sealed.busiest();
    assert!(!again.knows(customer));
    until(|| again.peek(|books| books.ledger.knows(customer))).await;
    until(|| again.history() == History::Here).await;
    let entries = again.peek(|books| books.ledger.entries.clone());
    assert!(entries == sealed.whole.entries);
    assert_eq!(again.storage().await.wrong_snapshots, 0);
    let mended = database(sealed.shop).await;
    assert_eq!(
        mended.mend(async |_| None).await,
        Ok(0),
        "the tree has the same root"
    );
}
