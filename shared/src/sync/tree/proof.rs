//! Proofs about the tree (RFC 9162 §2.1.3 and §2.1.4): that an event stands at its position under a
//! signed head, and that one head's log begins with all of another's.
//!
//! A proof is a list of hashes of *ranges* of leaves. Which ranges depends on the numbers alone, so
//! it is decided first, as a list of complete subtrees ([`Subtree`]); whoever makes a proof looks
//! those up. Whoever checks one needs nothing but the proof and the roots.

use core::ops::Range;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{empty_root, leaf_hash, node_hash};
use crate::bytes::Hash;
use crate::calendar::TimeMs;
use crate::ids::DeviceNo;
use crate::sync::wire::{Generation, TreeHead, Verdict};

/// The log as a whole, now. `GET /api/v1/head` answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct CurrentHead {
    /// The life of the log.
    #[n(0)]
    pub generation: Generation,
    /// Its head, signed.
    #[n(1)]
    pub head: TreeHead,
}

/// What stands in the tree for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Leaf {
    /// The device, or the number of the branch.
    #[n(0)]
    pub device: DeviceNo,
    /// The number of the event in the device's chain.
    #[n(1)]
    pub seq: u32,
    /// The chain hash with it.
    #[n(2)]
    pub chain: Hash,
    /// When the server took it.
    #[n(3)]
    pub received: TimeMs,
    /// The server's judgement.
    #[n(4)]
    pub verdict: Verdict,
}

impl Leaf {
    /// Its hash.
    pub fn hash(&self) -> Hash {
        leaf_hash(
            self.device,
            self.seq,
            &self.chain,
            self.received,
            self.verdict,
        )
    }
}

/// That a leaf stands at a position of the log. `GET /api/v1/proofs/inclusion` answers it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct InclusionProof {
    /// The leaf.
    #[n(0)]
    pub leaf: Leaf,
    /// Its position, from 1.
    #[n(1)]
    pub position: u64,
    /// The size of the log under whose root it stands.
    #[n(2)]
    pub size: u64,
    /// The hashes beside the way from the leaf up to the root.
    #[n(3)]
    pub path: Vec<Hash>,
}

impl InclusionProof {
    /// Does it prove that the leaf stands at its position of the log with this root?
    pub fn proves(&self, root: &Hash) -> bool {
        self.position
            .checked_sub(1)
            .and_then(|index| root_from_path(self.leaf.hash(), index, self.size, &self.path))
            .is_some_and(|computed| computed == *root)
    }
}

/// That the log was only ever appended to between two sizes. `GET /api/v1/proofs/consistency`
/// answers it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct ConsistencyProof {
    /// The size before.
    #[n(0)]
    pub from: u64,
    /// The size after.
    #[n(1)]
    pub to: u64,
    /// The hashes of what both share and of what came since.
    #[n(2)]
    pub path: Vec<Hash>,
}

impl ConsistencyProof {
    /// Does it prove that the log with the root `after` begins with the whole log with the root
    /// `before`?
    pub fn proves(&self, before: &Hash, after: &Hash) -> bool {
        match self.from {
            from if from > self.to => false,
            from if from == self.to => self.path.is_empty() && before == after,
            0 => self.path.is_empty() && *before == empty_root(),
            _ => self.roots(before) == Some((*before, *after)),
        }
    }

    /// The roots before and after that the path leads to (§2.1.4.2).
    fn roots(&self, before: &Hash) -> Option<(Hash, Hash)> {
        // A complete tree is a subtree of the later one: its root is not sent.
        let (first, rest) = match self.from.is_power_of_two() {
            true => (*before, self.path.as_slice()),
            false => self
                .path
                .split_first()
                .map(|(first, rest)| (*first, rest))?,
        };
        let mut way = Way::new(self.from - 1, self.to - 1);
        way.rise_while_right();
        let (mut old, mut new) = (first, first);
        for sibling in rest {
            if way.step()? {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
            } else {
                new = node_hash(&new, sibling);
            }
        }
        way.is_at_root().then_some((old, new))
    }
}

/// The root that a leaf and the hashes beside its way lead to (§2.1.3.2).
fn root_from_path(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let mut way = Way::new(index, size - 1);
    let mut node = leaf;
    for sibling in path {
        node = if way.step()? {
            node_hash(sibling, &node)
        } else {
            node_hash(&node, sibling)
        };
    }
    way.is_at_root().then_some(node)
}

