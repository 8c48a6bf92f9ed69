//! The Merkle tree over a shop's log (RFC 9162 §2.1): what makes the order of all devices' events
//! tamper-evident. [`proof`] proves parts of it to someone who holds no more than a signed head.

pub mod proof;

use minicbor::{Decode, Decoder, Encode, decode};

use super::wire::{Generation, Verdict};
use crate::bytes::Hash;
use crate::calendar::TimeMs;
use crate::chain::digest;
use crate::ids::{DeviceNo, ShopId};

/// The hash of one leaf: `SHA-256(0x00 ‖ device ‖ seq ‖ h(seq) ‖ received_ms ‖ verdict)`, numbers
/// big-endian.
pub fn leaf_hash(
    device: DeviceNo,
    seq: u32,
    chain: &Hash,
    received: TimeMs,
    verdict: Verdict,
) -> Hash {
    digest(&[
        &[0],
        &device.0.to_be_bytes(),
        &seq.to_be_bytes(),
        &chain.0,
        &received.0.to_be_bytes(),
        &[verdict.byte()],
    ])
}

/// The hash of two subtrees.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    digest(&[&[1], &left.0, &right.0])
}

/// What the server signs: the log of a shop as a whole. The generation stands in it, so that the
/// logs before and after a loss, which have different roots at the same size, never look like a
/// server that contradicts itself.
pub fn head_message(
    shop: ShopId,
    generation: &Generation,
    size: u64,
    root: &Hash,
    at: TimeMs,
) -> Vec<u8> {
    [
        b"pakka/tree/v1".as_slice(),
        shop.0.as_bytes(),
        &generation.0,
        &size.to_be_bytes(),
        &root.0,
        &at.0.to_be_bytes(),
    ]
    .concat()
}

/// The root of a tree without leaves: the hash of nothing.
pub fn empty_root() -> Hash {
    digest(&[])
}

/// As much of a tree as is needed to append to it and to compute its root: one hash for every
/// complete subtree, the largest first. At most 64 hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode)]
#[cbor(array)]
pub struct Frontier {
    #[n(0)]
    size: u64,
    #[n(1)]
    peaks: Vec<Hash>,
}

/// A frontier as it stands in bytes, which may come from elsewhere.
#[derive(Decode)]
#[cbor(array)]
struct Written {
    #[n(0)]
    size: u64,
    #[n(1)]
    peaks: Vec<Hash>,
}

impl<'b, C> Decode<'b, C> for Frontier {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Frontier, decode::Error> {
        let Written { size, peaks } = Written::decode(decoder, context)?;
        // Half of all numbers are enough, and one more leaf is always possible.
        if size > u64::MAX / 2 || size.count_ones() as usize != peaks.len() {
            return Err(decode::Error::message(
                "not the peaks of a tree of that size",
            ));
        }
        Ok(Frontier { size, peaks })
    }
}

impl Frontier {
    /// An empty tree.
    pub const fn new() -> Frontier {
        Frontier {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// How many leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf);
    }

    /// Appends a complete subtree of 2^`level` leaves. The size must be a multiple of that.
    fn push_subtree(&mut self, level: u32, root: Hash) {
        let mut node = root;
        // Every trailing 1 is a complete subtree that the new one completes further.
        for _ in 0..(self.size >> level).trailing_ones() {
            let left = self.peaks.pop().expect("one peak for every 1 in the size");
            node = node_hash(&left, &node);
        }
        self.peaks.push(node);
        self.size += 1 << level;
    }

    /// The root of the tree that goes on after this one up to `size`, given by the roots of the
    /// complete subtrees that [`subtrees_between`] cuts the rest into. `None` if those are not as
    /// many.
    pub fn root_after(&self, rest: &[Hash], size: u64) -> Option<Hash> {
        let mut tree = self.clone();
        let mut rest = rest.iter();
        while let Some(level) = next_subtree(tree.size, size) {
            tree.push_subtree(level, *rest.next()?);
        }
        (tree.size == size && rest.next().is_none()).then(|| tree.root())
    }

    /// The root.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => empty_root(),
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

/// The level of the largest complete subtree that begins at leaf `from` and ends at `to` or before;
/// `None` when nothing is left.
fn next_subtree(from: u64, to: u64) -> Option<u32> {
    let left = to.checked_sub(from).filter(|left| *left > 0)?;
    Some(from.trailing_zeros().min(left.ilog2()))
}

/// Cuts the leaves from `from` on into complete subtrees, and gives their roots: with a
/// [`Frontier`] of size `from` they make the root, see [`Frontier::root_after`].
pub fn subtrees_between(from: u64, leaves: &[Hash]) -> Vec<Hash> {
    let to = from + leaves.len() as u64;
    let (mut at, mut leaves, mut roots) = (from, leaves, Vec::new());
    while let Some(level) = next_subtree(at, to) {
        let (subtree, rest) = leaves.split_at(1 << level);
        let mut tree = Frontier::new();
        subtree.iter().for_each(|leaf| tree.push(*leaf));
        roots.push(tree.root());
        leaves = rest;
        at += 1 << level;
    }
    roots
}
