//! Proofs about the log: right ones are believed, and nothing else ever is.

use proptest::prelude::*;
use shared::bytes::{Fixed, Hash};
use shared::calendar::TimeMs;
use shared::chain::digest;
use shared::ids::DeviceNo;
use shared::sync::tree::proof::{
    ConsistencyProof, InclusionProof, Leaf, Subtree, consistency_path, inclusion_path,
};
use shared::sync::tree::{Frontier, node_hash};
use shared::sync::wire::Verdict;
use shared::testing::forge::forged;

/// RFC 9162 §2.1.1, word for word.
fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => digest(&[]),
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

fn leaf(position: u64) -> Leaf {
    Leaf {
        device: DeviceNo(1 + (position % 3) as u32),
        seq: position as u32,
        chain: digest(&[&position.to_be_bytes()]),
        received: TimeMs(1_763_625_600_000 + position as i64),
        verdict: Verdict::Accepted,
    }
}

/// The hashes of a log of so many events.
fn leaves(size: u64) -> Vec<Hash> {
    (1..=size).map(|position| leaf(position).hash()).collect()
}

/// What someone knows who has the leaves and nothing else.
fn known(leaves: &[Hash]) -> impl Fn(Subtree) -> Option<Hash> + '_ {
    |subtree| match subtree.level {
        0 => leaves.get(subtree.index as usize).copied(),
        _ => None,
    }
}

fn inclusion(leaves: &[Hash], position: u64, size: u64) -> InclusionProof {
    InclusionProof {
        leaf: leaf(position),
        position,
        size,
        path: inclusion_path(position - 1, size, &known(leaves)).expect("it stands there"),
    }
}

fn consistency(leaves: &[Hash], from: u64, to: u64) -> ConsistencyProof {
    let path = consistency_path(from, to, &known(leaves)).expect("it grew");
    ConsistencyProof { from, to, path }
}

#[test]
fn every_event_is_proven_in_every_log_that_holds_it() {
    for size in 1..=66 {
        let leaves = leaves(size);
        let root = root_of(&leaves);
        for position in 1..=size {
            let proof = inclusion(&leaves, position, size);
            assert!(proof.proves(&root), "{position} of {size}");
            assert!(proof.path.len() <= 7);
        }
        assert_eq!(inclusion_path(size, size, &known(&leaves)), None);
    }
}

#[test]
fn every_log_is_proven_to_begin_with_every_earlier_one() {
    let all = leaves(66);
    for to in 0..=66 {
        let after = root_of(&all[..to]);
        for from in 0..=to {
            let proof = consistency(&all, from as u64, to as u64);
            let before = root_of(&all[..from]);
            assert!(proof.proves(&before, &after), "{from} to {to}");
        }
        assert_eq!(
            consistency_path(to as u64 + 1, to as u64, &known(&all)),
            None
        );
    }
}

/// Made by `testdata/rfc9162.py`, which follows the text of the RFC and shares no code with Pakka.
const GOLDEN: &str = include_str!("../testdata/rfc9162.txt");

#[test]
fn proofs_are_those_that_the_rfc_defines() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let leaves = entries.map(|entry| digest(&[&[0], entry]));
    let known = known(&leaves);
    let mut compared = [0; 3];
    for line in GOLDEN.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |index: usize| words[index].parse::<u64>().expect("a number");
        let (kind, path) = match words[0] {
            "root" => (0, Some(vec![root_of(&leaves[..number(1) as usize])])),
            "inclusion" => (1, inclusion_path(number(1), number(2), &known)),
            _ => (2, consistency_path(number(1), number(2), &known)),
        };
        let path: Vec<String> = path.expect("defined").iter().map(Hash::to_string).collect();
        let golden = &words[if kind == 0 { 2 } else { 3 }..];
        assert_eq!(path, golden, "{line}");
        compared[kind] += 1;
    }
    assert_eq!(compared, [9, 36, 28]);
}

#[test]
fn a_proof_is_the_same_whether_large_subtrees_are_known_or_leaves_only() {
    let leaves = leaves(77);
    let blocks: Vec<Hash> = leaves.chunks_exact(8).map(root_of).collect();
    let with_blocks = |subtree: Subtree| match subtree.level {
        0 => leaves.get(subtree.index as usize).copied(),
        3 => blocks.get(subtree.index as usize).copied(),
        _ => None,
    };
    for index in 0..77 {
        let path = inclusion_path(index, 77, &known(&leaves));
        assert_eq!(inclusion_path(index, 77, &with_blocks), path);
        let path = consistency_path(index, 77, &known(&leaves));
        assert_eq!(consistency_path(index, 77, &with_blocks), path);
    }
}

