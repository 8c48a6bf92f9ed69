//! Proofs: nothing but the true one is ever believed.

use std::sync::LazyLock;

use shared::bytes::Hash;
use shared::calendar::TimeMs;
use shared::chain::digest;
use shared::ids::DeviceNo;
use shared::sync::tree::Frontier;
use shared::sync::tree::proof::{
    ConsistencyProof, InclusionProof, Leaf, Subtree, consistency_path, inclusion_path,
};
use shared::sync::wire::Verdict;

/// The sizes of the log at which its root is known.
pub const SIZES: [u64; 6] = [1, 7, 8, 21, 64, 100];

/// A log and its roots.
struct Log {
    leaves: Vec<Leaf>,
    roots: Vec<(u64, Hash)>,
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let mut log = Log {
        leaves: Vec::new(),
        roots: Vec::new(),
    };
    let mut tree = Frontier::new();
    for position in 1..=SIZES[SIZES.len() - 1] {
        let leaf = Leaf {
            device: DeviceNo(1 + (position % 3) as u32),
            seq: position as u32,
            chain: digest(&[&position.to_be_bytes()]),
            received: TimeMs(position as i64),
            verdict: Verdict::Accepted,
        };
        tree.push(leaf.hash());
        log.leaves.push(leaf);
        if SIZES.contains(&position) {
            log.roots.push((position, tree.root()));
        }
    }
    log
});

fn known(subtree: Subtree) -> Option<Hash> {
    match subtree.level {
        0 => LOG.leaves.get(subtree.index as usize).map(Leaf::hash),
        _ => None,
    }
}

fn root(size: u64) -> Option<Hash> {
    let found = LOG.roots.iter().find(|(known, _)| *known == size);
    found.map(|(_, root)| *root)
}

/// The true proof.
pub fn true_inclusion(position: u64, size: u64) -> Option<InclusionProof> {
    Some(InclusionProof {
        leaf: *LOG.leaves.get(position.checked_sub(1)? as usize)?,
        position,
        size,
        path: inclusion_path(position - 1, size, &known)?,
    })
}

/// The true proof.
pub fn true_consistency(from: u64, to: u64) -> Option<ConsistencyProof> {
    let path = consistency_path(from, to, &known)?;
    Some(ConsistencyProof { from, to, path })
}

pub fn inclusion(bytes: &[u8]) {
    let Ok(proof) = minicbor::decode::<InclusionProof>(bytes) else {
        return;
    };
    // A phone takes the root from a head of that size that it has pinned.
    if let Some(root) = root(proof.size) {
        let truth = true_inclusion(proof.position, proof.size);
        assert_eq!(proof.proves(&root), truth.as_ref() == Some(&proof));
    }
    for (_, root) in &LOG.roots {
        if proof.proves(root) {
            assert!(LOG.leaves.contains(&proof.leaf), "nobody wrote it");
        }
    }
}

pub fn consistency(bytes: &[u8]) {
    let Ok(proof) = minicbor::decode::<ConsistencyProof>(bytes) else {
        return;
    };
    let (Some(before), Some(after)) = (root(proof.from), root(proof.to)) else {
        return;
    };
    let truth = true_consistency(proof.from, proof.to);
    assert_eq!(
        proof.proves(&before, &after),
        truth.as_ref() == Some(&proof)
    );
    let other = digest(&[b"another log"]);
    assert!(!proof.proves(&other, &after));
    assert!(!proof.proves(&before, &other));
}
