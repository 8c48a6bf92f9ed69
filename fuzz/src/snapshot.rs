//! Snapshots: what is read is written again as it was, and books go on from it.

use shared::bytes::Fixed;
use shared::chain::digest;
use shared::event::{Decoded, Event, Kind};
use shared::ids::{EventId, ShopId};
use shared::ledger::{Ledger, Receipts, Standing};
use shared::query::{Books, Directory, totals};
use shared::snapshot::Snapshot;
use shared::sync::log::{ChainHead, Log};
use shared::sync::wire::Verdict;
use shared::testing::device::NOW;
use shared::testing::{demo, samples};
use shared::text::KeyRing;

/// `pakka-s1` and the sum, see `docs/format.md`.
const MAGIC_BYTES: usize = 8;
const BODY: usize = MAGIC_BYTES + 32;

pub fn run(bytes: &[u8]) {
    check(bytes);
    // A sum keeps out accidents only: whoever makes a bad snapshot makes it a sum.
    let mut summed = bytes.to_vec();
    if summed.len() > BODY {
        let sum = digest(&[&summed[BODY..]]);
        summed[MAGIC_BYTES..BODY].copy_from_slice(&sum.0);
        check(&summed);
    }
}

fn check(bytes: &[u8]) {
    let Ok(snapshot) = Snapshot::from_bytes(bytes, shop()) else {
        return;
    };
    assert_eq!(snapshot.to_bytes(), bytes);
    // The log goes on where it ended.
    let mut log = snapshot.log().clone();
    for device in snapshot.log().chains().keys() {
        let _ = log.replay(*device, b"anything", NOW, Verdict::QuarantinedMalformed);
    }
    let _ = log.root();
    let mut ledger = snapshot.take().0;
    let next: Vec<_> = ledger
        .lanes
        .iter()
        .map(|(&no, lane)| (no, lane.last_seq))
        .collect();
    for (device, last_seq) in next {
        for (seq, kind) in (last_seq + 1..).zip(Kind::ALL) {
            let mut event: Event = samples::event(*kind, true);
            event.envelope.id = EventId { device, seq };
            let standing = match seq % 5 {
                0 => Standing::Held,
                1 => Standing::Quarantined,
                _ => Standing::Counted,
            };
            let _ = ledger.fold(device, seq, Ok(Decoded::Known(event)), standing);
        }
    }
    look(&ledger);
}

/// The shop of the seeds.
fn shop() -> ShopId {
    demo::Books::new(super::seeds::size(20)).keys().shop()
}

fn look(ledger: &Ledger) {
    let keys = KeyRing::new(shop());
    let people = Directory::new(Books {
        ledger,
        keys: &keys,
        receipts: &Receipts::default(),
        reader: None,
    });
    assert!(people.people().count() >= ledger.customers.len().min(1));
    let _ = totals(ledger);
}

/// The snapshot of a small shop.
pub fn sound(events: u32) -> Vec<u8> {
    let mut books = demo::Books::new(super::seeds::size(events));
    (&mut books).for_each(drop);
    let ledger = books.ledger();
    let mut log = Log::new(books.keys().shop(), Fixed([1; 16]));
    for (&device, lane) in &ledger.lanes {
        let head = ChainHead {
            seq: lane.last_seq,
            hash: Fixed([2; 32]),
        };
        log.begin(device, head);
    }
    let snapshot = Snapshot::of(ledger, &log).expect("whole books");
    snapshot.to_bytes()
}
