//! A shop is opened, its log grows and is read, commits fail as a whole, the program dies.

use std::sync::Arc;

use shared::bytes::{Bytes, Fixed, Hash};
use shared::chain::digest;
use shared::event::Role;
use shared::ids::{DeviceNo, ShopId};
use shared::sync::judge::LogState;
use shared::sync::log::ChainHead;
use shared::sync::wire::{SealingKey, TreeHead, Verdict};
use shared::testing::device::{NOW, key};
use sync_server::store::{
    Change, ChunkRecord, ClaimCode, JoinerRecord, PairingRecord, ShopNumber, ShopRecord, Store,
};
use uuid::Uuid;

use crate::Backend;

const SHOP: ShopId = ShopId(Uuid::from_u128(1));
const OTHER: ShopId = ShopId(Uuid::from_u128(2));
const CODE: Hash = Fixed([1; 32]);
const OTHER_CODE: Hash = Fixed([2; 32]);

/// The whole story.
pub async fn told_to(backend: &impl Backend) {
    let store = backend.open().await;
    shops_are_opened(store.as_ref()).await;
    the_log_grows_and_is_read(store.as_ref()).await;
    keys_come_and_go(store.as_ref()).await;
    phones_join(store.as_ref()).await;
    a_commit_is_whole_or_nothing(store.as_ref()).await;
    let before = everything(&store).await;
    // The program dies: nobody closes anything.
    drop(store);
    let store = backend.open().await;
    assert_eq!(
        everything(&store).await,
        before,
        "after it was opened again"
    );
    store.close().await;
    let store = backend.open().await;
    assert_eq!(everything(&store).await, before, "after it was closed");
    store.close().await;
}

fn opened(shop: ShopId) -> ShopRecord {
    let state = LogState::claimed(shop, Fixed([7; 16]), key(1), key(0));
    ShopRecord {
        number: ShopNumber::default(),
        head: TreeHead {
            size: 0,
            root: state.log.root(),
            at: NOW,
            signature: Fixed([8; 64]),
        },
        state,
        next_device: DeviceNo(2),
        last_key: 0,
    }
}

async fn shop(store: &dyn Store, shop: ShopId) -> ShopRecord {
    let found = store.shop(shop).await.expect("read");
    found.expect("it is kept here")
}

async fn shops_are_opened(store: &dyn Store) {
    assert!(!store.has_shops().await.expect("read"));
    assert_eq!(store.shop(SHOP).await.expect("read"), None);
    assert_eq!(store.claim_code(CODE).await.expect("read"), None);
    let issued = [CODE, OTHER_CODE].map(|hash| Change::CodeIssued { hash, at: NOW });
    store.commit(&issued).await.expect("done");
    let code = store.claim_code(CODE).await.expect("read");
    assert_eq!(code, Some(ClaimCode::Free));

    for (id, hash) in [(SHOP, CODE), (OTHER, OTHER_CODE)] {
        let token_hash = digest(&[b"founder", id.0.as_bytes()]);
        let device = DeviceNo::FOUNDER;
        let changes = [
            Change::ShopOpened(opened(id)),
            Change::CodeUsed { hash, shop: id },
            Change::DeviceAdmitted {
                token_hash,
                shop: id,
                device,
            },
        ];
        store.commit(&changes).await.expect("done");
        let code = store.claim_code(hash).await.expect("read");
        assert_eq!(code, Some(ClaimCode::UsedBy(id)));
        let found = store.device(token_hash).await.expect("read");
        assert_eq!(found, Some((id, device)));
        let record = shop(store, id).await;
        assert_eq!(
            record,
            ShopRecord {
                number: record.number,
                ..opened(id)
            }
        );
    }
    let mut shops = store.shops().await.expect("read");
    shops.sort_unstable();
    assert_eq!(shops, [SHOP, OTHER]);
    assert_ne!(
        shop(store, SHOP).await.number,
        shop(store, OTHER).await.number
    );
}

