//! The state of a shop at one place of its log, without history, as bytes: what a phone starts from,
//! and what a new device takes from the server.
//!
//! A snapshot is a cache. Whoever reads one checks it, passes over a damaged one or one of another
//! version, and folds the log instead. It is compared with the fold of the whole log as soon as that
//! has come so far, so a wrong one is found out.

use minicbor::{Decoder, Encode};

use crate::bytes::{Fixed, Hash};
use crate::chain::digest;
use crate::event::codec::bytes_of;
use crate::event::shape::{Reader, Shape};
use crate::ids::{DeviceNo, ShopId};
use crate::ledger::{FOLD_VERSION, Ledger, stored};
use crate::sync::log::Log;
use crate::sync::wire::Generation;

/// What a snapshot begins with: the name and version of the format.
const MAGIC: &[u8; 8] = b"pakka-s1";

/// The longest snapshot that is read, in bytes: hundreds of thousands of customers.
pub const MAX_SNAPSHOT_BYTES: usize = 64 * 1024 * 1024;

/// Numbers in a chain stay below this, so that the next ones can be counted.
const MAX_SEQ: u32 = u32::MAX / 2;

/// Lamport clocks too.
const MAX_CLOCK: u64 = u64::MAX / 2;

/// The state of a shop at one place of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    log: Log,
    ledger: Ledger,
}

/// A snapshot is of no use; the log is folded instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The bytes are not those of a snapshot, or not all of them.
    #[error("not the bytes of a snapshot")]
    Damaged,
    /// It was made by folds of another version.
    #[error("made by another version")]
    OtherVersion,
    /// It is of another shop.
    #[error("of another shop")]
    OtherShop,
    /// What it says does not fit together.
    #[error("the parts do not fit together")]
    Inconsistent,
}

impl Snapshot {
    /// The snapshot of whole books at the end of `log`; `None` if the books are not whole, or not
    /// those of this log. The chains of the log are the cut: the last number and chain head of each
    /// device. A phone without a server takes a log of no positions.
    pub fn of(ledger: &Ledger, log: &Log) -> Option<Snapshot> {
        let snapshot = Snapshot {
            log: log.clone(),
            ledger: ledger.without_history()?,
        };
        snapshot.is_consistent().then_some(snapshot)
    }

    /// Where in the log it was taken: its shop, generation, position, root and chain heads.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The last position that is counted.
    pub const fn position(&self) -> u64 {
        self.log.size()
    }

    /// The state, without history.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The state, without history, and what is kept to compare the whole books with.
    pub fn take(self) -> (Ledger, Mark) {
        let mark = Mark {
            sum: digest(&[&body(&self.log, &self.ledger)]),
            log: self.log,
        };
        (self.ledger, mark)
    }

    /// As it is stored and sent: the name of the format, SHA-256 of the rest, deterministic CBOR.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = body(&self.log, &self.ledger);
        [MAGIC.as_slice(), &digest(&[&body]).0, &body].concat()
    }

    /// Reads a snapshot of a shop. Everything is checked: a byte that is not as it was written, or
    /// one too many, makes it unusable.
    ///
    /// # Errors
    ///
    /// Why it is of no use.
    pub fn from_bytes(bytes: &[u8], shop: ShopId) -> Result<Snapshot, Unusable> {
        let (snapshot, _) = Snapshot::read(bytes)?;
        // What was passed over in reading is missing now.
        if snapshot.to_bytes() != bytes {
            return Err(Unusable::Damaged);
        }
        snapshot.fitting(shop)
    }

    /// Takes up a snapshot that this device itself has made, or has read by
    /// [`from_bytes`](Self::from_bytes) before it stored it, as [`take`](Self::take) does. The bytes
    /// have to be those that were stored; that they say nothing else is known, so nothing is written
    /// anew to be compared, and the start of a phone is shorter by that.
    ///
    /// # Errors
    ///
    /// Why it is of no use.
    pub fn take_own(bytes: &[u8], shop: ShopId) -> Result<(Ledger, Mark), Unusable> {
        let (snapshot, sum) = Snapshot::read(bytes)?;
        let Snapshot { log, ledger } = snapshot.fitting(shop)?;
        Ok((ledger, Mark { log, sum }))
    }

    /// The state that the bytes say, if they have their checksum, which is given back as well.
    fn read(bytes: &[u8]) -> Result<(Snapshot, Hash), Unusable> {
        if bytes.len() > MAX_SNAPSHOT_BYTES {
            return Err(Unusable::Damaged);
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(Unusable::OtherVersion)?;
        let (sum, body) = rest
            .split_first_chunk::<{ size_of::<Hash>() }>()
            .ok_or(Unusable::Damaged)?;
        if digest(&[body]).0 != *sum {
            return Err(Unusable::Damaged);
        }
        let mut decoder = Decoder::new(body);
        if !matches!(decoder.array(), Ok(Some(3))) {
            return Err(Unusable::Damaged);
        }
        // Looked at before the rest, which another version may have written in another shape.
        if !matches!(decoder.u16(), Ok(FOLD_VERSION)) {
            return Err(Unusable::OtherVersion);
        }
        let log = decoder.decode().map_err(|_| Unusable::Damaged)?;
        let ledger = Ledger::read(&mut Reader::new(&body[decoder.position()..], &()));
        Ok((Snapshot { log, ledger }, Fixed(*sum)))
    }

    /// The snapshot, if it is of this shop and can be.
    fn fitting(self, shop: ShopId) -> Result<Snapshot, Unusable> {
        if self.log.shop() != shop {
            return Err(Unusable::OtherShop);
        }
        match self.is_consistent() {
            true => Ok(self),
            false => Err(Unusable::Inconsistent),
        }
    }

    fn is_consistent(&self) -> bool {
        let Snapshot { log, ledger } = self;
        let opened = ledger.shop.opened.get();
        let of_this_shop = opened.is_none_or(|opened| opened.shop == log.shop());
        let chains_fit = ledger.lanes.iter().all(|(&device, lane)| {
            let chain = log.chain(device);
            let fits = chain.is_some_and(|chain| chain.seq == lane.last_seq);
            lane.is_possible() && lane.last_seq < MAX_SEQ && (fits || lane.last_seq == 0)
        });
        let held = ledger.held.values();
        let held_fit = held.into_iter().all(|group| !group.events.is_empty());
        let clock_fits = ledger.clock < MAX_CLOCK;
        of_this_shop
            && chains_fit
            && clock_fits
            && held_fit
            && !ledger.is_whole()
            && ledger.is_settled()
    }
}

/// What is left of a snapshot whose state was taken up: enough to find out whether it was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    log: Log,
    sum: Hash,
}

impl Mark {
    /// The last position that was counted.
    pub const fn position(&self) -> u64 {
        self.log.size()
    }

    /// The generation of the log.
    pub const fn generation(&self) -> Generation {
        self.log.generation()
    }

    /// The last event of a device that was counted; 0 for none.
    pub fn last_seq(&self, device: DeviceNo) -> u32 {
        self.log.chain(device).map_or(0, |chain| chain.seq)
    }

    /// Was it what whole books come to at the same place?
    pub fn agrees_with(&self, whole: &Ledger) -> bool {
        whole.is_whole() && digest(&[&body(&self.log, whole)]) == self.sum
    }
}

fn body(log: &Log, ledger: &Ledger) -> Vec<u8> {
    bytes_of(|encoder, ids| {
        encoder.array(3)?.u16(FOLD_VERSION)?;
        log.encode(encoder, ids)?;
        stored::write(ledger, encoder, ids)
    })
}
