//! The phone's storage in a real browser: what is shown as saved is on the disk, once.

#![cfg(target_arch = "wasm32")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use frontend::crypto::{Custody, DeviceKey, random, verify};
use frontend::store::StoreError;
use frontend::store::database::{Append, Appended, ShopDatabase};
use frontend::store::idb::{Database, Open};
use frontend::store::records::{Identity, after};
use js_sys::{Function, Object};
use shared::bytes::{Bytes, Fixed};
use shared::calendar::TimeMs;
use shared::event::{Body, CustomerErased, DeviceNamed, Envelope, Event, PublicKey, Role, encode};
use shared::ids::{CustomerId, DeviceNo, EventId, ShopId};
use shared::sync::branch::number_of;
use shared::sync::engine::{Batch, Cursor};
use shared::sync::log::ChainHead;
use shared::sync::wire::{BranchRequest, Chunk, Fork, SealingKey, Verdict};
use uuid::Uuid;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

fn new_shop() -> ShopId {
    ShopId(Uuid::from_bytes(random()))
}

async fn open(shop: ShopId) -> ShopDatabase {
    ShopDatabase::open(shop, || {}, |_| {})
        .await
        .expect("the browser keeps a database")
}

/// A shop with the phone's key in its database and no events yet.
async fn founded(shop: ShopId) -> (ShopDatabase, ChainHead) {
    let db = open(shop).await;
    let key = DeviceKey::make(Custody::Browser).await.expect("a key");
    db.keep_device_key(key.stored()).await.expect("a kept key");
    let identity = Identity {
        shop,
        device: DeviceNo::FOUNDER,
        role: Role::Owner,
        key: key.public(),
        server: None,
        branch_of: None,
    };
    let start = ChainHead::genesis(shop, &key.public());
    let chain = db
        .found(&identity, None, append(start, &[]))
        .await
        .expect("a founded shop");
    (db, chain)
}

fn append(expected: ChainHead, events: &[Bytes]) -> Append<'_> {
    Append {
        expected,
        events,
        keys: &[],
        draft: None,
    }
}

fn entries(words: &[&str]) -> Vec<Bytes> {
    words
        .iter()
        .map(|word| Bytes(word.as_bytes().to_vec()))
        .collect()
}

#[wasm_bindgen_test]
async fn an_append_asks_for_strict_durability() {
    let (db, _) = founded(new_shop()).await;
    assert_eq!(db.append_durability(), Ok(Some("strict".into())));
}

#[wasm_bindgen_test]
async fn entries_and_their_keys_are_there_after_a_reload() {
    let shop = new_shop();
    let (db, chain) = founded(shop).await;
    let key = SealingKey {
        id: Fixed([7; 16]),
        key: Some(Fixed([8; 32])),
    };
    let events = entries(&["atta", "dal"]);
    let saved = db
        .append(Append {
            keys: std::slice::from_ref(&key),
            ..append(chain, &events)
        })
        .await;
    let end = after(chain, &events);
    assert_eq!(saved, Ok(Appended::Saved(end)));
    drop(db);

    let loaded = open(shop)
        .await
        .load()
        .await
        .expect("readable")
        .expect("founded");
    assert_eq!(loaded.chain, end);
    assert_eq!(loaded.keys, [key]);
    assert_eq!(loaded.tail.len(), 1);
    assert_eq!(
        (loaded.tail[0].first_seq, &loaded.tail[0].events),
        (1, &events)
    );
}

/// A part of the log that a phone has read: one event of another phone, and keys.
fn batch(shop: ShopId, key: &PublicKey, event: &Event, keys: &[SealingKey]) -> Batch {
    let EventId { device, seq } = event.envelope.id;
    let generation = Fixed([3; 16]);
    Batch {
        chunks: vec![Chunk {
            position: u64::from(seq),
            device,
            first_seq: seq,
            count: 1,
            received: TimeMs(0),
            verdict: Verdict::Accepted,
            branch_of: None,
            events: Some(vec![Bytes(encode(event))]),
        }],
        keys: keys.to_vec(),
        cursor: Cursor::start(shop, generation, *key, DeviceNo::FOUNDER, key),
        confirmed_seq: 0,
        restored: None,
        rebuild: false,
        segment: None,
        cut: None,
        branch: None,
    }
}