/// The next events of the founding phone as one chunk, and the shop after them.
fn grown(mut record: ShopRecord, count: u32) -> [Change; 2] {
    let expected_size = record.head.size;
    let before = record.state.log.chain(DeviceNo::FOUNDER).expect("enrolled");
    let events: Vec<Bytes> = (1..=count)
        .map(|index| Bytes(vec![0x8c; 10 + index as usize]))
        .collect();
    let mut head = before;
    for bytes in &events {
        head = head.after(&bytes.0);
        let log = &mut record.state.log;
        log.append(DeviceNo::FOUNDER, head, NOW, Verdict::Accepted)
            .expect("the next event");
    }
    record.head.size = record.state.log.size();
    record.head.root = record.state.log.root();
    let chunk = chunk(&record, expected_size + 1, before, head, &events);
    [
        Change::ChunkAppended(chunk),
        Change::ShopSaved {
            record,
            expected_size,
        },
    ]
}

fn chunk(
    record: &ShopRecord,
    position: u64,
    before: ChainHead,
    head: ChainHead,
    events: &[Bytes],
) -> ChunkRecord {
    ChunkRecord {
        shop: record.number,
        position,
        count: events.len() as u32,
        device: DeviceNo::FOUNDER,
        first_seq: before.seq + 1,
        received: NOW,
        verdict: Verdict::Accepted,
        branch_of: None,
        end_hash: Some(head.hash),
        signature: Some(Fixed([9; 64])),
        events: minicbor::to_vec(events).expect("in memory"),
    }
}

async fn grow(store: &dyn Store, id: ShopId, count: u32) {
    let changes = grown(shop(store, id).await, count);
    store.commit(&changes).await.expect("done");
}

/// Position and count of the chunks behind a position.
async fn read(store: &dyn Store, id: ShopId, after: u64, max_bytes: u32) -> Vec<(u64, u32)> {
    let number = shop(store, id).await.number;
    let chunks = store.chunks(number, after, max_bytes).await.expect("read");
    for chunk in &chunks {
        let events = chunk.events().expect("whole");
        assert_eq!(events.len(), chunk.count as usize);
    }
    let places = chunks.iter().map(|chunk| (chunk.position, chunk.count));
    places.collect()
}

async fn the_log_grows_and_is_read(store: &dyn Store) {
    assert_eq!(read(store, SHOP, 0, u32::MAX).await, []);
    for count in [1, 3, 2] {
        grow(store, SHOP, count).await;
    }
    grow(store, OTHER, 5).await;
    let all = [(1, 1), (2, 3), (5, 2)];
    assert_eq!(read(store, SHOP, 0, u32::MAX).await, all);
    assert_eq!(read(store, SHOP, 1, u32::MAX).await, all[1..]);
    assert_eq!(
        read(store, SHOP, 3, u32::MAX).await,
        all[1..],
        "from the middle"
    );
    assert_eq!(read(store, SHOP, 4, u32::MAX).await, all[2..]);
    assert_eq!(
        read(store, SHOP, 6, u32::MAX).await,
        [],
        "nothing behind the end"
    );
    assert_eq!(read(store, SHOP, 0, 1).await, all[..1], "one at least");
    assert_eq!(read(store, SHOP, 1, 1).await, all[1..2]);
    assert_eq!(read(store, OTHER, 0, u32::MAX).await, [(1, 5)]);
    let record = shop(store, SHOP).await;
    assert_eq!((record.head.size, record.state.log.size()), (6, 6));
}

async fn keys_come_and_go(store: &dyn Store) {
    let set = |number, id: u8, key: Option<u8>| Change::KeySet {
        shop: SHOP,
        number,
        id: Fixed([id; 16]),
        key: key.map(|byte| Fixed([byte; 32])),
    };
    let known = |id: u8, key: Option<u8>| SealingKey {
        id: Fixed([id; 16]),
        key: key.map(|byte| Fixed([byte; 32])),
    };
    // One is made and destroyed in the same commit.
    let changes = [
        set(1, 1, Some(1)),
        set(2, 2, Some(2)),
        set(3, 3, Some(3)),
        set(4, 2, None),
    ];
    store.commit(&changes).await.expect("done");
    let keys = store.keys(SHOP, 0, 10).await.expect("read");
    let expected = [
        (1, known(1, Some(1))),
        (3, known(3, Some(3))),
        (4, known(2, None)),
    ];
    assert_eq!(keys, expected);
    assert_eq!(store.keys(SHOP, 1, 1).await.expect("read"), expected[1..2]);
    assert_eq!(store.keys(OTHER, 0, 10).await.expect("read"), []);
    let names = [Fixed([2; 16]), Fixed([9; 16])];
    let named = store.keys_named(SHOP, &names).await.expect("read");
    assert_eq!(named, [known(2, None)]);
    assert_eq!(shop(store, SHOP).await.last_key, 4);
}