#[test]
fn peaks_that_are_not_those_of_a_tree_are_not_read() {
    let mut tree = Frontier::new();
    leaves(5).into_iter().for_each(|leaf| tree.push(leaf));
    let written = minicbor::to_vec(&tree).expect("in memory");
    assert_eq!(minicbor::decode::<Frontier>(&written).ok(), Some(tree));
    // Another size has other peaks; the next leaf would find none to join.
    for size in [0, 4, 7, 0x17] {
        let mut other = written.clone();
        other[1] = size;
        minicbor::decode::<Frontier>(&other).expect_err("lacks a peak, or has one too many");
    }
}

#[test]
fn whoever_does_not_know_enough_makes_no_proof() {
    let leaves = leaves(8);
    assert_eq!(inclusion_path(2, 9, &known(&leaves)), None);
    assert_eq!(consistency_path(5, 9, &known(&leaves)), None);
}

#[test]
fn the_numbers_of_a_proof_may_be_as_large_as_they_like() {
    let far = |position, size, length| InclusionProof {
        leaf: leaf(1),
        position,
        size,
        path: vec![digest(&[]); length],
    };
    for (position, size) in [(u64::MAX, u64::MAX), (1, u64::MAX), (0, 0), (0, 1), (2, 1)] {
        for length in [0, 1, 63, 64, 65] {
            assert!(!far(position, size, length).proves(&digest(&[])));
        }
    }
    for (from, to) in [
        (u64::MAX, u64::MAX),
        (1, u64::MAX),
        (u64::MAX, 1),
        (0, u64::MAX),
    ] {
        for length in [1, 63, 64, 65] {
            let path = vec![digest(&[]); length];
            let proof = ConsistencyProof { from, to, path };
            assert!(!proof.proves(&Fixed([1; 32]), &Fixed([2; 32])));
        }
    }
}

proptest! {
    #[test]
    fn no_forged_inclusion_is_believed(size in 1..2_000_u64, at in any::<u64>(), seed in any::<u64>()) {
        let leaves = leaves(size);
        let root = root_of(&leaves);
        let proof = inclusion(&leaves, 1 + at % size, size);
        prop_assert!(proof.proves(&root));
        for (how, forgery) in forged(&proof, seed) {
            prop_assert!(!forgery.proves(&root), "{how}: {forgery:?}");
        }
    }

    #[test]
    fn no_forged_consistency_is_believed(to in 2..2_000_u64, at in any::<u64>(), seed in any::<u64>()) {
        let leaves = leaves(to);
        let from = 1 + at % (to - 1);
        let (before, after) = (root_of(&leaves[..from as usize]), root_of(&leaves));
        let proof = consistency(&leaves, from, to);
        prop_assert!(proof.proves(&before, &after));
        for (how, forgery) in forged(&proof, seed) {
            prop_assert!(!forgery.proves(&before, &after), "{how}: {forgery:?}");
        }
        prop_assert!(!proof.proves(&after, &before));
        prop_assert!(!proof.proves(&before, &before));
    }

    #[test]
    fn a_log_that_was_rewritten_is_never_proven_to_begin_with_the_old_one(
        to in 2..400_u64,
        from in any::<u64>(),
        changed in any::<u64>(),
    ) {
        let from = 1 + from % (to - 1);
        let old = leaves(to);
        let mut new = old.clone();
        new[(changed % from) as usize] = digest(&[b"another entry"]);
        let before = root_of(&old[..from as usize]);
        // With any honest proof over either log, the roots do not fit together.
        for log in [&old, &new] {
            let proof = consistency(log, from, to);
            prop_assert!(!proof.proves(&before, &root_of(&new)));
        }
    }

    #[test]
    fn the_peaks_that_a_phone_keeps_have_the_root_that_proofs_lead_to(size in 1..3_000_u64) {
        let leaves = leaves(size);
        let mut peaks = Frontier::new();
        leaves.iter().for_each(|leaf| peaks.push(*leaf));
        prop_assert!(inclusion(&leaves, size, size).proves(&peaks.root()));
    }
}
