//! Proofs that prove nothing, made out of ones that do: for tests and fuzzing.

use super::rng::Rng;
use crate::bytes::{Fixed, Hash};
use crate::calendar::TimeMs;
use crate::ids::DeviceNo;
use crate::sync::tree::proof::{ConsistencyProof, InclusionProof};
use crate::sync::wire::Verdict;

/// A proof that can be tampered with.
pub trait Forgeable: Clone + PartialEq {
    /// Its hashes.
    fn path(&mut self) -> &mut Vec<Hash>;
    /// Tampers with something else in it; `None` when there is nothing more.
    fn change(&self, number: usize, rng: &mut Rng) -> Option<Self>;
}

impl Forgeable for InclusionProof {
    fn path(&mut self) -> &mut Vec<Hash> {
        &mut self.path
    }

    fn change(&self, number: usize, rng: &mut Rng) -> Option<InclusionProof> {
        let mut forgery = self.clone();
        let leaf = &mut forgery.leaf;
        match number {
            0 => leaf.device = DeviceNo(leaf.device.0 ^ bit32(rng)),
            1 => leaf.seq ^= bit32(rng),
            2 => flip(&mut leaf.chain, rng),
            3 => leaf.received = TimeMs(leaf.received.0 ^ bit64(rng) as i64),
            4 => leaf.verdict = Verdict::Held,
            5 => forgery.position ^= bit64(rng),
            6 => forgery.position += 1,
            7 => forgery.position -= 1,
            _ => return None,
        }
        Some(forgery)
    }
}

impl Forgeable for ConsistencyProof {
    fn path(&mut self) -> &mut Vec<Hash> {
        &mut self.path
    }

    fn change(&self, number: usize, _: &mut Rng) -> Option<ConsistencyProof> {
        let mut forgery = self.clone();
        match number {
            0 => forgery.from = 0,
            1 => forgery.from = forgery.to,
            2 => (forgery.from, forgery.to) = (forgery.to, forgery.from),
            _ => return None,
        }
        Some(forgery)
    }
}

/// Forgeries of a proof, each with what was done to it: every hash with a bit flipped, left out,
/// doubled or swapped with its neighbour, hashes added at either end, and what else the kind of
/// proof has.
///
/// A proof says of which sizes it speaks, but only as far as they shape its path: sizes are held
/// against signed heads, so they are not among what is forged here.
pub fn forged<P: Forgeable>(proof: &P, seed: u64) -> Vec<(&'static str, P)> {
    let mut rng = Rng::new(seed);
    let mut forgeries = Vec::new();
    let mut add = |how, tamper: &mut dyn FnMut(&mut Vec<Hash>)| {
        let mut forgery = proof.clone();
        tamper(forgery.path());
        if forgery != *proof {
            forgeries.push((how, forgery));
        }
    };
    let length = proof.clone().path().len();
    for index in 0..length {
        add("a bit flipped", &mut |path| {
            flip(&mut path[index], &mut rng)
        });
        add("left out", &mut |path| {
            path.remove(index);
        });
        add("doubled", &mut |path| path.insert(index, path[index]));
        add("cut off", &mut |path| path.truncate(index));
        if index > 0 {
            add("swapped", &mut |path| path.swap(index - 1, index));
        }
    }
    let other = Fixed([rng.bits() as u8; 32]);
    add("added at the end", &mut |path| path.push(other));
    add("added at the beginning", &mut |path| path.insert(0, other));
    let changes = (0..).map_while(|number| proof.change(number, &mut rng));
    let changes: Vec<P> = changes.filter(|forgery| forgery != proof).collect();
    forgeries.extend(changes.into_iter().map(|forgery| ("changed", forgery)));
    forgeries
}

fn flip(hash: &mut Hash, rng: &mut Rng) {
    let bit = rng.below(256) as usize;
    hash.0[bit / 8] ^= 1 << (bit % 8);
}

fn bit32(rng: &mut Rng) -> u32 {
    1 << rng.below(32)
}

fn bit64(rng: &mut Rng) -> u64 {
    1 << rng.below(64)
}
