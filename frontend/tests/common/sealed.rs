//! A phone in whose storage the log of a busy shop lies, as a server has sealed it.

#![allow(dead_code, reason = "every file of tests compiles all of it")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use frontend::crypto::{Custody, DeviceKey};
use frontend::store::database::{Append, ShopDatabase};
use frontend::store::idb::{Database, Open};
use frontend::store::records::{Identity, Server};
use frontend::store::schema;
use shared::bytes::Fixed;
use shared::calendar::TimeMs;
use shared::event::{Body, Decoded, PublicKey, Role, decode};
use shared::ids::{CustomerId, DeviceNo, ShopId};
use shared::ledger::{Ledger, Receipts};
use shared::snapshot::Snapshot;
use shared::sync::engine::{Batch, Cursor};
use shared::sync::log::{ChainHead, Log};
use shared::sync::segment::{Segment, write};
use shared::sync::wire::{Advice, DeviceStanding, SyncAnswer, SyncRequest, TreeHead};
use shared::testing::phone::GENERATION;
use shared::testing::sealed;

/// The phone whose storage it is.
pub const DEVICE: DeviceNo = DeviceNo(2);

/// Fewer events than a server would seal, so that there are many segments of a short log.
const LEAST: usize = 150;

static SEED: AtomicU64 = AtomicU64::new(7);

pub struct Sealed {
    pub shop: ShopId,
    pub segments: Vec<Segment>,
    /// The books of the whole log.
    pub whole: Ledger,
    pub receipts: Receipts,
    pub log: Log,
}

/// How the log lies there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In segments, as they came.
    Segments,
    /// In chunks, by an app that did not know of segments yet.
    Chunks,
}

/// Writes the storage, with a snapshot at its end.
pub async fn phone(events: u32, kept: Kept) -> Sealed {
    let key = DeviceKey::make(Custody::Browser).await.expect("a key");
    // Each test has a shop of its own.
    let mut segments = sealed::segments(events, SEED.fetch_add(1, Ordering::Relaxed), LEAST);
    let (shop, founder) = opening(&segments[0]);
    for segment in &mut segments {
        segment.shop = shop;
    }
    let mut start = Cursor::start(shop, GENERATION, key.public(), DEVICE, &key.public());
    start.log = Log::new(shop, GENERATION);
    for (device, key) in [
        (DeviceNo::SERVER, key.public()),
        (DeviceNo::FOUNDER, founder),
    ] {
        start.log.begin(device, ChainHead::genesis(shop, &key));
    }
    let mut cursor = start.clone();
    let (mut whole, mut receipts) = (Ledger::default(), Receipts::default());
    let mut cursors = Vec::new();
    for segment in &segments {
        for chunk in &segment.chunks {
            for (seq, event) in (chunk.first_seq..).zip(chunk.events.iter().flatten()) {
                let standing = chunk.verdict.standing();
                let _ = whole.fold(chunk.device, seq, decode(&event.0, None), standing);
                cursor
                    .log
                    .replay(chunk.device, &event.0, chunk.received, chunk.verdict)
                    .expect("the next of its device");
            }
            receipts.add(chunk.device, chunk.first_seq, chunk.count, chunk.received);
        }
        cursor.pinned = Some(TreeHead {
            size: cursor.log.size(),
            root: cursor.log.root(),
            at: TimeMs(0),
            signature: Fixed([0; 64]),
        });
        cursors.push(cursor.clone());
    }
    let db = database(shop).await;
    db.keep_device_key(key.stored()).await.expect("kept");
    let chain = cursor.log.chain(DEVICE).expect("begun");
    let nothing = Append {
        expected: chain,
        events: &[],
        keys: &[],
        draft: None,
    };
    let identity = identity(shop, key.public(), None);
    db.found(&identity, Some(&start), nothing)
        .await
        .expect("founded");
    for (segment, cursor) in segments.iter().zip(cursors) {
        let packed = (kept == Kept::Segments).then(|| write(segment).expect("a run of a log"));
        let batch = Batch {
            chunks: segment.chunks.clone(),
            segment: packed,
            keys: Vec::new(),
            cursor,
            confirmed_seq: chain.seq,
            restored: None,
            rebuild: false,
            cut: None,
            branch: None,
        };
        db.persist(&batch, &BTreeSet::new()).await.expect("kept");
    }
    let snapshot = Snapshot::of(&whole, &cursor.log).expect("whole books");
    db.keep_snapshot(cursor.log.size(), &snapshot.to_bytes())
        .await
        .expect("kept");
    Sealed {
        shop,
        segments,
        whole,
        receipts,
        log: cursor.log,
    }
}