/// The way from a node up to the root: the index of the node in its level, and that of the last
/// node there.
struct Way {
    node: u64,
    last: u64,
}

impl Way {
    const fn new(node: u64, last: u64) -> Way {
        Way { node, last }
    }

    fn rise(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    fn rise_while_right(&mut self) {
        while self.node & 1 == 1 {
            self.rise();
        }
    }

    /// Joins the node with its sibling. True if the sibling is on the left; `None` if there is
    /// none left.
    fn step(&mut self) -> Option<bool> {
        if self.is_at_root() {
            return None;
        }
        let left = self.node & 1 == 1 || self.node == self.last;
        if left {
            // The last node of a level without a right sibling goes up as it is.
            while self.node & 1 == 0 && self.node != 0 {
                self.rise();
            }
        }
        self.rise();
        Some(left)
    }

    const fn is_at_root(&self) -> bool {
        self.last == 0
    }
}

/// A complete subtree: the leaves from `index << level` on, `1 << level` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subtree {
    /// How high it is; 0 for a leaf.
    pub level: u32,
    /// Which one in its level, from the left.
    pub index: u64,
}

impl Subtree {
    /// Its two halves; `None` for a leaf.
    pub fn halves(self) -> Option<[Subtree; 2]> {
        let level = self.level.checked_sub(1)?;
        Some([0, 1].map(|half| Subtree {
            level,
            index: self.index * 2 + half,
        }))
    }

    /// Its hash, where those of smaller subtrees are known: it is split until `known` has each part.
    /// Every leaf must be known.
    pub fn hash(self, known: &impl Fn(Subtree) -> Option<Hash>) -> Option<Hash> {
        if let Some(hash) = known(self) {
            return Some(hash);
        }
        let [left, right] = self.halves()?;
        Some(node_hash(&left.hash(known)?, &right.hash(known)?))
    }
}

/// The hashes that prove that the leaf at `index` (from 0) stands in the tree of `size` leaves.
/// `None` where there is no such leaf or one of the hashes is not known.
pub fn inclusion_path(
    index: u64,
    size: u64,
    known: &impl Fn(Subtree) -> Option<Hash>,
) -> Option<Vec<Hash>> {
    if index >= size {
        return None;
    }
    let mut beside = Vec::new();
    let mut range = 0..size;
    while range.end - range.start > 1 {
        let [left, right] = split(&range);
        let (inside, outside) = match left.contains(&index) {
            true => (left, right),
            false => (right, left),
        };
        beside.push(outside);
        range = inside;
    }
    hashes(beside, known)
}

/// The hashes that prove that the tree of `to` leaves begins with the one of `from` leaves. `None`
/// where it does not, or one of the hashes is not known.
pub fn consistency_path(
    from: u64,
    to: u64,
    known: &impl Fn(Subtree) -> Option<Hash>,
) -> Option<Vec<Hash>> {
    if from > to {
        return None;
    }
    let mut ranges = Vec::new();
    if from > 0 {
        let mut range = 0..to;
        // Down to the last complete part of the earlier tree.
        while range.end != from {
            let [left, right] = split(&range);
            let (inside, outside) = match from <= left.end {
                true => (left, right),
                false => (right, left),
            };
            ranges.push(outside);
            range = inside;
        }
        // From 0 on it is the earlier tree itself, whose root is known to whoever checks.
        if range.start > 0 {
            ranges.push(range);
        }
    }
    hashes(ranges, known)
}

/// The two parts of a range of at least two leaves: the left is the largest complete subtree that
/// leaves something for the right.
fn split(range: &Range<u64>) -> [Range<u64>; 2] {
    let length = range.end - range.start;
    let middle = range.start + (1 << (length - 1).ilog2());
    [range.start..middle, middle..range.end]
}

/// The hashes of ranges that [`split`] made, the last first.
fn hashes(ranges: Vec<Range<u64>>, known: &impl Fn(Subtree) -> Option<Hash>) -> Option<Vec<Hash>> {
    let hashes = ranges.into_iter().rev().map(|range| hash(range, known));
    hashes.collect()
}

fn hash(range: Range<u64>, known: &impl Fn(Subtree) -> Option<Hash>) -> Option<Hash> {
    let length = range.end - range.start;
    if length.is_power_of_two() {
        let level = length.ilog2();
        let index = range.start >> level;
        return Subtree { level, index }.hash(known);
    }
    let [left, right] = split(&range);
    Some(node_hash(&hash(left, known)?, &hash(right, known)?))
}