#[wasm_bindgen_test]
async fn an_erasure_that_is_read_destroys_the_key_with_it_and_for_good() {
    let shop = new_shop();
    let (db, _) = founded(shop).await;
    let loaded = async || {
        let loaded = db.load().await.expect("readable");
        loaded.expect("founded")
    };
    let own = loaded().await.identity.key;
    let event = |seq, body: Body| Event {
        envelope: Envelope {
            id: EventId::new(2, seq),
            clock: u64::from(seq),
            at: TimeMs(0),
            by: None,
            group: None,
            cause: None,
            correlation: None,
            expect: None,
        },
        body,
    };
    let [priya, amit] = [7, 8].map(|number| SealingKey {
        id: Fixed([number; 16]),
        key: Some(Fixed([number; 32])),
    });
    let named = event(
        1,
        DeviceNamed {
            device: DeviceNo(2),
            name: "Helper".into(),
        }
        .into(),
    );
    let first = batch(shop, &own, &named, &[priya.clone(), amit.clone()]);
    db.persist(&first, &BTreeSet::new()).await.expect("kept");
    assert_eq!(loaded().await.keys, [priya.clone(), amit.clone()]);

    // The tombstone of the key comes with a later answer, or never: the event is enough. Nor does
    // the key come back with the event, or behind it.
    let erasure = CustomerErased {
        customer: CustomerId(EventId::new(2, 1)),
        keys: vec![priya.id],
    };
    let second = batch(
        shop,
        &own,
        &event(2, erasure.into()),
        std::slice::from_ref(&priya),
    );
    db.persist(&second, &BTreeSet::new()).await.expect("kept");
    let gone = SealingKey {
        key: None,
        ..priya.clone()
    };
    assert_eq!(loaded().await.keys, [gone.clone(), amit.clone()]);
    let third = Batch {
        chunks: Vec::new(),
        ..batch(shop, &own, &named, std::slice::from_ref(&priya))
    };
    db.persist(&third, &BTreeSet::from([priya.id]))
        .await
        .expect("kept");
    assert_eq!(loaded().await.keys, [gone, amit]);
}

#[wasm_bindgen_test]
async fn two_tabs_never_write_the_same_number() {
    let shop = new_shop();
    let (one, chain) = founded(shop).await;
    let other = open(shop).await;
    let (atta, dal) = (entries(&["atta"]), entries(&["dal"]));
    let both = (
        one.append(append(chain, &atta)).await,
        other.append(append(chain, &dal)).await,
    );
    assert_eq!(
        both,
        (
            Ok(Appended::Saved(after(chain, &atta))),
            Ok(Appended::Moved)
        )
    );

    let news = other.news(chain.seq + 1, 0, false).await.expect("readable");
    assert_eq!(news.tail[0].events, atta, "the other tab's entry is found");
    let again = other.append(append(news.chain, &dal)).await;
    assert_eq!(again, Ok(Appended::Saved(after(news.chain, &dal))));
    let tail = one.load().await.expect("readable").expect("founded").tail;
    let numbers: Vec<u32> = tail.iter().map(|run| run.first_seq).collect();
    assert_eq!(numbers, [1, 2]);
}

#[wasm_bindgen_test]
async fn a_draft_goes_with_the_entry_that_it_became() {
    let (db, chain) = founded(new_shop()).await;
    db.save_draft("credit", b"25").await.expect("kept");
    assert_eq!(db.draft("credit").await, Ok(Some(b"25".to_vec())));
    let events = entries(&["atta"]);
    let settled = Append {
        draft: Some("credit"),
        ..append(chain, &events)
    };
    assert!(matches!(db.append(settled).await, Ok(Appended::Saved(_))));
    assert_eq!(db.draft("credit").await, Ok(None));
}

fn one_store(db: &web_sys::IdbDatabase, _: u32) -> Result<(), JsValue> {
    db.create_object_store("things").map(drop)
}

async fn plain(name: &str, version: u32) -> Result<Database, StoreError> {
    Database::open(Open {
        name,
        version,
        upgrade: |db, from| {
            if from == 0 {
                one_store(db, from)
            } else {
                Ok(())
            }
        },
        blocked: Box::new(|| {}),
        lost: Box::new(|_| {}),
    })
    .await
}

/// Makes the browser answer every write of a value of `FULL` bytes as a full disk does.
const FULL: usize = 77_777;

fn fill_the_disk() -> Function {
    Function::new_with_args(
        "size",
        "const put = IDBObjectStore.prototype.put;
         IDBObjectStore.prototype.put = function (value, key) {
             if (value.byteLength === size)
                 throw new DOMException('no room', 'QuotaExceededError');
             return put.call(this, value, key);
         };",
    )
}