/// The shop, and the key with which its first phone enrolled itself.
fn opening(segment: &Segment) -> (ShopId, PublicKey) {
    let chunks = segment.chunks.iter();
    let events = chunks.flat_map(|chunk| chunk.events.iter().flatten());
    let (mut shop, mut key) = (None, None);
    for event in events {
        let Ok(Decoded::Known(event)) = decode(&event.0, None) else {
            continue;
        };
        match event.body {
            Body::ShopOpened(body) => shop = Some(body.shop),
            Body::DeviceEnrolled(body) if body.device == DeviceNo::FOUNDER => key = Some(body.key),
            _ => {}
        }
    }
    shop.zip(key).expect("a shop begins with its opening")
}

pub fn identity(shop: ShopId, key: PublicKey, server: Option<Server>) -> Identity {
    Identity {
        shop,
        device: DEVICE,
        role: Role::Manager,
        key,
        server,
        branch_of: None,
    }
}

pub async fn database(shop: ShopId) -> ShopDatabase {
    ShopDatabase::open(shop, || {}, |_| {})
        .await
        .expect("a database")
}

/// The storage itself.
pub async fn raw(shop: ShopId) -> Database {
    Database::open(Open {
        name: &schema::database_name(shop),
        version: schema::VERSION,
        upgrade: schema::upgrade,
        blocked: Box::new(|| {}),
        lost: Box::new(|_| {}),
    })
    .await
    .expect("a database")
}

/// The records of the log, by their keys.
pub async fn records(db: &Database) -> Vec<(f64, Vec<u8>)> {
    let tx = db.read(&[schema::SEGMENTS]).expect("a transaction");
    let store = tx.store(schema::SEGMENTS).expect("a store");
    let (keys, values) = (
        store.get_all_keys().expect("asked"),
        store.get_all().expect("asked"),
    );
    let keys = keys.all_numbers().await.expect("keys");
    keys.into_iter()
        .zip(values.all_bytes().await.expect("records"))
        .collect()
}

/// Writes a record of the log as it should not be.
pub async fn put(db: &Database, key: f64, record: &[u8]) {
    let tx = db.write(&[schema::SEGMENTS]).expect("a transaction");
    let store = tx.store(schema::SEGMENTS).expect("a store");
    store.put(key, record).expect("asked");
    tx.commit().await.expect("written");
}

impl Sealed {
    /// What the server answers to one who lacks a part of its log.
    pub fn answer(&self, request: &SyncRequest) -> SyncAnswer {
        let chunks = self.segments.iter().flat_map(|segment| &segment.chunks);
        let after =
            chunks.filter(|chunk| chunk.position + u64::from(chunk.count) - 1 > request.position);
        SyncAnswer {
            protocol: request.protocol,
            generation: GENERATION,
            results: Vec::new(),
            standing: DeviceStanding {
                advice: Advice::Behind,
                known_seq: 0,
                known_hash: Fixed([0; 32]),
            },
            chunks: after.take(40).cloned().collect(),
            keys: Vec::new(),
            keys_last: 0,
            head: TreeHead {
                size: self.log.size(),
                root: self.log.root(),
                at: TimeMs(0),
                signature: Fixed([0; 64]),
            },
            server_time: TimeMs(0),
            more: true,
            sealed: None,
            restored: None,
            packed: None,
        }
    }

    /// The customer with the most entries.
    pub fn busiest(&self) -> CustomerId {
        let pages = self.whole.customers.iter();
        let busiest = pages.max_by_key(|(_, page)| page.entries.len());
        *busiest.expect("a customer").0
    }

    /// A customer with an entry and with few of them.
    pub fn rare(&self) -> CustomerId {
        let pages = self.whole.customers.iter();
        let pages = pages.filter(|(_, page)| !page.entries.is_empty());
        *pages
            .min_by_key(|(_, page)| page.entries.len())
            .expect("a customer")
            .0
    }
}