fn pairing(secret: u8) -> PairingRecord {
    PairingRecord {
        secret_hash: Fixed([secret; 32]),
        code_hash: Fixed([secret + 1; 32]),
        shop: SHOP,
        role: Role::Cashier,
        expires: NOW,
        joiner: None,
    }
}

async fn phones_join(store: &dyn Store) {
    let offered = pairing(20);
    let changes = [Change::PairingOffered(offered.clone())];
    store.commit(&changes).await.expect("done");
    for hash in [offered.secret_hash, offered.code_hash] {
        let found = store.pairing(hash).await.expect("read");
        assert_eq!(found, Some(offered.clone()));
    }
    let joiner = JoinerRecord {
        device: DeviceNo(2),
        key: key(2),
        token_hash: Fixed([30; 32]),
        name: "Ravi's phone".to_owned(),
    };
    let joined = Change::PairingJoined {
        secret_hash: offered.secret_hash,
        joiner: joiner.clone(),
    };
    store.commit(&[joined]).await.expect("done");
    let pairings = store.pairings(SHOP).await.expect("read");
    let expected = PairingRecord {
        joiner: Some(joiner),
        ..offered.clone()
    };
    assert_eq!(pairings, [expected]);
    assert_eq!(store.pairings(OTHER).await.expect("read"), []);
    let secret_hash = offered.secret_hash;
    let removed = Change::PairingRemoved { secret_hash };
    store.commit(&[removed]).await.expect("done");
    assert_eq!(store.pairing(secret_hash).await.expect("read"), None);
}

/// Whatever is wrong with a commit: nothing of it is there afterwards.
async fn a_commit_is_whole_or_nothing(store: &dyn Store) {
    let record = shop(store, SHOP).await;
    let [chunk, saved] = grown(record.clone(), 2);
    let offered = Change::PairingOffered(pairing(40));

    // Someone else appended in the meantime: the position is taken.
    grow(store, SHOP, 1).await;
    let log = read(store, SHOP, 0, u32::MAX).await;
    for changes in [
        vec![offered.clone(), chunk.clone(), saved.clone()],
        vec![offered.clone(), saved],
        vec![offered.clone(), chunk],
        // A code that is not there cannot be used for a shop that is.
        vec![offered.clone(), Change::ShopOpened(opened(SHOP))],
    ] {
        store.commit(&changes).await.expect_err("refused");
        assert_eq!(read(store, SHOP, 0, u32::MAX).await, log);
        assert_eq!(store.pairings(SHOP).await.expect("read"), []);
        assert_eq!(shop(store, SHOP).await.head.size, record.head.size + 1);
    }
    // And it goes on.
    grow(store, SHOP, 2).await;
    assert_eq!(read(store, SHOP, 7, u32::MAX).await, [(8, 2)]);
}

/// All that can be read.
async fn everything(store: &Arc<dyn Store>) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut all = Vec::new();
    for id in [SHOP, OTHER] {
        let record = shop(store.as_ref(), id).await;
        let chunks = store.chunks(record.number, 0, u32::MAX).await;
        let keys = store.keys(id, 0, 100).await.expect("read");
        let pairings = store.pairings(id).await.expect("read");
        all.push((record, chunks.expect("read"), keys, pairings));
    }
    let mut codes = Vec::new();
    for hash in [CODE, OTHER_CODE] {
        codes.push(store.claim_code(hash).await.expect("read"));
    }
    (all, codes)
}