#[wasm_bindgen_test]
async fn a_full_disk_writes_nothing_and_says_so() {
    fill_the_disk()
        .call1(&JsValue::NULL, &JsValue::from_f64(FULL as f64))
        .expect("patched");
    let name = format!("full-{}", new_shop());
    let db = plain(&name, 1).await.expect("a database");
    let tx = db.write(&["things"]).expect("a transaction");
    let store = tx.store("things").expect("a store");
    store
        .put("first", b"saved only with the second")
        .expect("asked");
    assert_eq!(store.put("second", &[0; FULL]), Err(StoreError::DiskFull));
    drop(tx);

    let tx = db.read(&["things"]).expect("a transaction");
    let first = tx.store("things").and_then(|store| store.get("first"));
    assert_eq!(first.expect("asked").bytes().await, Ok(None));
}

#[wasm_bindgen_test]
async fn a_value_that_cannot_be_stored_undoes_the_whole_transaction() {
    let db = plain(&format!("uncloneable-{}", new_shop()), 1)
        .await
        .expect("a database");
    let tx = db.write(&["things"]).expect("a transaction");
    let store = tx.store("things").expect("a store");
    store
        .put("first", b"saved only with the second")
        .expect("asked");
    let uncloneable = Function::new_no_args("");
    assert!(matches!(
        store.put_value("second", &uncloneable),
        Err(StoreError::Failed(_))
    ));
    drop(tx);

    let tx = db.read(&["things"]).expect("a transaction");
    let first = tx.store("things").and_then(|store| store.get("first"));
    assert_eq!(first.expect("asked").bytes().await, Ok(None));
}

#[wasm_bindgen_test]
async fn an_upgrade_in_another_tab_closes_this_one() {
    let name = format!("upgrade-{}", new_shop());
    let lost = Rc::new(RefCell::new(None));
    let told = lost.clone();
    let old = Database::open(Open {
        name: &name,
        version: 1,
        upgrade: one_store,
        blocked: Box::new(|| {}),
        lost: Box::new(move |error| *told.borrow_mut() = Some(error)),
    })
    .await
    .expect("a database");
    let newer = plain(&name, 2).await;
    assert!(newer.is_ok(), "the old tab let go");
    assert_eq!(*lost.borrow(), Some(StoreError::NewerApp));
    assert!(matches!(old.write(&["things"]), Err(StoreError::Gone)));
    drop(newer);
    assert!(
        matches!(plain(&name, 1).await, Err(StoreError::NewerApp)),
        "no way back"
    );
}

/// A tab of an app that does not let go when asked to.
fn stubborn_tab(name: &str) -> js_sys::Promise {
    Function::new_with_args(
        "name",
        "return new Promise(resolve => {
             const request = indexedDB.open(name, 1);
             request.onsuccess = () => resolve(request.result);
         });",
    )
    .call1(&JsValue::NULL, &name.into())
    .expect("asked")
    .unchecked_into()
}

#[wasm_bindgen_test]
async fn an_upgrade_that_an_old_tab_blocks_is_said_and_goes_on_when_it_closes() {
    let name = format!("blocked-{}", new_shop());
    let old = JsFuture::from(stubborn_tab(&name)).await.expect("opened");
    let old: web_sys::IdbDatabase = old.unchecked_into();
    let said = Rc::new(Cell::new(false));
    let told = said.clone();
    let newer = Database::open(Open {
        name: &name,
        version: 2,
        upgrade: one_store,
        blocked: Box::new(move || {
            told.set(true);
            // The person closes the old tab.
            old.close();
        }),
        lost: Box::new(|_| {}),
    });
    let newer = newer.await.expect("a database");
    assert!(said.get());
    assert!(newer.write(&["things"]).is_ok());
}

#[wasm_bindgen_test]
async fn an_upgrade_that_fails_leaves_nothing_half_made() {
    let name = format!("failed-{}", new_shop());
    let failing = Database::open(Open {
        name: &name,
        version: 1,
        upgrade: |db, from| one_store(db, from).and_then(|()| one_store(db, from)),
        blocked: Box::new(|| {}),
        lost: Box::new(|_| {}),
    });
    assert!(failing.await.is_err(), "the same store twice");
    let again = plain(&name, 1).await.expect("a database");
    assert!(again.write(&["things"]).is_ok());
}

#[wasm_bindgen_test]
async fn that_a_shop_was_here_is_remembered_apart_from_storage() {
    let shop = new_shop();
    frontend::store::index::remember(shop);
    assert!(frontend::store::index::was_here());
    assert_eq!(frontend::store::index::shops().await.first(), Some(&shop));
    frontend::store::index::forget_current();
    assert!(frontend::store::index::was_here());
    founded(shop).await;
    let listed = frontend::store::index::shops().await;
    assert!(listed.contains(&shop), "the databases themselves say it");
}

