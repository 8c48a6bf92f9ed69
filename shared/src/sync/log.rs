//! What one must remember of a shop's log to append to it and to prove it, without its events.
//!
//! The server that gives positions and every phone that reads them keep the same few hashes, and
//! append with the same code: so the phone's root is a check of the server's.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::tree::proof::Leaf;
use super::tree::{Frontier, leaf_hash};
use super::wire::{BranchOf, Generation, Verdict};
use crate::bytes::Hash;
use crate::calendar::TimeMs;
use crate::chain;
use crate::event::{Body, Branch, Decoded, Event, GenerationOpened, Kind, PublicKey, decode_only};
use crate::ids::{DeviceNo, ShopId};

/// How far a device's chain reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ChainHead {
    /// The last number; 0 before the first event.
    #[n(0)]
    pub seq: u32,
    /// The chain hash there.
    #[n(1)]
    pub hash: Hash,
}

impl ChainHead {
    /// The head of a chain that has no events yet.
    pub fn genesis(shop: ShopId, key: &PublicKey) -> ChainHead {
        ChainHead {
            seq: 0,
            hash: chain::genesis(shop, key),
        }
    }

    /// The head after one more event. Numbers end at [`u32::MAX`], after 136 years of one event a
    /// second; readers bound them before they come here.
    #[must_use]
    pub fn after(self, event_bytes: &[u8]) -> ChainHead {
        ChainHead {
            seq: self.seq.saturating_add(1),
            hash: chain::next(&self.hash, event_bytes),
        }
    }
}

/// A shop's log up to some position.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Log {
    #[n(0)]
    shop: ShopId,
    #[n(1)]
    generation: Generation,
    #[n(2)]
    frontier: Frontier,
    #[n(3)]
    chains: BTreeMap<DeviceNo, ChainHead>,
    /// Which of them are copies of others.
    #[n(4)]
    #[cbor(default)]
    branches: BTreeMap<DeviceNo, BranchOf>,
}

/// An event cannot stand at the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotNext {
    /// The device's chain has no known beginning.
    #[error("the device was never enrolled")]
    UnknownDevice,
    /// It is not the next event of its device.
    #[error("not the next event of its device")]
    Gap,
}

impl Log {
    /// An empty log.
    pub const fn new(shop: ShopId, generation: Generation) -> Log {
        Log {
            shop,
            generation,
            frontier: Frontier::new(),
            chains: BTreeMap::new(),
            branches: BTreeMap::new(),
        }
    }

    /// The shop.
    pub const fn shop(&self) -> ShopId {
        self.shop
    }

    /// The life of the log.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The same log in another life. Another server may keep it then, as long as the one before has
    /// written nothing into it.
    #[must_use]
    pub fn in_life(&self, opened: &GenerationOpened) -> Log {
        let mut log = self.clone();
        log.generation = opened.generation;
        let first = ChainHead::genesis(self.shop, &opened.server);
        let own = log.chains.entry(DeviceNo::SERVER).or_insert(first);
        if own.seq == 0 {
            *own = first;
        }
        log
    }

    /// The tree over all positions.
    pub const fn tree(&self) -> &Frontier {
        &self.frontier
    }

    /// The last position; 0 for none.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The Merkle root over all positions.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The root of the log that goes on after this one up to `size`, given by the rest of its tree;
    /// see [`Frontier::root_after`].
    pub fn root_after(&self, rest: &[Hash], size: u64) -> Option<Hash> {
        self.frontier.root_after(rest, size)
    }

    /// The chains of the devices that may appear.
    pub const fn chains(&self) -> &BTreeMap<DeviceNo, ChainHead> {
        &self.chains
    }

    /// How far a device's chain reaches.
    pub fn chain(&self, device: DeviceNo) -> Option<ChainHead> {
        self.chains.get(&device).copied()
    }

    /// Where a device's chain left another's, if it is a copy.
    pub fn branch_of(&self, device: DeviceNo) -> Option<BranchOf> {
        self.branches.get(&device).copied()
    }

    /// From now on `device` may appear, its chain beginning at `head`. Known chains stay.
    pub fn begin(&mut self, device: DeviceNo, head: ChainHead) {
        self.chains.entry(device).or_insert(head);
    }

    /// Appends a device's next event, given by the head of the chain with it.
    pub fn append(
        &mut self,
        device: DeviceNo,
        head: ChainHead,
        received: TimeMs,
        verdict: Verdict,
    ) -> Result<(), NotNext> {
        let chain = self.chains.get_mut(&device).ok_or(NotNext::UnknownDevice)?;
        if chain.seq.checked_add(1) != Some(head.seq) {
            return Err(NotNext::Gap);
        }
        *chain = head;
        let leaf = leaf_hash(device, head.seq, &head.hash, received, verdict);
        self.frontier.push(leaf);
        Ok(())
    }

    /// Appends an event that stands in a log already, by its bytes: chains it, and lets the chains
    /// begin that it names.
    pub fn replay(
        &mut self,
        device: DeviceNo,
        bytes: &[u8],
        received: TimeMs,
        verdict: Verdict,
    ) -> Result<Leaf, NotNext> {
        let head = self.chain(device).ok_or(NotNext::UnknownDevice)?;
        let head = head.after(bytes);
        let branch = self.branch_of(device).map(|of| Branch {
            device,
            of: of.device,
            from_seq: of.from_seq,
        });
        if verdict == Verdict::Accepted
            && let Ok(Decoded::Known(event)) = decode_only(bytes, branch, Log::begins_a_chain)
        {
            self.accept(&event);
        }
        self.append(device, head, received, verdict)?;
        Ok(Leaf {
            device,
            seq: head.seq,
            chain: head.hash,
            received,
            verdict,
        })
    }

    /// Is this a kind of event that [`Log::accept`] looks into?
    pub fn begins_a_chain(kind: u16) -> bool {
        kind == Kind::DeviceEnrolled as u16 || kind == Kind::BranchRegistered as u16
    }

    /// Takes note of an accepted event that lets a chain begin: an enrolment, or the server's word
    /// about a branch.
    pub fn accept(&mut self, event: &Event) {
        match &event.body {
            Body::DeviceEnrolled(body) => {
                self.begin(body.device, ChainHead::genesis(self.shop, &body.key));
            }
            Body::BranchRegistered(body) => {
                let head = ChainHead {
                    seq: body.from_seq.saturating_sub(1),
                    hash: body.previous,
                };
                self.begin(body.device, head);
                let of = BranchOf {
                    device: body.of,
                    from_seq: body.from_seq,
                };
                self.branches.entry(body.device).or_insert(of);
            }
            _ => {}
        }
    }
}