#[wasm_bindgen_test]
async fn the_key_of_the_phone_signs_after_a_reload_and_cannot_be_read() {
    let db = open(new_shop()).await;
    let key = DeviceKey::make(Custody::Browser).await.expect("a key");
    let kept = db.keep_device_key(key.stored()).await.expect("kept");
    let again = DeviceKey::load(kept, key.public()).await.expect("loaded");
    let signature = again.sign(b"head").await.expect("signed");
    assert_eq!(verify(&key.public(), b"head", &signature).await, Ok(true));
    assert_eq!(verify(&key.public(), b"other", &signature).await, Ok(false));
    assert!(!key.public().software);
    let extractable = js_sys::Reflect::get(again.stored(), &"extractable".into());
    assert_eq!(extractable, Ok(JsValue::FALSE));
}

#[wasm_bindgen_test]
async fn a_key_in_software_signs_after_a_reload_and_is_marked() {
    let db = open(new_shop()).await;
    let key = DeviceKey::make(Custody::Software).await.expect("a key");
    let kept = db.keep_device_key(key.stored()).await.expect("kept");
    assert!(!kept.is_instance_of_object(), "bytes, not a key");
    let again = DeviceKey::load(kept, key.public()).await.expect("loaded");
    let signature = again.sign(b"head").await.expect("signed");
    assert_eq!(verify(&key.public(), b"head", &signature).await, Ok(true));
    assert!(key.public().software);
}

trait Kind {
    fn is_instance_of_object(&self) -> bool;
}

impl Kind for JsValue {
    /// A `CryptoKey` is an object without an index; bytes are not.
    fn is_instance_of_object(&self) -> bool {
        self.is_instance_of::<Object>() && !self.is_instance_of::<js_sys::Uint8Array>()
    }
}

#[wasm_bindgen_test]
async fn a_copy_becomes_a_device_of_its_own_in_the_transaction_that_stores_what_it_read() {
    let shop = new_shop();
    let (db, start) = founded(shop).await;
    let own = entries(&["atta", "dal", "rice"]);
    let saved = db.append(append(start, &own)).await;
    assert_eq!(saved, Ok(Appended::Saved(after(start, &own))));
    let loaded = async || {
        let loaded = db.load().await.expect("readable");
        loaded.expect("founded")
    };
    let before = loaded().await;
    let shared = after(start, &own[..1]);
    let fork = Fork {
        of: DeviceNo::FOUNDER,
        from_seq: 2,
        previous: shared.hash,
        next: after(start, &own[..2]).hash,
    };
    let named = Event {
        envelope: Envelope {
            id: EventId::new(2, 1),
            clock: 1,
            at: TimeMs(0),
            by: None,
            group: None,
            cause: None,
            correlation: None,
            expect: None,
        },
        body: DeviceNamed {
            device: DeviceNo(2),
            name: "Helper".into(),
        }
        .into(),
    };
    let batch = Batch {
        confirmed_seq: shared.seq,
        rebuild: true,
        branch: Some(fork),
        ..batch(shop, &before.identity.key, &named, &[])
    };
    // It has not asked for a number: nothing of it is stored.
    let refused = db.persist(&batch, &BTreeSet::new()).await;
    assert!(refused.is_err());
    assert_eq!(loaded().await.identity, before.identity);
    assert_eq!(loaded().await.tail, before.tail);

    let key = DeviceKey::make(Custody::Browser).await.expect("a key");
    let claim = BranchRequest {
        shop,
        fork,
        key: key.public(),
        token: Fixed([7; 32]),
        signature: Fixed([0; 64]),
    };
    db.keep_claim(&claim, key.stored()).await.expect("kept");
    assert_eq!(db.claim().await, Ok(Some(claim)), "the same each time");
    db.persist(&batch, &BTreeSet::new()).await.expect("stored");
    let now = loaded().await;
    assert_eq!(now.identity.device, number_of(&fork));
    assert_eq!(now.identity.key, key.public());
    assert_eq!(now.chain, before.chain, "nothing was written anew");
    let tail: Vec<Bytes> = now.tail.iter().flat_map(|run| run.events.clone()).collect();
    assert_eq!((now.tail[0].first_seq, tail), (2, own[1..].to_vec()));
    let kept = DeviceKey::load(now.device_key, key.public()).await;
    let signature = kept.expect("kept").sign(b"a chain").await.expect("signs");
    assert_eq!(
        verify(&key.public(), b"a chain", &signature).await,
        Ok(true)
    );
}
